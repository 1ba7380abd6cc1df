//! Cards that do not bring frames where they belong, in virtual time: whatever they do, every connection lives at the core that
//! owns it, and no segment is answered by another. Each trap has caught somebody; the tests say whom.

use std::time::Duration;

use ferroflow_runtime::{Steered, steer};
use ferroflow_stack::port::pipe::{self, PipeConfig, PipePort};
use ferroflow_stack::sim::stream::{Mix, Streams};
use ferroflow_stack::steer::{DEFAULT_KEY, Key, SYMMETRIC_KEY, Spread, Steer};
use ferroflow_stack::{CloseReason, Config, Instance, Instant, Listen, Turn};

type Core = Instance<Steered<PipePort>, Streams>;

/// Connections that each core of the stack under test opens, and that are opened to all of them together.
const OUT: u64 = 12;
const IN: u64 = 48;

/// The stack under test, or its peer: one instance for each port.
struct Host {
    cores: Vec<Core>,
    spread: Spread,
}

impl Host {
    fn new(ports: Vec<PipePort>, number: u8, spread: Spread, service: impl Fn(u64) -> Streams) -> Host {
        let make = |core, cores| Steer::with_spread(core, cores, &spread);
        let ports = steer::join(ports, 256, make);
        let cores = ports.into_iter().enumerate().map(|(core, port)| {
            let (mac, address) = ([2, 0, 0, 0, 0, number].into(), [10, 9, 0, number].into());
            let mut config = Config::new(mac, address, 24, u64::from(number) * 100 + core as u64);
            config.steer = port.steer().clone();
            let mut instance = Instance::new(config, port, service(core as u64));
            instance.start(Instant::ZERO);
            instance
        });
        Host { cores: cores.collect(), spread }
    }

    /// Every connection is at the core that owns it.
    fn all_are_at_home(&self) {
        let steer = Steer::with_spread(0, self.cores.len() as u16, &self.spread);
        for (core, instance) in self.cores.iter().enumerate() {
            for (_, info, _) in instance.connections() {
                let (std::net::SocketAddr::V4(peer), std::net::SocketAddr::V4(local)) =
                    (info.peer, info.local)
                else {
                    panic!("{info:?}")
                };
                let owner = steer.owner_of(*peer.ip(), *local.ip(), peer.port(), local.port());
                assert_eq!(usize::from(owner), core, "{info:?}");
            }
        }
    }

    fn is_done(&self) -> bool {
        self.cores.iter().all(|core| core.service().is_done())
    }

    /// All connections ended in order; how many at each core, and how many frames had to be handed over.
    fn end(&self) -> (Vec<usize>, u64) {
        let each = |core: &Core| {
            assert_eq!(core.service().violations(), &[] as &[String]);
            let records = core.service().records();
            assert!(records.iter().all(|r| r.end == Ok(CloseReason::Finished)), "{records:?}");
            let counters = core.counters();
            let wrong = (counters.tcp_no_connection, counters.tcp_no_listener, counters.tcp_resets_sent);
            assert_eq!(wrong, (0, 0, 0), "a segment went to the wrong core");
            assert_eq!(core.port().counters().dropped, 0);
            records.len()
        };
        let ended = self.cores.iter().map(each).collect();
        (ended, self.cores.iter().map(|core| core.port().counters().handed_over).sum())
    }
}

fn mix() -> Mix {
    Mix { bytes: 5_000, ..Mix::orderly() }
}

fn opens(count: u64, to: &str) -> Vec<(Instant, std::net::SocketAddr)> {
    (0..count).map(|n| (Instant::from_micros(n * 300), to.parse().unwrap())).collect()
}

/// Runs both, jumping from deadline to deadline.
fn run(a: &mut Host, b: &mut Host) {
    let mut now = Instant::from_millis(1);
    while !(a.is_done() && b.is_done()) {
        assert!(now < Instant::from_secs(600), "not done in ten minutes");
        let (mut busy, mut next, mut rounds) = (true, Instant::FAR, 0);
        while busy {
            (busy, next, rounds) = (false, Instant::FAR, rounds + 1);
            assert!(rounds < 100_000, "spins at {now:?}");
            for core in a.cores.iter_mut().chain(&mut b.cores) {
                let turn: Turn = core.turn(now).unwrap();
                busy |= turn.frames > 0 || turn.more;
                next = turn.next.map_or(next, |at| at.min(next));
            }
        }
        a.all_are_at_home();
        b.all_are_at_home();
        // A card would not answer in no time at all.
        now = (now + Duration::from_micros(50)).max(next.min(now + Duration::from_secs(60)));
    }
}

/// A stack of `cores` cores that spread by `spread`, behind a card that spreads by `card` (`None`: queue i of the peer arrives at
/// queue i), and a peer with so many queues. Returns what the stack under test has come to: first its own opens, then those of
/// the peer.
fn behind(card: Option<Key>, cores: u16, peers: u16, spread: &Spread) -> [(Vec<usize>, u64); 2] {
    let config = PipeConfig { queues: [cores, peers], spread: card, ..PipeConfig::new(1) };
    let side = |listening: bool, core| match listening {
        true => Streams::server(Listen::on(80), mix(), core),
        false => Streams::client(Vec::new(), mix(), core),
    };
    let peers_spread = Spread::from(card.unwrap_or(DEFAULT_KEY));
    [true, false].map(|active| {
        let (near, far) = pipe::pair(config);
        let (out, back) = (opens(OUT, "10.9.0.2:80"), opens(IN / u64::from(peers), "10.9.0.1:80"));
        let mut stack = Host::new(near, 1, spread.clone(), |core| match active {
            true => Streams::client(out.clone(), mix(), core),
            false => side(true, core),
        });
        let mut peer = Host::new(far, 2, peers_spread.clone(), |core| match active {
            true => side(true, 50 + core),
            false => Streams::client(back.clone(), mix(), 50 + core),
        });
        run(&mut stack, &mut peer);
        peer.end();
        stack.end()
    })
}

fn in_all(ended: &[usize]) -> u64 {
    ended.iter().sum::<usize>() as u64
}

/// Seastar #654: with fewer queues than cores a connection worked only if the core that opened it happened to be the one that
/// its hash named. Here two queues carry the connections of four cores, all of which have some.
#[test]
fn fewer_queues_than_cores() {
    let [(out, handed_out), (back, handed_back)] = behind(None, 4, 2, &Spread::default());
    assert_eq!(out, [OUT as usize; 4]);
    assert_eq!(in_all(&back), IN);
    assert!(back.iter().all(|&n| n > 4), "{back:?}");
    assert!(handed_out > 100 && handed_back > 100);
}

/// F-Stack #380: a SYN left by queue 1, and the SYN,ACK came back on queue 0, to a process that knew nothing of it. Here all
/// answers come by queue 0, whichever sent.
#[test]
fn a_syn_on_one_queue_and_its_answer_on_another() {
    let [(out, handed_over), _] = behind(None, 3, 1, &Spread::default());
    assert_eq!(out, [OUT as usize; 3]);
    // The SYN,ACK and more of each connection of two cores.
    assert!(handed_over > 2 * 2 * OUT, "{handed_over}");
}

/// F-Stack #703, Seastar #1149: the card hashed by another key than the stack computed with. Results are right all the same, and
/// what it costs can be seen in what is handed over; with the card's own key that is next to nothing.
#[test]
fn a_card_that_hashes_by_another_key_than_it_says() {
    let card = Some(SYMMETRIC_KEY);
    for (key, agrees) in [(DEFAULT_KEY, false), (SYMMETRIC_KEY, true)] {
        let both = behind(card, 4, 4, &Spread::from(key));
        assert_eq!((&both[0].0[..], in_all(&both[1].0)), (&[OUT as usize; 4][..], IN));
        for (_, handed_over) in both {
            // ARP goes to all.
            assert_eq!(handed_over <= 60, agrees, "{handed_over} frames were handed over");
        }
    }
}

/// Seastar #291: a card whose table does not have the queues in turn. Connections are where the table says, whatever the card
/// does, and nothing is lost.
#[test]
fn a_table_that_does_not_have_the_queues_in_turn() {
    let table = (0..64).map(|entry| [0, 1, 2, 2][entry % 4]).collect();
    let [(out, _), (back, _)] = behind(Some(DEFAULT_KEY), 3, 2, &Spread { table, ..Spread::default() });
    assert_eq!((out, in_all(&back)), (vec![OUT as usize; 3], IN));
    assert!(back[2] > back[0] && back[2] > back[1] && back.iter().all(|&n| n > 2), "{back:?}");
}
