//! Which cache lines cores write, and which they read: no core may touch a line that another one writes.
//!
//! `run` starts two threads with everything that `ferroflow run --cores 2` gives its cores, and a load each. They take turns,
//! one at a time, in virtual time, and say in memory whose turn it is: a store to a mark of its own. Under `valgrind
//! --tool=lackey --trace-mem=yes`, which prints every access, `judge` so knows whose each access is. Memory that both cores
//! read and neither writes (code, configuration) may be shared.

use std::collections::{BTreeMap, HashMap};
use std::io::BufRead;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use ferroflow_stack::Instant;

use crate::say;
use crate::whole::{Parts, STEP, Whole, parts};

const CORES: usize = 2;
const SWITCHES: u32 = 2;
/// Messages of each core before its accesses are looked at.
const BEFORE: u64 = 2_000;
/// Bytes of a cache line.
const LINE: u64 = 64;

/// Whoever has passed the turn on has still to go and wait for the next; the trace does not say whose an access is, and that
/// one's stack and the baton would count as touched by both.
const TO_REST: Duration = Duration::from_millis(50);

/// One for each core, and one for "nobody's turn"; each in a page of its own.
#[repr(align(4096))]
struct Mark(AtomicU64);

static MARKS: [Mark; CORES + 1] = [const { Mark(AtomicU64::new(0)) }; CORES + 1];

fn mark(whose: usize) {
    MARKS[whose].0.store(1, Ordering::Relaxed);
}

/// Turns within which all must have happened.
const TURNS_MAX: u64 = 100_000;

/// Whose turn it is.
#[derive(Default)]
struct Baton {
    state: Mutex<State>,
    passed: Condvar,
}

#[derive(Default)]
struct State {
    holder: usize,
    /// Cores that have had all their turns.
    done: [bool; CORES],
    failed: bool,
}

impl Baton {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the turn of `core`; `false` if it will not come.
    fn take(&self, core: usize) -> bool {
        let mut state = self.state();
        while state.holder != core && !state.failed {
            state = self.passed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        !state.failed
    }

    fn pass(&self, core: usize, done: bool) {
        let mut state = self.state();
        state.done[core] = done;
        let next = (1..=CORES).map(|n| (core + n) % CORES).find(|&next| !state.done[next]);
        state.holder = next.unwrap_or(core);
        self.passed.notify_all();
    }

    fn end_if(&self, failed: bool) {
        self.state().failed |= failed;
        self.passed.notify_all();
    }
}

/// Runs the cores for so many turns each.
pub fn run(marks: &Path, turns: u64) -> anyhow::Result<()> {
    let addresses: Vec<String> =
        MARKS.iter().map(|mark| format!("{:p}\n", std::ptr::from_ref(mark))).collect();
    std::fs::write(marks, addresses.concat()).with_context(|| marks.display().to_string())?;
    let baton = Baton::default();
    std::thread::scope(|scope| {
        let each = |(core, part): (usize, Parts)| {
            let baton = &baton;
            scope.spawn(move || {
                let result = part.build(SWITCHES).and_then(|whole| live(whole, core, baton, turns));
                // Whoever fails must not keep the other one waiting.
                baton.end_if(result.is_err());
                result
            })
        };
        let threads: Vec<_> = parts(CORES)?.into_iter().enumerate().map(each).collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or_else(|_| bail!("a core has panicked")))
    })
}

/// One core, in virtual time: what it does from one turn to the next is its own.
fn live(mut whole: Whole, core: usize, baton: &Baton, turns: u64) -> anyhow::Result<()> {
    let (mut now, mut left) = (Instant::ZERO, turns);
    whole.start(now);
    for _ in 0..TURNS_MAX {
        ensure!(baton.take(core), "the other core has failed");
        let looked_at = whole.messages() >= BEFORE && left > 0;
        if looked_at {
            left -= 1;
            std::thread::sleep(TO_REST);
            mark(core);
        }
        now += STEP;
        whole.server.turn(now)?;
        whole.load.turn(now)?;
        mark(CORES);
        baton.pass(core, left == 0);
        if left == 0 {
            return Ok(());
        }
    }
    bail!("{} messages after {TURNS_MAX} turns", whole.messages())
}

/// What one core did to memory: by line, which instruction did so last.
#[derive(Debug, Default)]
struct Accesses {
    read: HashMap<u64, u64>,
    written: HashMap<u64, u64>,
}

impl Accesses {
    /// Who has written the line, or else who has read it.
    fn by(&self, line: u64) -> Option<u64> {
        self.written.get(&line).or_else(|| self.read.get(&line)).copied()
    }
}

/// Reads the trace, and says whether cores share lines.
pub fn judge(marks: &Path, max: usize, trace: impl BufRead) -> anyhow::Result<()> {
    let mut cores: [Accesses; CORES] = Default::default();
    let mut whose = None;
    let mut addresses = None;
    let mut instruction = 0;
    for (number, line) in trace.lines().enumerate() {
        if addresses.is_none() && number % 1024 == 0 {
            addresses = read_marks(marks)?;
        }
        let Some(marks) = &addresses else { continue };
        let Some((kind, address, size)) = access(&line?) else { continue };
        if kind == Kind::Instruction {
            instruction = address;
            continue;
        }
        if let Some(mark) = marks.iter().position(|&mark| mark == address) {
            whose = Some(mark).filter(|&mark| mark < CORES);
            continue;
        }
        let Some(core) = whose else { continue };
        for line in address / LINE..=(address + size - 1) / LINE {
            if kind != Kind::Store {
                cores[core].read.insert(line, instruction);
            }
            if kind != Kind::Load {
                cores[core].written.insert(line, instruction);
            }
        }
    }
    let [a, b] = &cores;
    for (core, accesses) in cores.iter().enumerate() {
        let (read, written) = (accesses.read.len(), accesses.written.len());
        say(&format!("core {core}: {read} cache lines read, {written} written"));
        ensure!(read > 500 && written > 500, "a core that does something touches more");
    }
    say(&format!("read by both and written by neither: {}", read_by_both(a, b)));
    let mut shared = BTreeMap::<u64, (u64, u64)>::new();
    for (writer, other) in [(a, b), (b, a)] {
        shared.extend(writer.written.iter().filter_map(|(&line, &at)| Some((line, (at, other.by(line)?)))));
    }
    for (line, (writer, other)) in &shared {
        say(&format!(
            "shared: {:#x}, written by the code at {writer:#x}, used by that at {other:#x}",
            line * LINE
        ));
    }
    say(&format!("{} cache lines are written by one core and accessed by the other", shared.len()));
    ensure!(shared.len() <= max, "more than {max}");
    Ok(())
}

fn read_by_both(a: &Accesses, b: &Accesses) -> usize {
    let only_read = |line: &&u64| !a.written.contains_key(line) && !b.written.contains_key(line);
    a.read.keys().filter(|line| b.read.contains_key(line)).filter(only_read).count()
}

/// The addresses of the marks, once the program has written them: long before it uses them.
fn read_marks(file: &Path) -> anyhow::Result<Option<Vec<u64>>> {
    let Ok(text) = std::fs::read_to_string(file) else { return Ok(None) };
    let address = |line: &str| u64::from_str_radix(line.trim_start_matches("0x"), 16);
    let marks: Vec<u64> =
        text.lines().map(address).collect::<Result<_, _>>().context("the addresses of the marks")?;
    Ok(Some(marks).filter(|marks| marks.len() == CORES + 1))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Load,
    Store,
    Modify,
    Instruction,
}

/// An access: ` L 1ffefff8,8`. What else there is is passed over.
fn access(line: &str) -> Option<(Kind, u64, u64)> {
    let kind = match line.get(..3)? {
        " L " => Kind::Load,
        " S " => Kind::Store,
        " M " => Kind::Modify,
        "I  " => Kind::Instruction,
        _ => return None,
    };
    let (address, size) = line[3..].split_once(',')?;
    let size = size.trim().parse().ok().filter(|&size| size > 0)?;
    Some((kind, u64::from_str_radix(address.trim(), 16).ok()?, size))
}
