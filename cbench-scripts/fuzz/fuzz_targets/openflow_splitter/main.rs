//! The OpenFlow splitter and what follows it. However a stream is cut, the messages are the same; no parser panics on
//! any of them; what is written from what was read is read back as the same; what was built is read as built.
#![no_main]

mod built;
#[path = "../input.rs"]
mod input;
mod messages;

use ferroflow_openflow::{SplitError, Splitter, v10, v13};
use input::Script;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut script = Script::new(data);
    match script.u8() % 3 {
        0 => {
            let cuts = script.array::<8>();
            stream(script.rest(), &cuts);
        }
        1 => {
            let cuts = script.array::<8>();
            let bytes = framed(&mut script);
            stream(&bytes, &cuts);
        }
        _ => built::round_trip(&mut script),
    }
});

/// Messages whose headers are right, or nearly, around bodies from the script.
fn framed(script: &mut Script<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    while !script.is_over() && out.len() < 16 * 1024 {
        let [selector, len] = script.array();
        let (version, ty) = match selector {
            0..48 => (v10::VERSION.0, selector % 22),
            48..240 => (v13::VERSION.0, selector % 30),
            _ => (script.u8(), script.u8()),
        };
        let len = if len < 240 { usize::from(len) } else { usize::from(len - 239) * 136 };
        let body = script.bytes(len);
        let mut length = (8 + body.len()) as u16;
        if selector == 255 {
            length = length.wrapping_add_signed(script.u8().cast_signed().into());
        }
        out.extend_from_slice(&[version, ty]);
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&u32::from(selector).to_be_bytes());
        out.extend_from_slice(body);
    }
    out
}

/// Splits the stream whole and in pieces, and reads every message.
fn stream(bytes: &[u8], cuts: &[u8; 8]) {
    // Odd first cuts set a limit that messages can exceed.
    let max = if cuts[0] & 1 == 1 { 64 << (cuts[0] >> 5) } else { ferroflow_openflow::MAX_MESSAGE_LEN };
    let whole = split(bytes, max, |left| left);
    let mut at = 0;
    let pieces = split(bytes, max, |left| {
        at = (at + 1) % cuts.len();
        usize::from(cuts[at] % 64).clamp(1, left)
    });
    assert_eq!(whole, pieces, "the same messages however the stream is cut");
    let single = split(bytes, max, |_| 1);
    assert_eq!(whole, single, "the same messages byte by byte");
    let (messages, pending, end) = whole;
    let split: usize = messages.iter().map(Vec::len).sum();
    match end {
        None => assert_eq!(split + pending, bytes.len(), "no byte is lost"),
        Some(error) => {
            assert!(usize::from(error.header.length) < 8 || usize::from(error.header.length) > max)
        }
    }
    for msg in &messages {
        assert!((8..=max).contains(&msg.len()));
        messages::read(msg);
    }
}

type Split = (Vec<Vec<u8>>, usize, Option<SplitError>);

/// The messages of a stream that arrives in pieces; `piece` says how long each is, given what is left.
fn split(mut bytes: &[u8], max: usize, mut piece: impl FnMut(usize) -> usize) -> Split {
    let mut splitter = Splitter::new(max);
    let mut messages = Vec::new();
    while !bytes.is_empty() {
        let (mut chunk, rest) = bytes.split_at(piece(bytes.len()));
        bytes = rest;
        loop {
            match splitter.next(&mut chunk) {
                Ok(Some(msg)) => messages.push(msg.to_vec()),
                Ok(None) => break,
                Err(error) => {
                    let again = splitter.next(&mut chunk).map(|_| ());
                    assert_eq!(again, Err(error), "a broken stream stays broken");
                    return (messages, 0, Some(error));
                }
            }
        }
        assert!(chunk.is_empty(), "no message and no error: the piece is used up");
        assert!(splitter.capacity() <= max.max(8), "memory is bounded by the limit");
    }
    (messages, splitter.pending(), None)
}
