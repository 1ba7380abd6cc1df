//! Every interleaving that the memory model allows, of small scenes with as many sleeps as there can be: a wake-up that is
//! lost leaves a sleeper behind, which `loom` reports as a deadlock.

use loom::sync::atomic::AtomicU32 as LoomWord;
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;

use super::*;

impl Word for LoomWord {
    fn load(&self, order: Ordering) -> u32 {
        self.load(order)
    }

    fn store(&self, value: u32, order: Ordering) {
        self.store(value, order);
    }

    fn swap(&self, value: u32, order: Ordering) -> u32 {
        self.swap(value, order)
    }

    fn replace(&self, from: u32, to: u32) -> bool {
        self.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    fn fence() {
        loom::sync::atomic::fence(Ordering::SeqCst);
    }
}

/// What a descriptor is: it counts, and a sleeper waits until it is not 0.
#[derive(Default)]
struct Descriptor {
    count: Mutex<u32>,
    rung: Condvar,
}

impl Descriptor {
    fn write(&self) {
        *self.count.lock().unwrap() += 1;
        self.rung.notify_one();
    }

    fn wait_and_read(&self) -> u32 {
        let mut count = self.count.lock().unwrap();
        while *count == 0 {
            count = self.rung.wait(count).unwrap();
        }
        std::mem::take(&mut count)
    }
}

struct Core {
    gate: Gate<LoomWord>,
    descriptor: Descriptor,
    /// What is left for it; without an order of its own, so that only the gate's fences make it visible.
    mail: Vec<LoomWord>,
}

impl Core {
    fn new(senders: usize) -> Arc<Core> {
        let mail = (0..senders).map(|_| LoomWord::new(0)).collect();
        Arc::new(Core { gate: Gate::new(LoomWord::new(0)), descriptor: Descriptor::default(), mail })
    }

    fn leave(&self, sender: usize, value: u32) {
        self.mail[sender].store(value, Ordering::Relaxed);
        if self.gate.signal() {
            self.descriptor.write();
        }
    }

    /// Takes turns until all mail is there. It has nothing else to do: a lost wake-up is the end of it.
    fn live(&self, last: u32) {
        let mut sleeps = 0;
        let mut written = 0;
        loop {
            self.gate.begin_turn();
            if self.mail.iter().all(|mail| mail.load(Ordering::Relaxed) == last) {
                break;
            }
            if self.gate.try_sleep() {
                sleeps += 1;
                written += self.descriptor.wait_and_read();
            }
        }
        assert!(written <= sleeps, "{written} wake-ups for {sleeps} sleeps");
    }
}

/// As many preemptions as such faults need (the missing fence below needs one); without a bound the larger scenes take
/// minutes.
fn bounded() -> loom::model::Builder {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model
}

#[test]
fn a_core_never_sleeps_over_mail_of_one() {
    loom::model(|| {
        let core = Core::new(1);
        let sender = thread::spawn({
            let core = core.clone();
            move || (1..=2).for_each(|i| core.leave(0, i))
        });
        core.live(2);
        sender.join().unwrap();
    });
}

#[test]
fn a_core_never_sleeps_over_mail_of_two() {
    bounded().check(|| {
        let core = Core::new(2);
        let senders = [0, 1].map(|sender| {
            let core = core.clone();
            thread::spawn(move || core.leave(sender, 1))
        });
        core.live(1);
        senders.into_iter().for_each(|sender| sender.join().unwrap());
    });
}

/// A ring of one place, and the flags of its two ends.
struct Ring {
    place: LoomWord,
    reader: (SleepFlag<LoomWord>, Descriptor),
    writer: (SleepFlag<LoomWord>, Descriptor),
}

impl Ring {
    fn new() -> Arc<Ring> {
        let end = || (SleepFlag::new(LoomWord::new(0)), Descriptor::default());
        Arc::new(Ring { place: LoomWord::new(0), reader: end(), writer: end() })
    }

    /// Waits at one end until the place is full, or empty, as a port's owner does.
    fn until(&self, full: bool) {
        let ((flag, descriptor), wants_room) =
            if full { (&self.reader, false) } else { (&self.writer, true) };
        while (self.place.load(Ordering::Relaxed) != 0) != full {
            flag.sleep(wants_room);
            if (self.place.load(Ordering::Relaxed) != 0) != full {
                descriptor.wait_and_read();
            }
            flag.wake_up();
        }
    }

    fn put(&self, value: u32, news: News) {
        self.place.store(value, Ordering::Relaxed);
        SleepFlag::<LoomWord>::before_news();
        let (flag, descriptor) = if news == News::Frames { &self.reader } else { &self.writer };
        if flag.news(news) {
            descriptor.write();
        }
    }
}

#[test]
fn neither_end_of_a_ring_sleeps_over_the_other() {
    bounded().check(|| {
        let ring = Ring::new();
        let writer = thread::spawn({
            let ring = ring.clone();
            move || {
                for frame in [1, 2] {
                    ring.until(false);
                    ring.put(frame, News::Frames);
                }
            }
        });
        for frame in [1, 2] {
            ring.until(true);
            assert_eq!(ring.place.load(Ordering::Relaxed), frame);
            ring.put(0, News::Room);
        }
        writer.join().unwrap();
    });
}

#[test]
fn whoever_waits_for_frames_only_is_not_woken_for_room() {
    let flag = SleepFlag::<AtomicU32>::default();
    assert!(!flag.news(News::Frames), "awake");
    flag.sleep(false);
    assert!(!flag.news(News::Room));
    assert!(flag.news(News::Frames));
    assert!(!flag.news(News::Frames), "woken once");
    flag.sleep(true);
    assert!(flag.news(News::Room));
}

/// Without its fence the handshake loses wake-ups, and the model finds it: else it would prove nothing.
#[test]
#[should_panic(expected = "deadlock")]
fn the_model_finds_a_missing_fence() {
    struct Bare(LoomWord);
    impl Word for Bare {
        fn load(&self, order: Ordering) -> u32 {
            self.0.load(order)
        }
        fn store(&self, value: u32, order: Ordering) {
            self.0.store(value, order);
        }
        fn swap(&self, value: u32, order: Ordering) -> u32 {
            self.0.swap(value, order)
        }
        fn replace(&self, from: u32, to: u32) -> bool {
            Word::replace(&self.0, from, to)
        }
        fn fence() {}
    }
    loom::model(|| {
        let all = Arc::new((LoomWord::new(0), SleepFlag::new(Bare(LoomWord::new(0))), Descriptor::default()));
        let sender = thread::spawn({
            let all = all.clone();
            move || {
                all.0.store(1, Ordering::Relaxed);
                if all.1.news(News::Frames) {
                    all.2.write();
                }
            }
        });
        all.1.sleep(false);
        if all.0.load(Ordering::Relaxed) == 0 {
            all.2.wait_and_read();
        }
        sender.join().unwrap();
    });
}
