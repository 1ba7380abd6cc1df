use std::collections::BTreeMap;

use ferroflow_wire::MacAddr;
use ferroflow_wire::ipv4::{self, Ipv4Header};
use proptest::prelude::*;

use super::*;

const SRC: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const DST: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const HEADERS: usize = ethernet::HEADER_LEN + ipv4::HEADER_LEN;

/// One fragment of a datagram.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    ident: u16,
    at: usize,
    bytes: Vec<u8>,
    more: bool,
    ecn: u8,
}

impl Part {
    fn end(&self) -> usize {
        self.at + self.bytes.len()
    }

    fn frame(&self) -> Vec<u8> {
        let header = Ipv4Header {
            ident: self.ident,
            ecn: self.ecn,
            dont_fragment: false,
            more_fragments: self.more,
            fragment_offset: self.at as u16,
            ..Ipv4Header::new(SRC, DST, IpProtocol::UDP, self.bytes.len() as u16)
        };
        let mut frame = vec![0; HEADERS];
        let link = EthernetHeader {
            dst: MacAddr([2; 6]),
            src: MacAddr([4; 6]),
            vlan: None,
            ethertype: EtherType::IPV4,
        };
        link.write(&mut frame).unwrap();
        header.write(&mut frame[ethernet::HEADER_LEN..]).unwrap();
        frame.extend_from_slice(&self.bytes);
        frame
    }
}

/// Some bytes, others for each number.
fn text(number: u16, len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 31 + usize::from(number) * 7 + i / 256) as u8).collect()
}

/// A datagram's payload in parts of `size` bytes.
fn cut(ident: u16, payload: &[u8], size: usize) -> Vec<Part> {
    let last = payload.len().div_ceil(size) - 1;
    let part = |(i, bytes): (usize, &[u8])| Part {
        ident,
        at: i * size,
        bytes: bytes.into(),
        more: i < last,
        ecn: 0,
    };
    payload.chunks(size).enumerate().map(part).collect()
}

struct Host {
    fragments: Fragments,
    counters: Counters,
    now: Instant,
}

impl Host {
    fn new(config: FragmentConfig) -> Host {
        Host {
            fragments: Fragments::new(config),
            counters: Counters::default(),
            now: Instant::from_secs(100),
        }
    }

    /// The whole datagram, if it is whole now.
    fn frame(&mut self, part: &Part) -> Option<Vec<u8>> {
        let frame = part.frame();
        let eth = EthernetView::parse(&frame).unwrap();
        let ip = Ipv4View::parse(eth.payload()).unwrap();
        let whole = self.fragments.put(&eth, &ip, self.now, &mut self.counters);
        self.fragments.check().unwrap();
        whole
    }

    /// Its payload.
    fn put(&mut self, part: &Part) -> Option<Vec<u8>> {
        let whole = self.frame(part)?;
        let eth = EthernetView::parse(&whole).unwrap();
        let ip = Ipv4View::parse(eth.payload()).unwrap();
        ip.verify_checksum().unwrap();
        assert!(!ip.is_fragment());
        assert_eq!((ip.src(), ip.dst(), ip.ident(), ip.protocol()), (SRC, DST, part.ident, IpProtocol::UDP));
        assert_eq!((eth.dst(), eth.src()), (MacAddr([2; 6]), MacAddr([4; 6])));
        Some(ip.payload().to_vec())
    }

    fn put_all<'a>(&mut self, parts: impl IntoIterator<Item = &'a Part>) -> Vec<Vec<u8>> {
        parts.into_iter().filter_map(|part| self.put(part)).collect()
    }

    fn expire(&mut self) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| self.fragments.expire(self.now, &mut self.counters)).collect()
    }
}

fn host() -> Host {
    Host::new(FragmentConfig::default())
}

#[test]
fn the_largest_datagram_in_the_smallest_packets_is_put_together() {
    let payload = text(1, 65_515);
    let mut parts = cut(1, &payload, 552);
    assert_eq!(parts.len(), 119);
    let mut host = host();
    assert_eq!(host.put_all(&parts), std::slice::from_ref(&payload));
    parts.reverse();
    assert_eq!(host.put_all(&parts), [payload]);
    assert!(host.fragments.is_empty() && host.fragments.memory() == 0);
    assert_eq!((host.counters.fragments, host.counters.reassembled), (238, 2));
}

#[test]
fn datagrams_are_told_apart() {
    // RFC 791 3.2: by addresses, protocol and identification
    let (one, two) = (text(1, 3000), text(2, 2000));
    let (a, b) = (cut(1, &one, 1480), cut(2, &two, 1480));
    let mut host = host();
    assert_eq!(host.put_all([&a[0], &b[1], &a[2], &b[0], &a[1]]), [two, one]);
}

#[test]
fn what_no_datagram_can_have_is_malformed() {
    let mut host = host();
    let part = |at, len, more| Part { ident: 1, at, bytes: text(1, len), more, ecn: 0 };
    for bad in
        [part(0, 0, true), part(8, 0, false), part(0, 9, true), part(65_512, 4, false), part(65_528, 8, true)]
    {
        assert_eq!(host.put(&bad), None);
    }
    assert_eq!(host.counters.reassembly_malformed, 5);
    assert!(host.fragments.is_empty());
    // 65,515 bytes and a header of 20 are the most; with options in the first fragment only the sum tells.
    assert_eq!(host.put(&part(65_512, 3, false)), None);
    assert_eq!((host.counters.reassembly_malformed, host.fragments.len()), (5, 1));
}

#[test]
fn options_that_make_a_datagram_too_long_are_noticed_at_the_end() {
    let payload = text(1, 65_515);
    let parts = cut(1, &payload, 1024);
    let mut host = host();
    assert_eq!(host.put_all(&parts[1..]), [] as [Vec<u8>; 0]);
    let mut first = parts[0].frame();
    // A header of 24 bytes.
    first.splice(HEADERS..HEADERS, [1, 1, 1, 1]);
    let header = &mut first[ethernet::HEADER_LEN..];
    header[0] = 0x46;
    header[2..4].copy_from_slice(&(24u16 + 1024).to_be_bytes());
    let eth = EthernetView::parse(&first).unwrap();
    let ip = Ipv4View::parse(eth.payload()).unwrap();
    assert_eq!(host.fragments.put(&eth, &ip, host.now, &mut host.counters), None);
    assert_eq!((host.counters.reassembly_malformed, host.counters.reassembled), (1, 0));
    assert!(host.fragments.is_empty());
}

#[test]
fn a_fragment_that_comes_twice_is_no_harm() {
    let payload = text(1, 3000);
    let parts = cut(1, &payload, 1480);
    let mut host = host();
    assert_eq!(host.put_all([&parts[0], &parts[0], &parts[2], &parts[2], &parts[1]]), [payload]);
    assert_eq!(host.counters.reassembly_duplicate, 2);
}

#[test]
fn what_overlaps_or_contradicts_ends_the_datagram_and_what_is_to_come_of_it() {
    // RFC 5722 4
    let parts = cut(1, &text(1, 3000), 1480);
    let other = |at: usize, len, more| Part { ident: 1, at, bytes: text(9, len), more, ecn: 0 };
    let wrong = [
        other(0, 1480, true),         // other bytes in the same place
        other(1472, 1480, true),      // begins in the one before
        other(2992, 8, true),         // the end of the last, and more to follow
        other(2960, 48, false),       // a later end
        other(1480, 800, false),      // an earlier end
        other(3000 / 8 * 8, 8, true), // behind the end
        Part { more: false, ..parts[0].clone() },
        Part { more: true, bytes: parts[2].bytes[..40].into(), ..parts[2].clone() },
    ];
    for bad in wrong {
        let mut host = host();
        assert_eq!(host.put_all([&parts[0], &parts[2], &bad, &parts[1]]), [] as [Vec<u8>; 0], "{bad:?}");
        assert_eq!((host.counters.reassembly_overlap, host.counters.reassembly_late), (1, 1), "{bad:?}");
        assert_eq!(host.fragments.memory(), 0);
        // Nobody is told of what was dropped on purpose, and the next of that number is a new one.
        host.now += Duration::from_secs(60);
        assert_eq!(host.expire(), [] as [Vec<u8>; 0]);
        assert_eq!(host.counters.reassembly_timed_out, 0);
        assert_eq!(host.put_all(&parts).len(), 1);
    }
}

#[test]
fn what_is_not_whole_in_time_is_dropped_and_its_first_fragment_returned() {
    let mut host = host();
    let (one, two) = (cut(1, &text(1, 3000), 1480), cut(2, &text(2, 3000), 1480));
    host.put_all([&one[0], &two[1]]);
    let began = host.now;
    host.now += Duration::from_secs(59);
    host.put(&one[2]); // the time is not begun again
    assert_eq!(host.fragments.next(), Some(began + Duration::from_secs(60)));
    assert_eq!(host.expire(), [] as [Vec<u8>; 0]);
    host.now += Duration::from_secs(1);
    assert_eq!(host.expire(), [one[0].frame()]);
    assert_eq!(host.counters.reassembly_timed_out, 2);
    assert!(host.fragments.is_empty() && host.fragments.memory() == 0 && host.fragments.next().is_none());
}

#[test]
fn more_datagrams_than_may_wait_push_out_the_oldest() {
    let mut host = Host::new(FragmentConfig { datagrams: 3, ..FragmentConfig::default() });
    let all: Vec<_> = (0..5).map(|n| cut(n, &text(n, 2000), 1480)).collect();
    all.iter().for_each(|parts| assert_eq!(host.put(&parts[0]), None));
    assert_eq!((host.fragments.len(), host.counters.reassembly_evicted), (3, 2));
    let whole = host.put_all(all[2..].iter().map(|parts| &parts[1]));
    assert_eq!(whole, [text(2, 2000), text(3, 2000), text(4, 2000)]);
}

#[test]
fn more_bytes_than_may_wait_push_out_the_oldest_of_the_others() {
    let memory = 3 * (1480 + OVERHEAD);
    let mut host = Host::new(FragmentConfig { memory, ..FragmentConfig::default() });
    let all: Vec<_> = (0..3).map(|n| cut(n, &text(n, 2960), 1480)).collect();
    all.iter().for_each(|parts| assert_eq!(host.put(&parts[0]), None));
    assert_eq!((host.fragments.memory(), host.counters.reassembly_evicted), (memory, 0));
    // The oldest itself becomes whole at the cost of the next.
    assert_eq!(host.put(&all[0][1]), Some(text(0, 2960)));
    assert_eq!((host.fragments.len(), host.counters.reassembly_evicted), (1, 1));
    assert_eq!(host.put(&all[2][1]), Some(text(2, 2960)));
    // What is too large alone is given up.
    let large = cut(9, &text(9, 6000), 1480);
    assert_eq!(host.put_all(&large), [] as [Vec<u8>; 0]);
    assert_eq!((host.fragments.memory(), host.counters.reassembly_late), (0, 1));
    assert_eq!(host.counters.reassembly_evicted, 2);
}

#[test]
fn a_datagram_in_crumbs_is_given_up() {
    let parts = cut(1, &text(1, 8 * (MAX_FRAGMENTS + 1)), 8);
    let mut host = host();
    assert_eq!(host.put_all(&parts), [] as [Vec<u8>; 0]);
    assert_eq!((host.counters.reassembly_too_many, host.fragments.memory()), (1, 0));
    let fits = text(2, 8 * MAX_FRAGMENTS);
    assert_eq!(host.put_all(&cut(2, &fits, 8)), [fits]);
}

#[test]
fn no_congestion_mark_is_lost_or_made_up() {
    // RFC 3168 5.3
    let whole_of = |ecn: [u8; 3]| {
        let mut host = host();
        let mut parts = cut(1, &text(1, 3000), 1480);
        parts.iter_mut().zip(ecn).for_each(|(part, ecn)| part.ecn = ecn);
        let whole = parts.iter().find_map(|part| host.frame(part));
        (whole.map(|frame| frame[ethernet::HEADER_LEN + 1] & 3), host.counters.reassembly_ecn)
    };
    assert_eq!(whole_of([0, 0, 0]), (Some(0), 0));
    assert_eq!(whole_of([2, 2, 2]), (Some(2), 0));
    assert_eq!(whole_of([3, 3, 3]), (Some(3), 0));
    assert_eq!(whole_of([2, 3, 2]), (Some(3), 0));
    assert_eq!(whole_of([1, 2, 3]), (Some(3), 0));
    assert_eq!(whole_of([2, 0, 3]), (None, 1));
    assert_eq!(whole_of([2, 0, 2]), (Some(2), 0));
}

/// Fragments as one would first think of them: what has come, byte by byte.
#[derive(Default)]
struct Model {
    came: Vec<Part>,
    bytes: BTreeMap<usize, u8>,
    dead: bool,
}

impl Model {
    fn put(&mut self, part: &Part) -> Option<Vec<u8>> {
        if self.dead || self.came.contains(part) {
            return None;
        }
        let last = self.came.iter().find(|old| !old.more);
        let behind_the_end = last.is_some_and(|last| part.end() > last.end());
        let too_early_an_end = !part.more && self.came.iter().any(|old| old.end() > part.end());
        let overlap = (part.at..part.end()).any(|at| self.bytes.contains_key(&at));
        if behind_the_end || too_early_an_end || overlap {
            *self = Model { dead: true, ..Model::default() };
            return None;
        }
        self.came.push(part.clone());
        self.bytes.extend((part.at..).zip(part.bytes.iter().copied()));
        let len = self.came.iter().find(|old| !old.more)?.end();
        let whole: Vec<u8> = self.bytes.values().copied().collect();
        (whole.len() == len).then_some(whole)
    }
}

/// Parts of two datagrams, most of them as they should be.
fn parts() -> impl Strategy<Value = Vec<Part>> {
    let part =
        (0u16..2, 0usize..6, 1usize..4, 0u8..20, any::<bool>()).prop_map(|(ident, at, len, odd, more)| {
            let whole = text(ident, 40);
            let (at, end) = (at * 8, (at + len) * 8);
            let (at, end) = (at.min(32), end.min(40));
            let mut bytes = whole[at..end].to_vec();
            if odd == 0 {
                bytes[0] ^= 1;
            }
            Part { ident, at, bytes, more: if odd == 1 { more } else { end < 40 }, ecn: 0 }
        });
    prop::collection::vec(part, 1..40)
}

proptest! {
    #[test]
    fn as_the_model_says(parts in parts()) {
        let mut host = host();
        let mut models: BTreeMap<u16, Model> = BTreeMap::new();
        for part in &parts {
            let model = models.entry(part.ident).or_default();
            let expected = model.put(part);
            if expected.is_some() {
                models.remove(&part.ident);
            }
            prop_assert_eq!(host.put(part), expected, "{:?} of {:?}", part, parts);
        }
    }

    /// However little may wait, what becomes whole is what was sent.
    #[test]
    fn nothing_is_mixed_up_where_room_is_short(
        order in prop::collection::vec((0u16..8, 0usize..8), 1..400), datagrams in 0usize..6, memory in 0usize..2000,
    ) {
        let config = FragmentConfig { datagrams, memory, ..FragmentConfig::default() };
        let mut host = Host::new(config);
        for (ident, i) in order {
            let payload = text(ident, 8 * 20 + usize::from(ident));
            let parts = cut(ident, &payload, 24);
            host.now += Duration::from_secs(1);
            host.expire();
            if let Some(whole) = host.put(&parts[i % parts.len()]) {
                prop_assert_eq!(whole, payload);
            }
        }
    }
}
