//! The views of the hot path and the owned values are two readings of the same bytes: they agree.

use ferroflow_openflow::owned::common::{self, Oxm};
use ferroflow_openflow::owned::{AnyMessage, v10 as owned10, v13 as owned13};
use ferroflow_openflow::{Encode, v10, v13};
use ferroflow_wire::codec::{self, Arbitrary, Codec, Entropy};
use proptest::prelude::{ProptestConfig, any, prop, prop_assert_eq, proptest};

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
