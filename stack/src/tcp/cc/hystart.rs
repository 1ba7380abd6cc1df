//! HyStart++ (RFC 9406): leaves the initial slow start when round trips grow, before the path's queue overflows.

use std::time::Duration;

use ferroflow_wire::SeqNumber;

use super::Acked;

/// RFC 9406 4.3, in microseconds.
const MIN_RTT_THRESH: u32 = 4_000;
const MAX_RTT_THRESH: u32 = 16_000;
/// RFC 9406 4.3
const MIN_RTT_DIVISOR: u32 = 8;
const N_RTT_SAMPLE: u8 = 8;
pub(super) const CSS_GROWTH_DIVISOR: u32 = 4;
const CSS_ROUNDS: u8 = 5;
/// Not measured.
const NONE: u32 = u32::MAX;
/// Unit of the timestamps' clock, in microseconds.
const MILLISECOND: u32 = 1_000;

/// How an ACK lets the window grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// As in any slow start.
    Full,
    /// Conservative slow start: round trips have grown, perhaps by chance.
    Conservative,
    /// Conservatively for the last time: they have grown indeed, on with congestion avoidance.
    Over,
}

/// Rounds and their shortest round trips, in microseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct HyStart {
    /// The round ends when this is acknowledged; `None` before the first.
    window_end: Option<SeqNumber>,
    last_round_min: u32,
    current_round_min: u32,
    /// What brought us into conservative slow start; `NONE` outside.
    css_baseline: u32,
    samples: u8,
    css_rounds: u8,
}

impl Default for HyStart {
    fn default() -> HyStart {
        HyStart {
            window_end: None,
            last_round_min: NONE,
            current_round_min: NONE,
            css_baseline: NONE,
            samples: 0,
            css_rounds: 0,
        }
    }
}

impl HyStart {
    /// An ACK in slow start (RFC 9406 4.2): it is counted by the phase that it arrives in, and what it shows holds from
    /// the next one on. The one that ends a round still measures that round.
    pub(super) fn acked(&mut self, ack: &Acked) -> Pace {
        let pace = if self.in_css() { Pace::Conservative } else { Pace::Full };
        let end = *self.window_end.get_or_insert(ack.nxt);
        if let Some(rtt) = ack.rtt {
            self.current_round_min = self.current_round_min.min(micros(rtt));
            self.samples = self.samples.saturating_add(1);
        }
        self.judge();
        // An end that was never sent is one that was passed by half the sequence space or more.
        if (ack.una.ge(end) || end.gt(ack.nxt)) && self.next_round(ack.nxt) {
            return Pace::Over;
        }
        pace
    }

    /// Begins the next round. Returns whether slow start is over.
    fn next_round(&mut self, nxt: SeqNumber) -> bool {
        self.window_end = Some(nxt);
        self.last_round_min = self.current_round_min;
        self.current_round_min = NONE;
        self.samples = 0;
        if self.in_css() {
            self.css_rounds += 1; // the round in which it was entered counts, though not whole
            if self.css_rounds >= CSS_ROUNDS {
                *self = HyStart::default();
                return true;
            }
        }
        false
    }

    fn in_css(&self) -> bool {
        self.css_baseline != NONE
    }

    fn judge(&mut self) {
        if self.samples < N_RTT_SAMPLE {
            return;
        }
        let (last, current) = (self.last_round_min, self.current_round_min);
        if self.in_css() {
            if shorter(current, self.css_baseline) {
                self.css_baseline = NONE; // by chance, after all: slow start goes on
            }
        } else if last != NONE {
            let thresh = (last / MIN_RTT_DIVISOR).clamp(MIN_RTT_THRESH, MAX_RTT_THRESH);
            if current >= last.saturating_add(thresh) {
                self.css_baseline = current;
                self.css_rounds = 0;
            }
        }
    }
}

/// Whether `rtt` is shorter than `baseline`. Two readings of a millisecond clock may differ by one although nothing has
/// changed; that much is not taken for a shorter round trip.
fn shorter(rtt: u32, baseline: u32) -> bool {
    let coarse = rtt.is_multiple_of(MILLISECOND) && baseline.is_multiple_of(MILLISECOND);
    rtt.saturating_add(if coarse { MILLISECOND } else { 0 }) < baseline
}

fn micros(rtt: Duration) -> u32 {
    u32::try_from(rtt.as_micros()).unwrap_or(NONE).min(NONE - 1)
}
