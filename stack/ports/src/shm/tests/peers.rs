//! Peers in processes of their own: one that behaves, one that dies, one that stops, one that means harm.

use std::sync::atomic::Ordering;

use super::super::area::Shape;
use super::super::hello::{self, Said};
use super::super::server::socket;
use super::*;

/// What the other process does; in the test run itself, nothing.
#[test]
fn another_process() {
    let (Ok(role), Some(path)) = (std::env::var(ROLE), std::env::var_os(SOCKET)) else { return };
    match role.as_str() {
        "mirror" => mirror(one(visit(path.as_ref(), 1))),
        "burst" => burst(one(visit(path.as_ref(), 1))),
        "flood" => flood(one(visit(path.as_ref(), 1))),
        "vandal" => vandal(path.as_ref()),
        _ => unreachable!("no such role"),
    }
}

/// Sends back what comes, until the other end ends.
fn mirror(mut port: ShmPort) {
    let mut burst = Burst::new(32);
    while port.sync().is_ok() {
        port.rx(&mut burst);
        port.tx(&mut burst);
        if port.sync().is_ok() {
            rest(&mut port, PATIENCE);
        }
    }
}

/// Frames of one burst: fewer than a ring has, more than a turn takes.
const BURST: u64 = 500;

/// Sends a burst and dies at once.
fn burst(mut port: ShmPort) {
    for count in 0..BURST {
        assert!(send(&mut port, &count.to_ne_bytes()));
    }
    let _ = kill_process(rustix::process::getpid(), Signal::KILL);
}

/// Sends without end, with a count in each frame.
fn flood(mut port: ShmPort) {
    for count in 0u64.. {
        while !send(&mut port, &[&count.to_ne_bytes()[..], &[0; 92]].concat()) {
            rest(&mut port, PATIENCE);
            receive(&mut port);
        }
    }
}

/// Comes as a program that behaves, and then writes anything anywhere.
fn vandal(path: &Path) {
    let socket = socket().unwrap();
    rustix::net::connect(&socket, &rustix::net::SocketAddrUnix::new(path).unwrap()).unwrap();
    hello::ask(&socket, 1).unwrap();
    let Said::Welcome(answer, fds) = hello::answered(&socket).unwrap() else { panic!("not welcome") };
    let area = super::super::area::Area::open(&fds[0], answer.shape).unwrap();
    let places = [answer.shape.ring(0, 0, 0), answer.shape.ring(1, 0, 0)];
    let mut random = fastrand::Rng::new();
    for round in 0u64.. {
        let place = places[random.usize(..2)];
        match random.u8(..4) {
            // A few frames more or less than there can be.
            0 => area.word(place.tail).store(random.u32(..2 * place.slots), Ordering::Release),
            1 => area.word(place.head).store(random.u32(..2 * place.slots), Ordering::Release),
            2 => {
                area.word(4 * random.usize(..answer.shape.len() / 4))
                    .store(random.u32(..), Ordering::Relaxed);
            }
            _ => {
                let slot = place.slot(random.u32(..));
                area.word(slot).store(random.u32(..4 * place.frame_max as u32), Ordering::Relaxed);
            }
        }
        // What fills its bell, and never reads its own.
        let _ = rustix::net::send(&fds[1], &[0; 64], rustix::net::SendFlags::DONTWAIT);
        if round % 64 == 0 {
            std::thread::yield_now();
        }
    }
}

/// Sends `frames` frames of all lengths and wants them back, in order.
fn exchange(port: &mut ShmPort, frames: usize) {
    let mut random = fastrand::Rng::with_seed(frames as u64);
    let frame = |i: usize| -> Vec<u8> { (0..1 + i * 7 % 1518).map(|at| (at * 31 + i) as u8).collect() };
    let (mut sent, mut back) = (0, 0);
    let limit = Wall::now() + PATIENCE;
    while back < frames {
        let mut burst = random.usize(..64);
        while burst > 0 && sent < frames && send(port, &frame(sent)) {
            sent += 1;
            burst -= 1;
        }
        let got = receive(port);
        for bytes in &got {
            assert!(*bytes == frame(back), "frame {back} of {} bytes", bytes.len());
            back += 1;
        }
        if got.is_empty() && sent == frames {
            assert!(rest(port, PATIENCE), "a lost wake-up: {:?}", port.counters());
        }
        assert!(Wall::now() < limit, "{back} of {frames}: {:?}", port.counters());
    }
    assert_eq!(port.held(), 0);
}

#[test]
fn frames_go_to_another_process_and_back() {
    let place = place();
    let mut port = one(listen(&place.socket, &ShmConfig::new(1)));
    let _mirror = Peer::start("mirror", &place.socket);
    until(&mut port, ShmPort::is_attached);
    exchange(&mut port, 20_000);
    let counters = port.counters();
    assert_eq!((counters.tx_frames, counters.rx_frames), (20_000, 20_000));
    assert_eq!(counters.tx_bytes, counters.rx_bytes);
    assert!(counters.wake_ups < 20_000, "one for each frame, though most find the other end awake");
}

#[test]
fn a_peer_killed_in_mid_ring_makes_room_for_the_next() {
    let place = place();
    let mut port = one(listen(&place.socket, &ShmConfig::new(1)));
    for round in 0..10u64 {
        let flood = Peer::start("flood", &place.socket);
        until(&mut port, |port| port.counters().sessions == 2 * round + 1);
        // Waiting for it has taken some frames already.
        let (mut got, mut next) = (0, None);
        while got < 1_000 {
            for frame in receive(&mut port) {
                let (count, _) = frame.split_first_chunk().expect("a count");
                let count = u64::from_ne_bytes(*count);
                assert_eq!(count, next.unwrap_or(count), "in order, none missing");
                next = Some(count + 1);
                got += 1;
            }
            rest(&mut port, Duration::from_millis(100));
        }
        flood.signal(Signal::KILL);
        until(&mut port, |port| !port.is_attached());
        // To nobody: dropped, not kept.
        assert!(send(&mut port, b"anybody there?"));
        let _mirror = Peer::start("mirror", &place.socket);
        until(&mut port, ShmPort::is_attached);
        exchange(&mut port, 100);
        drop(_mirror);
        until(&mut port, |port| !port.is_attached());
    }
    assert_eq!((port.counters().tx_dropped, port.counters().broken), (10, 0));
}

#[test]
fn what_a_peer_has_sent_arrives_though_it_died() {
    let place = place();
    let mut port = one(listen(&place.socket, &ShmConfig::new(1)));
    for round in 1..=10u64 {
        let mut peer = Peer::start("burst", &place.socket);
        // Half of the time it is dead before anybody looks.
        if round % 2 == 0 {
            peer.0.wait().unwrap();
        }
        let limit = Wall::now() + PATIENCE;
        let mut next = 0;
        while next < BURST || port.is_attached() {
            for frame in receive(&mut port) {
                assert_eq!(frame, next.to_ne_bytes(), "in order, none missing");
                next += 1;
                // The answer to somebody who may be dead is no error.
                send(&mut port, b"answer");
            }
            rest(&mut port, Duration::from_millis(100));
            assert!(Wall::now() < limit, "{next} came: {:?}", port.counters());
        }
        assert_eq!((next, port.held(), port.counters().sessions), (BURST, 0, round));
    }
    assert_eq!(port.counters().broken, 0);
}

/// Takes what was under way when the peer stopped; then there must be nothing to wake up for. How many frames came.
fn until_nothing_wakes(port: &mut ShmPort) -> usize {
    let mut came = 0;
    // The ring towards us may be full, and is taken a burst at a time.
    for _ in 0..100 {
        came += receive(port).len();
        if !rest(port, Duration::from_millis(300)) {
            return came;
        }
    }
    panic!("a full ring keeps the core awake: {:?}", port.counters());
}

#[test]
fn a_stopped_peer_costs_a_full_ring_and_no_time() {
    let place = place();
    let mut port = one(listen(&place.socket, &ShmConfig { slots: 64, ..ShmConfig::new(1) }));
    let mirror = Peer::start("mirror", &place.socket);
    until(&mut port, ShmPort::is_attached);
    exchange(&mut port, 10);
    mirror.signal(Signal::STOP);
    // It may be stopped with a few frames taken, and before it has announced their places.
    let mut sent = 0;
    while send(&mut port, b"hello") {
        sent += 1;
        assert!(sent <= 2 * 64 + 32);
    }
    assert_eq!(port.counters().tx_full, 1);
    let mut back = until_nothing_wakes(&mut port);
    mirror.signal(Signal::CONT);
    while back < sent {
        back += receive(&mut port).len();
        assert!(back >= sent || rest(&mut port, PATIENCE), "{back} of {sent} came back");
    }
    exchange(&mut port, 1_000);
}

#[test]
fn a_stopped_peer_that_is_killed_is_noticed() {
    let place = place();
    let mut port = one(listen(&place.socket, &ShmConfig::new(1)));
    let mirror = Peer::start("mirror", &place.socket);
    until(&mut port, ShmPort::is_attached);
    mirror.signal(Signal::STOP);
    while send(&mut port, b"hello") {}
    until_nothing_wakes(&mut port);
    mirror.signal(Signal::KILL);
    assert!(rest(&mut port, PATIENCE), "its end wakes us");
    receive(&mut port);
    assert!(!port.is_attached());
}

#[test]
fn a_peer_that_writes_anything_anywhere_harms_nobody() {
    let place = place();
    let config = ShmConfig { slots: 64, ..ShmConfig::new(1) };
    let longest = Shape::new([1, 1], config.slots, config.mtu).unwrap().frame_max();
    let mut port = one(listen(&place.socket, &config));
    for round in 1..=20 {
        let vandal = Peer::start("vandal", &place.socket);
        until(&mut port, |port| port.counters().sessions == round);
        let end = Wall::now() + Duration::from_millis(50);
        while Wall::now() < end {
            for frame in receive(&mut port) {
                assert!(frame.len() <= longest);
            }
            send(&mut port, &[7; 100]);
            rest(&mut port, Duration::from_millis(1));
        }
        drop(vandal);
        until(&mut port, |port| !port.is_attached());
        assert_eq!(port.held(), 0);
    }
    assert!(port.counters().broken > 0, "{:?}", port.counters());
    let _mirror = Peer::start("mirror", &place.socket);
    until(&mut port, ShmPort::is_attached);
    exchange(&mut port, 1_000);
}

#[test]
fn whoever_visits_learns_that_the_other_end_has_ended() {
    let place = place();
    let port = one(listen(&place.socket, &ShmConfig::new(1)));
    let mut mirror = Peer::start("mirror", &place.socket);
    let mut port = port;
    until(&mut port, ShmPort::is_attached);
    drop(port);
    let limit = Wall::now() + PATIENCE;
    while mirror.0.try_wait().unwrap().is_none() {
        assert!(Wall::now() < limit, "it stays");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(mirror.0.wait().unwrap().success());
    assert!(!place.socket.exists());
}
