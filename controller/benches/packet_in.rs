//! What a packet_in costs between the connection's bytes and the flow_mod in its send ring: split, parse, learn, look
//! up, build. The stack below is a byte buffer.

use std::hint::black_box;
use std::net::SocketAddr;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ferroflow::testing::{FakeNet, Switch};
use ferroflow::{Controller, Version};
use ferroflow_apps::LearningSwitch;
use ferroflow_stack::{ConnId, Net, Rx, Service};

/// As many packet_ins as the original cbench keeps queued per switch.
const BURST: usize = 799;

struct Bench {
    controller: Controller,
    net: FakeNet,
    conns: Vec<(ConnId, u32, Switch)>,
}

impl Bench {
    fn new(version: Version, switches: u64) -> Bench {
        let builder = Controller::builder().app("learning-switch", |_| LearningSwitch::default());
        let mut controller = builder.build_cores(1).expect("one app").remove(0);
        let mut net = FakeNet::new(7);
        controller.start(&mut net);
        let mut bench = Bench { controller, net, conns: Vec::new() };
        for dpid in 1..=switches {
            let (id, info) = bench.net.open(SocketAddr::from(([127, 0, 0, 1], 1000 + dpid as u16)));
            let key = bench.controller.accepted(&mut bench.net, id, &info).expect("room for a session");
            let mut switch = Switch::new(version, dpid);
            for _ in 0..3 {
                let sent = take(&mut bench.net, id);
                switch.receive(&sent);
                bench.feed(id, key, &switch.take_output());
            }
            // The destination is learnt first, as cbench does.
            let arp = frame(u64::MAX, dst(dpid));
            bench.feed(id, key, &switch.packet_in(2, None, &arp));
            take(&mut bench.net, id);
            bench.conns.push((id, key, switch));
        }
        bench
    }

    fn feed(&mut self, id: ConnId, mut key: u32, bytes: &[u8]) {
        let mut rx = Rx::new(bytes, &[]);
        self.controller.data(&mut self.net, id, &mut key, &mut rx);
        assert_eq!(rx.remaining(), 0, "the controller reads everything");
    }
}

fn dst(dpid: u64) -> u64 {
    0x8000_0000_0000 | dpid
}

fn frame(dst: u64, src: u64) -> [u8; 64] {
    let mut f = [0; 64];
    f[..6].copy_from_slice(&dst.to_be_bytes()[2..]);
    f[6..12].copy_from_slice(&src.to_be_bytes()[2..]);
    f[12] = 8;
    f
}

fn take(net: &mut FakeNet, id: ConnId) -> Vec<u8> {
    let ring = net.sender(id).expect("an open connection");
    let mut bytes = vec![0; ring.len()];
    ring.copy_out(0, &mut bytes);
    ring.consume(bytes.len());
    bytes
}

fn learning_switch(c: &mut Criterion) {
    for (version, macs) in [(Version::V1_0, 1_000), (Version::V1_3, 1_000), (Version::V1_0, 50_000)] {
        let mut bench = Bench::new(version, 16);
        let mut bursts: Vec<Vec<u8>> = bench
            .conns
            .iter()
            .enumerate()
            .map(|(n, (_, _, switch))| {
                let dpid = n as u64 + 1;
                let packet = |i: usize| switch.packet_in(1, Some(i as u32), &frame(dst(dpid), 0));
                (0..BURST).flat_map(packet).collect()
            })
            .collect();
        let size = bursts[0].len() / BURST;
        let mut group = c.benchmark_group("packet_in to flow_mod");
        group.throughput(Throughput::Elements(BURST as u64));
        let name = format!("{}/{macs} MACs", version.dotted().unwrap_or("?"));
        let (mut turn, mut answers) = (0, 0);
        group.bench_function(name, |b| {
            b.iter(|| {
                turn += 1;
                let n = turn % bench.conns.len();
                let (id, key, _) = bench.conns[n];
                // The sources run through all of a switch's, written in place: the input stays in the cache, as a
                // frame that has just arrived does.
                for (i, msg) in bursts[n].chunks_mut(size).enumerate() {
                    let src = (turn / bench.conns.len() * BURST + i) % macs;
                    let src = 0x00b0_b000_0000 | (n as u64) << 20 | src as u64;
                    let at = size - 64 + 6;
                    msg[at..at + 6].copy_from_slice(&src.to_be_bytes()[2..]);
                }
                bench.feed(id, key, &bursts[n]);
                let ring = bench.net.sender(id).expect("an open connection");
                answers += black_box(ring.len());
                ring.consume(ring.len());
            });
        });
        group.finish();
        assert!(turn == 0 || answers > 0, "nothing was answered");
        assert_eq!(
            bench.controller.counters().packet_outs,
            16,
            "all but the first were answered by flow_mods"
        );
    }
}

criterion_group!(benches, learning_switch);
criterion_main!(benches);
