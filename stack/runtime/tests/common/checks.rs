//! What every kind of port is held to, on every number of cores.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ferroflow_runtime::CoreReport;

use crate::bulk::{Bulk, block, exchange, expect};
use crate::lab::{Cell, End, connect, full, total};

/// Where the stack listens, and the kernel.
pub const PORT: u16 = 6653;

/// Bytes each way in each cell.
pub fn bulk_bytes() -> u64 {
    if full() { 1 << 30 } else { 64 << 20 }
}

/// Serves four connections for each core, whose clients `there` runs.
pub fn serves_bulk(cell: Cell, there: impl FnOnce(&(dyn Fn() + Sync))) -> Vec<CoreReport<End>> {
    let (outcome, conns) = (Arc::default(), 4 * cell.cores);
    let each = bulk_bytes() / conns as u64;
    let stack = cell.start(|_| Bulk::server(PORT, each, &outcome));
    there(&|| {
        std::thread::scope(|s| {
            (0..conns).for_each(|_| {
                s.spawn(|| exchange(connect(PORT), each, &block()));
            });
        });
    });
    expect(cell, &outcome, conns);
    stack.wait_idle();
    let reports = stack.stop();
    assert_eq!(total(&reports, "tcp_accepted"), conns as u64, "{cell:?}");
    reports
}

/// Opens two connections from each core to `to`, where `listener` is; each that comes is shown to `came`.
pub fn opens_bulk(
    cell: Cell,
    to: SocketAddr,
    listener: &TcpListener,
    came: impl Fn(SocketAddr),
) -> Vec<CoreReport<End>> {
    let (outcome, conns) = (Arc::default(), 2 * cell.cores);
    let each = bulk_bytes() / conns as u64;
    let stack = cell.start(|_| Bulk::client(to, 2, each, &outcome));
    std::thread::scope(|s| {
        (0..conns).for_each(|_| {
            let (stream, peer) = listener.accept().unwrap();
            came(peer);
            s.spawn(move || exchange(stream, each, &block()));
        });
    });
    expect(cell, &outcome, conns);
    stack.wait_idle();
    stack.stop()
}

/// A thousand clients, connected where this is called.
pub fn thousand() -> Vec<TcpStream> {
    (0..1000).map(|_| connect(PORT)).collect()
}

/// Serves a thousand connections at once, made by `there`.
pub fn serves_a_thousand(cell: Cell, there: impl FnOnce() -> Vec<TcpStream>) -> Vec<CoreReport<End>> {
    let outcome = Arc::default();
    let stack = cell.start(|_| Bulk::server(PORT, 4096, &outcome));
    let clients = there();
    let start = Instant::now();
    while stack.conns() < 1000 {
        assert!(start.elapsed() < Duration::from_secs(10), "{} of 1000: {cell:?}", stack.conns());
        std::thread::sleep(Duration::from_millis(1));
    }
    let block = block();
    clients.into_iter().for_each(|client| exchange(client, 4096, &block));
    expect(cell, &outcome, 1000);
    stack.wait_idle();
    stack.stop()
}
