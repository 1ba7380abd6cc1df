//! Paths that carry less than the links at their ends, in the simulator: bulk both ways is complete, and quick, whether the
//! routers tell (RFC 1191) or not (RFC 4821), and whatever changes on the way.

use std::net::SocketAddr;
use std::time::Duration;

use ferroflow_stack::sim::{LinkConfig, Narrow, NodeId, SimNet};
use ferroflow_stack::tcp::mtu::MtuProbing;
use ferroflow_stack::{
    CloseReason, ConnId, ConnInfo, ConnectError, ConnectOptions, Counters, Instant, Listen, Net, Rx, Service,
};

const BYTES: usize = 4_000_000;

/// Sends and reads [`BYTES`] bytes on every connection, then closes.
struct Bulk {
    connect: Option<SocketAddr>,
    finished: Vec<(CloseReason, Instant)>,
}

#[derive(Default)]
struct Flow {
    written: usize,
    read: usize,
}

/// The byte at a place in the stream.
fn byte(at: usize) -> u8 {
    (at % 251) as u8 ^ (at >> 10) as u8
}

impl Bulk {
    fn server() -> Bulk {
        Bulk { connect: None, finished: Vec::new() }
    }

    fn write(net: &mut impl Net, id: ConnId, flow: &mut Flow) {
        while flow.written < BYTES {
            let chunk: Vec<u8> = (flow.written..BYTES.min(flow.written + 4096)).map(byte).collect();
            let sent = net.send(id, &chunk).unwrap_or(0);
            flow.written += sent;
            if sent < chunk.len() {
                return;
            }
        }
        net.shutdown(id);
    }
}

impl Service for Bulk {
    type Conn = Flow;

    fn start(&mut self, net: &mut impl Net) {
        match self.connect {
            Some(to) => {
                net.connect(to, ConnectOptions::default()).expect("to connect");
            }
            None => net.listen(Listen::on(80)).expect("to listen"),
        }
    }

    fn accepted(&mut self, net: &mut impl Net, id: ConnId, _: &ConnInfo) -> Option<Flow> {
        let mut flow = Flow::default();
        Bulk::write(net, id, &mut flow);
        Some(flow)
    }

    fn connected(
        &mut self,
        net: &mut impl Net,
        id: ConnId,
        result: Result<&ConnInfo, ConnectError>,
    ) -> Option<Flow> {
        result.expect("to connect");
        // The handshake is complete on the other side too before the first large segment is lost.
        net.arm(id, Some(net.now() + Duration::from_millis(30)));
        Some(Flow::default())
    }

    fn timer(&mut self, net: &mut impl Net, id: ConnId, flow: &mut Flow) {
        Bulk::write(net, id, flow);
    }

    fn data(&mut self, _: &mut impl Net, _: ConnId, flow: &mut Flow, rx: &mut Rx<'_>) {
        while !rx.chunk().is_empty() {
            let chunk = rx.chunk();
            assert!(chunk.iter().enumerate().all(|(n, got)| *got == byte(flow.read + n)), "at {}", flow.read);
            flow.read += chunk.len();
            let n = chunk.len();
            rx.advance(n);
        }
    }

    fn eof(&mut self, net: &mut impl Net, id: ConnId, flow: &mut Flow) {
        assert_eq!(flow.read, BYTES);
        if flow.written == BYTES {
            net.close(id);
        }
    }

    fn writable(&mut self, net: &mut impl Net, id: ConnId, flow: &mut Flow) {
        Bulk::write(net, id, flow);
        if flow.written == BYTES && flow.read == BYTES {
            net.close(id);
        }
    }

    fn closed(&mut self, net: &mut impl Net, _: ConnId, _: Flow, why: CloseReason) {
        self.finished.push((why, net.now()));
    }
}

/// 10 ms there, 10 ms back, 100 Mbit/s, and a queue that nothing here fills.
const LINK: LinkConfig = LinkConfig {
    delay: Duration::from_millis(10),
    jitter: Duration::ZERO,
    loss: 0.0,
    duplicate: 0.0,
    reorder: 0.0,
    reorder_by: Duration::ZERO,
    corrupt: 0.0,
    bits_per_second: Some(100_000_000),
    queue_bytes: 8 * 1024 * 1024,
};

struct Lab {
    net: SimNet<Bulk>,
    client: NodeId,
    server: NodeId,
}

impl Lab {
    fn new(seed: u64, probing: MtuProbing) -> Lab {
        let mut net = SimNet::new(seed);
        net.watch();
        let mut config = net.next_config();
        config.tcp.mtu_probing = probing;
        let server = net.add_host_with(config, Default::default(), LINK, Bulk::server());
        let to = net.socket(server, 80);
        let mut config = net.next_config();
        config.tcp.mtu_probing = probing;
        let client = Bulk { connect: Some(to), finished: Vec::new() };
        let client = net.add_host_with(config, Default::default(), LINK, client);
        Lab { net, client, server }
    }

    /// Until `n` transfers are over at both ends; returns how long that took.
    fn run(&mut self, n: usize) -> Duration {
        let began = self.net.now();
        let (client, server) = (self.client, self.server);
        let over = |net: &SimNet<Bulk>, node| net.host(node).service().finished.len() >= n;
        self.net
            .run_until(began + Duration::from_secs(900), |net| over(net, client) && over(net, server))
            .expect("to finish");
        for node in [client, server] {
            assert!(
                self.net.host(node).service().finished.iter().all(|(why, _)| *why == CloseReason::Finished)
            );
        }
        assert_eq!(self.net.broken_rules(), &[] as &[String]);
        self.net.now().since(began)
    }

    fn connect_again(&mut self) {
        let to = self.net.socket(self.server, 80);
        let _ = self.net.host_mut(self.client);
        self.net.run_for(Duration::ZERO).expect("the net goes on"); // it sees what time it is
        self.net
            .host_mut(self.client)
            .with(|_, net| net.connect(to, ConnectOptions::default()))
            .expect("to connect");
    }

    /// The largest of what is sent in the next 200 ms.
    fn largest_frame(&mut self) -> usize {
        let sizes = (0..200).map(|_| {
            self.net.run_for(Duration::from_millis(1)).expect("the net goes on");
            self.net.recent_frames().iter().map(Vec::len).max()
        });
        sizes.max().flatten().expect("frames")
    }

    fn both(&self) -> [Counters; 2] {
        [self.client, self.server].map(|node| *self.net.host(node).counters())
    }
}

/// How long it takes when nothing is in the way.
fn undisturbed() -> Duration {
    let took = Lab::new(1, MtuProbing::BlackHole).run(1);
    assert!(took < Duration::from_secs(2), "{took:?}");
    took
}

#[test]
fn routers_that_tell_cost_a_round_trip() {
    let usual = undisturbed();
    for mtu in [1492, 1280, 552] {
        for names_mtu in [true, false] {
            for narrow_at_client in [true, false] {
                let mut lab = Lab::new(2, MtuProbing::BlackHole);
                let at = if narrow_at_client { lab.client } else { lab.server };
                lab.net.narrow(at, Some(Narrow { names_mtu, ..Narrow::honest(mtu) }));
                let took = lab.run(1);
                // more headers, and half a dozen plateaus at worst
                let most = usual * 3 / 2 + Duration::from_millis(300);
                assert!(took < most, "{mtu} {names_mtu}: {took:?}, usually {usual:?}");
                for c in lab.both() {
                    assert!(c.tcp_mtu_reduced >= 1, "{mtu} {names_mtu}");
                    assert_eq!(
                        (c.tcp_timeouts, c.tcp_sack_recovery + c.tcp_reno_recovery),
                        (0, 0),
                        "{mtu} {names_mtu}"
                    );
                }
                // the next connection knows
                let before = lab.both().map(|c| c.icmp_errors_received);
                lab.connect_again();
                lab.run(2);
                assert_eq!(lab.both().map(|c| c.icmp_errors_received), before, "{mtu} {names_mtu}");
            }
        }
    }
}

#[test]
fn black_holes_are_found_and_their_size_too() {
    let usual = undisturbed();
    for probing in [MtuProbing::BlackHole, MtuProbing::Always] {
        for mtu in [1492, 1400] {
            let mut lab = Lab::new(3, probing);
            let server = lab.server;
            lab.net.narrow(server, Some(Narrow::silent(mtu)));
            let took = lab.run(1);

            assert!(
                took < usual * 2 + Duration::from_secs(3),
                "{probing:?} {mtu}: {took:?}, usually {usual:?}"
            );
            for c in lab.both() {
                assert!(c.tcp_mtu_probe_success >= 1, "{probing:?} {mtu}: {c:?}");
                assert!(c.tcp_mtu_probe_fail >= 3, "{probing:?} {mtu}: {c:?}");
            }
            // probes are no congestion, and the next connection knows what they found
            let before = lab.both();
            lab.connect_again();
            let took = lab.run(2);
            assert!(took < usual * 3 / 2, "{probing:?} {mtu}: {took:?}, usually {usual:?}");
            for (c, before) in lab.both().iter().zip(before) {
                assert_eq!(c.tcp_timeouts, before.tcp_timeouts, "{probing:?} {mtu}");
                assert_eq!(c.tcp_sack_recovery, before.tcp_sack_recovery, "{probing:?} {mtu}");
            }
        }
    }
}

#[test]
fn always_probing_on_a_plain_path_costs_next_to_nothing() {
    let usual = undisturbed();
    let mut lab = Lab::new(4, MtuProbing::Always);
    let took = lab.run(1);
    assert!(took < usual * 5 / 4, "{took:?}, usually {usual:?}");
    for c in lab.both() {
        assert_eq!((c.tcp_mtu_probe_success, c.tcp_mtu_probe_fail, c.tcp_retransmitted), (1, 0, 0));
    }
}

#[test]
fn a_path_that_becomes_narrow_in_the_middle_is_believed_after_a_time_out() {
    // RFC 5927 7.2
    for narrow in [Narrow::honest(1300), Narrow::silent(1300)] {
        let mut lab = Lab::new(5, MtuProbing::BlackHole);
        lab.net.run_for(Duration::from_millis(150)).expect("the net goes on");
        let server = lab.server;
        lab.net.narrow(server, Some(narrow));
        let took = lab.run(1);
        assert!(took < Duration::from_secs(6), "{narrow:?}: {took:?}");
        for c in lab.both() {
            assert!(c.tcp_mtu_reduced >= 1, "{narrow:?}: {c:?}");
            assert_eq!(c.tcp_mtu_pending > 0, narrow.icmp, "{c:?}");
        }
    }
}

#[test]
fn an_outage_is_no_black_hole() {
    let mut lab = Lab::new(6, MtuProbing::BlackHole);
    lab.net.run_for(Duration::from_millis(150)).expect("the net goes on");
    let server = lab.server;
    lab.net.plug(server, false);
    lab.net.run_for(Duration::from_secs(4)).expect("the net goes on");
    lab.net.plug(server, true);
    let took = lab.run(1);
    assert!(took < Duration::from_secs(8), "{took:?}");
    // the first probe shows that the path carries what it always did
    for c in lab.both() {
        assert!(c.tcp_mtu_probe_fail == 0, "{c:?}");
    }
    let before = lab.both();
    lab.connect_again();
    lab.run(2);
    for (c, before) in lab.both().iter().zip(before) {
        assert_eq!(c.tcp_mtu_probe_success, before.tcp_mtu_probe_success, "nothing small is remembered");
    }
}

#[test]
fn a_path_that_becomes_wide_again_is_used_after_ten_minutes() {
    // RFC 1191 6.3
    let mut lab = Lab::new(7, MtuProbing::BlackHole);
    let server = lab.server;
    lab.net.narrow(server, Some(Narrow::honest(1300)));
    lab.run(1);
    lab.net.narrow(server, None);
    lab.connect_again();
    assert_eq!(lab.largest_frame(), 1300 + 14);
    lab.run(2);
    lab.net.run_for(Duration::from_secs(601)).expect("the net goes on");
    lab.connect_again();
    assert_eq!(lab.largest_frame(), 1500 + 14);
    lab.run(3);
}

/// Paths whose MTU changes again and again, over links that lose, reorder and repeat: every byte arrives, and nothing is left.
#[test]
fn whatever_the_path_does_all_bytes_arrive() {
    // One seed alone, or how many.
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let many = 0..number("FERROFLOW_MTU_SEEDS").unwrap_or(15);
    for seed in number("FERROFLOW_MTU_SEED").map_or(many, |seed| seed..seed + 1) {
        let mut rng = fastrand::Rng::with_seed(seed);
        let probing = [MtuProbing::Off, MtuProbing::BlackHole, MtuProbing::Always][rng.usize(..3)];
        let loss = [0.0, 0.001, 0.02][rng.usize(..3)];
        let link = LinkConfig {
            loss,
            duplicate: loss,
            reorder: loss * 2.0,
            reorder_by: Duration::from_millis(5),
            bits_per_second: Some(20_000_000),
            queue_bytes: [20_000, 100_000][rng.usize(..2)],
            ..LINK
        };
        let mut lab = Lab::new(seed, probing);
        let nodes = [lab.client, lab.server];
        for node in nodes {
            lab.net.configure_link(node, link);
        }
        for _ in 0..8 {
            lab.net.run_for(Duration::from_millis(rng.u64(..500))).expect("the net goes on");
            let mtu = rng.u16(552..1500);
            // where nobody probes, routers must tell
            let silent = probing != MtuProbing::Off && rng.bool();
            let narrow = if silent {
                Narrow::silent(mtu.max(1100))
            } else {
                Narrow { names_mtu: rng.bool(), ..Narrow::honest(mtu) }
            };
            let narrow = Some(narrow).filter(|_| rng.u32(..4) > 0);
            lab.net.narrow(nodes[rng.usize(..2)], narrow);
        }
        for node in nodes {
            lab.net.narrow(node, None);
        }
        eprintln!("seed {seed}: {probing:?}, loss {loss}");
        lab.run(1);
        lab.net.run_to_silence(lab.net.now() + Duration::from_secs(300)).expect("silence");
        for node in nodes {
            assert_eq!((lab.net.host(node).conns(), lab.net.host(node).memory()), (0, 0), "seed {seed}");
        }
    }
}
