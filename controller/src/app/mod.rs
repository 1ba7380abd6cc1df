//! What an app is: one value per core, called with what happens on that core's datapaths.

mod cx;
mod dp;
mod event;
mod packet_in;
mod registry;

pub use cx::{Command, Cx};
pub use dp::Dp;
pub use event::{
    Event, Failed, FlowName, FlowRemoved, PortChange, PortStatus, Refused, RemovedReason, Reply,
};
pub use packet_in::{BufferId, PacketIn, PacketInReason};
pub use registry::{AppFactory, AppRegistry, UnknownApp};

pub(crate) use cx::Routed;
pub(crate) use event::{OwnedReply, Queued};

use std::fmt;

/// A datapath's identifier: 48 bits of a MAC address and 16 that the implementer chooses (OF 1.3.5 7.3.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Dpid(pub u64);

impl fmt::Display for Dpid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#018x}", self.0)
    }
}

impl fmt::Debug for Dpid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether the apps behind this one in the chain see the event too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// They do.
    Continue,
    /// This app has dealt with it.
    Stop,
}

/// An app's own name for a request, handed back in [`App::done`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// A controller app. One instance runs on every core, so `&mut self` is its state and there are no locks.
///
/// The order for one datapath: [`App::datapath_up`]; then anything; last, [`App::datapath_down`]. Apps are called in
/// the order in which they were registered. A callback that panics disables its app on that core; all else goes on.
pub trait App: Send {
    /// A switch is connected and can be written to. Its flows may still be there from before.
    fn datapath_up(&mut self, dp: &mut Dp<'_>) {
        let _ = dp;
    }

    /// The switch is gone: what is sent to it now is lost. Every open request has ended before this.
    fn datapath_down(&mut self, dp: &mut Dp<'_>) {
        let _ = dp;
    }

    /// The list of the switch's ports became known ([`Dp::ports`]); in 1.0 it is known from the start.
    fn ports(&mut self, dp: &mut Dp<'_>) {
        let _ = dp;
    }

    /// A packet that the switch does not know what to do with.
    fn packet_in(&mut self, dp: &mut Dp<'_>, packet: &PacketIn<'_>) -> Next {
        let _ = (dp, packet);
        Next::Continue
    }

    /// One of this app's flows that asked for it ([`crate::flow::Flow::notify`]) was removed.
    fn flow_removed(&mut self, dp: &mut Dp<'_>, removed: &FlowRemoved) {
        let _ = (dp, removed);
    }

    /// A switch port came, went or changed.
    fn port_status(&mut self, dp: &mut Dp<'_>, status: &PortStatus) {
        let _ = (dp, status);
    }

    /// The one end of a request: its reply, an error, a time-out or the end of the connection. `dp` is the datapath
    /// that was asked; if that is not of this core (or is gone), nothing can be sent to it from here.
    fn done(&mut self, dp: &mut Dp<'_>, token: Token, result: Result<Reply<'_>, Failed>) {
        let _ = (dp, token, result);
    }

    /// Something this app asked for without a [`Token`] did not happen.
    fn event(&mut self, dp: &mut Dp<'_>, event: &Event) {
        let _ = (dp, event);
    }

    /// Called once per [`crate::Config::tick`].
    fn tick(&mut self, cx: &mut Cx<'_>) {
        let _ = cx;
    }
}
