//! Instances of several cores on both ends of a pipe, in virtual time: whether buffers come home, and whether every connection
//! stays on the core that opened it.

use std::time::Duration;

use ferroflow_stack::config::Config;
use ferroflow_stack::instance::Instance;
use ferroflow_stack::port::Port;
use ferroflow_stack::port::lossy::{Faults, Lossy};
use ferroflow_stack::port::pipe::{self, PipeConfig, PipePort};
use ferroflow_stack::sim::stream::{Mix, Streams};
use ferroflow_stack::steer::Steer;
use ferroflow_stack::{CloseReason, Instant, Listen};
use ferroflow_wire::MacAddr;

const FRAMES: usize = 64;

/// One end's instances, one per queue.
fn end<P: Port>(
    ports: Vec<P>,
    number: u8,
    mut service: impl FnMut(u64) -> Streams,
) -> Vec<Instance<P, Streams>> {
    let cores = ports.len() as u16;
    ports
        .into_iter()
        .enumerate()
        .map(|(core, port)| {
            let (mac, address) = (MacAddr([2, 0, 0, 0, 0, number]), [10, 9, 0, number].into());
            let mut config = Config::new(mac, address, 24, u64::from(number) * 100 + core as u64);
            config.steer = Steer::new(core as u16, cores);
            let mut instance = Instance::new(config, port, service(core as u64));
            instance.start(Instant::ZERO);
            instance
        })
        .collect()
}

/// Runs all instances, jumping from deadline to deadline, until no client has anything left to do.
fn run<P: Port, Q: Port>(servers: &mut [Instance<P, Streams>], clients: &mut [Instance<Q, Streams>]) {
    let mut now = Instant::from_millis(1);
    while now < Instant::from_secs(3600) {
        let mut next = Instant::FAR;
        let mut busy = true;
        for _ in 0..100_000 {
            if !busy {
                break;
            }
            (busy, next) = (false, Instant::FAR);
            let mut look = |turn: ferroflow_stack::instance::Turn| {
                busy |= turn.frames > 0 || turn.more;
                next = turn.next.map_or(next, |at| at.min(next));
            };
            servers.iter_mut().for_each(|instance| look(instance.turn(now).unwrap()));
            clients.iter_mut().for_each(|instance| look(instance.turn(now).unwrap()));
        }
        assert!(!busy, "spins at {now:?}");
        let done =
            clients.iter().all(|c| c.service().is_done()) && servers.iter().all(|s| s.service().is_done());
        if done {
            return;
        }
        assert_ne!(next, Instant::FAR, "silent, and not done");
        // A card would not answer in no time at all.
        now = (now + Duration::from_micros(50)).max(next);
    }
    panic!("not done in an hour");
}

fn mix() -> Mix {
    Mix { bytes: 30_000, ..Mix::orderly() }
}

fn opens(count: u64) -> Vec<(Instant, std::net::SocketAddr)> {
    (0..count).map(|n| (Instant::from_micros(n * 300), "10.9.0.1:80".parse().unwrap())).collect()
}

fn all_finished<P: Port>(instances: &[Instance<P, Streams>]) -> Vec<usize> {
    let each = |instance: &Instance<P, Streams>| {
        let service = instance.service();
        assert_eq!(service.violations(), &[] as &[String]);
        assert_eq!((instance.conns(), instance.memory()), (0, 0));
        assert!(
            service.records().iter().all(|r| r.end == Ok(CloseReason::Finished)),
            "{:?}",
            service.records()
        );
        service.records().len()
    };
    instances.iter().map(each).collect()
}

#[test]
fn cores_on_both_ends_share_the_work_and_every_buffer_comes_home() {
    let queues = [3, 2];
    let config = PipeConfig { queues, frames: FRAMES, ..PipeConfig::new(1) };
    let (a, b) = pipe::pair(config);
    let mut servers = end(a, 1, |core| Streams::server(Listen::on(80), mix(), core));
    let mut clients = end(b, 2, |core| Streams::client(opens(60), mix(), 50 + core));
    run(&mut servers, &mut clients);

    assert_eq!(all_finished(&clients), [60, 60]);
    let served = all_finished(&servers);
    assert_eq!(served.iter().sum::<usize>(), 120);
    assert!(served.iter().all(|&n| n > 20), "{served:?}");
    for instance in servers.iter().chain(&clients) {
        let counters = instance.counters();
        assert_eq!(
            (counters.tcp_bad_checksum, counters.tcp_no_connection),
            (0, 0),
            "a segment went to the wrong core"
        );
    }
    let mut ports: Vec<PipePort> =
        servers.into_iter().chain(clients).map(|instance| instance.into_parts().0).collect();
    for port in &mut ports {
        assert_eq!((port.held(), port.at_home()), (0, FRAMES));
    }
}

#[test]
fn lossy_pipes_lose_no_byte_and_no_buffer() {
    // A frame is held until the next one, which may be a time-out later: more of that would measure nothing but patience.
    let faults = Faults { loss: 0.05, duplicate: 0.02, reorder: 0.02, corrupt: 0.01 };
    let (a, b) = pipe::pair(PipeConfig { frames: FRAMES, ..PipeConfig::new(2) });
    let mut seed = 0;
    let mut lossy = |port| {
        seed += 1;
        Lossy::new(port, seed, faults, faults)
    };
    let (a, b) = (a.into_iter().map(&mut lossy).collect(), b.into_iter().map(&mut lossy).collect());
    let mut servers = end(a, 1, |core| Streams::server(Listen::on(80), mix(), core));
    let mut clients = end(b, 2, |core| Streams::client(opens(30), mix(), 50 + core));
    run(&mut servers, &mut clients);

    assert_eq!(all_finished(&clients), [30, 30]);
    assert_eq!(all_finished(&servers).iter().sum::<usize>(), 60);
    let damaged: u64 =
        servers.iter().chain(&clients).map(|instance| instance.counters().tcp_bad_checksum).sum();
    assert!(damaged > 0);
    let mut ports: Vec<PipePort> =
        servers.into_iter().chain(clients).map(|instance| instance.into_parts().0.into_inner()).collect();
    // What a port gave up on may be another's.
    ports.iter_mut().for_each(|port| port.sync().unwrap());
    for port in &mut ports {
        assert_eq!((port.held(), port.at_home()), (0, FRAMES));
    }
}
