//! What the data path does with a message allocates nothing, and neither does writing an owned value into a buffer.

use ferroflow_openflow::owned::AnyMessage;
use ferroflow_openflow::{Encode, v10, v13, v15};
use ferroflow_wire::codec::Entropy;

#[path = "common/counting.rs"]
mod counting;
#[path = "common/mutate.rs"]
#[allow(dead_code, reason = "only made-up values are needed")]
mod mutate;

/// How many bytes `work` asks for.
fn allocated<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = counting::allocated();
    let result = std::hint::black_box(work());
    (counting::allocated() - before, result)
}

/// That the allocator is counted at all.
#[test]
fn what_allocates_is_seen() {
    let (bytes, _) = allocated(|| Vec::<u8>::with_capacity(100));
    assert_eq!(bytes, 100);
}

#[test]
fn a_packet_in_of_1_3_and_its_flow_mod() {
    let packet = v13::PacketIn {
        xid: 1,
        buffer_id: 7,
        total_len: 64,
        reason: v13::PacketInReason::OFPR_NO_MATCH,
        table_id: 0,
        cookie: 0,
        matching: [v13::Oxm::InPort(3), v13::Oxm::Metadata(5, Some(7))],
        data: &[9; 64],
    }
    .to_vec();
    let mut buf = [0; 128];
    let (bytes, len) = allocated(|| {
        let packet = v13::PacketIn::parse(&packet).unwrap();
        let destination = packet.data.first_chunk().copied().unwrap();
        let flow = v13::FlowMod::new(
            [v13::Oxm::InPort(packet.in_port().unwrap()), v13::Oxm::EthDst(destination, None)],
            [v13::Instruction::ApplyActions([v13::Action::output(2)])],
        );
        let len = flow.wire_len();
        flow.write(&mut buf[..len]);
        len
    });
    assert_eq!(bytes, 0);
    let flow = v13::FlowMod::parse(&buf[..len]).unwrap();
    assert_eq!(flow.matching.in_port(), Some(3));
    let (bytes, actions) = allocated(|| {
        let flow = v13::FlowMod::parse(&buf[..len]).unwrap();
        flow.instructions
            .iter()
            .map(|instruction| match instruction {
                v13::Instruction::ApplyActions(actions) => actions.iter().count(),
                _ => 0,
            })
            .sum::<usize>()
    });
    assert_eq!((bytes, actions), (0, 1));
}

#[test]
fn a_packet_in_of_1_0_and_its_packet_out() {
    let packet =
        [&[1, 10, 0, 32, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0, 14, 0, 5, 0, 0][..], &[7; 14]].concat();
    let mut buf = [0; 128];
    let (bytes, len) = allocated(|| {
        let packet = v10::PacketIn::parse(&packet).unwrap();
        let out = v10::PacketOut::of_data(packet.in_port, [v10::Action::output(2)], packet.data);
        let len = out.wire_len();
        out.write(&mut buf[..len]);
        len
    });
    assert_eq!(bytes, 0);
    assert_eq!(v10::PacketOut::parse(&buf[..len]).unwrap().data, [7; 14]);
}

/// The code is 1.2's and 1.4's, too, but for the packet_out.
#[test]
fn a_packet_in_of_1_5_its_flow_mod_and_its_packet_out() {
    let packet = v15::PacketIn {
        xid: 1,
        buffer_id: 7,
        total_len: 64,
        reason: v15::PacketInReason::OFPR_TABLE_MISS,
        table_id: 0,
        cookie: 0,
        matching: [v15::Oxm::InPort(3)],
        data: &[9; 64],
    }
    .to_vec();
    let mut buf = [0; 256];
    let (bytes, len) = allocated(|| {
        let packet = v15::PacketIn::parse(&packet).unwrap();
        let in_port = v15::Oxm::InPort(packet.in_port().unwrap());
        let output = [v15::Action::output(2)];
        let flow = v15::FlowMod::new([in_port], [v15::Instruction::ApplyActions(output)]);
        let out = v15::PacketOut::of_data([in_port], output, packet.data);
        let (flow_len, out_len) = (flow.wire_len(), out.wire_len());
        flow.write(&mut buf[..flow_len]);
        out.write(&mut buf[flow_len..flow_len + out_len]);
        flow_len + out_len
    });
    // Fixed part, match and instruction; fixed part, match, action and packet.
    assert_eq!((bytes, len), (0, 48 + 16 + 24 + 16 + 16 + 16 + 64));
}

#[test]
fn owned_values_into_a_buffer() {
    let mut buf = vec![0xee; 1 << 16];
    let mut written = 0;
    mutate::run(|random| {
        let version = AnyMessage::VERSIONS[random.below(AnyMessage::VERSIONS.len())].0;
        let entropy = random.bytes(400);
        let message =
            AnyMessage::made_up(&mut Entropy::new(&entropy, version)).expect("there is this version");
        let bytes = message.encode().expect("it can be written");
        let (allocated, len) = allocated(|| message.encode_into(&mut buf));
        assert_eq!(allocated, 0, "{message:?}");
        assert_eq!(&buf[..len.expect("there is room")], bytes);
        let error = message.encode_into(&mut buf[..bytes.len() - 1]).expect_err("there is no room");
        assert!(error.to_string().ends_with("length: over the bytes that the buffer has"), "{error}");
        written += 1;
        bytes.len()
    });
    assert!(written > 1000, "{written}");
}
