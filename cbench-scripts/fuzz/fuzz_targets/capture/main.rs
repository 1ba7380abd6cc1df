//! The reader of captures. Any file and any segments in it give whole messages and complaints, and an end.
#![no_main]

#[allow(dead_code, reason = "the program uses more of it")]
mod codec;
#[path = "../input.rs"]
mod input;

use codec::capture;
use input::Script;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut script = Script::new(data);
    match script.u8() % 3 {
        0 => read(script.rest()),
        1 => read(&records(&mut script)),
        _ => read(&segments(&mut script)),
    }
});

/// Every message is what its header says, and no byte is in two of them.
fn read(file: &[u8]) {
    let mut bytes = 0;
    let seen = capture::read(
        file,
        |port| port % 2 == 1,
        |place, piece| {
            assert!(place.packet > 0 && place.from.port() % 2 + place.to.port() % 2 > 0);
            match piece.what {
                Ok(message) => {
                    assert_eq!(usize::from(u16::from_be_bytes([message[2], message[3]])), message.len());
                    bytes += message.len();
                }
                Err(fault) => assert!(!fault.to_string().is_empty()),
            }
            Ok(())
        },
    );
    assert!(bytes <= file.len());
    match seen {
        Ok(seen) => {
            // What can be read is taken for a capture, and not for hexadecimal text.
            assert!(capture::is_magic(&file[..capture::MAGIC_LEN as usize]));
            assert!(seen.left_out().all(|text| !text.is_empty()));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// A right header, and records of right lengths.
fn records(script: &mut Script<'_>) -> Vec<u8> {
    let links = [1, 0, 108, 101, 228, 229, 113, 276, 147];
    let mut file = header(links[usize::from(script.u8()) % links.len()]);
    while !script.is_over() {
        let len = usize::from(script.u8());
        record(&mut file, script.bytes(len));
    }
    file
}

/// TCP segments of two directions, near each other.
fn segments(script: &mut Script<'_>) -> Vec<u8> {
    let mut file = header(101);
    while !script.is_over() {
        let [way, flags, seq, len] = script.array();
        let payload = script.bytes(len.into());
        let total = (40 + payload.len()) as u16;
        let mut packet = vec![0x45, 0];
        packet.extend(total.to_be_bytes());
        packet.extend([0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 1]);
        packet.extend(if way & 1 == 0 { [0, 1, 0, 3] } else { [0, 3, 0, 1] });
        packet.extend(u32::from(seq).wrapping_sub(u32::from(way >> 1)).to_be_bytes());
        packet.extend([0, 0, 0, 0, 0x50, flags & 0x17, 0, 0, 0, 0, 0, 0]);
        packet.extend(payload);
        record(&mut file, &packet);
    }
    file
}

fn header(link: u32) -> Vec<u8> {
    let mut file = vec![0xa1, 0xb2, 0xc3, 0xd4, 0, 2, 0, 4];
    file.extend([0; 12]);
    file.extend(link.to_be_bytes());
    file
}

fn record(file: &mut Vec<u8>, packet: &[u8]) {
    let len = (packet.len() as u32).to_be_bytes();
    file.extend([0; 8]);
    file.extend([len, len].concat());
    file.extend(packet);
}
