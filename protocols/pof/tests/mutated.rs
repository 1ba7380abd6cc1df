//! Random and mutated messages, many of them: `FERROFLOW_MUTATED_MIB` says how many MiB (4 if it does not), from the seed
//! `FERROFLOW_MUTATED_SEED`, which is printed. Each is refused or comes out unchanged; none makes the decoder panic, loop,
//! or ask for more memory than a small multiple of its bytes.

use ferroflow_pof::codec::Json;
use ferroflow_pof::{Message, Profile};

#[path = "../../openflow/tests/common/counting.rs"]
mod counting;
#[path = "../../openflow/tests/common/mutate.rs"]
mod mutate;

use mutate::Random;

/// What `no_allocation.rs` finds for the worst message, twice: values that are written again to find what is unused.
const TIMES: usize = 32;
/// A FLOW_MOD's slots are made room for when its counts are right, whatever the message has besides.
const AND: usize = 16 * 1024;

#[test]
fn random_and_mutated_messages() {
    mutate::run(|random| {
        let profile = Profile::ALL[random.below(Profile::ALL.len())];
        let mut bytes = match random.below(8) {
            0 => mutate::framed(random, 4, 110),
            _ => {
                let entropy = random.bytes(400);
                Message::arbitrary(profile, &entropy).to_vec().expect("the profile can carry it")
            }
        };
        mutate::change(random, &mut bytes);
        check(profile, &bytes, random);
        bytes.len()
    });
}

fn check(profile: Profile, bytes: &[u8], random: &mut Random) {
    let before = counting::allocated();
    let read = Message::decode(profile, bytes);
    let allocated = counting::allocated() - before;
    assert!(allocated <= TIMES * bytes.len() + AND, "{allocated} bytes for {}: {bytes:02x?}", bytes.len());
    let Ok(message) = read else { return };
    assert_eq!(message.to_vec().as_deref(), Ok(bytes));
    // The view for people is slower by far.
    if random.below(8) == 0 {
        assert_eq!(Message::from_json(message.to_json()).as_ref(), Ok(&message), "{bytes:02x?}");
    }
}
