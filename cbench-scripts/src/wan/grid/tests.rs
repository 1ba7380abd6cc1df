//! The grid's plan and its statistics.

use super::*;
use crate::wan::relay::RelayReport;
use crate::wan::task::Received;

fn outcome(mbits: u64) -> Outcome {
    let received = Received { bytes: mbits * 125_000, elapsed: Duration::from_secs(1) };
    let sender = vec![("resent".to_owned(), mbits * 2)];
    Outcome { received, sender, receiver: Vec::new(), relay: RelayReport::default() }
}

fn series(mbits: &[u64], failed: usize) -> Series {
    Series { outcomes: mbits.iter().map(|&m| outcome(m)).collect(), failures: vec!["why".to_owned(); failed] }
}

#[test]
fn medians_count_failures_as_nothing() {
    assert_eq!(series(&[30, 10, 20], 0).median(), 20.0);
    assert_eq!(series(&[30, 10], 0).median(), 20.0);
    assert_eq!(series(&[30, 10], 1).median(), 10.0);
    assert_eq!(series(&[], 0).median(), 0.0);
    assert_eq!(series(&[30, 10, 20], 0).spread(), 1.0);
    assert_eq!(series(&[30, 10, 20], 0).of_sender("resent"), 40);
    assert_eq!(series(&[30, 10, 20], 0).of_sender("other"), 0);
}

#[test]
fn the_grid_is_the_one_that_was_asked_for() {
    let all = Cell::all();
    assert_eq!(all.len(), 30);
    let twelve = Cell::twelve();
    assert_eq!(twelve.len(), 12);
    assert!(twelve.iter().all(|cell| all.contains(cell)));
    assert!(LOSS.iter().all(|&loss| twelve.iter().any(|c| c.loss == loss)));
    assert!(RTT.iter().all(|&rtt| twelve.iter().any(|c| c.rtt == rtt)));
    let way = Cell { loss: 3.0, rtt: 100, reorder: 5.0 }.way(0.01);
    let link = way.link();
    assert_eq!((link.loss, link.reorder, link.duplicate), (0.03, 0.05, 0.01));
    assert_eq!((link.delay, link.queue_bytes), (Duration::from_millis(50), 2_500_000));
}

#[test]
fn faults_are_the_same_for_all_roles_and_others_for_each_repetition() {
    let plan = Plan {
        cells: vec![Cell { loss: 1.0, rtt: 10, reorder: 0.0 }, Cell { loss: 0.0, rtt: 10, reorder: 0.0 }],
        roles: Roles::OURS.into(),
        bytes: 1,
        limit: Duration::from_secs(1),
        repeat: 2,
        repeat_max: 2,
        seed: 1,
        duplicate: 0.0,
        at_once: 1,
        tuning: Tuning::default(),
        captures: None,
    };
    let jobs = jobs(&plan);
    assert_eq!(jobs.len(), 2 * 2 * 6);
    let seeds: Vec<u64> = jobs.iter().map(|job| transfer(&plan, job).seed).collect();
    for kind in seeds.chunks(6) {
        assert!(kind.iter().all(|&seed| seed == kind[0]));
    }
    let distinct: std::collections::BTreeSet<u64> = seeds.iter().copied().collect();
    assert_eq!(distinct.len(), 4);
    assert!(jobs[0].share < 0.5 && jobs[12].share > 0.5, "{jobs:?}");
}
