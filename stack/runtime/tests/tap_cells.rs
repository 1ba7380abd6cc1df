//! The stack on TAP interfaces with offloads and without, on one core and on several, with a queue for each, fewer or more: the
//! same checks for all.
//!
//! Sizes are for every day; `FERROFLOW_TEST_SIZE=full` runs 1 GiB each way.

#[path = "common/bulk.rs"]
mod bulk;
#[path = "common/lab.rs"]
mod lab;

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant as Wall};

use bulk::{Bulk, block, exchange};
use ferroflow_runtime::CoreReport;
use lab::{Cell, End, HOST, connect, full, in_namespace};

const PORT: u16 = 6653;

const CELLS: &[Cell] = &[
    Cell { port: "tap:ff0,offload=off", cores: 1, queues: 1 },
    Cell { port: "tap:ff0,offload=off", cores: 2, queues: 2 },
    Cell { port: "tap:ff0,offload=off", cores: 4, queues: 4 },
    Cell { port: "tap:ff0,offload=off,queues=2", cores: 4, queues: 2 },
    Cell { port: "tap:ff0,offload=on", cores: 1, queues: 1 },
    Cell { port: "tap:ff0,offload=on", cores: 2, queues: 2 },
    Cell { port: "tap:ff0,offload=on", cores: 4, queues: 4 },
    Cell { port: "tap:ff0,offload=on,queues=1", cores: 2, queues: 1 },
    Cell { port: "tap:ff0,offload=on,queues=2", cores: 4, queues: 2 },
    Cell { port: "tap:ff0,offload=on,queues=3", cores: 2, queues: 3 },
    Cell { port: "tap:ff0,mtu=9000", cores: 1, queues: 1 },
];

/// Runs a test in each cell, in a namespace of its own.
fn each_cell(test: fn(Cell)) {
    CELLS.iter().for_each(|&cell| in_namespace(move || test(cell)));
}

/// Bytes of all connections of a cell together.
fn bulk_bytes() -> u64 {
    if full() { 1 << 30 } else { 64 << 20 }
}

/// No connection and no frame is left, nothing was lost, and large segments went both ways where they can.
fn all_is_well(cell: Cell, reports: &[CoreReport<End>]) {
    for r in reports {
        assert_eq!((r.result.conns, r.result.frames_held), (0, 0), "core {} of {cell:?}", r.core);
    }
    for name in ["tap_rx_too_long", "tap_tx_refused", "tap_no_buffer", "tcp_bad_checksum"] {
        assert_eq!(total(reports, name), 0, "{name}: {cell:?}");
    }
}

/// Whether frames were large, and checksums left out, as the cell says.
fn offloads_are_used(cell: Cell, reports: &[CoreReport<End>]) {
    let large = !cell.port.contains("offload=off");
    for name in ["tap_rx_super_frames", "tap_rx_csum_partial", "tap_tx_super_frames"] {
        assert_eq!(total(reports, name) > 10, large, "{name}: {cell:?}");
    }
}

fn total(reports: &[CoreReport<End>], name: &str) -> u64 {
    reports.iter().map(|r| r.result.any_counter(name)).sum()
}

fn server(total: u64, outcome: &Arc<Mutex<bulk::Outcome>>) -> Bulk {
    Bulk { listen: Some(PORT), connect: None, total, block: block(), outcome: outcome.clone() }
}

fn client(to: SocketAddr, conns: usize, total: u64, outcome: &Arc<Mutex<bulk::Outcome>>) -> Bulk {
    Bulk { listen: None, connect: Some((to, conns)), total, block: block(), outcome: outcome.clone() }
}

fn expect(cell: Cell, outcome: &Arc<Mutex<bulk::Outcome>>, good: usize) {
    let start = Wall::now();
    loop {
        let now = outcome.lock().unwrap().clone();
        assert!(now.bad.is_empty(), "{:?} (and {} good): {cell:?}", now.bad, now.good);
        if now.good == good {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "{} of {good} ended well: {cell:?}", now.good);
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn bulk_both_ways_as_server() {
    each_cell(|cell| {
        let (outcome, conns) = (Arc::default(), 4 * cell.cores);
        let each = bulk_bytes() / conns as u64;
        let stack = cell.start(|_| server(each, &outcome));
        std::thread::scope(|s| {
            (0..conns).for_each(|_| {
                s.spawn(|| exchange(connect(PORT), each, &block()));
            });
        });
        expect(cell, &outcome, conns);
        stack.wait_idle();
        let reports = stack.stop();
        all_is_well(cell, &reports);
        offloads_are_used(cell, &reports);
        assert_eq!(total(&reports, "tcp_accepted"), conns as u64);
    });
}

#[test]
fn bulk_both_ways_as_client() {
    each_cell(|cell| {
        let outcome = Arc::default();
        let each = bulk_bytes() / (2 * cell.cores) as u64;
        // Anywhere: the address is there only with the interface.
        let listener = TcpListener::bind(("0.0.0.0", PORT)).unwrap();
        let to = SocketAddr::from((HOST, PORT));
        let stack = cell.start(|_| client(to, 2, each, &outcome));
        std::thread::scope(|s| {
            (0..2 * cell.cores).for_each(|_| {
                let stream = listener.accept().unwrap().0;
                s.spawn(move || exchange(stream, each, &block()));
            });
        });
        expect(cell, &outcome, 2 * cell.cores);
        stack.wait_idle();
        let reports = stack.stop();
        all_is_well(cell, &reports);
        offloads_are_used(cell, &reports);
    });
}

#[test]
fn a_thousand_connections_at_once() {
    each_cell(|cell| {
        let outcome = Arc::default();
        let stack = cell.start(|_| server(4096, &outcome));
        let clients: Vec<_> = (0..1000).map(|_| connect(PORT)).collect();
        let start = Wall::now();
        while stack.conns() < 1000 {
            assert!(start.elapsed() < Duration::from_secs(10), "{} of 1000: {cell:?}", stack.conns());
            std::thread::sleep(Duration::from_millis(1));
        }
        let block = block();
        clients.into_iter().for_each(|c| exchange(c, 4096, &block));
        expect(cell, &outcome, 1000);
        stack.wait_idle();
        all_is_well(cell, &stack.stop());
    });
}

/// The owner of a connection is where its frames arrive; where a core has no queue, all that is its own is handed over.
#[test]
fn frames_arrive_at_the_core_that_owns_them() {
    each_cell(|cell| {
        let outcome = Arc::default();
        let stack = cell.start(|_| server(10_000, &outcome));
        let block = block();
        (0..64).for_each(|_| exchange(connect(PORT), 10_000, &block));
        expect(cell, &outcome, 64);
        stack.wait_idle();
        let reports = stack.stop();
        all_is_well(cell, &reports);
        let accepted: Vec<_> = reports.iter().map(|r| r.result.counter("tcp_accepted")).collect();
        assert!(accepted.iter().all(|&n| n > 0), "{accepted:?}: {cell:?}");
        assert_eq!(total(&reports, "handing_over_dropped"), 0, "{cell:?}");
        let handed_over = total(&reports, "handed_over");
        if cell.steers() {
            // ARP is for all.
            assert!(handed_over <= 16, "{handed_over} frames were handed over: {cell:?}");
        } else {
            assert!(handed_over > 64, "{handed_over} frames were handed over: {cell:?}");
        }
    });
}
