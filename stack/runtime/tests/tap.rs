//! The stack on TAP against the kernel's TCP, as server and as client.
//!
//! Sizes are for every day; `FERROFLOW_TEST_SIZE=full` runs 1 GiB each way and 100,000 connections.

#[path = "common/bulk.rs"]
mod bulk;
#[path = "common/lab.rs"]
mod lab;
#[path = "common/storm.rs"]
mod storm;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant as Wall};

use bulk::{Bulk, block, exchange, expect};
use ferroflow_ports::TapPort;
use ferroflow_runtime::{CoreReport, steer};
use ferroflow_stack::port::lossy::{Faults, Lossy};
use ferroflow_stack::steer::Steer;
use lab::{End, HOST, STACK, Stack, connect, full, has_program, in_namespace, tap};
use storm::Storm;

const PORT: u16 = 6653;

fn bulk_bytes() -> u64 {
    if full() { 1 << 30 } else { 64 << 20 }
}

fn storm_conns() -> usize {
    if full() { 100_000 } else { 2_000 }
}

/// Nothing is left: no connection, no frame.
fn nothing_leaks(reports: &[CoreReport<End>]) {
    for r in reports {
        assert_eq!((r.result.conns, r.result.frames_held), (0, 0), "core {}", r.core);
    }
}

#[test]
fn it_answers_pings() {
    if !has_program("ping", "iputils-ping") {
        return;
    }
    in_namespace(|| {
        let (ports, mac) = tap(1);
        let stack = Stack::start(ports, mac, |_| Bulk::server(PORT, 0, &Arc::default()), |_| ());
        let out = Command::new("ping")
            .args(["-c", "20", "-i", "0.01", "-s", "1400", "-W", "2", &STACK.to_string()])
            .output();
        let out = out.unwrap();
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        assert!(text.contains("20 received"), "{text}");
        nothing_leaks(&stack.stop());
    });
}

#[test]
fn bulk_both_ways_as_server() {
    in_namespace(|| {
        let outcome = Arc::default();
        let (ports, mac) = tap(1);
        let stack = Stack::start(ports, mac, |_| Bulk::server(PORT, bulk_bytes(), &outcome), |_| ());
        exchange(connect(PORT), bulk_bytes(), &block());
        expect("over TAP", &outcome, 1);
        stack.wait_idle();
        nothing_leaks(&stack.stop());
    });
}

#[test]
fn bulk_both_ways_as_client() {
    in_namespace(|| {
        let outcome = Arc::default();
        let (ports, mac) = tap(1);
        let listener = TcpListener::bind((HOST, PORT)).unwrap();
        let to = listener.local_addr().unwrap();
        let stack = Stack::start(ports, mac, |_| Bulk::client(to, 1, bulk_bytes(), &outcome), |_| ());
        exchange(listener.accept().unwrap().0, bulk_bytes(), &block());
        expect("over TAP", &outcome, 1);
        stack.wait_idle();
        nothing_leaks(&stack.stop());
    });
}

fn lossy_bytes() -> u64 {
    if full() { 64 << 20 } else { 4 << 20 }
}

/// One frame in twenty is lost, each way.
fn lossy(ports: Vec<TapPort>) -> Vec<Lossy<TapPort>> {
    ports.into_iter().map(|p| Lossy::new(p, 7, Faults::loss(0.05), Faults::loss(0.05))).collect()
}

/// Frames were lost indeed, and segments sent again for them.
fn loss_was_met(reports: &[CoreReport<End>]) {
    for r in reports {
        assert!(r.result.frames_lost > 20, "{} frames were lost", r.result.frames_lost);
        assert!(r.result.counter("tcp_retransmitted") > 0, "nothing was sent again");
    }
}

#[test]
fn bulk_both_ways_with_loss_as_server() {
    in_namespace(|| {
        let outcome = Arc::default();
        let (ports, mac) = tap(1);
        let stack = Stack::start(lossy(ports), mac, |_| Bulk::server(PORT, lossy_bytes(), &outcome), |_| ());
        exchange(connect(PORT), lossy_bytes(), &block());
        expect("over TAP", &outcome, 1);
        stack.wait_idle();
        let reports = stack.stop();
        nothing_leaks(&reports);
        loss_was_met(&reports);
    });
}

#[test]
fn bulk_both_ways_with_loss_as_client() {
    in_namespace(|| {
        let outcome = Arc::default();
        let (ports, mac) = tap(1);
        let listener = TcpListener::bind((HOST, PORT)).unwrap();
        let to = listener.local_addr().unwrap();
        let stack = Stack::start(lossy(ports), mac, |_| Bulk::client(to, 1, lossy_bytes(), &outcome), |_| ());
        exchange(listener.accept().unwrap().0, lossy_bytes(), &block());
        expect("over TAP", &outcome, 1);
        stack.wait_idle();
        let reports = stack.stop();
        nothing_leaks(&reports);
        loss_was_met(&reports);
    });
}

#[test]
fn a_thousand_connections_at_once_as_server() {
    in_namespace(|| {
        let outcome = Arc::default();
        let (ports, mac) = tap(1);
        let stack = Stack::start(ports, mac, |_| Bulk::server(PORT, 4096, &outcome), |_| ());
        let clients: Vec<_> = (0..1000).map(|_| connect(PORT)).collect();
        let start = Wall::now();
        while stack.conns() < 1000 {
            assert!(start.elapsed() < Duration::from_secs(10), "{} of 1000", stack.conns());
            std::thread::sleep(Duration::from_millis(1));
        }
        let block = block();
        clients.into_iter().for_each(|c| exchange(c, 4096, &block));
        expect("over TAP", &outcome, 1000);
        stack.wait_idle();
        nothing_leaks(&stack.stop());
    });
}

#[test]
fn a_thousand_connections_at_once_as_client() {
    in_namespace(|| {
        let outcome = Arc::default();
        let (ports, mac) = tap(1);
        // The standard library's backlog of 128 would have the kernel fall back to SYN cookies and reset the rest.
        let listener = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        let to = SocketAddr::from((HOST, PORT));
        listener.bind(&to.into()).unwrap();
        listener.listen(4096).unwrap();
        let listener = TcpListener::from(listener);
        let stack = Stack::start(ports, mac, |_| Bulk::client(to, 1000, 4096, &outcome), |_| ());
        let accepted: Vec<_> = (0..1000).map(|_| listener.accept().unwrap().0).collect();
        let block = block();
        accepted.into_iter().for_each(|c| exchange(c, 4096, &block));
        expect("over TAP", &outcome, 1000);
        stack.wait_idle();
        nothing_leaks(&stack.stop());
    });
}

/// Waits until `n` connections of the stack have ended well.
fn storm_over(outcome: &Arc<Mutex<storm::Outcome>>, n: usize) {
    let start = Wall::now();
    loop {
        let now = outcome.lock().unwrap().clone();
        assert!(
            now.bad.is_empty(),
            "{} bad of {}: {:?}",
            now.bad.len(),
            now.opened,
            &now.bad[..now.bad.len().min(3)]
        );
        if now.finished == n {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "{now:?} of {n}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// No connection and no frame, and what the tables keep does not grow with the connections that were.
fn storm_leaves_little(reports: &[CoreReport<End>]) {
    nothing_leaks(reports);
    for r in reports {
        assert!(r.result.memory < 1 << 20, "{} bytes are left", r.result.memory);
    }
}

#[test]
fn connections_one_after_another_as_server() {
    in_namespace(|| {
        let outcome = Arc::new(Mutex::new(storm::Outcome::default()));
        let (ports, mac) = tap(1);
        let service = |_| Storm { listen: Some(PORT), connect: None, outcome: outcome.clone() };
        let stack = Stack::start(ports, mac, service, |_| ());
        for i in 0..storm_conns() {
            storm::one_as_client(connect(PORT), i % 2 == 0);
        }
        storm_over(&outcome, storm_conns());
        stack.wait_idle();
        storm_leaves_little(&stack.stop());
    });
}

#[test]
fn connections_one_after_another_as_client() {
    in_namespace(|| {
        let outcome = Arc::new(Mutex::new(storm::Outcome::default()));
        let (ports, mac) = tap(1);
        let listener = TcpListener::bind((HOST, PORT)).unwrap();
        let to = listener.local_addr().unwrap();
        let service =
            |_| Storm { listen: None, connect: Some((to, storm_conns())), outcome: outcome.clone() };
        let stack = Stack::start(ports, mac, service, |_| ());
        for _ in 0..storm_conns() {
            let stream = listener.accept().unwrap().0;
            stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            storm::one_as_server(stream);
        }
        storm_over(&outcome, storm_conns());
        stack.wait_idle();
        storm_leaves_little(&stack.stop());
    });
}

#[test]
fn two_cores_on_two_queues_share_the_connections() {
    in_namespace(|| {
        let outcome = Arc::default();
        let (ports, mac) = tap(2);
        let ports = steer::join(ports, 256, Steer::new);
        let stack = Stack::start(ports, mac, |_| Bulk::server(PORT, 1 << 20, &outcome), |_| ());
        let block = block();
        let clients: Vec<_> = (0..32)
            .map(|_| {
                let (c, block) = (connect(PORT), block.clone());
                std::thread::spawn(move || exchange(c, 1 << 20, &block))
            })
            .collect();
        clients.into_iter().for_each(|c| c.join().unwrap());
        expect("over TAP", &outcome, 32);
        stack.wait_idle();
        let reports = stack.stop();
        nothing_leaks(&reports);
        let accepted: Vec<_> = reports.iter().map(|r| r.result.counter("tcp_accepted")).collect();
        assert_eq!(accepted.iter().sum::<u64>(), 32);
        assert!(accepted.iter().all(|&n| n > 0), "{accepted:?}");
    });
}

#[test]
fn two_cores_open_connections_whose_answers_reach_them() {
    in_namespace(|| {
        let outcome = Arc::default();
        let (ports, mac) = tap(2);
        let ports = steer::join(ports, 256, Steer::new);
        let listener = TcpListener::bind((HOST, PORT)).unwrap();
        let to = listener.local_addr().unwrap();
        let stack = Stack::start(ports, mac, |_| Bulk::client(to, 20, 4096, &outcome), |_| ());
        let block = block();
        for _ in 0..40 {
            exchange(listener.accept().unwrap().0, 4096, &block);
        }
        expect("over TAP", &outcome, 40);
        stack.wait_idle();
        nothing_leaks(&stack.stop());
    });
}

#[test]
fn an_idle_stack_with_sixteen_connections_costs_nothing() {
    in_namespace(|| {
        let outcome = Arc::default();
        let (ports, mac) = tap(1);
        let stack = Stack::start(ports, mac, |_| Bulk::server(PORT, 4, &outcome), |_| ());
        let mut clients: Vec<_> = (0..16).map(|_| connect(PORT)).collect();
        for c in &mut clients {
            c.read_exact(&mut [0; 4]).unwrap();
            c.write_all(&block()[..1]).unwrap();
        }
        let idle = Duration::from_secs(3);
        std::thread::sleep(idle);
        let cpu = stack.stop()[0].cpu_time;
        // 1% of a core, what starting and stopping cost included.
        assert!(cpu < idle / 100, "{cpu:?} of processor time in {idle:?} without traffic");
    });
}
