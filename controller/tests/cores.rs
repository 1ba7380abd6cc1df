//! Several cores: the directory, two connections of one datapath, commands across.

mod common;

use std::net::SocketAddr;
use std::time::Duration;

use common::*;
use ferroflow::flow::*;
use ferroflow::testing::{Lab, Switch};
use ferroflow::*;

fn peer(n: u8) -> SocketAddr {
    SocketAddr::from(([10, 9, 0, n], 1000))
}

/// Old core, new core: the same, and each way round.
const PAIRS: [(usize, usize); 3] = [(0, 0), (0, 1), (1, 0)];

#[test]
fn every_core_knows_where_each_datapath_is() {
    let (mut lab, log) = quiet_lab(Config::default(), 3);
    for dpid in 1..=12 {
        lab.switch(dpid as usize % 3, Version::V1_0, dpid);
    }
    for core in 0..3 {
        let directory = lab.controller(core).directory();
        assert_eq!(directory.len(), 12);
        assert!(directory.iter().all(|(dpid, home)| home.core == dpid.0 as usize % 3));
    }
    let ups = said(&log).iter().filter(|l| l.contains("up")).count();
    assert_eq!(ups, 12, "each on one core only");
}

#[test]
fn a_newcomer_is_refused_while_the_old_session_answers() {
    for (old, new) in PAIRS {
        let (mut lab, log) = quiet_lab(Config::default(), 2);
        let first = lab.connect(old, peer(1), Switch::new(Version::V1_3, 7));
        said(&log);
        let second = lab.connect(new, peer(2), Switch::new(Version::V1_3, 7));
        assert!(lab.is_open(first) && !lab.is_open(second));
        assert_eq!(lab.at(first).of_type(2).len(), 1, "probed with an echo");
        assert!(said(&log).is_empty());
        assert_eq!(lab.controller(new).counters().closed_duplicate, 1);
        assert_eq!(lab.controller(0).directory().home(Dpid(7)).unwrap().peer, peer(1));
        // Nothing is left of the probe.
        lab.advance(Duration::from_secs(30));
        assert!(lab.is_open(first));
    }
}

#[test]
fn an_old_session_that_does_not_answer_goes_before_the_newcomer_comes() {
    for (old, new) in PAIRS {
        let (mut lab, log) = quiet_lab(Config::default(), 2);
        let mute = Switch::new(Version::V1_3, 7).with(|s| s.answers_echo = false);
        let first = lab.connect(old, peer(1), mute);
        let second = lab.connect(new, peer(2), Switch::new(Version::V1_3, 7));
        said(&log);
        lab.advance(Duration::from_millis(900));
        assert!(lab.is_open(first) && lab.is_open(second) && said(&log).is_empty());
        lab.advance(Duration::from_millis(200));
        assert!(!lab.is_open(first) && lab.is_open(second));
        let want = [
            format!("probe@{old} down 7 false"),
            format!("probe@{new} up 7 ports 0"),
            format!("probe@{new} ports 4"),
        ];
        assert_eq!(said(&log), want);
        assert_eq!(lab.controller(old).counters().closed_superseded, 1);
        for core in 0..2 {
            let home = lab.controller(core).directory().home(Dpid(7)).unwrap();
            assert_eq!((home.core, home.peer, home.generation), (new, peer(2), 2));
        }
    }
}

#[test]
fn an_old_session_that_closes_while_it_is_probed_makes_way_at_once() {
    for (old, new) in PAIRS {
        let (mut lab, log) = quiet_lab(Config::default(), 2);
        let mute = Switch::new(Version::V1_0, 7).with(|s| s.answers_echo = false);
        let first = lab.connect(old, peer(1), mute);
        let second = lab.connect(new, peer(2), Switch::new(Version::V1_0, 7));
        said(&log);
        lab.reset(first);
        assert!(lab.is_open(second));
        assert_eq!(
            said(&log)[..2],
            [format!("probe@{old} down 7 false"), format!("probe@{new} up 7 ports 4")]
        );
    }
}

#[test]
fn packets_behind_a_features_reply_wait_for_the_grant() {
    let (mut lab, log) = quiet_lab(Config::default(), 2);
    let mute = Switch::new(Version::V1_0, 7).with(|s| s.answers_echo = false);
    lab.connect(0, peer(1), mute);
    let second = lab.connect(1, peer(2), Switch::new(Version::V1_0, 7));
    said(&log);
    let packet = lab.at(second).packet_in(3, None, &frame(1, 2));
    lab.send(second, &packet);
    assert!(said(&log).is_empty());
    lab.advance(Duration::from_secs(2));
    assert_eq!(said(&log).last().unwrap(), "probe@1 packet 3");
}

#[test]
fn a_third_connection_is_refused_while_two_contend_and_a_fourth_may_come_later() {
    let (mut lab, _) = quiet_lab(Config::default(), 2);
    let mute = || Switch::new(Version::V1_0, 7).with(|s| s.answers_echo = false);
    let first = lab.connect(0, peer(1), mute());
    let second = lab.connect(1, peer(2), mute());
    let third = lab.connect(0, peer(3), mute());
    assert!(lab.is_open(first) && lab.is_open(second) && !lab.is_open(third));
    // The newcomer leaves: the old session is still probed, and goes, since it does not answer.
    lab.reset(second);
    lab.advance(Duration::from_secs(2));
    assert!(!lab.is_open(first));
    let fourth = lab.switch(0, Version::V1_0, 7);
    assert!(lab.is_open(fourth) && lab.is_up(7));
}

/// Cores whose app sends a command from core 0 at each tick.
fn commanding(cores: usize, config: Config, command: Command, to: u64) -> (Lab, Log) {
    let log = Log::default();
    let inner = log.clone();
    let builder = Controller::builder().config(config).app("c", move |core| {
        let command = command.clone();
        let on_tick = move |cx: &mut Cx<'_>| {
            if cx.core() == 0 {
                cx.send(Dpid(to), command.clone(), Token(5));
            }
        };
        Probe { on_tick: Box::new(on_tick), ..Probe::new("c", core, &inner) }
    });
    (Lab::new(builder.build_cores(cores).unwrap()), log)
}

#[test]
fn commands_reach_datapaths_of_any_core_and_end_where_they_began() {
    let commands: [(Command, &str); 5] = [
        (Command::Add(Flow::new(5).output(PortNo(1))), "done"),
        (Command::Delete(Match::ALL.into()), "done"),
        (Command::PacketOut(PacketOut::new(PortNo(1), vec![0; 60])), "done"),
        (Command::Request(StatsRequest::Description), "by lab"),
        (Command::Request(StatsRequest::Ports(None)), "2 port stats"),
    ];
    for (command, want) in commands {
        for home in [0, 1] {
            for version in [Version::V1_0, Version::V1_3] {
                let (mut lab, log) = commanding(2, Config::default(), command.clone(), 9);
                lab.switch(home, version, 9);
                said(&log);
                lab.advance(Duration::from_millis(1_500));
                assert_eq!(said(&log), [format!("c@0 token 5 of 9: {want}")], "{command:?} on core {home}");
            }
        }
    }
}

#[test]
fn a_command_for_nobody_fails() {
    let (mut lab, log) = commanding(2, Config::default(), Command::Barrier, 9);
    lab.advance(Duration::from_millis(1_500));
    assert_eq!(said(&log), ["c@0 token 5 of 9: failed: no such datapath"]);
}

#[test]
fn a_command_to_a_datapath_that_goes_away_fails_on_the_core_that_asked() {
    let (mut lab, log) = commanding(2, Config::default(), Command::Barrier, 9);
    let quiet = Switch::new(Version::V1_3, 9).with(|s| s.answers_requests = false);
    let s = lab.connect(1, peer(1), quiet);
    lab.advance(Duration::from_millis(1_500));
    said(&log);
    lab.reset(s);
    let said = said(&log);
    assert!(said.contains(&"c@0 token 5 of 9: failed: the datapath went away".to_string()), "{said:?}");
}

#[test]
fn full_mail_refuses_commands_and_loses_no_directory_entry() {
    let log = Log::default();
    let inner = log.clone();
    let config = Config { mail_capacity: 2, max_commands: 50, ..Config::default() };
    let builder = Controller::builder().config(config).app("c", move |core| {
        let on_tick = move |cx: &mut Cx<'_>| {
            if cx.core() == 0 {
                (0..60).for_each(|n| cx.send(Dpid(9), Command::Barrier, Token(n)));
            }
        };
        Probe { on_tick: Box::new(on_tick), ..Probe::new("c", core, &inner) }
    });
    let mut lab = Lab::new(builder.build_cores(2).unwrap());
    for dpid in 1..=40 {
        lab.switch(dpid as usize % 2, Version::V1_3, dpid);
    }
    for core in 0..2 {
        assert_eq!(lab.controller(core).directory().len(), 40);
    }
    said(&log);
    lab.advance(Duration::from_millis(1_500));
    let said = said(&log);
    let mut tokens: Vec<u64> = said.iter().map(|l| l.split(' ').nth(2).unwrap().parse().unwrap()).collect();
    tokens.sort_unstable();
    assert_eq!(tokens, (0..60).collect::<Vec<_>>(), "each ends once");
    assert!(said.iter().filter(|l| l.contains("done")).count() >= 2);
    assert!(said.iter().filter(|l| l.contains("too many open requests")).count() >= 10);
    assert!(lab.controller(0).counters().commands_refused >= 10);
}

#[test]
fn bytes_that_are_offered_again_are_no_sign_of_life() {
    let (mut lab, log) = lab_with(Config::default(), |dp, _| {
        dp.packet_out(PortNo(1), &[flow::Action::Output(PortNo(2))], &[0; 1000]);
    });
    lab.set_ring_limit(64 * 1024);
    let first = lab.switch(0, Version::V1_3, 7);
    lab.set_reading(first, false);
    let packet = lab.at(first).packet_in(1, None, &frame(1, 2));
    (0..200).for_each(|_| lab.send(first, &packet));
    assert!(lab.untaken(first) > 0, "reading pauses");
    lab.advance(Duration::from_millis(500));
    let second = lab.connect(0, peer(2), Switch::new(Version::V1_3, 7));
    assert!(lab.is_open(first) && lab.is_open(second));
    // The pause ends while the old session is probed: what is read then came before.
    lab.advance(Duration::from_millis(700));
    assert_eq!(lab.untaken(first), 0);
    assert!(lab.is_open(first) && lab.is_open(second));
    said(&log);
    lab.advance(Duration::from_millis(400));
    assert!(!lab.is_open(first) && lab.is_open(second));
    assert_eq!(lab.controller(0).counters().closed_superseded, 1);
    assert_eq!(said(&log)[..2], ["probe@0 down 7 false", "probe@0 up 7 ports 0"]);
}
