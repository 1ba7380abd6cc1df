//! Goodput from stack to stack over a path that delays, loses and reorders, cell by cell, in virtual time. The table is
//! kept in `sim_grid.txt`: a change that moves a cell shows in review. With `FERROFLOW_UPDATE=1` it is written anew.
//!
//! The path is that of the grid against the kernel: 200 Mbit/s, a queue of one bandwidth-delay product but at least
//! 64 KiB, loss and reordering in both directions. A cell lasts 10 s, or until 16 MiB have passed.

use std::fmt::Write as _;
use std::time::Duration;

use ferroflow_stack::net::Net;
use ferroflow_stack::sim::{LinkConfig, SimNet};
use ferroflow_stack::{
    CloseReason, ConnId, ConnInfo, ConnectError, ConnectOptions, Instant, Listen, Rx, Service,
};

const RATE: u64 = 200_000_000;
const BYTES: u64 = 16 << 20;
const PATIENCE: Duration = Duration::from_secs(10);
const SEED: u64 = 1;

/// Sends as fast as it may, or receives and checks.
struct Bulk {
    to: Option<std::net::SocketAddr>,
    sent: u64,
    received: u64,
    at: Instant,
}

/// The byte at an offset of the stream.
fn byte(offset: u64) -> u8 {
    (offset ^ (offset >> 8) ^ (offset >> 16)) as u8
}

impl Bulk {
    fn new(to: Option<std::net::SocketAddr>) -> Bulk {
        Bulk { to, sent: 0, received: 0, at: Instant::ZERO }
    }

    fn fill(&mut self, net: &mut impl Net, id: ConnId) {
        let Ok(ring) = net.sender(id) else { return };
        let len = ring.room().min((BYTES - self.sent) as usize);
        let from = self.sent;
        ring.write_with(len, |buf| buf.iter_mut().zip(from..).for_each(|(b, n)| *b = byte(n)));
        self.sent += len as u64;
        if self.sent < BYTES {
            ring.want_room();
        }
    }
}

impl Service for Bulk {
    type Conn = ();

    fn start(&mut self, net: &mut impl Net) {
        match self.to {
            Some(to) => drop(net.connect(to, ConnectOptions::default()).unwrap()),
            None => net.listen(Listen::on(80)).unwrap(),
        }
    }

    fn accepted(&mut self, _: &mut impl Net, _: ConnId, _: &ConnInfo) -> Option<()> {
        Some(())
    }

    fn connected(
        &mut self,
        net: &mut impl Net,
        id: ConnId,
        r: Result<&ConnInfo, ConnectError>,
    ) -> Option<()> {
        r.unwrap();
        self.fill(net, id);
        Some(())
    }

    fn data(&mut self, net: &mut impl Net, _: ConnId, (): &mut (), rx: &mut Rx<'_>) {
        while !rx.chunk().is_empty() {
            let chunk = rx.chunk();
            assert!(chunk.iter().zip(self.received..).all(|(&b, n)| b == byte(n)), "at {}", self.received);
            self.received += chunk.len() as u64;
            rx.advance(chunk.len());
        }
        self.at = net.now();
    }

    fn writable(&mut self, net: &mut impl Net, id: ConnId, (): &mut ()) {
        self.fill(net, id);
    }

    fn eof(&mut self, _: &mut impl Net, _: ConnId, (): &mut ()) {}
    fn closed(&mut self, _: &mut impl Net, _: ConnId, (): (), _: CloseReason) {}
}

/// One cell: Mbit/s of text that arrived, segments sent again, time-outs, reductions taken back.
fn cell(loss: f64, rtt: Duration, reorder: f64) -> String {
    let product = RATE / 8 * rtt.as_micros() as u64 / 1_000_000;
    let link = LinkConfig {
        delay: rtt / 2,
        loss: loss / 100.0,
        reorder: reorder / 100.0,
        reorder_by: (rtt / 8).max(Duration::from_millis(1)),
        bits_per_second: Some(RATE),
        queue_bytes: product.max(64 * 1024),
        ..LinkConfig::default()
    };
    let mut net = SimNet::new(SEED);
    let server = net.add_host(link, Bulk::new(None));
    let to = net.socket(server, 80);
    let began = net.now();
    let client = net.add_host(link, Bulk::new(Some(to)));
    let over = began + PATIENCE;
    let _ = net.run_until(over, |net| net.host(server).service().received == BYTES);
    let service = net.host(server).service();
    let took = if service.received == BYTES { service.at.since(began) } else { PATIENCE };
    let rate = service.received as f64 * 8.0 / took.as_secs_f64() / 1e6;
    let c = net.host(client).counters();
    format!("{rate:9.2} {:8} {:6} {:6}", c.tcp_retransmitted, c.tcp_timeouts, c.tcp_undone)
}

#[test]
fn the_table_is_the_one_that_is_kept() {
    let mut table = String::from("loss %  RTT ms  reordered %    Mbit/s   resent   RTOs undone\n");
    for reorder in [0.0, 5.0] {
        for rtt in [0, 10, 100] {
            for loss in [0.0, 0.1, 1.0, 3.0, 10.0] {
                let figures = cell(loss, Duration::from_millis(rtt), reorder);
                let _ = writeln!(table, "{loss:6} {rtt:7} {reorder:12} {figures}");
            }
        }
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sim_grid.txt");
    if std::env::var_os("FERROFLOW_UPDATE").is_some() {
        std::fs::write(path, &table).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    for (new, old) in table.lines().zip(kept.lines().chain(std::iter::repeat(""))) {
        if new != old {
            eprintln!("-{old}\n+{new}");
        }
    }
    assert!(
        table == kept,
        "cells have moved: look at them, then run with FERROFLOW_UPDATE=1 and commit the table"
    );
}
