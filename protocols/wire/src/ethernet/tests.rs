use super::*;
use crate::Reason;

const DST: MacAddr = MacAddr([0x02, 0, 0, 0, 0, 1]);
const SRC: MacAddr = MacAddr([0x02, 0, 0, 0, 0, 2]);

#[test]
fn untagged_frame() {
    let bytes = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00, 0xaa, 0xbb];
    let eth = EthernetView::parse(&bytes).unwrap();
    assert_eq!((eth.dst(), eth.src(), eth.vlan(), eth.tpid()), (DST, SRC, None, None));
    assert_eq!(
        (eth.ethertype(), eth.payload_offset(), eth.payload()),
        (EtherType::IPV4, 14, &[0xaa, 0xbb][..])
    );
    assert_eq!(eth.untagged().unwrap(), Untagged { ethertype: EtherType::IPV4, payload_offset: 14, tags: 0 });

    let mut buf = [0xee; 16];
    let header = EthernetHeader { dst: DST, src: SRC, vlan: None, ethertype: EtherType::IPV4 };
    assert_eq!(header.write(&mut buf), Ok(14));
    assert_eq!(buf[..14], bytes[..14]);
    assert_eq!(buf[14..], [0xee; 2], "nothing behind the header is touched");
}

#[test]
fn tagged_frame() {
    // Priority 5, drop eligible, VLAN 291.
    let bytes = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x81, 0x00, 0xb1, 0x23, 0x08, 0x06, 0xcc];
    let tag = VlanTag { vid: 0x123, pcp: 5, dei: true };
    let eth = EthernetView::parse(&bytes).unwrap();
    assert_eq!((eth.vlan(), eth.tpid()), (Some(tag), Some(EtherType::VLAN)));
    assert_eq!((eth.ethertype(), eth.payload_offset(), eth.payload()), (EtherType::ARP, 18, &[0xcc][..]));

    let mut buf = [0; 18];
    let header = EthernetHeader { dst: DST, src: SRC, vlan: Some(tag), ethertype: EtherType::ARP };
    assert_eq!(header.write(&mut buf), Ok(18));
    assert_eq!(buf, bytes[..18]);
    assert!(header.write(&mut buf[..17]).is_err());
}

#[test]
fn stacked_tags() {
    let bytes =
        [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xa8, 0, 10, 0x81, 0x00, 0, 20, 0x86, 0xdd, 0x60, 0x00];
    let eth = EthernetView::parse(&bytes).unwrap();
    assert_eq!((eth.vlan().unwrap().vid, eth.tpid()), (10, Some(EtherType::QINQ)));
    assert_eq!((eth.ethertype(), eth.payload_offset()), (EtherType::VLAN, 18));
    assert_eq!(eth.untagged().unwrap(), Untagged { ethertype: EtherType::IPV6, payload_offset: 22, tags: 2 });
}

#[test]
fn too_short() {
    let truncated = |protocol, need, have| WireError { protocol, reason: Reason::Truncated { need, have } };
    assert_eq!(EthernetView::parse(&[0; 13]).unwrap_err(), truncated(Protocol::Ethernet, 14, 13));
    let bytes = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x81, 0x00, 0, 1, 0x81, 0x00, 0, 2, 8];
    assert_eq!(EthernetView::parse(&bytes[..17]).unwrap_err(), truncated(Protocol::Vlan, 4, 3));
    let eth = EthernetView::parse(&bytes).unwrap();
    assert_eq!(eth.untagged().unwrap_err(), truncated(Protocol::Vlan, 4, 3));
}

#[test]
fn mac_properties() {
    assert!(MacAddr::BROADCAST.is_broadcast() && MacAddr::BROADCAST.is_group());
    assert!(!MacAddr::BROADCAST.is_unicast() && !MacAddr::ZERO.is_unicast());
    assert!(DST.is_unicast() && DST.is_local() && !DST.is_group() && !DST.is_link_local());
    assert!(MacAddr::LLDP.is_link_local() && MacAddr::LLDP.is_group());
    assert!(MacAddr([1, 0x80, 0xc2, 0, 0, 0x00]).is_link_local());
    assert!(!MacAddr([1, 0x80, 0xc2, 0, 0, 0x10]).is_link_local());
    assert_eq!(MacAddr([1, 2, 3, 4, 5, 6]).to_u64(), 0x0102_0304_0506);
    assert_eq!(MacAddr::from_u64(0x0102_0304_0506), MacAddr([1, 2, 3, 4, 5, 6]));
}

#[test]
fn mac_text() {
    let mac = MacAddr([0x02, 0xab, 0, 0xff, 0x10, 9]);
    assert_eq!(mac.to_string(), "02:ab:00:ff:10:09");
    assert_eq!("02:AB:00:ff:10:09".parse(), Ok(mac));
    assert_eq!("02-ab-00-ff-10-09".parse(), Ok(mac));
    for wrong in [
        "",
        "02:ab:00:ff:10",
        "02:ab:00:ff:10:09:01",
        "2:ab:00:ff:10:09",
        "02:ab:00:ff:10:0g",
        "+2:ab:00:ff:10:09",
    ] {
        assert_eq!(wrong.parse::<MacAddr>(), Err(ParseMacError), "{wrong:?}");
    }
}

#[test]
fn lengths_are_not_types() {
    assert!(EtherType(1500).is_length() && !EtherType::IPV4.is_length());
}
