//! From bytes to messages, one by one.

use std::fmt;

use ferroflow_openflow::{Header, OFP_HEADER_LEN};
use ferroflow_stack::{Rx, SendRing};

use super::{Phase, Session, inbound, low_water};
use crate::core::{Chain, Shared};

/// Why a session ends by our will.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Incompatible,
    Unready,
    Silent,
    Unsplittable,
    BadVersion,
    Malformed,
    Auxiliary,
    /// Another session has the datapath and is alive.
    Duplicate,
    /// This one did not answer and another has come.
    Superseded,
    /// The controller stops.
    Stopping,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            End::Incompatible => "no common version",
            End::Unready => "not ready in time",
            End::Silent => "nothing heard in time",
            End::Unsplittable => "impossible message length",
            End::BadVersion => "message of another version",
            End::Malformed => "messages that cannot be read",
            End::Auxiliary => "auxiliary connections are not served",
            End::Duplicate => "its datapath is connected already",
            End::Superseded => "no answer while a new connection claims its datapath",
            End::Stopping => "the controller stops",
        })
    }
}

/// Why the pump stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pump {
    /// All bytes are taken, or must wait.
    Dry,
    /// The session knows its datapath and must claim it.
    Claim,
    /// A callback left something to be done outside of it.
    Work,
    /// The send ring is full: reading must wait.
    Pause,
    /// The session is over.
    End(End),
}

/// Handles messages until there is a reason to stop.
#[inline]
pub(crate) fn pump(
    session: &mut Session,
    shared: &mut Shared,
    chain: &mut Chain,
    ring: &mut SendRing,
    rx: &mut Rx<'_>,
) -> Pump {
    let Session { splitter, dp } = session;
    let low = low_water(ring);
    loop {
        match dp.phase {
            Phase::Claiming => return Pump::Dry,
            Phase::Closed => {
                while !rx.chunk().is_empty() {
                    rx.advance(rx.chunk().len());
                }
                return Pump::Dry;
            }
            _ => {}
        }
        // Once paused, until `writable`: bytes that arrive meanwhile would refill a ring that drains, so that it is
        // never half free, and the pause would end as if the switch did not read.
        if !dp.dropping && (dp.paused.is_some() || ring.room() < low) {
            return Pump::Pause;
        }
        let whole = rx.chunk();
        if whole.is_empty() {
            return Pump::Dry;
        }
        let mut chunk = whole;
        let message = match splitter.next(&mut chunk) {
            Ok(message) => message,
            Err(why) => {
                tracing::warn!(peer = %dp.peer, core = shared.core, "{why}");
                return Pump::End(End::Unsplittable);
            }
        };
        rx.advance(whole.len() - chunk.len());
        let Some(message) = message else { continue };
        shared.counters.messages += 1;
        let Some(first) = message.first_chunk::<OFP_HEADER_LEN>() else { continue };
        let header = Header::read(first);
        if let Err(end) = inbound::message(dp, shared, chain, ring, header, message) {
            return Pump::End(end);
        }
        if dp.phase == Phase::Claiming {
            return Pump::Claim;
        }
        if shared.has_work() {
            return Pump::Work;
        }
    }
}
