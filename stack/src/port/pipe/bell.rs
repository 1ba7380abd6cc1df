//! Waking the other end of a pipe.

use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicU8, Ordering, fence};
use std::sync::{Arc, OnceLock};

/// Wakes the thread that sleeps on a port; made of whatever the runtime sleeps on (an eventfd).
pub trait Doorbell: Send + Sync {
    /// Makes [`Doorbell::fd`] readable. Never blocks; ringing twice is the same as ringing once.
    fn ring(&self);
    /// What the owner sleeps on.
    fn fd(&self) -> BorrowedFd<'_>;
    /// Makes [`Doorbell::fd`] unreadable again.
    fn clear(&self);
}

/// The owner looks for itself.
const AWAKE: u8 = 0;
/// The owner sleeps until a frame comes.
const WANTS_FRAMES: u8 = 1;
/// The owner sleeps until a frame or room to send one comes.
const WANTS_ROOM: u8 = 2;

/// Why one end looks at the other's bell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    Frames,
    Room,
}

/// One port's bell, seen by its owner and by everyone who sends to it.
#[derive(Default)]
pub(super) struct Bell {
    state: AtomicU8,
    doorbell: OnceLock<Arc<dyn Doorbell>>,
}

impl std::fmt::Debug for Bell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bell").field("state", &self.state).finish_non_exhaustive()
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
        self.state.store(if wants_room { WANTS_ROOM } else { WANTS_FRAMES }, Ordering::Relaxed);
        // Pairs with the one in `before_news`: either the owner's second look finds what was left, or
        // the one who left it finds the owner asleep.
        fence(Ordering::SeqCst);
    }

    /// The owner is awake.
    pub(super) fn wake_up(&self) {
        if self.state.load(Ordering::Relaxed) != AWAKE {
            self.state.store(AWAKE, Ordering::Relaxed);
        }
        if let Some(doorbell) = self.doorbell() {
            doorbell.clear();
        }
    }

    /// To be called between leaving something and [`Bell::news`], once for any number of bells.
    pub(super) fn before_news() {
        fence(Ordering::SeqCst);
    }

    /// Something was left for the owner: ring if it sleeps. Two who do so at once may both ring: harmless.
    pub(super) fn news(&self, what: News) {
        let state = self.state.load(Ordering::Relaxed);
        if state == WANTS_ROOM || (state == WANTS_FRAMES && what == News::Frames) {
            self.state.store(AWAKE, Ordering::Relaxed);
            if let Some(doorbell) = self.doorbell() {
                doorbell.ring();
            }
        }
    }
}
