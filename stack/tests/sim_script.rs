//! Nets of real hosts and a scripted peer: what only a script can make happen.

use std::time::Duration;

use ferroflow_stack::sim::stream::{Ending, Mix, Streams};
use ferroflow_stack::sim::{LinkConfig, NodeId, Peer, SimNet};
use ferroflow_stack::{CloseReason, ConnectError, Instant, Listen};
use ferroflow_wire::tcp::TcpFlags;
use ferroflow_wire::{MacAddr, SeqNumber};

/// Reads all, writes up to 2000 bytes.
fn mix() -> Mix {
    Mix { bytes: 2000, write_pause: Duration::ZERO, read_pause: Duration::ZERO, ..Mix::orderly() }
}

fn host_and_peer() -> (SimNet<Streams>, NodeId, NodeId) {
    let mut net = SimNet::new(11);
    let host = net.add_host(LinkConfig::default(), Streams::server(Listen::on(80), mix(), 5));
    let peer = net.add_peer(LinkConfig::default());
    net.run_for(Duration::from_millis(10)).unwrap();
    (net, host, peer)
}

#[test]
fn a_handshake_by_hand_and_a_vanishing_peer() {
    let (mut net, host, peer) = host_and_peer();
    let to = net.address(host);
    let iss = SeqNumber(1000);
    net.peer(peer).send_tcp(to, &Peer::segment(5000, 80, TcpFlags::SYN, iss, SeqNumber(0)), &[]);
    net.run_for(Duration::from_millis(10)).unwrap();
    let answer = net.peer(peer).receive_tcp().expect("a SYN,ACK");
    assert_eq!(answer.header.flags, TcpFlags::SYN | TcpFlags::ACK);
    assert_eq!(answer.header.ack, iss + 1);
    assert_eq!(net.host(host).conns(), 1);

    let ack = Peer::segment(5000, 80, TcpFlags::ACK, iss + 1, answer.header.seq + 1);
    net.peer(peer).send_tcp(to, &ack, &[]);
    net.run_for(Duration::from_millis(10)).unwrap();
    assert_eq!(net.host(host).service().live(), 1);

    // Whatever it writes is never acknowledged: it gives up by itself, and nothing is left.
    net.plug(peer, false);
    net.run_until(Instant::from_secs(400), |net| net.host(host).service().is_done()).unwrap();
    assert_eq!(net.host(host).service().records()[0].end, Ok(CloseReason::TimedOut));
    net.run_to_silence(Instant::from_secs(1000)).unwrap();
    assert_eq!((net.host(host).conns(), net.host(host).memory()), (0, 0));
}

#[test]
fn a_flood_of_syns_fills_the_backlog_and_nothing_else() {
    let mut net = SimNet::new(12);
    let listen = Listen { backlog: 50, ..Listen::on(80) };
    let host = net.add_host(LinkConfig::default(), Streams::server(listen, mix(), 5));
    let peer = net.add_peer(LinkConfig::default());
    let to = net.socket(host, 80);
    let opens = vec![(Instant::from_secs(100), to)];
    let client = net.add_host(LinkConfig::default(), Streams::client(opens, mix(), 6));
    net.run_for(Duration::from_millis(10)).unwrap();
    let address = net.address(host);
    for port in 1..=5_000 {
        let syn = Peer::segment(port, 80, TcpFlags::SYN, SeqNumber(u32::from(port)), SeqNumber(0));
        net.peer(peer).send_tcp(address, &syn, &[]);
        if port % 100 == 0 {
            net.run_for(Duration::from_millis(5)).unwrap();
            assert!(net.host(host).conns() <= 50);
        }
    }
    assert_eq!(net.host(host).conns(), 50);
    assert_eq!(net.host(host).counters().tcp_syncookies_sent, 4_950);
    // Half-open connections end in time, and a client that comes later is served.
    net.run_until(Instant::from_secs(300), |net| net.host(client).service().is_done()).unwrap();
    assert_eq!(net.host(client).service().records()[0].end, Ok(CloseReason::Finished));
    net.run_to_silence(Instant::from_secs(1000)).unwrap();
    assert_eq!((net.host(host).conns(), net.host(host).memory()), (0, 0));
}

#[test]
fn opening_to_nobody_fails_and_to_a_closed_port_too() {
    let mut net = SimNet::new(13);
    let peer = net.add_peer(LinkConfig::default());
    let nobody = "10.0.77.77:80".parse().unwrap();
    let at = Instant::from_millis(1);
    let opens = vec![(at, nobody), (at, net.socket(peer, 80))];
    let client = net.add_host(LinkConfig::default(), Streams::client(opens, mix(), 6));
    net.run_for(Duration::from_millis(50)).unwrap();
    let address = net.address(client);
    let syn = net.peer(peer).receive_tcp().expect("a SYN").header;
    let refusal = Peer::segment(80, syn.src_port, TcpFlags::RST | TcpFlags::ACK, SeqNumber(0), syn.seq + 1);
    net.peer(peer).send_tcp(address, &refusal, &[]);
    net.run_until(Instant::from_secs(10), |net| net.host(client).service().is_done()).unwrap();
    let mut ends: Vec<_> = net.host(client).service().records().iter().map(|r| (r.at, r.end)).collect();
    ends.sort_by_key(|&(at, _)| at);
    assert_eq!(ends[0].1, Err(ConnectError::Refused));
    assert_eq!(ends[1].1, Err(ConnectError::Unreachable));
    assert!(ends[1].0 < Instant::from_secs(4), "three requests, a second apart");
}

#[test]
fn two_hosts_with_one_address_are_noticed() {
    let (mut net, host, peer) = host_and_peer();
    let mut thief = vec![0; 42];
    let own = net.address(host);
    let arp = ferroflow_wire::arp::ArpPacket::request(MacAddr([2, 9, 9, 9, 9, 9]), own, own);
    thief[..6].copy_from_slice(&[0xff; 6]);
    thief[6..12].copy_from_slice(&[2, 9, 9, 9, 9, 9]);
    thief[12..14].copy_from_slice(&[8, 6]);
    arp.write(&mut thief[14..]).unwrap();
    for _ in 0..5 {
        net.peer(peer).send(thief.clone());
    }
    let before = net.frames();
    net.run_for(Duration::from_secs(5)).unwrap();
    assert_eq!(net.host(host).counters().arp_conflicts, 5);
    assert_eq!(net.frames() - before, 5 + 1, "defended once");
}

/// A partial acknowledgement asks for a retransmission, and the next frame of the burst acknowledges all: nothing is sent,
/// and nothing may be timed. (It was, and ended idle connections after two minutes.)
#[test]
fn a_retransmission_that_is_not_needed_any_more_leaves_no_timer() {
    let mut net = SimNet::new(15);
    // All that it writes, and its FIN, fit the initial window.
    let mix = Mix { bytes: 12_000, chunk: 12_000, ..mix() };
    let host = net.add_host(LinkConfig::default(), Streams::server(Listen::on(80), mix, 8));
    let peer = net.add_peer(LinkConfig::default());
    net.run_for(Duration::from_millis(10)).unwrap();
    let to = net.address(host);
    let iss = SeqNumber(1);
    let send = |net: &mut SimNet<Streams>, flags, seq, ack| {
        net.peer(peer).send_tcp(to, &Peer::segment(5000, 80, flags, seq, ack), &[]);
    };
    send(&mut net, TcpFlags::SYN, iss, SeqNumber(0));
    net.run_for(Duration::from_millis(10)).unwrap();
    let first = net.peer(peer).receive_tcp().expect("a SYN,ACK").header.seq + 1;
    send(&mut net, TcpFlags::ACK, iss + 1, first);
    net.run_for(Duration::from_millis(10)).unwrap();
    let sent = net.peer(peer).receive_all_tcp();
    let fin = sent
        .last()
        .filter(|s| s.header.flags.fin() && sent.len() >= 5)
        .expect("five segments, the last a FIN");
    let end = fin.header.seq + fin.payload.len() as u32 + 1;
    for _ in 0..3 {
        send(&mut net, TcpFlags::ACK, iss + 1, first);
    }
    net.run_for(Duration::from_millis(10)).unwrap();
    let again = net.peer(peer).receive_all_tcp();
    assert!(again.iter().any(|s| s.header.seq == first), "fast retransmit");
    send(&mut net, TcpFlags::ACK, iss + 1, sent[2].header.seq);
    send(&mut net, TcpFlags::ACK, iss + 1, end);
    net.run_for(Duration::from_secs(600)).unwrap();
    assert_eq!(net.host(host).counters().tcp_given_up, 0);
    assert_eq!(net.host(host).service().live(), 1);
}

#[test]
fn every_seed_replays_exactly() {
    let run = || {
        let lines = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
        let sink = std::rc::Rc::clone(&lines);
        let report = ferroflow_stack::sim::scenario::run_traced(44, move |line| {
            sink.borrow_mut().push(line.to_owned());
        });
        (report, lines.take())
    };
    let (first, second) = (run(), run());
    assert!(!first.1.is_empty());
    assert_eq!(first, second);
}

/// The properties can fail: a stream that is cut short, or altered, is noticed.
#[test]
fn what_must_not_happen_would_be_noticed() {
    let mut net = SimNet::new(14);
    let mut cut = mix();
    cut.endings = vec![Ending::Shutdown];
    let host = net.add_host(LinkConfig::default(), Streams::server(Listen::on(80), cut, 5));
    let peer = net.add_peer(LinkConfig::default());
    net.run_for(Duration::from_millis(10)).unwrap();
    let to = net.address(host);
    let iss = SeqNumber(77);
    net.peer(peer).send_tcp(to, &Peer::segment(5000, 80, TcpFlags::SYN, iss, SeqNumber(0)), &[]);
    net.run_for(Duration::from_millis(10)).unwrap();
    let theirs = net.peer(peer).receive_tcp().expect("a SYN,ACK").header.seq;
    let data = Peer::segment(5000, 80, TcpFlags::ACK, iss + 1, theirs + 1);
    net.peer(peer).send_tcp(to, &data, &[7; 100]);
    net.run_for(Duration::from_millis(10)).unwrap();
    let violations = net.host(host).service().violations();
    assert!(violations[0].contains("byte 8 of the stream is wrong"), "{violations:?}");
}
