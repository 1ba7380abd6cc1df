//! What a session does because time has passed.

use ferroflow_stack::Instant;

use super::{Datapath, End, Phase};
use crate::config::Config;

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// Nothing before then.
    Nothing(Option<Instant>),
    /// The session is over.
    End(End),
    /// Reading goes on although the switch does not read.
    Unpause,
    /// An echo request must be sent.
    Echo,
    /// A request has timed out.
    Request,
}

/// The first thing that is due at `now`, to be done before asking again.
pub(crate) fn due(dp: &mut Datapath, config: &Config, now: Instant) -> Due {
    if dp.phase == Phase::Closed {
        return Due::Nothing(None);
    }
    let mut next = Instant::FAR;
    let mut wait = |at: Instant| {
        next = next.min(at);
        at <= now
    };
    if dp.phase != Phase::Ready && wait(dp.opened + config.ready_timeout) {
        return Due::End(End::Unready);
    }
    if dp.probe.is_some_and(&mut wait) {
        return Due::End(End::Superseded);
    }
    if !dp.dropping && dp.paused.is_some_and(|since| wait(since + config.pause_max)) {
        return Due::Unpause;
    }
    if dp.phase == Phase::Ready {
        if wait(dp.heard + config.echo_timeout) {
            return Due::End(End::Silent);
        }
        if dp.asked.is_none() && wait(dp.heard + config.echo_interval) {
            return Due::Echo;
        }
    }
    if dp.pending.deadline().is_some_and(wait) {
        return Due::Request;
    }
    Due::Nothing((next != Instant::FAR).then_some(next))
}
