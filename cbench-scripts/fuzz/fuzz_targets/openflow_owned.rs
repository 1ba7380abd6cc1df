//! OpenFlow's owned values, every version. Any bytes are refused with their place and reason or come out as they went in, but
//! for padding; a made-up message is what is read, as bytes and by way of the view for people; parts are put together.
#![no_main]

mod input;

use ferroflow_openflow::owned::{AnyMessage, Reassembler};
use ferroflow_wire::codec::{Entropy, Json};
use input::Script;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut script = Script::new(data);
    match script.u8() % 4 {
        0 => read(script.rest()),
        1 => made_up(&mut script),
        2 => parts(&mut script),
        _ => read(&framed(&mut script)),
    }
});

/// A right header, of a version and mostly of a type that it has, around a body from the script.
fn framed(script: &mut Script<'_>) -> Vec<u8> {
    let [version, ty] = script.array();
    let version = AnyMessage::VERSIONS[usize::from(version) % AnyMessage::VERSIONS.len()].0;
    let mut msg = vec![version, ty % 40, 0, 0, 0, 0, 0, 1];
    msg.extend(script.bytes(4096));
    let length = (msg.len() as u16).to_be_bytes();
    msg[2..4].copy_from_slice(&length);
    msg
}

fn read(msg: &[u8]) {
    let message = match AnyMessage::decode(msg) {
        Ok(message) => message,
        Err(error) => {
            assert!(error.offset() <= msg.len() && !error.to_string().is_empty());
            return;
        }
    };
    let again = message.encode().expect("what was read can be written");
    assert_eq!(again.len(), msg.len());
    assert_eq!(AnyMessage::decode(&again).as_ref(), Ok(&message));
    assert_eq!(AnyMessage::from_json(message.to_json()).as_ref(), Ok(&message));
    assert!(!format!("{message:?}").is_empty());
}

fn made_up(script: &mut Script<'_>) {
    let version = AnyMessage::VERSIONS[usize::from(script.u8()) % AnyMessage::VERSIONS.len()].0;
    let mut entropy = Entropy::new(script.bytes(4096), version);
    let message = AnyMessage::made_up(&mut entropy).expect("a version of those that there are");
    // Only lengths can be too great, of what is nested within what is nested.
    if let Ok(bytes) = message.encode() {
        match AnyMessage::decode(&bytes) {
            Ok(read) => assert_eq!(read, message),
            Err(error) => assert!(error.to_string().ends_with("nested too deeply"), "{error}"),
        }
    }
    assert_eq!(AnyMessage::from_json(message.to_json()).as_ref(), Ok(&message));
}

fn parts(script: &mut Script<'_>) {
    let mut reassembler = Reassembler::new(2, 8 * 1024);
    while !script.is_over() {
        let mut msg = framed(script);
        // Requests and replies of all versions.
        msg[1] = 16 + msg[1] % 4;
        if let Ok(Some(whole)) = reassembler.push(&msg) {
            assert!(whole.body.len() <= 8 * 1024);
        }
        assert!(reassembler.open() <= 2);
    }
}
