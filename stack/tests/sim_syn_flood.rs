//! SYN floods in the simulator: clients get in by cookie whatever the backlog, and memory stays bounded.

use std::time::Duration;

use ferroflow_stack::sim::stream::{Mix, Streams};
use ferroflow_stack::sim::{LinkConfig, Peer, SimNet};
use ferroflow_stack::{CloseReason, Instant, Listen};
use ferroflow_wire::SeqNumber;
use ferroflow_wire::tcp::{TcpFlags, TcpOptions};

const CLIENTS: u64 = 40;

/// A flood of 10,000 SYNs a second for ten seconds, forged and damaged ACKs among them, while clients connect.
fn flood(seed: u64, backlog: u32, loss: f64) {
    let mut net = SimNet::new(seed);
    let listen = Listen { backlog, ..Listen::on(80) };
    let link = LinkConfig { loss, ..LinkConfig::default() };
    let host = net.add_host(LinkConfig::default(), Streams::server(listen, Mix::orderly(), seed));
    let to = net.socket(host, 80);
    let opens = (0..CLIENTS).map(|n| (Instant::from_millis(1000 + n * 200), to)).collect();
    let client = net.add_host(link, Streams::client(opens, Mix::orderly(), seed + 1));
    // The flood comes from the addresses of one silent neighbour, on all ports.
    let peer = net.add_peer(LinkConfig::default());
    net.run_for(Duration::from_millis(10)).unwrap();
    let address = net.address(host);
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut most = 0;
    for _ in 0..1000 {
        for _ in 0..100 {
            let ack = rng.u8(..) < 10;
            let flags = if ack { TcpFlags::ACK } else { TcpFlags::SYN };
            let (seq, number) = (SeqNumber(rng.u32(..)), SeqNumber(if ack { rng.u32(..) } else { 0 }));
            let mut header = Peer::segment(rng.u16(1..), 80, flags, seq, number);
            if rng.bool() {
                header.options = TcpOptions::timestamps(rng.u32(..), if ack { rng.u32(..) } else { 0 });
            }
            net.peer(peer).send_tcp(address, &header, &[]);
        }
        net.run_for(Duration::from_millis(10)).unwrap();
        while net.peer(peer).receive().is_some() {}
        most = most.max(net.host(host).conns());
    }
    net.run_until(Instant::from_secs(600), |net| net.host(client).service().is_done()).unwrap();
    let records = net.host(client).service().records();
    let counters = net.host(host).counters();
    let served = records.iter().filter(|r| r.end == Ok(CloseReason::Finished)).count();
    eprintln!(
        "seed {seed}, backlog {backlog}: {served} served, at most {most} connections, {} cookies sent, {} back, {} wrong",
        counters.tcp_syncookies_sent, counters.tcp_syncookies_recv, counters.tcp_syncookies_failed,
    );
    // A client whose first segment after the SYN,ACK is lost shows the cookie with the next one, from which it cannot be
    // read: that is what cookies cost (RFC 4987 3.6).
    let unlucky = if loss > 0.0 { 2 } else { 0 };
    assert!(served as u64 >= CLIENTS - unlucky, "{served}");
    assert!(most as u64 <= u64::from(backlog) + CLIENTS, "{most}");
    assert!(counters.tcp_syncookies_sent > 10_000 && counters.tcp_syncookies_recv > 0);
    assert_eq!(net.host(client).service().violations(), &[] as &[String]);
    assert_eq!(net.host(host).service().violations(), &[] as &[String]);
    net.run_to_silence(Instant::from_secs(3600)).unwrap();
    assert_eq!((net.host(host).conns(), net.host(host).memory()), (0, 0));
}

#[test]
fn clients_get_in_whatever_the_backlog() {
    for backlog in [0, 1, 2, 7, 64, 1024] {
        flood(u64::from(backlog) + 100, backlog, 0.0);
    }
}

#[test]
fn clients_get_in_over_a_link_that_loses() {
    flood(7, 16, 0.02);
}
