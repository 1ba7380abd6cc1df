//! How many instructions the controller's turns take for a message, with one instance and with many in the process.

use std::hint::black_box;

use anyhow::ensure;
use ferroflow_stack::Instant;

use crate::say;
use crate::whole::{STEP, Server, Whole, parts};

const SWITCHES: u32 = 16;
/// Messages of each instance before any is counted: addresses are learned, tables and windows have grown. With a third of
/// them some instances' send rings still grow while others' do not.
const BEFORE: u64 = 100_000;
/// Turns within which they must have come.
const TURNS_MAX: u64 = 1_000_000;

/// Prints how many messages `measured_turn` has carried.
pub fn run(instances: usize, messages: u64) -> anyhow::Result<()> {
    let mut all =
        parts(instances)?.into_iter().map(|p| p.build(SWITCHES)).collect::<anyhow::Result<Vec<_>>>()?;
    let mut now = Instant::ZERO;
    all.iter_mut().for_each(|whole| whole.start(now));
    turns(&mut all, &mut now, BEFORE, other_turn)?;
    let before: u64 = all.iter().map(Whole::messages).sum();
    turns(&mut all, &mut now, BEFORE + messages, measured_turn)?;
    let carried = all.iter().map(Whole::messages).sum::<u64>() - before;
    let handed_over: u64 = all.iter().map(|whole| whole.server.port().counters().taken_over).sum();
    say(&format!("{instances} instances, {carried} messages, {handed_over} frames handed over"));
    Ok(())
}

/// Turns of all instances, one after another, until each has had so many messages.
fn turns(
    all: &mut [Whole],
    now: &mut Instant,
    until: u64,
    turn: fn(&mut Server, Instant) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    for _ in 0..TURNS_MAX {
        *now += STEP;
        for whole in all.iter_mut() {
            turn(&mut whole.server, *now)?;
            whole.load.turn(*now)?;
        }
        if all.iter().all(|whole| whole.messages() >= until) {
            return Ok(());
        }
    }
    let messages: Vec<_> = all.iter().map(Whole::messages).collect();
    ensure!(false, "{TURNS_MAX} turns brought {messages:?} messages");
    Ok(())
}

/// A function of its own for those who count; the argument keeps it apart from the other.
#[inline(never)]
fn measured_turn(server: &mut Server, now: Instant) -> anyhow::Result<()> {
    black_box("measured");
    server.turn(now)?;
    Ok(())
}

#[inline(never)]
fn other_turn(server: &mut Server, now: Instant) -> anyhow::Result<()> {
    black_box("other");
    server.turn(now)?;
    Ok(())
}
