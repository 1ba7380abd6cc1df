use super::*;
use proptest::prelude::*;

fn message(xid: u32, len: usize) -> Vec<u8> {
    let mut bytes = vec![xid as u8; len];
    bytes[..4].copy_from_slice(&[4, 10, (len >> 8) as u8, len as u8]);
    bytes[4..8].copy_from_slice(&xid.to_be_bytes());
    bytes
}

fn stream(lens: &[usize]) -> (Vec<Vec<u8>>, Vec<u8>) {
    let messages: Vec<_> = lens.iter().enumerate().map(|(i, len)| message(i as u32, *len)).collect();
    let bytes = messages.concat();
    (messages, bytes)
}

fn drain(splitter: &mut Splitter, mut chunk: &[u8], into: &mut Vec<Vec<u8>>) {
    while let Some(msg) = splitter.next(&mut chunk).unwrap() {
        into.push(msg.to_vec());
    }
    assert!(chunk.is_empty(), "None means that the chunk is used up");
}

#[test]
fn every_pair_of_cuts() {
    let (messages, bytes) = stream(&[8, 9, 16, 8, 30]);
    for first in 0..=bytes.len() {
        for second in first..=bytes.len() {
            let mut splitter = Splitter::default();
            let mut got = Vec::new();
            for chunk in [&bytes[..first], &bytes[first..second], &bytes[second..]] {
                drain(&mut splitter, chunk, &mut got);
            }
            assert_eq!(got, messages, "cut at {first} and {second}");
            assert_eq!(splitter.pending(), 0);
        }
    }
}

#[test]
fn byte_by_byte() {
    let (messages, bytes) = stream(&[8, 300, 8, 9]);
    let mut splitter = Splitter::default();
    let mut got = Vec::new();
    for byte in &bytes {
        drain(&mut splitter, std::slice::from_ref(byte), &mut got);
    }
    assert_eq!(got, messages);
}

#[test]
fn twenty_in_one_chunk_are_handed_out_in_place() {
    let (messages, bytes) = stream(&[82; 20]);
    let mut splitter = Splitter::default();
    let mut chunk = &bytes[..];
    for (i, message) in messages.iter().enumerate() {
        let got = splitter.next(&mut chunk).unwrap().unwrap();
        assert_eq!(got, message);
        assert!(std::ptr::eq(got.as_ptr(), &raw const bytes[82 * i]), "in place");
    }
    assert_eq!(splitter.next(&mut chunk), Ok(None));
    assert_eq!(splitter.capacity(), 0, "nothing was copied");
}

#[test]
fn the_caller_may_stop_in_a_chunk() {
    let (messages, bytes) = stream(&[20, 20, 20]);
    let mut splitter = Splitter::default();
    let mut got = Vec::new();
    drain(&mut splitter, &bytes[..10], &mut got);
    let mut chunk = &bytes[10..];
    assert_eq!(splitter.next(&mut chunk).unwrap().unwrap(), messages[0]);
    let later = chunk.to_vec();
    assert_eq!(later, bytes[20..]);
    drain(&mut splitter, &later, &mut got);
    assert_eq!(got, messages[1..]);
}

#[test]
fn only_the_straddling_message_is_copied() {
    let (messages, bytes) = stream(&[100, 100, 100]);
    let mut splitter = Splitter::default();
    let mut got = Vec::new();
    drain(&mut splitter, &bytes[..150], &mut got);
    assert_eq!(splitter.pending(), 50);
    let mut chunk = &bytes[150..];
    assert_eq!(splitter.next(&mut chunk).unwrap().unwrap(), messages[1]);
    assert_eq!(splitter.pending(), 0);
    let third = splitter.next(&mut chunk).unwrap().unwrap();
    assert!(std::ptr::eq(third.as_ptr(), &raw const bytes[200]), "in place");
}

#[test]
fn the_buffer_grows_with_the_bytes_and_is_bounded() {
    let bytes = message(1, MAX_MESSAGE_LEN);
    let mut splitter = Splitter::default();
    let mut sent = 0;
    for mut chunk in bytes.chunks(1000) {
        sent += chunk.len();
        let whole = splitter.next(&mut chunk).unwrap().is_some();
        assert_eq!(whole, sent == MAX_MESSAGE_LEN);
        assert!(splitter.capacity() <= (2 * sent).min(MAX_MESSAGE_LEN), "{sent}: {}", splitter.capacity());
    }
    // A second one needs no more.
    let before = splitter.capacity();
    for mut chunk in bytes.chunks(1000) {
        splitter.next(&mut chunk).unwrap();
    }
    assert_eq!(splitter.capacity(), before);
}

#[test]
fn a_length_under_eight_names_the_header_and_stays() {
    let bad = [4, 10, 0, 7, 0, 0, 0, 5, 1, 2, 3];
    let header = RawHeader { version: 4, ty: 10, length: 7, xid: 5 };
    let expected = SplitError { header, reason: SplitReason::TooShort };
    for cut in 0..=bad.len() {
        let mut splitter = Splitter::default();
        let mut rest = &bad[cut..];
        let first = splitter.next(&mut &bad[..cut]);
        assert_eq!(first.err(), (cut >= 8).then_some(expected));
        assert_eq!(
            splitter.next(&mut rest),
            if cut < 8 || !rest.is_empty() { Err(expected) } else { Ok(None) }
        );
        if cut < 8 {
            assert_eq!(splitter.next(&mut rest), Err(expected));
        }
    }
    assert_eq!(
        expected.to_string(),
        "message of type 10 and version 4, xid 0x5: length 7 is shorter than its header"
    );
}

#[test]
fn the_limit_is_exact() {
    let mut splitter = Splitter::new(100);
    assert!(splitter.next(&mut &message(1, 100)[..]).unwrap().is_some());
    let error = splitter.next(&mut &message(1, 101)[..20]).unwrap_err();
    assert_eq!(error.reason, SplitReason::TooLong { max: 100 });
    assert_eq!(splitter.capacity(), 0);
}

proptest! {
    #[test]
    fn any_cutting_gives_the_same_messages(
        lens in prop::collection::vec(8usize..400, 0..30),
        cuts in prop::collection::vec(1usize..500, 1..40),
    ) {
        let (messages, bytes) = stream(&lens);
        let mut splitter = Splitter::default();
        let mut got = Vec::new();
        let mut rest = &bytes[..];
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (chunk, after) = rest.split_at((*cut).min(rest.len()));
            drain(&mut splitter, chunk, &mut got);
            rest = after;
        }
        prop_assert_eq!(got, messages);
    }

    #[test]
    fn random_bytes_neither_panic_nor_loop(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..20)) {
        let mut splitter = Splitter::default();
        for chunk in &chunks {
            let mut rest = &chunk[..];
            while let Ok(Some(msg)) = splitter.next(&mut rest) {
                prop_assert!(msg.len() >= 8);
            }
        }
        prop_assert!(splitter.pending() <= chunks.iter().map(Vec::len).sum());
    }
}
