//! The views of the hot path and the owned values are two readings of the same bytes: they agree.

use ferroflow_openflow::owned::common::{self, Oxm};
use ferroflow_openflow::owned::{
    AnyMessage, v10 as owned10, v12 as owned12, v13 as owned13, v14 as owned14, v15 as owned15,
};
use ferroflow_openflow::{Encode, v10, v12, v13, v14, v15};
use ferroflow_wire::codec::{self, Arbitrary, Codec, Entropy};
use proptest::prelude::{ProptestConfig, any, prop, prop_assert_eq, proptest};

#[path = "common/mutate.rs"]
#[allow(dead_code, reason = "only made-up values are needed")]
mod mutate;

fn bytes_of<T: Codec>(value: &T) -> Vec<u8> {
    codec::to_bytes(value).unwrap()
}

/// A view may refuse what the owned value takes in one case: masks on fields that the specification says have none.
fn masks_of_open_vswitch(fields: &[Oxm]) -> bool {
    fields.iter().any(|field| {
        matches!(
            field,
            Oxm::TcpSrc(_, Some(_))
                | Oxm::TcpDst(_, Some(_))
                | Oxm::UdpSrc(_, Some(_))
                | Oxm::UdpDst(_, Some(_))
                | Oxm::SctpSrc(_, Some(_))
                | Oxm::SctpDst(_, Some(_))
                | Oxm::Ipv6NdTarget(_, Some(_))
                | Oxm::Ipv6NdSll(_, Some(_))
                | Oxm::Ipv6NdTll(_, Some(_))
        )
    })
}

/// The bytes of a made-up value in a version's message, and the value.
macro_rules! made_up {
    ($module:ident, $owned:ident, $variant:ident, $ty:ty, $entropy:expr) => {{
        let value = <$ty>::arbitrary(&mut Entropy::new(&$entropy, $module::VERSION.0));
        let body = $owned::Body::$variant(value.clone());
        ($owned::Message { xid: 3, body }.encode().unwrap(), value)
    }};
}

macro_rules! packet_in {
    ($module:ident, $owned:ident, $ty:ty, $entropy:expr $(, $cookie:ident)?) => {{
        let (bytes, packet) = made_up!($module, $owned, PacketIn, $ty, $entropy);
        match $module::PacketIn::parse(&bytes) {
            Ok(seen) => {
                assert_eq!((seen.xid, seen.buffer_id, seen.total_len), (3, packet.buffer_id.0, packet.total_len));
                assert_eq!((seen.reason, seen.table_id), (packet.reason, packet.table_id.0));
                $(assert_eq!(seen.$cookie, packet.$cookie);)?
                assert_eq!(seen.data, &*packet.data);
                assert_eq!(seen.to_vec(), bytes);
                1
            }
            Err(e) => {
                assert!(masks_of_open_vswitch(packet.r#match.fields()), "{e}\n{packet:?}");
                0
            }
        }
    }};
}

/// The match and the instructions are where 1.3 has them: its view finds them. Not compared is what it refuses (masks), or
/// has a type for that the version has not, whose padding the owned value keeps.
macro_rules! flow_mod {
    ($module:ident, $owned:ident, $ty:ty, $entropy:expr $(, $importance:ident)?) => {{
        let (bytes, flow) = made_up!($module, $owned, FlowMod, $ty, $entropy);
        // Where the importance is, 1.3 has padding.
        let bytes_13 = [&[4], &bytes[1..46], &[0; 2], &bytes[48..]].concat();
        match v13::FlowMod::parse(&bytes_13) {
            Ok(lists) if lists.to_vec() == bytes_13 => {
                let built = $module::FlowMod {
                    xid: 3,
                    cookie: flow.cookie,
                    cookie_mask: flow.cookie_mask,
                    table_id: flow.table_id.0,
                    command: flow.command,
                    idle_timeout: flow.idle_timeout,
                    hard_timeout: flow.hard_timeout,
                    priority: flow.priority,
                    buffer_id: flow.buffer_id.0,
                    out_port: flow.out_port.0,
                    out_group: flow.out_group.0,
                    flags: flow.flags.0,
                    $($importance: flow.$importance,)?
                    ..$module::FlowMod::new(lists.matching, lists.instructions)
                };
                assert_eq!(built.to_vec(), bytes);
                1
            }
            _ => 0,
        }
    }};
}

/// As `flow_mod`.
macro_rules! packet_out {
    ($module:ident, $owned:ident, $entropy:expr) => {{
        let (bytes, packet) = made_up!($module, $owned, PacketOut, common::PacketOut, $entropy);
        let bytes_13 = [&[4], &bytes[1..]].concat();
        match v13::PacketOut::parse(&bytes_13) {
            Ok(seen) if seen.to_vec() == bytes_13 => {
                let (in_port, buffer_id) = (packet.in_port.0, packet.buffer_id.0);
                let built = $module::PacketOut {
                    xid: 3,
                    buffer_id,
                    in_port,
                    actions: seen.actions,
                    data: &packet.data,
                };
                assert_eq!(built.to_vec(), bytes);
                1
            }
            _ => 0,
        }
    }};
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn v13_packet_in(entropy in prop::collection::vec(any::<u8>(), 0..300)) {
        let packet = common::PacketIn::arbitrary(&mut Entropy::new(&entropy, 4));
        let bytes = AnyMessage::V13(owned13::Message { xid: 3, body: owned13::Body::PacketIn(packet.clone()) }).encode().unwrap();
        match v13::PacketIn::parse(&bytes) {
            Ok(seen) => {
                prop_assert_eq!(seen.xid, 3);
                prop_assert_eq!(seen.buffer_id, packet.buffer_id.0);
                prop_assert_eq!(seen.total_len, packet.total_len);
                prop_assert_eq!(seen.reason, packet.reason);
                prop_assert_eq!(seen.table_id, packet.table_id.0);
                prop_assert_eq!(seen.cookie, packet.cookie);
                prop_assert_eq!(seen.data, &*packet.data);
                prop_assert_eq!(seen.to_vec(), bytes);
            }
            Err(e) => assert!(masks_of_open_vswitch(packet.r#match.fields()), "{e}\n{packet:?}"),
        }
    }

    #[test]
    fn v13_flow_removed(entropy in prop::collection::vec(any::<u8>(), 0..300)) {
        let flow = common::FlowRemoved::arbitrary(&mut Entropy::new(&entropy, 4));
        let bytes = owned13::Message { xid: 3, body: owned13::Body::FlowRemoved(flow.clone()) }.encode().unwrap();
        match v13::FlowRemoved::parse(&bytes) {
            Ok(seen) => {
                prop_assert_eq!((seen.cookie, seen.priority, seen.reason), (flow.cookie, flow.priority, flow.reason));
                prop_assert_eq!(seen.to_vec(), bytes);
            }
            Err(e) => assert!(masks_of_open_vswitch(flow.r#match.fields()), "{e}\n{flow:?}"),
        }
    }

    #[test]
    fn v13_ports(entropy in prop::collection::vec(any::<u8>(), 0..200)) {
        let status = common::PortStatus::arbitrary(&mut Entropy::new(&entropy, 4));
        let bytes = owned13::Message { xid: 3, body: owned13::Body::PortStatus(status.clone()) }.encode().unwrap();
        let seen = v13::PortStatus::parse(&bytes).unwrap();
        prop_assert_eq!(seen.desc.name, status.desc.name);
        prop_assert_eq!(seen.desc.max_speed, status.desc.max_speed);
        prop_assert_eq!(seen.to_vec(), bytes);
    }

    #[test]
    fn v10_flow_removed_and_ports(entropy in prop::collection::vec(any::<u8>(), 0..300)) {
        let e = &mut Entropy::new(&entropy, 1);
        let flow = owned10::FlowRemoved::arbitrary(e);
        let bytes = owned10::Message { xid: 3, body: owned10::Body::FlowRemoved(flow.clone()) }.encode().unwrap();
        let seen = v10::FlowRemoved::parse(&bytes).unwrap();
        prop_assert_eq!(seen.matching.wildcards, flow.r#match.wildcards.0);
        prop_assert_eq!(seen.byte_count, flow.byte_count);
        prop_assert_eq!(seen.to_vec(), bytes);
        let features = owned10::SwitchFeatures::arbitrary(e);
        let bytes = owned10::Message { xid: 3, body: owned10::Body::FeaturesReply(features.clone()) }.encode().unwrap();
        let seen = v10::FeaturesReply::parse(&bytes).unwrap();
        prop_assert_eq!(seen.ports.as_bytes(), bytes_of(&features.ports));
        prop_assert_eq!(seen.to_vec(), bytes);
    }
}

/// Made-up messages of every version; those that were compared are counted.
#[test]
fn what_other_versions_have_in_views() {
    let mut compared = [[0; 3]; 3];
    mutate::run(|random| {
        let entropy = random.bytes(300);
        let [ins, flows, outs] = &mut compared;
        ins[0] += packet_in!(v12, owned12, owned12::PacketIn, entropy);
        ins[1] += packet_in!(v14, owned14, common::since_14::PacketIn, entropy, cookie);
        ins[2] += packet_in!(v15, owned15, common::since_14::PacketIn, entropy, cookie);
        flows[0] += flow_mod!(v12, owned12, common::FlowMod, entropy);
        flows[1] += flow_mod!(v14, owned14, common::since_14::FlowMod, entropy, importance);
        flows[2] += flow_mod!(v15, owned15, common::since_14::FlowMod, entropy, importance);
        outs[0] += packet_out!(v12, owned12, entropy);
        outs[1] += packet_out!(v14, owned14, entropy);
        outs[2] += packet_out_of_1_5(&entropy);
        entropy.len()
    });
    assert!(compared.iter().flatten().all(|&count| count > 1000), "{compared:?}");
}

/// 1.5 has a match before the actions: a packet_in with the same match shows it, a packet_out of 1.3 the actions.
fn packet_out_of_1_5(entropy: &[u8]) -> u32 {
    let (bytes, packet) = made_up!(v15, owned15, PacketOut, owned15::PacketOut, entropy);
    let match_len = codec::to_bytes_of(&packet.r#match, 6).unwrap().len();
    let (matching, rest) = bytes[16..].split_at(match_len);
    let length = (26 + match_len as u16).to_be_bytes();
    let packet_in = [&[6, 10], &length[..], &[0; 20], matching, &[0; 2]].concat();
    let actions_len = u16::from_be_bytes([bytes[12], bytes[13]]);
    let (actions, data) = rest.split_at(actions_len.into());
    let length = (24 + actions_len).to_be_bytes();
    let packet_out = [&[4, 13], &length[..], &[0; 12], &bytes[12..14], &[0; 6], actions].concat();
    match (v15::PacketIn::parse(&packet_in), v13::PacketOut::parse(&packet_out)) {
        (Ok(in_view), Ok(out_view)) if out_view.to_vec() == packet_out => {
            let built = v15::PacketOut::of_data(in_view.matching, out_view.actions, data);
            let built = v15::PacketOut { xid: 3, buffer_id: packet.buffer_id.0, ..built };
            assert_eq!(built.to_vec(), bytes);
            1
        }
        _ => 0,
    }
}

/// What a controller of 1.5 sends, to the byte.
#[test]
fn built_for_1_5() {
    let out = v15::PacketOut::of_data([v15::Oxm::InPort(7)], [v15::Action::output(2)], &[0xaa, 0xbb]);
    let bytes = out.to_vec();
    let fixed = [6, 13, 0, 50, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 16, 0, 0];
    let rest =
        [0, 1, 0, 12, 0x80, 0, 0, 4, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(bytes, [&fixed[..], &rest, &[0xaa, 0xbb]].concat());
    let Ok(AnyMessage::V15(owned15::Message { body: owned15::Body::PacketOut(read), .. })) =
        AnyMessage::decode(&bytes)
    else {
        panic!("not a packet_out of 1.5: {bytes:?}");
    };
    assert_eq!(read.r#match, common::Match::new(vec![Oxm::InPort(common::PortNo(7))]));
    assert_eq!((read.actions, &*read.data), (vec![common::Action::output(2)], &[0xaa, 0xbb][..]));
}
