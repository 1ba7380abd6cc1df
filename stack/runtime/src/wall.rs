//! Real time for instances that waiting itself drives.

use std::time::Duration;

use ferroflow_stack::Instant;
use ferroflow_stack::port::{Interest, Port};
use ferroflow_stack::sockets::Clock;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::clock;

/// How long to sleep at most on a port that cannot wake anyone.
const POLL_EVERY: Duration = Duration::from_micros(50);

/// The clock of [`ferroflow_stack::sockets::Driven`] outside of tests: the kernel's, and sleeping on the port.
#[derive(Debug, Clone, Copy, Default)]
pub struct WallClock;

impl<P: Port> Clock<P> for WallClock {
    fn now(&mut self) -> Instant {
        clock::now()
    }

    fn sleep(&mut self, port: &mut P, until: Option<Instant>) {
        if !port.prepare_wait() {
            return;
        }
        let time = until.map(|until| until.since(clock::now()));
        let Some((fd, interest)) = port.wait() else {
            return std::thread::sleep(time.map_or(POLL_EVERY, |time| time.min(POLL_EVERY)));
        };
        let flags = match interest {
            Interest::Readable => PollFlags::IN,
            Interest::Both => PollFlags::IN | PollFlags::OUT,
        };
        let time = time.map(|time| Timespec {
            tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: time.subsec_nanos().into(),
        });
        // Interrupted or refused, the worst that follows is a turn too early.
        let _ = poll(&mut [PollFd::new(&fd, flags)], time.as_ref());
    }
}
