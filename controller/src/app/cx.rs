//! A core, as an app's tick sees it.

use ferroflow_stack::Instant;

use super::dp::route;
use super::{Dp, Dpid, Token};
use crate::core::{Directory, Senders, Sessions, Shared};
use crate::flow::{Delete, Flow, PacketOut, StatsRequest};

/// Something for a datapath of any core. Its one end is [`super::App::done`].
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Install a flow; done when the switch has it.
    Add(Flow),
    /// Remove flows of this app; done when the switch has.
    Delete(Delete),
    /// Send a packet; done when the switch has.
    PacketOut(PacketOut),
    /// Ask something; done with the answer.
    Request(StatsRequest),
    /// Done when the switch has done all that was sent to it before.
    Barrier,
}

/// A command and whom it is for.
#[derive(Debug)]
pub(crate) struct Routed {
    pub dpid: Dpid,
    pub command: Command,
    pub token: Token,
}

/// One core: its own datapaths, and a way to all others.
pub struct Cx<'a> {
    pub(crate) shared: &'a mut Shared,
    pub(crate) sessions: &'a mut Sessions,
    pub(crate) senders: &'a mut dyn Senders,
    pub(crate) slot: u8,
}

impl Cx<'_> {
    /// The time of this turn.
    pub fn now(&self) -> Instant {
        self.shared.now
    }

    /// Which core this is.
    pub fn core(&self) -> usize {
        self.shared.core
    }

    /// How many cores there are.
    pub fn cores(&self) -> usize {
        self.shared.cores
    }

    /// A random number of the core's generator.
    pub fn random(&mut self) -> u64 {
        self.shared.random()
    }

    /// Every connected datapath, as this core knows it.
    pub fn directory(&self) -> &Directory {
        &self.shared.directory
    }

    /// A datapath of this core.
    pub fn datapath(&mut self, dpid: Dpid) -> Option<Dp<'_>> {
        let session = self.sessions.ready(dpid)?;
        let ring = self.senders.sender(session.dp.conn)?;
        Some(Dp::new(ring, &mut session.dp, self.shared, self.slot))
    }

    /// Calls `f` with every datapath of this core.
    pub fn local_datapaths(&mut self, mut f: impl FnMut(&mut Dp<'_>)) {
        for session in self.sessions.iter_mut().filter(|s| s.dp.is_ready()) {
            if let Some(ring) = self.senders.sender(session.dp.conn) {
                f(&mut Dp::new(ring, &mut session.dp, self.shared, self.slot));
            }
        }
    }

    /// Sends a command to a datapath of any core, after this callback. Ends in [`super::App::done`].
    pub fn send(&mut self, dpid: Dpid, command: Command, token: Token) {
        route(self.shared, self.slot, dpid, command, token);
    }
}

impl std::fmt::Debug for Cx<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cx").field("core", &self.shared.core).finish()
    }
}
