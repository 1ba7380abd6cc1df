//! What a card does with what is left to it: completes checksums, and cuts large segments (TSO).
//!
//! It holds its user to what such a card relies on: what it cannot do right is a panic.

use ferroflow_wire::checksum::checksum;
use ferroflow_wire::ethernet::{self, EtherType, EthernetView};
use ferroflow_wire::ipv4::{self, IpProtocol, Ipv4View};
use ferroflow_wire::tcp::{self, TcpFlags, TcpView};

use crate::port::{Csum, Meta};

const TCP_AT: usize = ethernet::HEADER_LEN + ipv4::HEADER_LEN;
/// Fields of the IPv4 header (RFC 791 3.1) and of TCP's (RFC 9293 3.1), from the beginning of the frame.
const IP_LEN: usize = ethernet::HEADER_LEN + 2;
const IP_CHECKSUM: usize = ethernet::HEADER_LEN + 10;
const TCP_SEQ: usize = TCP_AT + 4;
const TCP_FLAGS: usize = TCP_AT + 13;
const TCP_CHECKSUM: usize = 16;

/// The frames that leave for one that was handed over.
///
/// # Panics
/// If it is not what a card takes.
pub fn frames(frame: &[u8], meta: &Meta) -> Vec<Vec<u8>> {
    let Csum::Partial { start, offset } = meta.csum else {
        assert_eq!(meta.gso_size, 0, "a large segment whose checksum is not left to the port");
        return vec![frame.to_vec()];
    };
    assert_eq!(
        (usize::from(start), usize::from(offset)),
        (TCP_AT, TCP_CHECKSUM),
        "no checksum of TCP is there"
    );
    let eth = EthernetView::parse(frame).expect("an Ethernet frame");
    assert_eq!(eth.ethertype(), EtherType::IPV4);
    let ip = Ipv4View::parse(eth.payload()).expect("an IPv4 packet");
    assert_eq!(ip.protocol(), IpProtocol::TCP);
    assert_eq!(
        usize::from(ip.total_len()),
        frame.len() - ethernet::HEADER_LEN,
        "nothing is behind the packet"
    );
    assert_pseudo_header(frame, &ip);
    if meta.gso_size == 0 {
        let mut whole = frame.to_vec();
        tcp::fill_checksum(&mut whole[TCP_AT..], ip.src(), ip.dst()).expect("a whole segment");
        return vec![whole];
    }
    cut(frame, &ip, meta.gso_size.into())
}

/// The field of the checksum holds the sum of the pseudo-header, and nothing else.
fn assert_pseudo_header(frame: &[u8], ip: &Ipv4View<'_>) {
    let mut want = frame[TCP_AT..].to_vec();
    tcp::fill_partial_checksum(&mut want, ip.src(), ip.dst()).expect("a whole segment");
    assert_eq!(frame[TCP_AT..], want, "not the sum of the pseudo-header");
}

fn cut(frame: &[u8], ip: &Ipv4View<'_>, size: usize) -> Vec<Vec<u8>> {
    let tcp = TcpView::parse(ip.payload()).expect("a TCP segment");
    let flags = tcp.flags();
    let singular = TcpFlags::SYN | TcpFlags::RST | TcpFlags::URG | TcpFlags::CWR;
    assert_eq!(flags.0 & singular.0, 0, "{flags:?} in each segment");
    let text = tcp.payload();
    assert!(text.len() > size, "a large segment with {} bytes of {size}", text.len());
    let head = frame.len() - text.len();
    let last = text.len().div_ceil(size) - 1;
    let segment = |(n, text): (usize, &[u8])| {
        let mut out = [&frame[..head], text].concat();
        let len = (out.len() - ethernet::HEADER_LEN) as u16;
        out[IP_LEN..IP_LEN + 2].copy_from_slice(&len.to_be_bytes());
        out[IP_CHECKSUM..IP_CHECKSUM + 2].fill(0);
        let sum = checksum(&out[ethernet::HEADER_LEN..TCP_AT]);
        out[IP_CHECKSUM..IP_CHECKSUM + 2].copy_from_slice(&sum.to_be_bytes());
        let seq = tcp.seq() + (n * size) as u32;
        out[TCP_SEQ..TCP_SEQ + 4].copy_from_slice(&seq.0.to_be_bytes());
        if n < last {
            out[TCP_FLAGS] &= !(TcpFlags::FIN | TcpFlags::PSH).0;
        }
        tcp::fill_checksum(&mut out[TCP_AT..], ip.src(), ip.dst()).expect("a whole segment");
        out
    };
    text.chunks(size).enumerate().map(segment).collect()
}
