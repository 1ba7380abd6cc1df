//! What cores write to each other.

use std::net::SocketAddr;

use super::directory::{Claim, Home, Key};
use crate::app::{Command, Dpid, Failed, OwnedReply, Token};

/// A message between the controllers of two cores.
#[derive(Debug)]
pub struct Mail(pub(crate) Letter);

/// What a [`Mail`] says. The registrar of a datapath is the core that decides who is its home.
#[derive(Debug)]
pub(crate) enum Letter {
    /// To the registrar: a switch says that it is `dpid`.
    Claim(Claim),
    /// To the registrar: the session is no more (and its apps know).
    Release { dpid: Dpid, key: Key },
    /// To the registrar: the session that was probed has answered.
    Alive { dpid: Dpid, key: Key },
    /// From the registrar: the datapath is yours.
    Grant { dpid: Dpid, key: Key },
    /// From the registrar: somebody else has it; `holder` is its peer.
    Refuse { dpid: Dpid, key: Key, holder: SocketAddr },
    /// From the registrar: `newcomer` says it is your datapath; ask yours.
    Probe { key: Key, newcomer: SocketAddr },
    /// From the registrar to all: the directory's new entry, or none.
    Entry { dpid: Dpid, home: Option<Home> },
    /// From an app to a datapath of the receiving core.
    Command { dpid: Dpid, slot: u8, token: Token, command: Command },
    /// The end of a [`Letter::Command`].
    Done { dpid: Dpid, slot: u8, token: Token, result: Result<OwnedReply, Failed> },
}
