//! What the data path does per message: cut the stream, read a packet_in, write its flow_mod.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ferroflow_openflow::{Encode, Splitter, v10, v13};
use std::hint::black_box;

const A: [u8; 6] = [2, 0, 0, 0, 0, 1];
const B: [u8; 6] = [2, 0, 0, 0, 0, 2];

fn parse(c: &mut Criterion) {
    let frame = [0x55; 64];
    let one = v10::PacketIn {
        xid: 0,
        buffer_id: 7,
        total_len: 64,
        in_port: 1,
        reason: v10::PacketInReason::OFPR_NO_MATCH,
        data: &frame,
    }
    .to_vec();
    let three = v13::PacketIn {
        xid: 0,
        buffer_id: 7,
        total_len: 64,
        reason: v13::PacketInReason::OFPR_NO_MATCH,
        table_id: 0,
        cookie: u64::MAX,
        matching: [v13::Oxm::InPort(1)],
        data: &frame,
    }
    .to_vec();
    c.bench_function("v10 packet_in parse", |b| {
        b.iter(|| v10::PacketIn::parse(black_box(&one)).map(|p| (p.in_port, p.buffer_id, p.data.len())));
    });
    c.bench_function("v13 packet_in parse", |b| {
        b.iter(|| v13::PacketIn::parse(black_box(&three)).map(|p| (p.in_port(), p.buffer_id, p.data.len())));
    });
}

fn build(c: &mut Criterion) {
    let mut buf = [0; 256];
    c.bench_function("v10 flow_mod build", |b| {
        b.iter(|| {
            let port = black_box(1);
            let matching = v10::Match::ANY
                .in_port(port)
                .dl_vlan(v10::OFP_VLAN_NONE)
                .dl_src(black_box(A))
                .dl_dst(black_box(B));
            let actions = [v10::Action::output(black_box(2))];
            let flow = v10::FlowMod {
                priority: 10,
                idle_timeout: 60,
                buffer_id: black_box(9),
                ..v10::FlowMod::new(matching, &actions)
            };
            let len = flow.wire_len();
            flow.write(&mut buf[..len]);
            black_box(&buf);
        });
    });
    c.bench_function("v13 flow_mod build", |b| {
        b.iter(|| {
            let matching = [
                v13::Oxm::InPort(black_box(1)),
                v13::Oxm::EthDst(black_box(B), None),
                v13::Oxm::EthSrc(black_box(A), None),
                v13::Oxm::VlanVid(v13::OFPVID_NONE, None),
            ];
            let actions = [v13::Action::output(black_box(2))];
            let instructions = [v13::Instruction::ApplyActions(&actions)];
            let flow = v13::FlowMod {
                priority: 10,
                idle_timeout: 60,
                buffer_id: black_box(9),
                ..v13::FlowMod::new(&matching, &instructions)
            };
            let len = flow.wire_len();
            flow.write(&mut buf[..len]);
            black_box(&buf);
        });
    });
}

fn split(c: &mut Criterion) {
    let message = v10::PacketIn {
        xid: 0,
        buffer_id: 7,
        total_len: 64,
        in_port: 1,
        reason: v10::PacketInReason::OFPR_NO_MATCH,
        data: &[0x55; 64],
    }
    .to_vec();
    let stream = message.repeat(65536 / message.len());
    let mut group = c.benchmark_group("splitter");
    group.throughput(Throughput::Elements((stream.len() / message.len()) as u64));
    for (name, size) in
        [("64 KiB of packet_ins at once", stream.len()), ("the same in 1448-byte chunks", 1448)]
    {
        group.bench_function(name, |b| {
            let mut splitter = Splitter::default();
            b.iter(|| {
                let mut messages = 0;
                for mut chunk in black_box(&stream[..]).chunks(size) {
                    while let Ok(Some(msg)) = splitter.next(&mut chunk) {
                        black_box(msg);
                        messages += 1;
                    }
                }
                messages
            });
        });
    }
}

criterion_group!(benches, parse, build, split);
criterion_main!(benches);
