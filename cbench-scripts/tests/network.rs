//! Emulated switches and their hosts against a small learning controller, over the stack, in virtual time.

mod common;

use std::time::Duration;

use cbench::network::{Command, Emulated};
use cbench::switch::dialect::Dialect;
use cbench::switch::emulated::{EmulatedConfig, Stage};
use common::{CONTROLLER, Learner, Pair};

fn switches(n: u64, version: Dialect, n_buffers: u32) -> Vec<EmulatedConfig> {
    (1..=n).map(|d| EmulatedConfig { version, n_buffers, ..EmulatedConfig::with_hosts(d, 4) }).collect()
}

fn pair(n: u64, version: Dialect, n_buffers: u32) -> Pair<Learner, Emulated> {
    Pair::new(Learner::default(), Emulated::new(CONTROLLER, switches(n, version, n_buffers)).ping_all())
}

const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn every_host_pings_every_other() {
    for (version, n_buffers) in
        [(Dialect::V10, 0), (Dialect::V10, 256), (Dialect::V13, 0), (Dialect::V13, 256)]
    {
        let mut pair = pair(4, version, n_buffers);
        let progress = pair.right.service().progress();
        pair.run(LIMIT, |_| progress.pings_done());
        let s = progress.snapshot();
        let what = format!("{version:?}, {n_buffers} buffers");
        assert_eq!((s.pings_wanted, s.pings_answered, s.pings_lost), (48, 48, 0), "{what}");
        assert_eq!(s.pings_sent, 48, "{what}: none had to be repeated");
        assert_eq!(s.round_trips.len(), 48, "{what}");
        // A flow for each direction of each of the 6 pairs on each switch, and with 1.3 the table-miss flow.
        let flows = 4 * (12 + u64::from(version == Dialect::V13));
        assert_eq!(s.flows_added(), flows, "{what}");
        assert_eq!(s.switches.iter().map(|s| s.flows as u64).sum::<u64>(), flows, "{what}");
        assert_eq!(s.packet_ins(), pair.left.service().packet_ins, "{what}");
        let buffered: u64 = s.switches.iter().map(|s| s.counters.buffered).sum();
        let expect_buffers = n_buffers > 0 && version == Dialect::V10;
        assert_eq!(buffered, if expect_buffers { s.packet_ins() } else { 0 }, "{what}");
        assert_eq!(pair.left.service().errors, 0, "{what}");
        assert_eq!(s.connections_lost, 0, "{what}");
    }
}

#[test]
fn known_pairs_need_no_controller_and_new_ones_do() {
    let mut pair = pair(1, Dialect::V10, 0);
    let progress = pair.right.service().progress();
    pair.run(LIMIT, |_| progress.pings_done());
    let before = pair.left.service().packet_ins;
    pair.right.service_mut().ask_all();
    pair.run(LIMIT, |_| progress.pings_done());
    assert_eq!(pair.left.service().packet_ins, before, "the flows carry it");
    // ARP requests are broadcast: no flow matches them.
    pair.right.service_mut().command(0, Command::Forget);
    pair.right.service_mut().ask_all();
    pair.run(LIMIT, |_| progress.pings_done());
    assert!(pair.left.service().packet_ins > before);
    assert_eq!(progress.snapshot().pings_lost, 0);
}

#[test]
fn unplugged_host_does_not_answer_and_the_controller_hears_of_its_port() {
    let mut pair = pair(1, Dialect::V13, 0);
    let progress = pair.right.service().progress();
    pair.run(LIMIT, |_| progress.pings_done());
    let to = pair.right.service().switch(0).expect("one").hosts()[1].config().ip;
    pair.right.service_mut().command(0, Command::SetPort { port: 2, up: false });
    pair.right.service_mut().command(0, Command::Ping { from: 0, to });
    pair.run(LIMIT, |_| progress.pings_done());
    let s = progress.snapshot();
    assert_eq!((s.pings_answered, s.pings_lost), (12, 1));
    assert_eq!(s.pings_sent, 12 + 3, "three tries");
    assert_eq!(pair.left.service().port_downs, 1);
    pair.right.service_mut().command(0, Command::SetPort { port: 2, up: true });
    pair.right.service_mut().command(0, Command::Ping { from: 0, to });
    pair.run(LIMIT, |_| progress.pings_done());
    assert_eq!(progress.snapshot().pings_answered, 13);
}

#[test]
fn idle_flows_go_and_are_reported() {
    let mut pair = pair(1, Dialect::V13, 0);
    let progress = pair.right.service().progress();
    pair.run(LIMIT, |_| progress.pings_done());
    pair.run(Duration::from_secs(120), |p| p.left.service().flow_removeds == 12);
    assert_eq!(progress.snapshot().switches[0].flows, 1, "the table-miss flow stays");
}

#[test]
fn lost_connection_is_opened_again() {
    let mut pair = pair(2, Dialect::V10, 0);
    let progress = pair.right.service().progress();
    pair.run(LIMIT, |_| progress.pings_done());
    pair.right.service_mut().command(0, Command::Reset);
    pair.run(LIMIT, |_| progress.snapshot().switches[0].stage == Stage::Down);
    pair.run(LIMIT, |_| progress.snapshot().switches[0].stage == Stage::Up);
    let s = progress.snapshot();
    assert_eq!(s.connections_lost, 1);
    assert_eq!(s.switches[1].counters.errors_received, 0);
    pair.right.service_mut().command(0, Command::Forget);
    pair.right.service_mut().ask_all();
    pair.run(LIMIT, |_| progress.pings_done());
    assert_eq!(progress.snapshot().pings_lost, 0);
}
