//! Reading a message allocates no more than a small multiple of its bytes, whatever is in them.

use ferroflow_openflow::owned::AnyMessage;
#[path = "common/counting.rs"]
mod counting;

/// A message of `fixed` with as many of `element` as fit into 64 KiB; `lengths` are the offsets of 16-bit lengths that
/// count from an offset to the end.
fn stuffed(fixed: &[u8], lengths: &[(usize, usize)], element: &[u8]) -> Vec<u8> {
    let mut bytes = fixed.to_vec();
    while bytes.len() + element.len() <= 0xfff8 {
        bytes.extend_from_slice(element);
    }
    let total = bytes.len();
    for &(at, from) in lengths.iter().chain(&[(2, 0)]) {
        bytes[at..at + 2].copy_from_slice(&((total - from) as u16).to_be_bytes());
    }
    bytes
}

/// The worst is 32, for unknown actions of four bytes.
const LIMIT: usize = 40;

#[test]
fn a_small_multiple_of_the_input() {
    let packet_out = [4, 13, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    let hello = [4, 0, 0, 0, 0, 0, 0, 1];
    let features =
        [&[4u8, 18, 0, 0, 0, 0, 0, 1, 0, 12, 0, 0, 0, 0, 0, 0][..], &[0; 64], &[0, 0, 0, 0]].concat();
    let flow_stats = [4, 19, 0, 0, 0, 0, 0, 1, 0, 3, 0, 0, 0, 0, 0, 0];
    let packet_in = [&[4u8, 10, 0, 0, 0, 0, 0, 1][..], &[0; 16], &[0, 1, 0, 0]].concat();
    let updates = [5, 19, 0, 0, 0, 0, 0, 1, 0, 16, 0, 0, 0, 0, 0, 0];
    let set_async = [5, 28, 0, 0, 0, 0, 0, 1];
    let port_status = [&[5u8, 12, 0, 0, 0, 0, 0, 1][..], &[0; 48]].concat();
    let bundle = [5u8, 34, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 5, 34, 0, 24, 0, 0, 0, 1];
    let bundle = [&bundle[..], &[0, 0, 0, 1, 0, 0, 0, 0, 5, 20, 0, 8, 0, 0, 0, 1]].concat();
    let stats = [6, 19, 0, 0, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let buckets = [&[6u8, 15, 0, 0, 0, 0, 0, 1][..], &[0; 16]].concat();
    let properties = [6, 28, 0, 0, 0, 0, 0, 1];
    let packet_types = [6, 18, 0, 0, 0, 0, 0, 1, 0, 12, 0, 0, 0, 0, 0, 0];
    let packet_types = [&packet_types[..], &[0; 64], &[0, 22, 0, 0]].concat();
    let cases = [
        ("empty statistics, cut at the end", stuffed(&stats, &[(18, 16)], &[0x80, 2, 0xfe, 0])),
        ("empty buckets", stuffed(&buckets, &[(16, 24)], &[0, 8, 0, 0, 0, 0, 0, 1])),
        ("unknown properties", stuffed(&properties, &[], &[0, 99, 0, 4, 0, 0, 0, 0])),
        ("packet types", stuffed(&packet_types, &[(16, 16), (82, 80)], &[0x80, 0, 88, 4, 0, 1, 8, 0])),
        ("the shortest actions", stuffed(&packet_out, &[(16, 24)], &[0, 99, 0, 4])),
        ("actions", stuffed(&packet_out, &[(16, 24)], &[0, 11, 0, 8, 0, 0, 0, 0])),
        ("hello elements", stuffed(&hello, &[], &[0, 9, 0, 4, 0, 0, 0, 0])),
        ("action ids", stuffed(&features, &[(16, 16), (82, 80)], &[0, 1, 0, 4])),
        ("table stats", stuffed(&flow_stats, &[], &[0; 24])),
        ("empty fields, cut at the end", stuffed(&packet_in, &[(26, 24)], &[0x42, 0x42, 0, 0])),
        ("the shortest flow updates", stuffed(&updates, &[], &[0, 4, 0, 99])),
        (
            "full flow updates",
            stuffed(&updates, &[], &[&[0u8, 32, 0, 1][..], &[0; 20], &[0, 1, 0, 4, 0, 0, 0, 0]].concat()),
        ),
        ("masks", stuffed(&set_async, &[], &[0, 1, 0, 8, 0, 0, 0, 0])),
        ("the shortest properties", stuffed(&port_status, &[(20, 16)], &[0, 99, 0, 4, 0, 0, 0, 0])),
        ("a bundle in a bundle with properties", stuffed(&bundle, &[], &[0, 1, 0, 4, 0, 0, 0, 0])),
    ];
    for (what, bytes) in cases {
        let before = counting::allocated();
        let read = AnyMessage::decode(&bytes);
        let allocated = counting::allocated() - before;
        let times = allocated / bytes.len();
        // A list grows by doubling: all its sizes together are up to twice its capacity, which is up to twice its size.
        assert!(times <= LIMIT, "{what}: {times} times its bytes, {:?}", read.err());
    }
}
