//! The stack on TAP interfaces with offloads and without, on one core and on several, with a queue for each, fewer or more: the
//! same checks for all.
//!
//! Sizes are for every day; `FERROFLOW_TEST_SIZE=full` runs 1 GiB each way.

#[path = "common/bulk.rs"]
mod bulk;
#[path = "common/checks.rs"]
mod checks;
#[path = "common/lab.rs"]
mod lab;

use std::net::TcpListener;
use std::sync::Arc;

use bulk::{Bulk, block, exchange, expect};
use checks::{PORT, opens_bulk, serves_a_thousand, serves_bulk, thousand};
use ferroflow_runtime::CoreReport;
use lab::{Cell, End, HOST, connect, in_namespace, total};

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

#[test]
fn bulk_both_ways_as_server() {
    each_cell(|cell| {
        let reports = serves_bulk(cell, |clients| clients());
        all_is_well(cell, &reports);
        offloads_are_used(cell, &reports);
    });
}

#[test]
fn bulk_both_ways_as_client() {
    each_cell(|cell| {
        // Anywhere: the address is there only with the interface.
        let listener = TcpListener::bind(("0.0.0.0", PORT)).unwrap();
        let reports = opens_bulk(cell, (HOST, PORT).into(), &listener, |_| ());
        all_is_well(cell, &reports);
        offloads_are_used(cell, &reports);
    });
}

#[test]
fn a_thousand_connections_at_once() {
    each_cell(|cell| all_is_well(cell, &serves_a_thousand(cell, thousand)));
}

/// The owner of a connection is where its frames arrive; where a core has no queue, all that is its own is handed over.
#[test]
fn frames_arrive_at_the_core_that_owns_them() {
    each_cell(|cell| {
        let outcome = Arc::default();
        let stack = cell.start(|_| Bulk::server(PORT, 10_000, &outcome));
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
