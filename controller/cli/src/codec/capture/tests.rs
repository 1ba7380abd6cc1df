use super::*;
use proptest::prelude::{ProptestConfig, any, prop, prop_assert_eq, proptest};

/// A segment of a conversation, as it is captured.
#[derive(Debug, Clone)]
struct Sent {
    to_controller: bool,
    seq: u32,
    flags: &'static str,
    payload: Vec<u8>,
}

fn sent(to_controller: bool, seq: u32, flags: &'static str, payload: &[u8]) -> Sent {
    Sent { to_controller, seq, flags, payload: payload.to_vec() }
}

/// An Ethernet frame with the segment.
fn frame(sent: &Sent) -> Vec<u8> {
    let (switch, controller) = ([10, 0, 0, 9], [10, 0, 0, 1]);
    let (from, to) = if sent.to_controller { (switch, controller) } else { (controller, switch) };
    let ports = if sent.to_controller { (40000, 6653) } else { (6653, 40000) };
    let tcp = etherparse::PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
        .ipv4(from, to, 64)
        .tcp(ports.0, ports.1, sent.seq, 1000);
    let tcp = if sent.flags.contains('S') { tcp.syn() } else { tcp };
    let tcp = if sent.flags.contains('R') { tcp.rst() } else { tcp };
    let mut bytes = Vec::new();
    tcp.write(&mut bytes, &sent.payload).unwrap();
    // What is too short for Ethernet is padded, and is no data.
    bytes.resize(bytes.len().max(60), 0xee);
    bytes
}

/// A pcap file of the frames.
fn file(frames: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut file =
        [&0xa1b2_c3d4_u32.to_be_bytes()[..], &[0, 2, 0, 4], &[0; 8], &[0, 4, 0, 0, 0, 0, 0, 1]].concat();
    for frame in frames {
        let len = (frame.len() as u32).to_be_bytes();
        file.extend([&[0; 8][..], &len, &len, &frame].concat());
    }
    file
}

/// The messages of both directions (to the controller first), and what is wrong with them.
type Read = ([Vec<Vec<u8>>; 2], Vec<String>);

fn read_all(sent: &[Sent]) -> Read {
    let file = file(sent.iter().map(frame));
    let (mut messages, mut wrong) = ([Vec::new(), Vec::new()], Vec::new());
    let seen = read(
        &file[..],
        |port| port == 6653,
        |place, piece| {
            match piece.what {
                Ok(bytes) => messages[usize::from(place.from.port() == 6653)].push(bytes.to_vec()),
                Err(fault) => wrong.push(format!("{}: {fault}", piece.at)),
            }
            Ok(())
        },
    );
    assert_eq!(seen.unwrap().packets, sent.len() as u64);
    (messages, wrong)
}

/// An echo request with this many bytes.
fn echo(len: usize) -> Vec<u8> {
    let total = (8 + len) as u16;
    [&[4, 2][..], &total.to_be_bytes(), &[0, 0, 0, 9], &vec![7; len]].concat()
}

#[test]
fn retransmitted_overlapping_and_out_of_order() {
    let stream = [echo(0), echo(30), echo(5)].concat();
    let part = |from: usize, to: usize| sent(true, 101 + from as u32, "", &stream[from..to]);
    let syn = sent(true, 100, "S", b"");
    let segments =
        [syn.clone(), part(0, 3), syn, part(0, 3), part(20, 40), part(2, 10), part(10, 30), part(40, 59)];
    let (messages, wrong) = read_all(&segments);
    assert_eq!(messages, [vec![echo(0), echo(30), echo(5)], vec![]]);
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn a_gap_is_told_and_messages_are_found_behind_it() {
    let stream = [echo(0), echo(30), echo(5)].concat();
    let part = |from: usize, to: usize| sent(true, 101 + from as u32, "", &stream[from..to]);
    let (messages, wrong) = read_all(&[sent(true, 100, "S", b""), part(0, 12), part(20, 46), part(46, 59)]);
    assert_eq!(messages[0], [echo(0), echo(5)]);
    assert_eq!(
        wrong,
        [
            "12: 8 bytes are missing in the capture, behind 4 bytes of a message",
            "20: 26 bytes passed over: no message begins there"
        ]
    );
}

#[test]
fn a_capture_may_begin_and_end_anywhere() {
    let message = echo(100);
    let segments = [
        sent(true, 7, "", &message[50..]),
        sent(true, 65, "", &message),
        sent(true, 173, "", &message[..60]),
    ];
    let (messages, wrong) = read_all(&segments);
    assert_eq!(messages[0], [message]);
    assert_eq!(
        wrong,
        ["0: 58 bytes passed over: no message begins there", "166: truncated: 108 bytes announced, 60 there"]
    );
}

/// Bytes of a message's end that look like the beginning of one are none without a whole header.
#[test]
fn a_capture_may_begin_with_the_tail_of_a_message() {
    let segments =
        [sent(true, 7, "", &[1, 2, 3]), sent(true, 10, "", &echo(100)), sent(true, 118, "", &echo(1))];
    let (messages, wrong) = read_all(&segments);
    assert_eq!(messages[0], [echo(100), echo(1)]);
    assert_eq!(wrong, ["0: 3 bytes passed over: no message begins there"]);
}

#[test]
fn ports_are_used_again() {
    let segments = [
        sent(true, 100, "S", b""),
        sent(false, 500, "S", b""),
        sent(true, 101, "", &echo(1)),
        sent(false, 501, "R", b"reset"),
        sent(true, 9000, "S", b""),
        sent(false, 8000, "S", b""),
        sent(true, 9001, "", &echo(2)),
        sent(false, 8001, "", &echo(3)),
    ];
    let (messages, wrong) = read_all(&segments);
    assert_eq!(messages, [vec![echo(1), echo(2)], vec![echo(3)]]);
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn many_conversations_make_room() {
    let mut frames = Vec::new();
    for n in 0..1100_u32 {
        for (flags, seq, payload) in [("S", 1, &[][..]), ("", 2, &echo(0)[..4])] {
            let mut bytes = frame(&sent(true, seq, flags, payload));
            // The source's address: another conversation.
            bytes[28..30].copy_from_slice(&(n as u16).to_be_bytes());
            frames.push(bytes);
        }
    }
    let mut truncated = Vec::new();
    let seen = read(
        &file(frames)[..],
        |port| port == 6653,
        |place, piece| {
            assert!(piece.what.unwrap_err().to_string().contains("truncated"));
            truncated.push(place.packet);
            Ok(())
        },
    );
    assert_eq!(seen.unwrap().packets, 2200);
    // Each is told of once, the oldest first.
    assert_eq!(truncated, (1..=1100).map(|n| 2 * n).collect::<Vec<_>>());
}

#[test]
fn what_is_left_out_is_told() {
    let mut fragment = frame(&sent(true, 1, "", &echo(40)));
    fragment[20] |= 0x20;
    let seen = read(&file([fragment])[..], |_| true, |_, piece| panic!("{piece:?}")).unwrap();
    assert_eq!(seen.left_out().collect::<Vec<_>>().len(), 1);
    let mut other = file([vec![0; 60]]);
    other[23] = 147;
    let seen = read(&other[..], |_| true, |_, piece| panic!("{piece:?}")).unwrap();
    assert!(seen.left_out().any(|text| text.contains("link type 147")));
}

#[test]
fn a_bad_file_is_named_and_what_was_before_is_read() {
    let whole = file([frame(&sent(true, 1, "S", b"")), frame(&sent(true, 2, "", &echo(9)))]);
    for cut in 0..whole.len() {
        let mut messages = 0;
        let read = read(
            &whole[..cut],
            |_| true,
            |_, _| {
                messages += 1;
                Ok(())
            },
        );
        assert_eq!(messages, 0, "{cut}");
        // Between packets a file may end.
        assert_eq!(read.is_ok(), cut == 24 || cut == 24 + 16 + 60, "{cut}: {read:?}");
    }
    let mut long = whole.clone();
    long[32..36].copy_from_slice(&[0x7f; 4]);
    assert!(matches!(read(&long[..], |_| true, |_, _| Ok(())), Err(CaptureError::Truncated(24))));
}

#[test]
fn the_modified_format_has_more_of_each_packet() {
    let frame = frame(&sent(true, 1, "", &echo(9)));
    let len = (frame.len() as u32).to_le_bytes();
    let mut file =
        [&0xa1b2_cd34_u32.to_le_bytes()[..], &[2, 0, 4, 0], &[0; 8], &[0, 0, 4, 0, 1, 0, 0, 0]].concat();
    for _ in 0..2 {
        file.extend([&[0; 8][..], &len, &len, &[9; 8], &frame].concat());
    }
    assert!(is_magic(&file[..MAGIC_LEN as usize]));
    let mut messages = 0;
    let seen = read(
        &file[..],
        |port| port == 6653,
        |_, piece| {
            messages += usize::from(piece.what.is_ok());
            Ok(())
        },
    );
    assert_eq!((seen.unwrap().packets, messages), (2, 1), "the second is a retransmission");
}

/// A segment of `stream` from one place to another.
fn segments(stream: &[u8], cuts: &[usize], to_controller: bool, first: u32) -> Vec<Sent> {
    let mut places: Vec<_> =
        cuts.iter().map(|cut| cut % (stream.len() + 1)).chain([0, stream.len()]).collect();
    places.sort_unstable();
    let parts = places.windows(2).map(|two| (two[0], two[1]));
    parts
        .map(|(from, to)| sent(to_controller, first.wrapping_add(1 + from as u32), "", &stream[from..to]))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// However two streams are cut, mixed, repeated and reordered, their messages are the same.
    #[test]
    fn any_segments(
        lens in prop::collection::vec(0_usize..400, 1..20),
        cuts in prop::collection::vec(any::<usize>(), 0..30),
        swaps in prop::collection::vec((any::<usize>(), any::<usize>()), 0..30),
        again in prop::collection::vec((any::<usize>(), any::<usize>(), 0_usize..100), 0..10),
        first in any::<u32>(),
    ) {
        let messages: Vec<_> = lens.iter().map(|&len| echo(len)).collect();
        let stream = messages.concat();
        let mut all = segments(&stream, &cuts, true, first);
        all.extend(segments(&stream, &cuts, false, first ^ 0x8000_0000));
        for (at, from, len) in again {
            let from = from % stream.len();
            let part = &stream[from..(from + len).min(stream.len())];
            all.insert(at % all.len(), sent(true, first.wrapping_add(1 + from as u32), "", part));
        }
        for (a, b) in swaps {
            let len = all.len();
            all.swap(a % len, b % len);
        }
        all.splice(0..0, [sent(true, first, "S", b""), sent(false, first ^ 0x8000_0000, "S", b"")]);
        let (read, wrong) = read_all(&all);
        prop_assert_eq!(wrong, Vec::<String>::new());
        prop_assert_eq!(read, [messages.clone(), messages]);
    }
}
