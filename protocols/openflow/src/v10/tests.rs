use super::*;
use crate::encode::Encode;

#[test]
fn sizes_of_the_specification() {
    // OF 1.0: the OFP_ASSERTs after each structure.
    assert_eq!((Match::LEN, Port::LEN, PortStats::LEN), (40, 48, 104));
    assert_eq!(FlowMod::new(Match::ANY, Actions::default()).wire_len(), 72);
    assert_eq!(PacketOut::of_data(1, Actions::default(), &[]).wire_len(), 16);
    assert_eq!(PortStatus::LEN, 64);
    assert_eq!(StatsRequest::desc(0).wire_len(), 12);
    assert_eq!(StatsReply::desc(0, crate::Desc::default()).wire_len(), 12 + 1056);
}

#[test]
#[should_panic(expected = "exactly wire_len() bytes")]
fn a_longer_buffer_is_refused() {
    BarrierRequest { xid: 0 }.write(&mut [0; 9]);
}

#[test]
fn names() {
    assert_eq!(MsgType(10).to_string(), "OFPT_PACKET_IN");
    assert_eq!(format!("{:?}", MsgType(99)), "MsgType(99)");
}
