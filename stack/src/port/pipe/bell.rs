//! Waking the other end of a pipe.

use std::os::fd::BorrowedFd;
use std::sync::{Arc, OnceLock};

use crate::handshake::{News, SleepFlag};

/// Wakes the thread that sleeps on a port; made of whatever the runtime sleeps on (an eventfd).
pub trait Doorbell: Send + Sync {
    /// Makes [`Doorbell::fd`] readable. Never blocks; ringing twice is the same as ringing once.
    fn ring(&self);
    /// What the owner sleeps on.
    fn fd(&self) -> BorrowedFd<'_>;
    /// Makes [`Doorbell::fd`] unreadable again.
    fn clear(&self);
}

/// One port's bell, seen by its owner and by everyone who sends to it.
#[derive(Default)]
pub(super) struct Bell {
    flag: SleepFlag,
    doorbell: OnceLock<Arc<dyn Doorbell>>,
}

impl std::fmt::Debug for Bell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bell").field("flag", &self.flag).finish_non_exhaustive()
    }
}

impl Bell {
    pub(super) fn doorbell(&self) -> Option<&dyn Doorbell> {
        self.doorbell.get().map(Arc::as_ref)
    }

    pub(super) fn set(&self, doorbell: Arc<dyn Doorbell>) {
        // A second one would be unknown to a peer that has seen the first.
        assert!(self.doorbell.set(doorbell).is_ok(), "the port has a doorbell already");
    }

    /// The owner is going to sleep. It must look once more at what it waits for after this call.
    pub(super) fn sleep(&self, wants_room: bool) {
        self.flag.sleep(wants_room);
    }

    /// The owner is awake.
    pub(super) fn wake_up(&self) {
        self.flag.wake_up();
        if let Some(doorbell) = self.doorbell() {
            doorbell.clear();
        }
    }

    /// To be called between leaving something and [`Bell::news`], once for any number of bells.
    pub(super) fn before_news() {
        SleepFlag::<std::sync::atomic::AtomicU32>::before_news();
    }

    /// Something was left for the owner: ring if it sleeps.
    pub(super) fn news(&self, what: News) {
        if self.flag.news(what)
            && let Some(doorbell) = self.doorbell()
        {
            doorbell.ring();
        }
    }
}
