//! Going to sleep without sleeping over something: the two handshakes between who waits and who leaves something.
//!
//! Both are one word in memory. Whoever leaves something does so first and then looks at the word; whoever wants to
//! sleep changes the word first and then looks for something. A fence between the two steps on each side makes one of
//! the looks successful. How one sleeps and how one is woken (a descriptor) is the caller's matter.
//!
//! The words are generic so that the very same code runs under `loom`, which tries every interleaving (`tests.rs`).

use std::sync::atomic::{AtomicU32, Ordering, fence};

/// An atomic word, with the fence of the memory model that it belongs to.
pub trait Word {
    /// See [`AtomicU32::load`].
    fn load(&self, order: Ordering) -> u32;
    /// See [`AtomicU32::store`].
    fn store(&self, value: u32, order: Ordering);
    /// See [`AtomicU32::swap`].
    fn swap(&self, value: u32, order: Ordering) -> u32;
    /// Whether the word was `from` and is `to` now; sequentially consistent.
    fn replace(&self, from: u32, to: u32) -> bool;
    /// A sequentially consistent fence.
    fn fence();
}

impl Word for AtomicU32 {
    #[inline]
    fn load(&self, order: Ordering) -> u32 {
        self.load(order)
    }

    #[inline]
    fn store(&self, value: u32, order: Ordering) {
        self.store(value, order);
    }

    #[inline]
    fn swap(&self, value: u32, order: Ordering) -> u32 {
        self.swap(value, order)
    }

    #[inline]
    fn replace(&self, from: u32, to: u32) -> bool {
        self.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    #[inline]
    fn fence() {
        fence(Ordering::SeqCst);
    }
}

/// A word that is somebody else's: in memory that several processes see, for example.
impl<W: Word> Word for &W {
    #[inline]
    fn load(&self, order: Ordering) -> u32 {
        W::load(self, order)
    }

    #[inline]
    fn store(&self, value: u32, order: Ordering) {
        W::store(self, value, order);
    }

    #[inline]
    fn swap(&self, value: u32, order: Ordering) -> u32 {
        W::swap(self, value, order)
    }

    #[inline]
    fn replace(&self, from: u32, to: u32) -> bool {
        W::replace(self, from, to)
    }

    #[inline]
    fn fence() {
        W::fence();
    }
}

/// The owner is in its turns and will look at its mail before it sleeps.
const RUNNING: u32 = 0;
/// Something was left for the owner since its current turn began.
const SIGNALLED: u32 = 1;
/// The owner sleeps (or is about to) and needs to be woken.
const ASLEEP: u32 = 2;

/// A core's word: many leave something, the owner takes turns. It costs whoever leaves something a fence and a load
/// while the owner is awake, and at most one wake-up is asked for per sleep.
///
/// A new one has been signalled: a first turn comes before the first sleep.
#[derive(Debug)]
pub struct Gate<W = AtomicU32>(W);

impl Default for Gate {
    fn default() -> Gate {
        Gate::new(AtomicU32::new(SIGNALLED))
    }
}

impl<W: Word> Gate<W> {
    /// A gate over `word`, whatever it holds.
    pub fn new(word: W) -> Gate<W> {
        word.store(SIGNALLED, Ordering::SeqCst);
        Gate(word)
    }

    /// Something has been left. Whether the owner sleeps and must be woken by the caller.
    #[inline]
    #[must_use = "the owner may sleep"]
    pub fn signal(&self) -> bool {
        // Pairs with the fence in `begin_turn`: either the owner sees what was left, or this sees that it has begun.
        W::fence();
        self.0.load(Ordering::Relaxed) != SIGNALLED && self.0.swap(SIGNALLED, Ordering::SeqCst) == ASLEEP
    }

    /// The owner is awake and looks at everything left for it after this call.
    #[inline]
    pub fn begin_turn(&self) {
        if self.0.load(Ordering::Relaxed) != RUNNING {
            self.0.swap(RUNNING, Ordering::SeqCst);
            W::fence();
        }
    }

    /// The owner is about to sleep. `false` = something came since the turn began: do not sleep.
    #[inline]
    pub fn try_sleep(&self) -> bool {
        self.0.replace(RUNNING, ASLEEP)
    }
}

/// The owner looks for itself.
const AWAKE: u32 = 0;
/// The owner sleeps until a frame comes.
const WANTS_FRAMES: u32 = 1;
/// The owner sleeps until a frame, or room to send one, comes.
const WANTS_ROOM: u32 = 2;

/// Why one end of a ring looks at the other's [`SleepFlag`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// Frames were left for it.
    Frames,
    /// Room was made for what it wants to send.
    Room,
}

/// The word of one end of a pair of rings: the rings themselves say what was left, and a burst is announced once.
/// Nothing but plain loads, stores and one fence per burst. Any value that another process may have written is harmless.
#[derive(Debug, Default)]
#[repr(transparent)]
pub struct SleepFlag<W = AtomicU32>(W);

impl<W: Word> SleepFlag<W> {
    /// A flag over `word`, which holds 0: awake.
    pub fn new(word: W) -> SleepFlag<W> {
        SleepFlag(word)
    }

    /// The owner is going to sleep. It must look once more at what it waits for after this call.
    pub fn sleep(&self, wants_room: bool) {
        self.0.store(if wants_room { WANTS_ROOM } else { WANTS_FRAMES }, Ordering::Relaxed);
        // Pairs with the one in `before_news`: either the owner's second look finds what was left, or
        // the one who left it finds the owner asleep.
        W::fence();
    }

    /// The owner is awake.
    pub fn wake_up(&self) {
        if self.0.load(Ordering::Relaxed) != AWAKE {
            self.0.store(AWAKE, Ordering::Relaxed);
        }
    }

    /// To be called between leaving something and [`SleepFlag::news`], once for any number of flags.
    pub fn before_news() {
        W::fence();
    }

    /// Something was left for the owner. Whether the caller must wake it: two who leave something at once may both be
    /// told so, which is harmless.
    #[must_use = "the owner may sleep"]
    pub fn news(&self, what: News) -> bool {
        let state = self.0.load(Ordering::Relaxed);
        let wanted = state == WANTS_ROOM || (state == WANTS_FRAMES && what == News::Frames);
        if wanted {
            self.0.store(AWAKE, Ordering::Relaxed);
        }
        wanted
    }
}

#[cfg(test)]
mod tests;
