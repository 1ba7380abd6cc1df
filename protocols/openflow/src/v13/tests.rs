use super::*;
use crate::encode::{Encode, Part};

#[test]
fn sizes_of_the_specification() {
    // OF 1.3.5: the OFP_ASSERTs after each structure.
    assert_eq!((Port::LEN, PortStats::LEN, PortStatus::LEN), (64, 112, 80));
    assert_eq!(FlowMod::new(Match::default(), Instructions::default()).wire_len(), 56);
    assert_eq!(PacketOut::of_data(1, Actions::default(), &[]).wire_len(), 24);
    assert_eq!(FeaturesReply::default().wire_len(), 32);
    assert_eq!(MultipartRequest::desc(0).wire_len(), 16);
    assert_eq!(MultipartReply::desc(0, crate::Desc::default()).wire_len(), 16 + 1056);
    assert_eq!(Action::output(1).wire_len(), 16);
    let write: Instruction<'_> = Instruction::WriteMetadata { metadata: 0, mask: 0 };
    assert_eq!(write.wire_len(), 24);
}

#[test]
fn oxm_headers() {
    // OF 1.3.5 7.2.3.7: class 0x8000, field, has-mask, length.
    assert_eq!(Oxm::InPort(1).header(), OxmHeader(0x8000_0004));
    assert_eq!(Oxm::EthDst([0; 6], Some([0; 6])).header(), OxmHeader(0x8000_070c));
    let header = OxmHeader(0xffff_5308);
    assert_eq!((header.class(), header.field(), header.has_mask(), header.len()), (0xffff, 41, true, 8));
}
