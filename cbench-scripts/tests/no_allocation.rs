//! A controller's core that answers packet_ins allocates nothing: not in the stack, the session or the app.
//!
//! Both ends run in virtual time on the test's thread, which is what makes the numbers exact.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::backtrace::Backtrace;
use std::cell::{Cell, RefCell};
use std::time::Duration;

use cbench::load::Load;
use cbench::options::Options;
use common::{CONTROLLER, PORT, Pair};
use ferroflow::testing::Switch;
use ferroflow::{Config, Controller, Version};
use ferroflow_apps::LearningSwitch;
use ferroflow_stack::{
    CloseReason, ConnId, ConnInfo, ConnectError, ConnectOptions, Instant, Net, Rx, Service,
};

/// After so many packet_ins all MACs are learnt and all rings and lists have grown.
const WARM_UP: u64 = 300_000;
/// Limit of a connection's rings: they double up to it a few times in a connection's life, here in the warm-up. All
/// that can be on the way fits into the pipe.
const RING: usize = 64 << 10;
/// At least so many packet_ins are watched.
const WATCHED: u64 = 100_000;
const SWITCHES: usize = 4;
/// A turn's virtual time: so long that timers and the second's tick come many times while we watch.
const TURN: Duration = Duration::from_millis(25);
/// Sources per switch.
const MACS: usize = 50;

/// The system's allocator, which counts what a thread asks for while it is watched.
struct Watch;

#[global_allocator]
static WATCH: Watch = Watch;

thread_local! {
    // Constants without destructors, so that reaching them does not allocate.
    static WATCHING: Cell<bool> = const { Cell::new(false) };
    static COUNT: Cell<u64> = const { Cell::new(0) };
    /// Where the first allocation came from.
    static FIRST: RefCell<Option<Backtrace>> = const { RefCell::new(None) };
}

fn note() {
    if !WATCHING.get() {
        return;
    }
    COUNT.set(COUNT.get() + 1);
    if COUNT.get() == 1 {
        // The backtrace itself allocates.
        WATCHING.set(false);
        let first = Backtrace::force_capture();
        FIRST.set(Some(first));
        WATCHING.set(true);
    }
}

// SAFETY: every call goes to the system's allocator with the caller's own arguments; counting touches no memory of it.
unsafe impl GlobalAlloc for Watch {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc`, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note();
        // SAFETY: as above; `old` came from the system's allocator, as all memory of this program does.
        unsafe { System.realloc(old, layout, size) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(old, layout) }
    }
}

/// What this thread allocated while `work` ran.
fn watched<R>(work: impl FnOnce() -> R) -> R {
    WATCHING.set(true);
    let result = work();
    WATCHING.set(false);
    result
}

fn controller() -> Controller {
    let config = Config { listen: vec![PORT], ..Config::default() };
    let builder = Controller::builder().config(config).app("learning-switch", |_| LearningSwitch::default());
    builder.build_cores(1).expect("one app").remove(0)
}

fn packet_ins(pair: &Pair<Controller, impl Service>) -> u64 {
    pair.left.service().counters().packet_ins
}

fn turn(pair: &mut Pair<Controller, impl Service>, watch: bool) {
    assert!(pair.now < Instant::from_secs(120), "only {} packet_ins in two minutes", packet_ins(pair));
    pair.right.turn(pair.now).expect("pipe");
    let (left, now) = (&mut pair.left, pair.now);
    if watch { watched(|| left.turn(now)) } else { left.turn(now) }.expect("pipe");
    pair.now += TURN;
}

/// Lets `load` ask for ever, and counts what the controller's turns allocate.
fn no_allocation_under(load: impl Service) {
    let mut pair = Pair::with(controller(), load, |config| {
        config.tcp.send_buffer = RING;
        config.tcp.recv_buffer = RING;
    });
    while packet_ins(&pair) < WARM_UP {
        turn(&mut pair, false);
    }
    let (before, from) = (pair.left.service().counters().clone(), pair.now);
    while packet_ins(&pair) < before.packet_ins + WATCHED {
        turn(&mut pair, true);
    }
    assert!(pair.now.since(from) > Duration::from_secs(2), "no tick of a second was watched");
    let after = pair.left.service().counters();
    let asked = after.packet_ins - before.packet_ins;
    // An answer has a flow_mod, since the destinations are known, and slow reading is waited for.
    assert_eq!(after.flow_mods - before.flow_mods, asked, "every packet_in is answered: {after:?}");
    let first = FIRST.take().map_or_else(String::new, |f| f.to_string());
    assert_eq!(COUNT.take(), 0, "allocations for {asked} packet_ins; the first:\n{first}");
}

#[test]
fn the_allocator_counts_what_is_watched_and_nothing_else() {
    drop(vec![1_u8; 100]);
    assert_eq!(COUNT.take(), 0);
    let v = watched(|| vec![1_u8; 100]);
    drop(v);
    assert_eq!(COUNT.take(), 1);
    assert!(FIRST.take().is_some());
}

#[test]
fn cbench_throughput_is_answered_without_an_allocation() {
    let o = Options {
        throughput: true,
        switches: SWITCHES as u32,
        macs: MACS as u32,
        loops: 1,
        warmup: 0,
        ms_per_test: 1_000_000,
        ..Options::default()
    };
    no_allocation_under(Load::new(o, CONTROLLER));
}

#[test]
fn buffered_packet_ins_are_answered_without_an_allocation() {
    for version in [Version::V1_0, Version::V1_3] {
        no_allocation_under(Asker::new(version, Some(7)));
    }
}

#[test]
fn whole_packet_ins_of_1_3_are_answered_without_an_allocation() {
    no_allocation_under(Asker::new(Version::V1_3, None));
}

/// Switches that ask as fast as the connection takes it, from many sources to one that is known, and read the answers.
struct Asker {
    version: Version,
    buffer: Option<u32>,
    /// Handshakes are over then, and asking begins.
    begin: Instant,
    conns: Vec<(ConnId, Asking)>,
}

struct Asking {
    learn: Vec<u8>,
    /// A packet_in of every source, again and again.
    questions: Vec<u8>,
    /// How much of them is sent.
    at: usize,
}

impl Asker {
    fn new(version: Version, buffer: Option<u32>) -> Asker {
        Asker { version, buffer, begin: Instant::ZERO, conns: Vec::new() }
    }
}

fn frame(dst: u8, src: u8) -> [u8; 64] {
    let mut f = [0; 64];
    f[..6].copy_from_slice(&[2, 0, 0, 0, 1, dst]);
    f[6..12].copy_from_slice(&[2, 0, 0, 0, 1, src]);
    f[12] = 8;
    f
}

impl Service for Asker {
    type Conn = Switch;

    fn start(&mut self, net: &mut impl Net) {
        self.begin = net.now() + Duration::from_millis(500);
        for token in 1..=SWITCHES as u64 {
            net.connect(CONTROLLER, ConnectOptions { local: None, token }).expect("a free port");
        }
    }

    fn accepted(&mut self, _: &mut impl Net, _: ConnId, _: &ConnInfo) -> Option<Switch> {
        None
    }

    fn connected(
        &mut self,
        net: &mut impl Net,
        id: ConnId,
        result: Result<&ConnInfo, ConnectError>,
    ) -> Option<Switch> {
        result.expect("a connection");
        let mut switch = Switch::new(self.version, self.conns.len() as u64 + 1);
        let question = |n: usize| switch.packet_in(1, self.buffer, &frame(0, 1 + n as u8));
        let questions = (0..MACS).flat_map(question).collect();
        let learn = switch.packet_in(2, None, &frame(0xff, 0));
        self.conns.push((id, Asking { learn, questions, at: 0 }));
        net.send(id, &switch.take_output()).expect("open");
        Some(switch)
    }

    fn data(&mut self, net: &mut impl Net, id: ConnId, switch: &mut Switch, rx: &mut Rx<'_>) {
        let handshake = net.now() < self.begin;
        while rx.remaining() > 0 {
            if handshake {
                switch.receive(rx.chunk());
                net.send(id, &switch.take_output()).expect("open");
            }
            rx.advance(rx.chunk().len());
        }
    }

    fn eof(&mut self, _: &mut impl Net, _: ConnId, _: &mut Switch) {
        panic!("the controller ended a connection");
    }

    fn closed(&mut self, _: &mut impl Net, _: ConnId, _: Switch, why: CloseReason) {
        panic!("a connection ended: {why}");
    }

    fn turn(&mut self, net: &mut impl Net) {
        if net.now() < self.begin {
            return;
        }
        for (id, c) in &mut self.conns {
            if !c.learn.is_empty() {
                net.send(*id, &std::mem::take(&mut c.learn)).expect("open");
            }
            loop {
                let n = net.send(*id, &c.questions[c.at..]).expect("open");
                c.at = (c.at + n) % c.questions.len();
                if n == 0 {
                    break;
                }
            }
        }
    }
}
