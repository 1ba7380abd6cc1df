//! Waking a core that sleeps in the kernel.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use ferroflow_stack::handshake::Gate;
use ferroflow_stack::port::pipe::Doorbell;
use rustix::event::{EventfdFlags, eventfd};

/// Wakes one core. Cheap to clone, and cheap to use on a core that is awake: a fence and a load.
///
/// The waking side first leaves its message where the owner will find it, then calls [`Waker::wake`]. The owner
/// calls [`Waker::begin_turn`], looks for messages, and sleeps on the descriptor only if [`Waker::try_sleep`]
/// agrees. A message can then not be slept over, and at most one write is made per sleep.
#[derive(Debug, Clone)]
pub struct Waker {
    inner: Arc<Inner>,
}

/// In cache lines of its own: the owner writes the gate in every turn, and whoever wakes it reads it.
#[derive(Debug)]
#[repr(align(128))]
struct Inner {
    gate: Gate,
    fd: Option<OwnedFd>,
}

impl Waker {
    /// A waker with an event descriptor of its own.
    ///
    /// # Errors
    /// When the kernel has no descriptor left.
    pub fn new() -> io::Result<Waker> {
        let fd = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
        Ok(Waker::with(Some(fd)))
    }

    /// A waker without a descriptor, for owners that never sleep: tests in virtual time.
    pub fn noop() -> Waker {
        Waker::with(None)
    }

    fn with(fd: Option<OwnedFd>) -> Waker {
        Waker { inner: Arc::new(Inner { gate: Gate::default(), fd }) }
    }

    /// Makes the owner run a turn soon. Call it after the message has been left.
    #[inline]
    pub fn wake(&self) {
        if self.inner.gate.signal() {
            self.write();
        }
    }

    #[cold]
    fn write(&self) {
        if let Some(fd) = &self.inner.fd {
            // It can fail only when the counter is full, and then the owner has been woken already.
            let _ = rustix::io::write(fd, &1u64.to_ne_bytes());
        }
    }

    /// The owner is awake and looks at everything left for it after this call.
    #[inline]
    pub fn begin_turn(&self) {
        self.inner.gate.begin_turn();
    }

    /// The owner is about to sleep on [`Waker::fd`]. `false` = something came since the turn began: do not sleep.
    #[inline]
    pub fn try_sleep(&self) -> bool {
        self.inner.gate.try_sleep()
    }

    /// The descriptor to sleep on, to be watched edge-triggered: it is never read. `None` for [`Waker::noop`].
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.inner.fd.as_ref().map(AsFd::as_fd)
    }
}

/// The bell of a port in memory (a pipe's end): an event descriptor for the core to sleep on.
#[derive(Debug)]
pub struct EventBell {
    fd: OwnedFd,
}

impl EventBell {
    /// A bell that has not rung.
    ///
    /// # Errors
    /// When the kernel has no descriptor left.
    pub fn new() -> io::Result<EventBell> {
        Ok(EventBell { fd: eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)? })
    }
}

impl Doorbell for EventBell {
    fn ring(&self) {
        // It can fail only when it has been rung already.
        let _ = rustix::io::write(&self.fd, &1u64.to_ne_bytes());
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    fn clear(&self) {
        // It fails where nobody has rung.
        let _ = rustix::io::read(&self.fd, &mut [0; 8]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use std::sync::atomic::{AtomicU64, Ordering};

    fn written(waker: &Waker) -> u64 {
        let mut count = [0; 8];
        match rustix::io::read(waker.fd().unwrap(), &mut count) {
            Ok(_) => u64::from_ne_bytes(count),
            Err(_) => 0,
        }
    }

    #[test]
    fn one_write_per_sleep() {
        let w = Waker::new().unwrap();
        assert!(!w.try_sleep(), "a first turn comes before the first sleep");
        w.begin_turn();
        w.wake();
        w.wake();
        assert_eq!(written(&w), 0, "awake: nothing is written");
        assert!(!w.try_sleep());
        w.begin_turn();
        assert!(w.try_sleep());
        w.wake();
        w.wake();
        assert_eq!(written(&w), 1);
        assert!(!w.try_sleep());
    }

    /// A sleeper that only ever wakes by the waker must count every message, or it hangs.
    #[test]
    fn no_wake_up_is_lost() {
        const MESSAGES: u64 = 100_000;
        let waker = Waker::new().unwrap();
        let posted = Arc::new(AtomicU64::new(0));
        let sender = std::thread::spawn({
            let (waker, posted) = (waker.clone(), posted.clone());
            move || {
                for i in 1..=MESSAGES {
                    posted.store(i, Ordering::Release);
                    waker.wake();
                    if i % 64 == 0 {
                        std::thread::yield_now();
                    }
                }
            }
        });
        loop {
            waker.begin_turn();
            if posted.load(Ordering::Acquire) == MESSAGES {
                break;
            }
            if waker.try_sleep() {
                let fd = waker.fd().unwrap();
                let limit = Timespec { tv_sec: 20, tv_nsec: 0 };
                let n = poll(&mut [PollFd::from_borrowed_fd(fd, PollFlags::IN)], Some(&limit)).unwrap();
                assert_eq!(n, 1, "slept over a message");
                written(&waker);
            }
        }
        sender.join().unwrap();
    }
}
