//! Source ports of active opens: RFC 6056; the core that owns the answers; RFC 6191 for reuse.

use std::collections::HashSet;

use ferroflow_stack::steer::Steer;

use crate::peer::{PEER_IP, STACK_IP};
use crate::prelude::*;

fn open_one(p: &mut Peer) -> u16 {
    p.connect();
    p.flow.stack_port
}

/// Opens and closes a connection from `port`, so that the port is in TIME-WAIT.
fn use_up(p: &mut Peer, port: u16, timestamps: bool) {
    let local = Some(std::net::SocketAddr::new(STACK_IP.into(), port));
    p.connect_from(ConnectOptions { local, token: 0 });
    p.flow.ts = timestamps.then_some(500);
    p.send(syn_ack(1));
    p.expect(ACK, 1, 1, 0);
    p.close();
    p.expect(FIN_ACK, 1, 1, 0);
    p.send(fin(1, 2));
    p.expect(ACK, 2, 2, 0);
    p.flow.ts = None;
    assert_eq!(p.stack.time_waits(), 1);
}

#[test]
fn source_ports_are_ephemeral_and_differ() {
    let mut p = Peer::new();
    let ports: HashSet<u16> = (0..200).map(|_| open_one(&mut p)).collect();
    assert_eq!(ports.len(), 200);
    assert!(ports.iter().all(|&port| port >= 32_768));
    // RFC 6056 2.2: not to be guessed from the one before
    let mut sorted: Vec<_> = ports.into_iter().collect();
    sorted.sort_unstable();
    assert!(sorted.windows(2).filter(|w| w[1] - w[0] == 1).count() < 50);
}

/// Where others use the same address, only some are ours.
#[test]
fn source_ports_can_be_given() {
    let ours = [1024, 40_000, 65_535];
    let mut p = Peer::with(|c| c.source_ports = Some(ours.into()));
    let ports: HashSet<u16> = (0..3).map(|_| open_one(&mut p)).collect();
    assert_eq!(ports, ours.into());
    let to = p.address();
    let connect = |p: &mut Peer, port: u16| {
        let local = (port > 0).then(|| std::net::SocketAddr::new(STACK_IP.into(), port));
        p.net(|net| net.connect(to, ConnectOptions { local, token: 0 }))
    };
    assert_eq!(connect(&mut p, 0), Err(NetError::NoResources), "all are in use");
    assert_eq!(connect(&mut p, 5000), Err(NetError::NoResources), "not ours");
    let mut none = Peer::with(|c| c.source_ports = Some([].into()));
    assert_eq!(connect(&mut none, 0), Err(NetError::NoResources));
}

#[test]
fn a_source_port_says_nothing_about_the_next() {
    // RFC 6056 3.1: a stranger must guess among all of them
    let mut p = Peer::with(|c| c.tcp.timestamps = false);
    let ports: Vec<u16> = (0..2000).map(|_| open_one(&mut p)).collect();
    let mut sixteenths = [0; 16];
    for port in &ports {
        sixteenths[usize::from(port - 32_768) / 2048] += 1;
    }
    // 125 each, give or take four standard deviations
    assert!(sixteenths.iter().all(|n| (82..=168).contains(n)), "{sixteenths:?}");
    let mut steps: Vec<u16> = ports.windows(2).map(|w| w[1].wrapping_sub(w[0])).collect();
    steps.sort_unstable();
    let most = steps.chunk_by(|a, b| a == b).map(<[u16]>::len).max();
    assert!(most <= Some(5), "a step occurs {most:?} times");
    p.stack.abort_all();
    p.run();
    p.out.clear();
}

#[test]
fn the_answers_come_to_the_core_that_asked() {
    for core in 0..2 {
        let mut p = Peer::with(|c| c.steer = Steer::new(core, 2));
        let steer = Steer::new(core, 2);
        for _ in 0..100 {
            let port = open_one(&mut p);
            assert_eq!(steer.owner_of(PEER_IP, STACK_IP, p.flow.port, port), core);
        }
    }
}

#[test]
fn a_port_that_is_listened_on_is_not_used() {
    let mut p = Peer::with_app(|_| {}, |app| app.listen = (65_000..65_500).map(Listen::on).collect());
    for _ in 0..300 {
        let port = open_one(&mut p);
        assert!(!(65_000..65_500).contains(&port));
    }
}

#[test]
fn when_every_port_is_taken_connecting_fails() {
    let mut p = Peer::new();
    let to = p.address();
    for n in 0..32_768 {
        let r = p.net(|net| net.connect(to, ConnectOptions::default()));
        assert!(r.is_ok(), "{n}: {r:?}");
    }
    assert_eq!(p.net(|net| net.connect(to, ConnectOptions::default())), Err(NetError::NoResources));
    // to another port of the same host all are free
    p.flow.port += 1;
    let other = p.address();
    assert!(p.net(|net| net.connect(other, ConnectOptions::default())).is_ok());
    p.run();
    p.out.clear();
}

#[test]
fn a_port_asked_for_that_is_taken_is_refused() {
    let mut p = Peer::new();
    let local = "10.0.0.1:5000".parse().ok();
    p.connect_from(ConnectOptions { local, token: 0 });
    let to = p.address();
    let again = p.net(|net| net.connect(to, ConnectOptions { local, token: 0 }));
    assert_eq!(again, Err(NetError::NoResources));
}

#[test]
fn a_port_in_time_wait_is_used_again_after_a_second_when_timestamps_tell() {
    // RFC 6191; RFC 7323 5.4: our timestamps go on growing
    let mut p = Peer::new();
    use_up(&mut p, 5000, true);
    let old = p.flow.iss.expect("an ISS");
    let (to, local) = (p.address(), "10.0.0.1:5000".parse().ok());
    let options = ConnectOptions { local, token: 0 };
    assert_eq!(p.net(|net| net.connect(to, options)), Err(NetError::NoResources));
    p.advance(1100);
    let got = p.connect_from(options);
    assert!((got.raw_seq.wrapping_sub(old) as i32) > 2);
    assert_eq!((p.stack.time_waits(), p.counters().tcp_time_wait_reused), (0, 1));
}

#[test]
fn a_port_in_time_wait_without_timestamps_waits_for_the_end() {
    let mut p = Peer::new();
    use_up(&mut p, 5000, false);
    let (to, local) = (p.address(), "10.0.0.1:5000".parse().ok());
    let options = ConnectOptions { local, token: 0 };
    p.advance(59_000);
    assert_eq!(p.net(|net| net.connect(to, options)), Err(NetError::NoResources));
    p.advance(1100);
    p.connect_from(options);
}

#[test]
fn a_refused_or_aborted_open_gives_its_port_back() {
    let mut p = Peer::new();
    let options = ConnectOptions { local: "10.0.0.1:5000".parse().ok(), token: 0 };
    p.connect_from(options);
    p.send(rst(0).flags(RST_ACK).ack_of(1));
    p.connect_from(options);
    p.abort();
    p.connect_from(options);
}

#[test]
fn a_port_is_listened_on_while_a_connection_from_it_begins() {
    // RFC 9293 3.9.1.1, MUST-42, and MUST-41: neither disturbs the other
    let mut p = Peer::new();
    let local = Some(std::net::SocketAddr::new(STACK_IP.into(), 5000));
    p.connect_from(ConnectOptions { local, token: 0 });
    assert!(p.net(|net| net.listen(Listen::on(5000))).is_ok());
    assert!(p.net(|net| net.listen(Listen::on(5000))).is_err());
    let first = p.switch(Flow { stack_port: 5000, ..Flow::new(41_000) });
    p.open(syn());
    let accepted = p.id;
    p.switch(first);
    p.send(syn_ack(1));
    p.expect(ACK, 1, 1, 0);
    p.adopt();
    assert_ne!(p.id, accepted);
    assert_eq!(p.stack.conns(), 2);
}
