//! Large segments that the port cuts (TSO): on the wire there is, frame by frame, what is there without, whatever is lost on
//! the way. The simulated card holds the stack to what cards rely on.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use ferroflow_stack::sim::stream::{Ending, Mix, Open, Streams};
use ferroflow_stack::sim::{LinkConfig, Narrow, NodeId, SimNet, SimPortConfig};
use ferroflow_stack::tcp::mtu::MtuProbing;
use ferroflow_stack::tcp::{Algorithm, TcpConfig};
use ferroflow_stack::{Counters, Instant, Listen};

/// Largest packets that ports cut: none, the smallest that holds two segments, some, and the most.
const SIZES: [u32; 4] = [0, 3100, 16_000, 65_535];

fn bulk(bytes: u64, chunk: usize) -> Mix {
    Mix {
        bytes,
        chunk,
        write_pause: Duration::ZERO,
        read_pause: Duration::ZERO,
        stall: Duration::ZERO,
        endings: vec![Ending::Shutdown],
    }
}

/// What can be different between two runs.
struct Path {
    link: LinkConfig,
    narrow: Option<Narrow>,
    mix: Mix,
    seed: u64,
    tcp: fn(&mut TcpConfig),
}

impl Path {
    fn new(link: LinkConfig, seed: u64) -> Path {
        Path { link, narrow: None, mix: bulk(400_000, 60_000), seed, tcp: |_| {} }
    }

    fn host(&self, net: &mut SimNet<Streams>, tx_gso: u32, service: Streams) -> NodeId {
        let mut config = net.next_config();
        (self.tcp)(&mut config.tcp);
        // In one turn whatever may be sent: a budget that ends elsewhere would be another order of events.
        config.send_budget = 1 << 28;
        let port = SimPortConfig { tx_gso, frames: 4096, tx_per_turn: 4096, ..SimPortConfig::default() };
        net.add_host_with(config, port, self.link, service)
    }

    /// All frames that are sent, in words, and what the client counted.
    fn run(&self, tx_gso: u32) -> (Vec<String>, Counters) {
        let mut net = SimNet::new(self.seed);
        net.watch();
        let lines = Rc::new(RefCell::new(Vec::new()));
        let log = lines.clone();
        net.trace(move |line| log.borrow_mut().push(line.to_owned()));
        let echo = bulk(20_000, 5000);
        let server = self.host(&mut net, tx_gso, Streams::server(Listen::on(80), echo, self.seed));
        let open = Open { at: Instant::from_millis(10), to: net.socket(server, 80), from_port: 0 };
        let service = Streams::new(Vec::new(), vec![open], self.mix.clone(), self.seed);
        let client = self.host(&mut net, tx_gso, service);
        net.narrow(client, self.narrow);
        net.run_until(Instant::from_secs(3600), |net| {
            net.host(client).service().is_done() && net.host(server).service().is_done()
        })
        .unwrap();
        for host in [client, server] {
            assert_eq!(net.host(host).service().violations(), &[] as &[String], "seed {}", self.seed);
        }
        assert_eq!(net.broken_rules(), &[] as &[String], "seed {}", self.seed);
        let counters = *net.host(client).counters();
        drop(net);
        (Rc::try_unwrap(lines).expect("the net is gone").into_inner(), counters)
    }

    /// The same with every size; what was counted with the largest.
    fn is_the_same(&self) -> Counters {
        let (want, whole) = self.run(0);
        assert!(whole.tx_frames >= whole.tcp_segments_out, "nothing is cut");
        let mut last = whole;
        for tx_gso in SIZES {
            let (got, counters) = self.run(tx_gso);
            let differs = want.iter().zip(&got).find(|(want, got)| want != got);
            assert_eq!(differs, None, "seed {}, {tx_gso} bytes", self.seed);
            assert_eq!(want.len(), got.len(), "seed {}, {tx_gso} bytes", self.seed);
            let of_tcp = |c: &Counters| (c.tcp_segments_out, c.tcp_retransmitted, c.tcp_fast_retrans);
            assert_eq!(of_tcp(&counters), of_tcp(&last), "seed {}, {tx_gso} bytes", self.seed);
            last = counters;
        }
        last
    }
}

/// How many of the streams left mostly in large segments, and how many segments were sent again.
fn many(paths: impl Iterator<Item = Path>) -> (u64, u64) {
    let (mut large, mut again) = (0, 0);
    for path in paths {
        let counters = path.is_the_same();
        large += u64::from(counters.tx_frames < counters.tcp_segments_out / 2);
        again += counters.tcp_retransmitted;
    }
    (large, again)
}

fn lossy(loss: f64) -> LinkConfig {
    LinkConfig { delay: Duration::from_millis(5), loss, ..LinkConfig::default() }
}

#[test]
fn a_clean_path_sees_the_same_segments() {
    let (large, again) = many((0..20).map(|seed| Path::new(LinkConfig::default(), seed)));
    assert!(large > 5, "{large} streams left in large segments");
    assert_eq!(again, 0);
}

#[test]
fn losses_are_repaired_by_the_same_segments() {
    for loss in [0.005, 0.03, 0.1] {
        let paths = (0..20).map(|seed| Path { mix: bulk(1_500_000, 60_000), ..Path::new(lossy(loss), seed) });
        let (large, again) = many(paths);
        assert!(large > 0 || loss > 0.01, "{large} streams left in large segments");
        assert!(again as f64 > 2000.0 * loss, "{again} segments were sent again");
    }
}

#[test]
fn reordering_and_duplicates_change_nothing() {
    let link = LinkConfig { reorder: 0.05, duplicate: 0.05, ..lossy(0.01) };
    many((100..180).map(|seed| Path::new(link, seed)));
}

#[test]
fn a_narrow_queue_sees_the_same_segments() {
    let link = LinkConfig {
        delay: Duration::from_millis(10),
        bits_per_second: Some(20_000_000),
        queue_bytes: 60_000,
        ..LinkConfig::default()
    };
    let (large, again) =
        many((0..20).map(|seed| Path { mix: bulk(3_000_000, 60_000), ..Path::new(link, seed) }));
    assert!(large > 0 && again > 100, "{large} large streams, {again} segments sent again");
}

#[test]
fn every_setting_sees_the_same_segments() {
    let settings: [fn(&mut TcpConfig); 9] = [
        |tcp| tcp.sack = false,
        |tcp| tcp.timestamps = false,
        |tcp| tcp.window_scaling = false,
        |tcp| tcp.pacing = true,
        |tcp| tcp.congestion = Algorithm::NewReno,
        |tcp| tcp.tail_loss_probe = false,
        |tcp| tcp.f_rto = false,
        |tcp| tcp.nagle = !tcp.nagle,
        |tcp| (tcp.send_buffer, tcp.recv_buffer) = (5000, 7000),
    ];
    for tcp in settings {
        for loss in [0.0, 0.03] {
            many((0..6).map(|seed| Path { tcp, ..Path::new(lossy(loss), seed) }));
        }
    }
}

#[test]
fn pieces_of_every_length_are_cut_the_same() {
    for chunk in [1, 700, 1448, 1449, 2896, 2897, 7240, 14_480, 20_000] {
        many((0..4).map(|seed| Path { mix: bulk(chunk as u64 * 40, chunk), ..Path::new(lossy(0.01), seed) }));
    }
}

#[test]
fn segments_follow_the_path() {
    let probing: [fn(&mut TcpConfig); 2] =
        [|tcp| tcp.mtu_probing = MtuProbing::Always, |tcp| tcp.mtu_probing = MtuProbing::BlackHole];
    for narrow in [Narrow::honest(1000), Narrow::honest(1400), Narrow::silent(1280)] {
        for tcp in probing {
            many((0..6).map(|seed| Path { narrow: Some(narrow), tcp, ..Path::new(lossy(0.005), seed) }));
        }
    }
}
