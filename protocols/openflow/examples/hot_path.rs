//! What the data path does per message, a thousand times each, for a tool that counts instructions:
//!
//! ```text
//! valgrind --tool=callgrind target/release/examples/hot_path
//! ```
//!
//! `decode_packet_in` and `build_flow_mod` are not inlined, so that their counts can be read off by name. The same is timed
//! in `benches/codec.rs`.
#![forbid(unsafe_code)]

use ferroflow_openflow::{Encode, v13};
use std::hint::black_box;

/// How often each is done.
const TIMES: u32 = 1000;

fn main() {
    let frame = [0x55; 64];
    let message = v13::PacketIn {
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
    let mut buf = [0; 256];
    let mut sum = 0;
    for n in 0..TIMES {
        sum += decode_packet_in(black_box(&message));
        sum += build_flow_mod(black_box(n), black_box(&mut buf));
    }
    assert_eq!(sum, TIMES as usize * (64 + 1 + 112));
}

/// Reads a packet_in where it lies: its input port and its packet.
#[inline(never)]
fn decode_packet_in(message: &[u8]) -> usize {
    let packet = v13::PacketIn::parse(message).expect("it was built so");
    packet.data.len() + packet.in_port().map_or(0, |port| port as usize)
}

/// Writes the flow_mod of a learning switch.
#[inline(never)]
fn build_flow_mod(buffer_id: u32, buf: &mut [u8; 256]) -> usize {
    let matching = [
        v13::Oxm::InPort(1),
        v13::Oxm::EthDst([2, 0, 0, 0, 0, 2], None),
        v13::Oxm::EthSrc([2, 0, 0, 0, 0, 1], None),
        v13::Oxm::VlanVid(v13::OFPVID_NONE, None),
    ];
    let instructions = [v13::Instruction::ApplyActions([v13::Action::output(2)])];
    let flow = v13::FlowMod {
        priority: 10,
        idle_timeout: 60,
        buffer_id,
        ..v13::FlowMod::new(&matching, &instructions)
    };
    let len = flow.wire_len();
    flow.write(&mut buf[..len]);
    len
}
