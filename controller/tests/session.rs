//! The life of a session: negotiation, readiness, echo, ports, malformed input.

mod common;

use std::net::SocketAddr;
use std::time::Duration;

use common::*;
use ferroflow::testing::{Lab, Switch};
use ferroflow::*;
use ferroflow_openflow::{Encode, Hello};

fn bitmap(versions: &[u8]) -> Option<VersionBitmap> {
    Some(VersionBitmap(versions.iter().map(|v| 1 << v).sum()))
}

fn peer(n: u8) -> SocketAddr {
    SocketAddr::from(([10, 9, 0, n], 1000))
}

#[test]
fn negotiation() {
    // Their header, their bitmap, what is agreed. (Versions are the wire's numbers.)
    let table: &[(u8, Option<VersionBitmap>, Option<u8>)] = &[
        (1, None, Some(1)),
        (2, None, None),
        (3, None, None),
        (4, None, Some(4)),
        // Open vSwitch's own hello: version 6, no bitmap. The lower of 4 and 6.
        (6, None, Some(4)),
        (0xff, None, Some(4)),
        (0, None, None),
        (6, bitmap(&[1, 4, 6]), Some(4)),
        (6, bitmap(&[1, 2, 3]), Some(1)),
        (4, bitmap(&[1]), Some(1)),
        (6, bitmap(&[5, 6]), None),
        (3, bitmap(&[2, 3]), None),
        (4, bitmap(&[]), None),
        (1, bitmap(&[1, 4]), Some(4)),
    ];
    for (n, (version, theirs, want)) in table.iter().enumerate() {
        let (mut lab, _) = quiet_lab(Config::default(), 1);
        let s = lab.connect(0, peer(1), Switch::silent());
        let hello = lab.at(s).seen[0].clone();
        let ours = Hello::parse(&hello).unwrap();
        assert_eq!((ours.version, ours.bitmap), (Version::V1_3, bitmap(&[1, 4])));
        lab.send(s, &Hello { version: Version(*version), xid: 1, bitmap: *theirs }.to_vec());
        let requests: Vec<u8> = lab.at(s).of_type(5).iter().map(|m| m[0]).collect();
        match want {
            Some(v) => {
                assert_eq!(requests, [*v], "row {n}: features_request at once");
                assert!(lab.is_open(s), "row {n}");
            }
            None => {
                assert!(requests.is_empty(), "row {n}");
                let errors = lab.at(s).errors();
                assert_eq!(errors.len(), 1, "row {n}");
                assert_eq!(errors[0].0, ErrorCode { ty: 0, code: 0 }, "row {n}");
                assert!(errors[0].1.contains("1.0, 1.3"), "row {n}: {}", errors[0].1);
                assert!(!lab.is_open(s), "row {n}");
                assert_eq!(lab.controller(0).counters().closed_incompatible, 1);
            }
        }
    }
}

#[test]
fn only_versions_that_are_configured_are_spoken() {
    let config = Config { versions: VersionBitmap::of(&[Version::V1_0]), ..Config::default() };
    let (mut lab, _) = quiet_lab(config, 1);
    let s = lab.switch(0, Version::V1_3, 1);
    assert!(lab.is_open(s));
    assert_eq!(lab.at(s).of_type(5)[0][0], 1);
}

#[test]
fn a_switch_is_configured_before_its_app_sees_it() {
    for version in [Version::V1_0, Version::V1_3] {
        let (mut lab, log) = quiet_lab(Config::default(), 1);
        let s = lab.switch(0, version, 7);
        assert!(lab.is_up(7));
        let set_config = lab.at(s).of_type(9)[0].to_vec();
        assert_eq!(set_config[10..12], [0xff, 0xff], "miss_send_len");
        let flows = lab.at(s).flow_mods();
        if version == Version::V1_0 {
            assert!(flows.is_empty());
            assert_eq!(said(&log), ["probe@0 up 7 ports 4", "probe@0 ports 4"]);
        } else {
            let miss = &flows[0];
            assert_eq!((miss.command, miss.priority, miss.matching), (0, 0, flow::Match::ALL));
            assert_eq!(miss.outputs, [flow::PortNo::CONTROLLER]);
            assert_eq!(miss.flags & 1, 1, "OFPFF_SEND_FLOW_REM");
            let output = ferroflow_openflow::v13::FlowMod::parse(&miss.bytes).unwrap();
            assert!(format!("{output:?}").contains("max_len: 65535"), "OFPCML_NO_BUFFER: {output:?}");
            assert_eq!(said(&log), ["probe@0 up 7 ports 0", "probe@0 ports 4"]);
        }
        // The same again on the next connection.
        lab.close(s);
        assert_eq!(said(&log), ["probe@0 down 7 false"]);
        let s = lab.switch(0, version, 7);
        assert_eq!(lab.at(s).of_type(9).len(), 1);
        assert_eq!(lab.at(s).flow_mods().len(), flows.len());
    }
}

#[test]
fn the_table_miss_flow_is_restored_when_it_is_deleted() {
    let (mut lab, log) = quiet_lab(Config::default(), 1);
    let s = lab.switch(0, Version::V1_3, 7);
    said(&log);
    let miss = lab.at(s).flow_mods()[0].clone();
    lab.at(s).clear();
    let removed = lab.at(s).flow_removed(&miss, 2);
    lab.send(s, &removed);
    let again = lab.at(s).flow_mods();
    assert_eq!((again.len(), again[0].priority, &again[0].outputs), (1, 0, &miss.outputs));
    assert_eq!(lab.controller(0).counters().table_miss_restored, 1);
    assert!(said(&log).is_empty(), "no app's business");
}

#[test]
fn a_switch_that_answers_nothing_but_features_is_ready() {
    let (mut lab, _) = quiet_lab(Config::default(), 1);
    let s = lab.connect(0, peer(1), Switch::new(Version::V1_0, 3).with(|s| s.answers_requests = false));
    assert!(lab.is_up(3) && lab.is_open(s));
}

#[test]
fn echo_both_ways_and_any_message_is_a_sign_of_life() {
    let (mut lab, _) = quiet_lab(Config::default(), 1);
    let s = lab.switch(0, Version::V1_3, 1);
    let request = lab.at(s).echo_request(0x55, b"payload");
    lab.send(s, &request);
    let reply = lab.at(s).of_type(3)[0].to_vec();
    assert_eq!((&reply[4..8], &reply[8..]), (&[0, 0, 0, 0x55][..], &b"payload"[..]));

    // It answers our requests: it lives for ever.
    lab.advance(Duration::from_secs(120));
    assert!(lab.is_open(s));
    let asked = lab.at(s).of_type(2).len();
    assert!((20..=24).contains(&asked), "every 5 s of silence, {asked}");

    // It answers no echo but talks: it is not even asked.
    lab.at(s).answers_echo = false;
    lab.at(s).clear();
    for _ in 0..20 {
        lab.advance(Duration::from_secs(4));
        let packet = lab.at(s).packet_in(1, None, &frame(1, 2));
        lab.send(s, &packet);
    }
    assert!(lab.is_open(s));
    assert!(lab.at(s).of_type(2).is_empty());

    // Silence ends it after 15 s.
    lab.advance(Duration::from_millis(14_900));
    assert!(lab.is_open(s));
    assert_eq!(lab.at(s).of_type(2).len(), 1);
    lab.advance(Duration::from_millis(200));
    assert!(!lab.is_open(s));
    assert_eq!(lab.controller(0).counters().closed_silent, 1);
    assert!(!lab.is_up(1));
}

#[test]
fn the_echo_timeout_is_configurable() {
    let (timeout, interval) = (Duration::from_secs(3), Duration::from_secs(1));
    let config = Config { echo_timeout: timeout, echo_interval: interval, ..Config::default() };
    let (mut lab, _) = quiet_lab(config, 1);
    let s = lab.connect(0, peer(1), Switch::new(Version::V1_0, 1).with(|s| s.answers_echo = false));
    lab.advance(Duration::from_millis(2900));
    assert!(lab.is_open(s));
    lab.advance(Duration::from_millis(200));
    assert!(!lab.is_open(s));
}

#[test]
fn sessions_that_do_not_become_ready_are_closed_after_ten_seconds() {
    let (mut lab, log) = quiet_lab(Config::default(), 1);
    let mute = lab.connect(0, peer(1), Switch::silent());
    let half = lab.connect(0, peer(2), Switch::new(Version::V1_3, 5).with(|s| s.answers_features = false));
    lab.advance(Duration::from_millis(9_900));
    assert!(lab.is_open(mute) && lab.is_open(half));
    lab.advance(Duration::from_millis(200));
    assert!(!lab.is_open(mute) && !lab.is_open(half));
    assert_eq!(lab.controller(0).counters().closed_unready, 2);
    assert!(said(&log).is_empty(), "apps never heard of them");
}

#[test]
fn unready_sessions_are_bounded_in_all_and_per_address() {
    let config = Config { max_unready: 5, max_unready_per_address: 2, ..Config::default() };
    let (mut lab, _) = quiet_lab(config, 1);
    let open = |lab: &mut Lab, n| {
        let s = lab.connect(0, peer(n), Switch::silent());
        lab.is_open(s)
    };
    assert_eq!([1, 1, 1, 2, 2, 2].map(|n| open(&mut lab, n)), [true, true, false, true, true, false]);
    assert_eq!([3, 4].map(|n| open(&mut lab, n)), [true, false], "five in all");
    let c = lab.controller(0).counters();
    assert_eq!((c.refused_unready_address, c.refused_unready, c.accepted), (2, 1, 5));
    // Ready ones do not count.
    lab.advance(Duration::from_secs(11));
    for dpid in 1..=10 {
        lab.connect(0, peer(1), Switch::new(Version::V1_0, dpid));
    }
    assert_eq!(lab.controller(0).counters().datapaths_up, 10);
}

#[test]
fn sessions_are_bounded() {
    let (mut lab, _) = quiet_lab(Config { max_sessions: 3, ..Config::default() }, 1);
    let all: Vec<_> = (1..=4).map(|dpid| lab.switch(0, Version::V1_0, dpid)).collect();
    assert_eq!(all.iter().map(|s| lab.is_open(*s)).collect::<Vec<_>>(), [true, true, true, false]);
    assert_eq!(lab.controller(0).counters().refused_sessions, 1);
    lab.close(all[0]);
    let again = lab.switch(0, Version::V1_0, 9);
    assert!(lab.is_open(again));
}

#[test]
fn ports_are_followed() {
    for version in [Version::V1_0, Version::V1_3] {
        let (mut lab, log) = quiet_lab(Config::default(), 1);
        let s = lab.switch(0, version, 1);
        said(&log);
        for (number, reason, up) in [(9, 0, true), (9, 2, false), (9, 1, true)] {
            let status = lab.at(s).port_status(number, reason, up);
            lab.send(s, &status);
        }
        let want = [
            "probe@0 port 9 Added down false of 5",
            "probe@0 port 9 Modified down true of 5",
            "probe@0 port 9 Deleted down true of 4",
        ];
        assert_eq!(said(&log), want);
    }
}

#[test]
fn barrier_requests_are_answered() {
    for (version, ty) in [(Version::V1_0, 18), (Version::V1_3, 20)] {
        let (mut lab, _) = quiet_lab(Config::default(), 1);
        let s = lab.switch(0, version, 1);
        lab.send(s, &[version.0, ty, 0, 8, 1, 2, 3, 4]);
        assert_eq!(lab.at(s).of_type(ty + 1), [&[version.0, ty + 1, 0, 8, 1, 2, 3, 4]]);
    }
}

#[test]
fn malformed_input_closes_at_most_its_own_connection() {
    let cases: &[(&str, Vec<u8>, bool)] = &[
        ("length 0", vec![4, 10, 0, 0, 0, 0, 0, 0], false),
        ("length 7", vec![4, 10, 0, 7, 0, 0, 0, 0], false),
        ("another version", vec![1, 10, 0, 18, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], false),
        ("version 0", vec![0, 10, 0, 8, 0, 0, 0, 0], false),
        ("short packet_in", vec![4, 10, 0, 8, 0, 0, 0, 0], true),
        ("unknown type", vec![4, 99, 0, 8, 0, 0, 0, 0], true),
        ("experimenter", vec![4, 4, 0, 16, 0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0], true),
        ("short error", vec![4, 1, 0, 8, 0, 0, 0, 0], true),
        ("another hello", vec![4, 0, 0, 8, 0, 0, 0, 0], true),
        ("flow_removed cut", vec![4, 11, 0, 12, 0, 0, 0, 0, 1, 2, 3, 4], true),
        ("stray barrier", vec![4, 21, 0, 8, 0xff, 0, 0, 1], true),
        ("stray multipart", vec![4, 19, 0, 16, 0, 0, 0, 1, 0, 99, 0, 0, 0, 0, 0, 0], true),
    ];
    for (name, bytes, survives) in cases {
        let (mut lab, log) = quiet_lab(Config::default(), 1);
        let other = lab.switch(0, Version::V1_3, 1);
        let s = lab.switch(0, Version::V1_3, 2);
        lab.send(s, bytes);
        assert_eq!(lab.is_open(s), *survives, "{name}");
        assert!(lab.is_open(other), "{name}");
        if *survives {
            said(&log);
            let packet = lab.at(s).packet_in(1, None, &frame(1, 2));
            lab.send(s, &packet);
            assert_eq!(said(&log), ["probe@0 packet 1"], "{name}: goes on");
        }
        let c = lab.controller(0).counters();
        let counted =
            c.malformed + c.unexpected + c.stray_replies + c.closed_unsplittable + c.closed_bad_version;
        assert_eq!(counted, 1, "{name}");
    }
}

#[test]
fn too_much_rubbish_closes_the_connection() {
    let (mut lab, _) = quiet_lab(Config { max_malformed: 10, ..Config::default() }, 1);
    let s = lab.switch(0, Version::V1_3, 2);
    for n in 0..10 {
        assert!(lab.is_open(s), "{n}");
        lab.send(s, &[4, 10, 0, 8, 0, 0, 0, 0]);
    }
    assert!(!lab.is_open(s));
    assert_eq!(lab.controller(0).counters().closed_malformed, 1);
}

#[test]
fn random_bytes_harm_nobody_else() {
    for seed in seeds(300) {
        let mut rng = fastrand::Rng::with_seed(seed);
        let (mut lab, log) = quiet_lab(Config::default(), 1);
        let other = lab.switch(0, Version::V1_0, 1);
        let version = if rng.bool() { Version::V1_0 } else { Version::V1_3 };
        let s =
            if rng.bool() { lab.switch(0, version, 2) } else { lab.connect(0, peer(2), Switch::silent()) };
        for _ in 0..rng.usize(1..20) {
            let mut bytes: Vec<u8> = (0..rng.usize(8..300)).map(|_| rng.u8(..)).collect();
            if rng.u8(..10) > 0 {
                // Often a header that leads somewhere.
                (bytes[0], bytes[1]) = (version.0, rng.u8(..32));
                let len = if rng.u8(..8) > 0 { bytes.len() as u16 } else { rng.u16(..400) };
                bytes[2..4].copy_from_slice(&len.to_be_bytes());
            }
            lab.send(s, &bytes);
        }
        said(&log);
        let packet = lab.at(other).packet_in(3, None, &frame(1, 2));
        lab.send(other, &packet);
        assert!(said(&log).contains(&"probe@0 packet 3".to_string()), "seed {seed}");
        assert!(lab.is_open(other), "seed {seed}");
    }
}

#[test]
fn cut_streams_say_the_same_as_whole_ones() {
    for seed in seeds(50) {
        let mut rng = fastrand::Rng::with_seed(seed);
        let version = if rng.bool() { Version::V1_0 } else { Version::V1_3 };
        let (mut lab, log) = quiet_lab(Config::default(), 1);
        let s = lab.switch(0, version, 1);
        said(&log);
        let ports: Vec<u32> = (0..200).map(|_| rng.u32(1..100)).collect();
        let stream: Vec<u8> = ports
            .iter()
            .flat_map(|p| {
                let data: Vec<u8> = (0..rng.usize(14..1500)).map(|_| rng.u8(..)).collect();
                lab.at(s).packet_in(*p, None, &data)
            })
            .collect();
        let mut rest = &stream[..];
        while !rest.is_empty() {
            let (cut, after) = rest.split_at(rng.usize(1..=rest.len().min(3000)));
            lab.send(s, cut);
            rest = after;
        }
        let want: Vec<String> = ports.iter().map(|p| format!("probe@0 packet {p}")).collect();
        assert_eq!(said(&log), want, "seed {seed}");
    }
}

#[test]
fn stopping_tells_the_apps_and_closes_all() {
    let (mut lab, log) = quiet_lab(Config::default(), 1);
    let all = [1, 2].map(|dpid| lab.switch(0, Version::V1_3, dpid));
    said(&log);
    lab.stop();
    assert_eq!(said(&log), ["probe@0 down 1 false", "probe@0 down 2 false"]);
    assert!(all.iter().all(|s| !lab.is_open(*s)));
    let late = lab.switch(0, Version::V1_3, 3);
    assert!(!lab.is_open(late));
}

#[test]
fn a_taken_listen_port_is_told_and_the_others_work() {
    let lab = Lab::with_taken_ports(Controller::builder().build_cores(1).unwrap(), &[6633]);
    assert_eq!(lab.controller(0).listening(), [6653]);
    assert_eq!(lab.controller(0).listen_errors().len(), 1);
}

/// Runs `what` and gives the warnings that it logged.
fn warnings(what: impl FnOnce()) -> Vec<String> {
    #[derive(Clone, Default)]
    struct Lines(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);
    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing::Level::WARN)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, what);
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    text.lines().map(str::to_string).collect()
}

#[test]
fn what_is_ignored_is_said_once_per_session() {
    let said = warnings(|| {
        let (mut lab, _) = quiet_lab(Config::default(), 1);
        let s = lab.switch(0, Version::V1_3, 2);
        // An error that cannot be read, an unknown type, a message that only we may send.
        for _ in 0..5 {
            lab.send(s, &[4, 1, 0, 8, 0, 0, 0, 0]);
            lab.send(s, &[4, 99, 0, 8, 0, 0, 0, 0]);
            lab.send(s, &[4, 14, 0, 8, 0, 0, 0, 1]);
        }
        let c = lab.controller(0).counters();
        assert_eq!((c.malformed, c.unexpected), (5, 10));
    });
    assert_eq!(said.len(), 2, "{said:#?}");
    assert!(said[0].contains("malformed message") && said[0].contains("10.1.0.2"), "{said:#?}");
    assert!(said[1].contains("unexpected message") && said[1].contains("ty=99"), "{said:#?}");
}

#[test]
fn refusals_are_said_at_most_once_a_second_with_address_and_limit() {
    let said = warnings(|| {
        let config = Config { max_unready_per_address: 1, max_sessions: 2, ..Config::default() };
        let (mut lab, _) = quiet_lab(config, 1);
        for _ in 0..5 {
            lab.connect(0, peer(1), Switch::silent());
        }
        lab.advance(Duration::from_millis(1_000));
        for n in 2..6 {
            lab.connect(0, peer(n), Switch::silent());
        }
        let c = lab.controller(0).counters();
        assert_eq!((c.refused_unready_address, c.refused_sessions), (4, 3));
    });
    assert_eq!(said.len(), 2, "{said:#?}");
    let [address, all] = [&said[0], &said[1]];
    assert!(address.contains("10.9.0.1") && address.contains("max_unready_per_address"), "{address}");
    assert!(all.contains("10.9.0.3") && all.contains("max_sessions") && all.contains("max=2"), "{all}");
}

#[test]
fn unknown_types_never_close_a_connection() {
    for version in [Version::V1_0, Version::V1_3] {
        let (mut lab, _) = quiet_lab(Config { max_malformed: 3, ..Config::default() }, 1);
        let s = lab.switch(0, version, 2);
        (0..500).for_each(|_| lab.send(s, &[version.0, 99, 0, 8, 0, 0, 0, 0]));
        assert!(lab.is_open(s));
        assert_eq!(lab.at(s).errors().len(), 500, "each is answered");
        assert_eq!(lab.controller(0).counters().unexpected, 500);
    }
}

#[test]
fn unreadable_messages_now_and_then_are_forgiven() {
    let (mut lab, _) = quiet_lab(Config { max_malformed: 3, ..Config::default() }, 1);
    let s = lab.switch(0, Version::V1_3, 2);
    let rubbish = [4, 10, 0, 8, 0, 0, 0, 0];
    for n in 0..10 {
        lab.send(s, &rubbish);
        lab.send(s, &rubbish);
        assert!(lab.is_open(s), "{n}");
        lab.advance(Duration::from_secs(60));
    }
    for _ in 0..2 {
        lab.send(s, &rubbish);
        lab.advance(Duration::from_secs(59));
        assert!(lab.is_open(s));
    }
    lab.send(s, &rubbish);
    assert!(!lab.is_open(s));
}
