//! Random and mutated messages, many of them: `FERROFLOW_MUTATED_MIB` says how many MiB (4 if it does not), from the seed
//! `FERROFLOW_MUTATED_SEED`, which is printed. Each is refused, or read and written to what is read the same; none makes
//! the decoder panic, loop, or ask for more memory than a small multiple of its bytes.

use ferroflow_openflow::owned::AnyMessage;
use ferroflow_wire::codec::{Entropy, Json};

#[path = "common/counting.rs"]
mod counting;
#[path = "common/mutate.rs"]
mod mutate;

use mutate::Random;

/// The worst is 32, for unknown actions of four bytes; `owned_alloc.rs` has it.
const TIMES: usize = 40;
/// An error has a path of its own, however short the message.
const AND: usize = 1024;

#[test]
fn random_and_mutated_messages() {
    mutate::run(|random| {
        let version = AnyMessage::VERSIONS[random.below(AnyMessage::VERSIONS.len())].0;
        let bytes = match random.below(4) {
            0 => mutate::framed(random, version, 40),
            _ => {
                let entropy = random.bytes(400);
                let made_up =
                    AnyMessage::made_up(&mut Entropy::new(&entropy, version)).expect("there is this version");
                let mut bytes = made_up.encode().expect("it can be written");
                mutate::change(random, &mut bytes);
                bytes
            }
        };
        check(&bytes, random);
        bytes.len()
    });
}

fn check(bytes: &[u8], random: &mut Random) {
    let before = counting::allocated();
    let read = AnyMessage::decode(bytes);
    let allocated = counting::allocated() - before;
    assert!(allocated <= TIMES * bytes.len() + AND, "{allocated} bytes for {}: {bytes:02x?}", bytes.len());
    let Ok(message) = read else { return };
    let again = message.encode().unwrap_or_else(|e| panic!("{e}: {bytes:02x?}"));
    assert_eq!(again.len(), bytes.len(), "{bytes:02x?}");
    assert_eq!(AnyMessage::decode(&again).as_ref(), Ok(&message), "{bytes:02x?}");
    // The view for people is slower by far.
    if random.below(8) == 0 {
        assert_eq!(AnyMessage::from_json(message.to_json()).as_ref(), Ok(&message), "{bytes:02x?}");
    }
}
