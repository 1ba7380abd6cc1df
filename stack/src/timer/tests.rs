use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn fired(wheel: &mut Wheel, now: Instant) -> Vec<(u32, u32)> {
    let mut out = Vec::new();
    wheel.advance(now, |index, generation| out.push((index, generation)));
    out.sort_unstable();
    out
}

/// Jumps from deadline to deadline until something fires; returns when, and in how many jumps.
fn jump(wheel: &mut Wheel) -> (Instant, usize) {
    for jumps in 1..=LEVELS {
        let at = wheel.next().expect("an entry waits");
        if !fired(wheel, at).is_empty() {
            return (at, jumps);
        }
    }
    panic!("no progress in {LEVELS} jumps");
}

#[test]
fn fires_neither_early_nor_more_than_a_tick_late() {
    for ns in [0, 1, 999, 1_000_000, 200_000_000, 60_000_000_000, 7_200_000_000_000, 864_000_000_000_000] {
        for origin in [0, 12_345_678_901_234] {
            let mut wheel = Wheel::new();
            let _ = fired(&mut wheel, Instant::from_nanos(origin));
            let at = Instant::from_nanos(origin + ns);
            wheel.schedule(7, 3, at);
            let (when, _) = jump(&mut wheel);
            assert!(when >= at || ns == 0, "{ns}: {when:?} is before {at:?}");
            assert!(when.since(at) <= Duration::from_nanos(Wheel::TICK_NS), "{ns}: {when:?} is late");
            assert!(wheel.is_empty());
            assert_eq!(wheel.next(), None);
        }
    }
}

#[test]
fn a_later_time_is_ignored_and_an_earlier_one_taken() {
    let mut wheel = Wheel::new();
    wheel.schedule(0, 1, Instant::from_millis(50));
    wheel.schedule(0, 1, Instant::from_millis(500));
    assert_eq!(wheel.len(), 1);
    assert_eq!(fired(&mut wheel, Instant::from_millis(52)), [(0, 1)]);

    wheel.schedule(0, 1, Instant::from_millis(500));
    wheel.schedule(0, 1, Instant::from_millis(100));
    assert_eq!(fired(&mut wheel, Instant::from_millis(102)), [(0, 1)]);
    assert_eq!(fired(&mut wheel, Instant::from_secs(9)), []);
}

#[test]
fn a_new_generation_replaces_the_old_one() {
    let mut wheel = Wheel::new();
    wheel.schedule(4, 1, Instant::from_millis(50));
    wheel.schedule(4, 2, Instant::from_millis(500));
    assert_eq!(fired(&mut wheel, Instant::from_millis(499)), []);
    assert_eq!(fired(&mut wheel, Instant::from_millis(502)), [(4, 2)]);
}

#[test]
fn what_is_late_already_fires_at_once() {
    let mut wheel = Wheel::new();
    let now = Instant::from_secs(5);
    let _ = fired(&mut wheel, now);
    wheel.schedule(1, 1, Instant::from_secs(1));
    assert!(wheel.next().is_some_and(|at| at <= now));
    assert_eq!(fired(&mut wheel, now), [(1, 1)]);
}

#[test]
fn far_means_never() {
    let mut wheel = Wheel::new();
    wheel.schedule(1, 1, Instant::FAR);
    assert_eq!(wheel.next(), None);
    wheel.schedule(1, 1, Instant::from_nanos(u64::MAX - 2));
    assert!(wheel.next().is_some());
    assert_eq!(fired(&mut wheel, Instant::from_secs(1 << 33)), []);
}

#[test]
fn time_that_goes_back_is_harmless() {
    let mut wheel = Wheel::new();
    let _ = fired(&mut wheel, Instant::from_secs(10));
    wheel.schedule(1, 1, Instant::from_secs(11));
    assert_eq!(fired(&mut wheel, Instant::from_secs(3)), []);
    assert_eq!(fired(&mut wheel, Instant::from_millis(11_002)), [(1, 1)]);
}

#[test]
fn steady_state_does_not_allocate() {
    let mut wheel = Wheel::new();
    for index in 0..1000 {
        wheel.schedule(index, 0, Instant::from_millis(u64::from(index)));
    }
    let capacity = wheel.entries.capacity();
    let mut now = 0;
    for round in 0..100u32 {
        now += 1100;
        let mut count = 0;
        wheel.advance(Instant::from_millis(now), |_, _| count += 1);
        assert_eq!(count, 1000);
        for index in 0..1000 {
            wheel.schedule(index, round, Instant::from_millis(now + u64::from(index)));
        }
    }
    assert_eq!(wheel.entries.capacity(), capacity);
}

#[derive(Debug, Clone)]
enum Op {
    Schedule { index: u32, generation: u32, in_ns: u64 },
    Advance { by_ns: u64 },
    Jump,
}

fn spread() -> impl Strategy<Value = u64> {
    (0u32..52, any::<u64>()).prop_map(|(bits, raw)| raw & ((1 << bits) - 1))
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0u32..12, 0u32..2, spread()).prop_map(|(index, generation, in_ns)| Op::Schedule { index, generation, in_ns }),
        2 => spread().prop_map(|by_ns| Op::Advance { by_ns }),
        1 => Just(Op::Jump),
    ]
}

/// What the wheel must do, told with maps: index to (generation, tick).
#[derive(Default)]
struct Model {
    waiting: BTreeMap<u32, (u32, u64)>,
    now: u64,
}

impl Model {
    fn schedule(&mut self, index: u32, generation: u32, at: Instant) {
        let tick = tick_after(at).max(self.now >> TICK_SHIFT);
        match self.waiting.get(&index) {
            Some(&(g, t)) if g == generation && t <= tick => {}
            _ => {
                self.waiting.insert(index, (generation, tick));
            }
        }
    }

    fn advance(&mut self, to: u64) -> Vec<(u32, u32)> {
        self.now = self.now.max(to);
        let due = self.now >> TICK_SHIFT;
        let fired: Vec<_> =
            self.waiting.iter().filter(|(_, e)| e.1 <= due).map(|(&index, e)| (index, e.0)).collect();
        self.waiting.retain(|_, e| e.1 > due);
        fired
    }
}

proptest! {
    #[test]
    fn behaves_like_a_sorted_map(origin in spread(), ops in prop::collection::vec(op(), 1..200)) {
        let mut wheel = Wheel::new();
        let mut model = Model::default();
        prop_assert_eq!(fired(&mut wheel, Instant::from_nanos(origin)), model.advance(origin));
        for op in ops {
            match op {
                Op::Schedule { index, generation, in_ns } => {
                    let at = Instant::from_nanos(model.now + in_ns);
                    wheel.schedule(index, generation, at);
                    model.schedule(index, generation, at);
                }
                Op::Advance { by_ns } => {
                    let to = model.now + by_ns;
                    prop_assert_eq!(fired(&mut wheel, Instant::from_nanos(to)), model.advance(to));
                }
                Op::Jump => if let Some(at) = wheel.next() {
                    let to = at.as_nanos().max(model.now);
                    prop_assert_eq!(fired(&mut wheel, Instant::from_nanos(to)), model.advance(to));
                    // Progress: the same deadline is not named twice.
                    prop_assert!(wheel.next().is_none_or(|next| next > at));
                },
            }
            prop_assert_eq!(wheel.len(), model.waiting.len());
            let earliest = model.waiting.values().map(|e| e.1).min();
            let next = wheel.next().map(|at| at.as_nanos() >> TICK_SHIFT);
            prop_assert_eq!(next.is_none(), earliest.is_none());
            prop_assert!(next <= earliest);
        }
    }
}
