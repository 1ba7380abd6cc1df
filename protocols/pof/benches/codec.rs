//! What the data path does with a message, and what the owned values cost.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use ferroflow_pof::fast::{ActionSlot, FieldMatch, FlowModBuilder, PacketInView, write_packet_out};
use ferroflow_pof::{Body, FlowModCommand, Frame, Message, PacketIn, PacketInReason, Profile, TableType};

fn packet_in(profile: Profile) -> Vec<u8> {
    let has_slots = profile.has_slots();
    let packet = PacketIn {
        buffer_id: ferroflow_pof::NO_BUFFER,
        total_len: 64,
        reason: PacketInReason::NO_MATCH,
        table_id: 0,
        cookie: 7,
        device_id: 1,
        slot: has_slots.then_some(0),
        port_id: has_slots.then_some(2),
        frame: Frame::from([0x55; 64]),
    };
    Message::new(profile, 1, Body::PacketIn(packet)).to_vec().unwrap()
}

fn flow_mod(profile: Profile, buf: &mut [u8]) -> usize {
    let mut flow = FlowModBuilder::new(profile, buf, 1, FlowModCommand::ADD).unwrap();
    flow.table(TableType::MM, 0).index(5).priority(10).cookie(7, u64::MAX);
    flow.matching(&FieldMatch::exact(1, 0, &[2, 0, 0, 0, 0, 9]).unwrap()).unwrap();
    flow.apply_actions(&[ActionSlot::output(profile, 3)]).unwrap();
    flow.finish()
}

fn fast(c: &mut Criterion) {
    for profile in [Profile::P134, Profile::P140] {
        let bytes = packet_in(profile);
        c.bench_function(&format!("PACKET_IN of {profile} in place"), |b| {
            b.iter(|| {
                PacketInView::parse(profile, black_box(&bytes))
                    .map(|p| (p.port_id, p.buffer_id, p.frame.len()))
            });
        });
        let mut buf = [0; 2560];
        c.bench_function(&format!("FLOW_MOD of {profile} into a buffer"), |b| {
            b.iter(|| flow_mod(black_box(profile), black_box(&mut buf)));
        });
    }
    let (actions, frame) = ([ActionSlot::output(Profile::P140, 3)], [0x55; 64]);
    let mut buf = [0; 2560];
    c.bench_function("PACKET_OUT of 1.4.0 into a buffer", |b| {
        b.iter(|| write_packet_out(Profile::P140, black_box(&mut buf), 1, 2, &actions, black_box(&frame)));
    });
}

fn owned(c: &mut Criterion) {
    for profile in [Profile::P134, Profile::P140] {
        let mut buf = [0; 2560];
        let len = flow_mod(profile, &mut buf);
        let message = Message::decode(profile, &buf[..len]).unwrap();
        c.bench_function(&format!("FLOW_MOD of {profile} decoded"), |b| {
            b.iter(|| Message::decode(profile, black_box(&buf[..len])));
        });
        c.bench_function(&format!("FLOW_MOD of {profile} encoded"), |b| {
            b.iter(|| black_box(&message).to_vec());
        });
    }
}

criterion_group!(benches, fast, owned);
criterion_main!(benches);
