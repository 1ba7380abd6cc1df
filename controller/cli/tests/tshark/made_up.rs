//! Made-up messages of 1.0, 1.3, 1.4 and 1.5 from a seed: where tshark shows a value of ours, it is the same one. Where it is not,
//! and where tshark gives up, is in `made_up.txt` with the reasons.

use crate::golden::encoded;
use crate::{Findings, check, dissected};
use cbench::lab::{Need, require};
use ferroflow_openflow::owned::AnyMessage;
use ferroflow_wire::codec::Entropy;
use std::collections::BTreeSet;

const SEED: u64 = 1;
const MESSAGES: usize = 800;

#[test]
fn tshark_reads_made_up_messages() {
    if !require(&[Need::Command("tshark")]) {
        return;
    }
    eprintln!("seed {SEED}");
    let mut random = fastrand::Rng::with_seed(SEED);
    let mut made_up = |i: usize| {
        let entropy: Vec<u8> = (0..80).map(|_| random.u8(..)).collect();
        let version = [1, 4, 5, 6][i % 4];
        let message =
            AnyMessage::made_up(&mut Entropy::new(&entropy, version)).expect("there is this version");
        (format!("made up, number {i}"), encoded(&message))
    };
    let messages: Vec<_> = (0..MESSAGES).map(&mut made_up).collect();
    let packets = dissected(&messages);
    assert_eq!(packets.len(), messages.len());
    let (mut wrong, mut compared) = (BTreeSet::new(), 0);
    for ((title, bytes), packet) in messages.iter().zip(&packets) {
        let mut findings = Findings::default();
        findings.message(title, bytes, packet);
        compared += findings.compared;
        // An example of each, for whoever has to look into it.
        findings.known.iter().filter(|line| line.contains("made up")).for_each(|line| eprintln!("{line}"));
        // Where tshark loses its way, it takes other bytes for the values before it notices.
        let is_told = |line: &String| !packet.is_malformed || line.starts_with("malformed: ");
        wrong.extend(findings.wrong.into_iter().filter(is_told));
    }
    eprintln!("{compared} values compared");
    assert!(compared > 9000, "{compared}");
    check(&wrong, include_str!("made_up.txt"), "made_up.txt");
}
