//! What apps are told.

use ferroflow_openflow::ErrorCode;

use super::{Dpid, Token};
use crate::flow::{Description, Flow, Match, Port, PortStats, Unsupported};

/// A request's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply<'a> {
    /// The switch has done all that was sent before (barrier), or has installed the flow.
    Done,
    /// Who made the switch.
    Description(&'a Description),
    /// Counters of ports.
    Ports(&'a [PortStats]),
}

/// A reply that outlives its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OwnedReply {
    Done,
    Description(Box<Description>),
    Ports(Vec<PortStats>),
}

impl OwnedReply {
    pub(crate) fn borrow(&self) -> Reply<'_> {
        match self {
            OwnedReply::Done => Reply::Done,
            OwnedReply::Description(d) => Reply::Description(d),
            OwnedReply::Ports(p) => Reply::Ports(p),
        }
    }
}

/// Which flow an error is about: as much as could be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowName {
    /// Its table.
    pub table: u8,
    /// Its priority on the wire.
    pub priority: u16,
    /// Its cookie, the app's id taken off.
    pub cookie: u64,
    /// Its match, where the error quoted enough of it or the request is remembered.
    pub matching: Option<Match>,
}

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    /// The switch answered with an error.
    #[error("the switch refused: {name}")]
    Error {
        /// Type and code as numbers.
        error: ErrorCode,
        /// By the standard's names.
        name: Box<str>,
        /// The flow that it is about, if it is about one.
        flow: Option<Box<FlowName>>,
    },
    /// No answer in time.
    #[error("no answer in time")]
    TimedOut,
    /// The connection ended first.
    #[error("the datapath went away")]
    Disconnected,
    /// The answer has more parts than are kept.
    #[error("the answer is too long")]
    TooLong,
    /// There is no such datapath.
    #[error("no such datapath")]
    NoDatapath,
    /// It was never sent.
    #[error("not sent: {0}")]
    Refused(Refused),
}

/// Why something was not sent to the switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The switch's version has no word for it.
    #[error(transparent)]
    Unsupported(Unsupported),
    /// The send ring is full: the switch does not read.
    #[error("the switch reads too slowly")]
    Full,
    /// The priority is 0 or above the app's band.
    #[error("priority {priority} is outside the app's band of 1 to {max}")]
    Priority {
        /// What was asked for.
        priority: u16,
        /// The highest there is.
        max: u16,
    },
    /// Another app has a flow of the same table, priority and match.
    #[error("app `{owner}` has the same flow")]
    Conflict {
        /// The app.
        owner: &'static str,
    },
    /// The memory of who owns which flow is full.
    #[error("too many flows to remember")]
    TooManyFlows,
    /// Too many requests or commands are open.
    #[error("too many open requests")]
    TooManyRequests,
    /// Longer than a message can be.
    #[error("longer than a message can be")]
    TooLong,
    /// The datapath is gone.
    #[error("the datapath is gone")]
    Down,
}

/// Something that an app asked for and that did not happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A flow was not sent to the switch.
    FlowRefused {
        /// The flow.
        flow: Flow,
        /// Why not.
        why: Refused,
    },
    /// A removal, request or packet was not sent. (packet_outs that a slow switch costs are counted only.)
    Refused {
        /// What it was.
        what: &'static str,
        /// Why not.
        why: Refused,
    },
    /// The switch answered something without a token with an error.
    Error {
        /// Type and code as numbers.
        error: ErrorCode,
        /// By the standard's names.
        name: Box<str>,
        /// The flow that it is about, if it is about one.
        flow: Option<Box<FlowName>>,
    },
}

/// Why a flow was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RemovedReason {
    /// Its idle time passed.
    IdleTimeout,
    /// Its time passed.
    HardTimeout,
    /// Somebody deleted it.
    Delete,
    /// Anything else, as the wire's number.
    Other(u8),
}

/// A flow that is no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowRemoved {
    /// Its table; 0 in 1.0, which does not tell.
    pub table: u8,
    /// Its priority within the app's band.
    pub priority: u16,
    /// Its cookie, the app's id taken off.
    pub cookie: u64,
    /// Why.
    pub reason: RemovedReason,
    /// Its match, as far as the flow model has words for it.
    pub matching: Match,
    /// How long it lived, in seconds.
    pub duration_s: u32,
    /// Packets it handled.
    pub packets: u64,
    /// Bytes it handled.
    pub bytes: u64,
}

/// What happened to a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PortChange {
    /// It is new.
    Added,
    /// It is gone.
    Deleted,
    /// Something about it changed.
    Modified,
}

/// A port that came, went or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortStatus {
    /// What happened.
    pub change: PortChange,
    /// The port as it is now.
    pub port: Port,
}

impl PortStatus {
    /// Whether the port carries nothing any more.
    pub fn is_down(&self) -> bool {
        self.change == PortChange::Deleted || !self.port.is_up()
    }
}

/// Something to tell an app once its callback has returned.
#[derive(Debug)]
pub(crate) enum Queued {
    Event { slot: u8, event: Event },
    Done { slot: u8, dpid: Dpid, token: Token, result: Result<OwnedReply, Failed> },
}
