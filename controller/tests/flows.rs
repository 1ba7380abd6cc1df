//! Flows, ownership, requests, slow switches, buffers, panics.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::*;
use ferroflow::flow::*;
use ferroflow::testing::{Lab, Switch};
use ferroflow::*;
use ferroflow_openflow::{Encode, ErrorMsg};

fn peer(n: u8) -> std::net::SocketAddr {
    std::net::SocketAddr::from(([10, 9, 0, n], 1000))
}

fn packet(lab: &mut Lab, s: ferroflow::testing::SwitchId, buffer: Option<u32>) {
    let bytes = lab.at(s).packet_in(1, buffer, &frame(1, 2));
    lab.send(s, &bytes);
}

/// Two probes whose packet_ins do different things.
fn two(
    config: Config,
    a: impl FnMut(&mut Dp<'_>, &PacketIn<'_>) + Send + Sync + Clone + 'static,
    b: impl FnMut(&mut Dp<'_>, &PacketIn<'_>) + Send + Sync + Clone + 'static,
    bands: Option<(u16, u16)>,
) -> (Lab, Log) {
    let log = Log::default();
    let (la, lb) = (log.clone(), log.clone());
    let mut builder = Controller::builder()
        .config(config)
        .app("a", move |c| Probe { on_packet: Box::new(a.clone()), ..Probe::new("a", c, &la) });
    if let Some((base, top)) = bands {
        builder = builder.band(base, top);
    }
    builder = builder.app("b", move |c| Probe { on_packet: Box::new(b.clone()), ..Probe::new("b", c, &lb) });
    if let Some((base, top)) = bands {
        builder = builder.band(base, top);
    }
    (Lab::new(builder.build_cores(1).unwrap()), log)
}

#[test]
fn the_same_flow_reaches_both_versions() {
    let full = Match::new()
        .in_port(PortNo(3))
        .eth_src(MacAddr([2, 0, 0, 0, 0, 1]))
        .eth_dst(MacAddr([2, 0, 0, 0, 0, 2]))
        .vlan(VlanMatch::Id(5))
        .ipv4_src([10, 1, 0, 0].into(), 16)
        .ipv4_dst([10, 2, 0, 1].into(), 32)
        .tcp_dst(80);
    for version in [Version::V1_0, Version::V1_3] {
        for m in
            [Match::ALL, full, Match::new().vlan(VlanMatch::Untagged), Match::new().vlan(VlanMatch::Id(0))]
        {
            let (mut lab, _) = lab_with(Config::default(), move |dp, _| {
                let flow = Flow::new(9).matching(m).output(PortNo(4)).output(PortNo::FLOOD).cookie(77);
                assert!(dp.add(&flow.idle_timeout_s(3).hard_timeout_s(4).notify()));
            });
            let s = lab.switch(0, version, 1);
            packet(&mut lab, s, None);
            let f = lab.at(s).adds().remove(0);
            assert_eq!((f.matching, f.outputs.as_slice()), (m, &[PortNo(4), PortNo::FLOOD][..]), "{version}");
            assert_eq!((f.priority, f.idle_timeout_s, f.hard_timeout_s, f.flags), (9, 3, 4, 1));
            assert_eq!(f.cookie & 0x7fff_ffff_ffff, 77);
            let removed = lab.at(s).flow_removed(&f, 0);
            assert_ne!(f.cookie >> 48, 0);
            lab.send(s, &removed);
        }
    }
}

#[test]
fn what_a_version_cannot_say_is_an_error_that_names_it() {
    let flows: [(Flow, &str); 4] = [
        (Flow::new(1).action(Action::Group(1)), "OpenFlow 1.0 has no groups"),
        (Flow::new(1).table(1), "OpenFlow 1.0 has no tables but table 0"),
        (Flow::new(1).goto_table(2), "OpenFlow 1.0 has no goto_table"),
        (Flow::new(1).output(PortNo(70_000)), "OpenFlow 1.0 has no switch ports above 0xff00"),
    ];
    for (flow, text) in flows {
        let (mut lab, log) = lab_with(Config::default(), move |dp, _| {
            let sent = dp.add(&flow);
            assert_eq!(sent, dp.version() == Version::V1_3);
        });
        for version in [Version::V1_0, Version::V1_3] {
            let s = lab.switch(0, version, version.0.into());
            said(&log);
            packet(&mut lab, s, None);
            let said = said(&log);
            if version == Version::V1_3 {
                assert_eq!(lab.at(s).adds().len(), 1);
            } else {
                assert_eq!(said[1], format!("probe@0 flow 1 refused: {text}"));
                assert!(lab.at(s).adds().is_empty());
            }
        }
        assert_eq!(lab.controller(0).counters().unsupported, 1);
    }
}

#[test]
fn each_app_has_its_band_and_cannot_leave_it() {
    let act = |dp: &mut Dp<'_>, _: &PacketIn<'_>| {
        dp.add(&Flow::new(1));
        dp.add(&Flow::new(32_767));
        assert!(!dp.add(&Flow::new(0)));
        assert!(!dp.add(&Flow::new(32_768)));
    };
    let (mut lab, log) = two(Config::default(), act, act, None);
    let s = lab.switch(0, Version::V1_3, 1);
    said(&log);
    packet(&mut lab, s, None);
    let priorities: Vec<u16> = lab.at(s).adds().iter().map(|f| f.priority).collect();
    assert_eq!(priorities, [32_768, 65_534, 1, 32_767], "the first app is on top");
    assert_eq!(said(&log).iter().filter(|l| l.contains("outside the app's band")).count(), 4);
}

#[test]
fn deletes_are_masked_by_the_apps_cookie() {
    let (mut lab, _) = lab_with(Config::default(), |dp, _| {
        dp.add(&Flow::new(5));
        dp.delete_own_flows();
        dp.delete(Match::new().in_port(PortNo(2)));
        dp.delete(Delete::towards(PortNo(3)));
        dp.delete(Delete::exactly(&Flow::new(5)));
    });
    let s = lab.switch(0, Version::V1_3, 1);
    packet(&mut lab, s, None);
    let flows = lab.at(s).flow_mods();
    let cookie = lab.at(s).adds()[0].cookie;
    let deletes: Vec<_> = flows.iter().filter(|f| f.command >= 3).collect();
    assert!(deletes.iter().all(|f| f.cookie_mask == 0xffff << 48 && f.cookie == cookie));
    assert_eq!(deletes.iter().map(|f| f.table).collect::<Vec<_>>(), [0xff, 0xff, 0xff, 0], "OFPTT_ALL");
    assert_eq!(deletes[1].matching, Match::new().in_port(PortNo(2)));
    assert_eq!(deletes[2].out_port, Some(PortNo(3)));
    assert_eq!((deletes[3].command, deletes[3].priority), (4, 5));
}

#[test]
fn in_1_0_an_app_deletes_what_is_remembered_to_be_its_own() {
    let own = |n: u32| Flow::new(5).matching(Match::new().in_port(PortNo(n))).output(PortNo(n + 10));
    let a = move |dp: &mut Dp<'_>, p: &PacketIn<'_>| match p.buffer().map(BufferId::number) {
        Some(1) => (1..=3).for_each(|n| assert!(dp.add(&own(n)))),
        Some(2) => assert!(dp.delete(Delete::towards(PortNo(12)))),
        Some(3) => assert!(dp.delete_own_flows()),
        _ => {}
    };
    let b = move |dp: &mut Dp<'_>, p: &PacketIn<'_>| {
        if p.buffer().map(BufferId::number) == Some(1) {
            dp.add(&own(7));
        }
    };
    let (mut lab, _) = two(Config::default(), a, b, None);
    let s = lab.switch(0, Version::V1_0, 1);
    let first = lab.at(s).flow_mods();
    assert_eq!(
        (first.len(), first[0].command, first[0].matching),
        (1, 3, Match::ALL),
        "all start from nothing"
    );
    lab.at(s).clear();
    packet(&mut lab, s, Some(1));
    // One of them goes by itself: its removal is not asked for, but told, so that memory does not fill up.
    let gone = lab.at(s).adds()[0].clone();
    assert_eq!(gone.flags & 1, 1);
    let removed = lab.at(s).flow_removed(&gone, 0);
    lab.send(s, &removed);
    for (buffer, want) in [(2, vec![2]), (3, vec![3])] {
        lab.at(s).clear();
        packet(&mut lab, s, Some(buffer));
        let deletes = lab.at(s).flow_mods();
        assert!(deletes.iter().all(|f| f.command == 4), "strict");
        let ports: Vec<u32> = deletes.iter().map(|f| f.matching.in_port.unwrap().0).collect();
        assert_eq!(ports, want);
    }
}

#[test]
fn remembered_flows_are_bounded() {
    let add = |dp: &mut Dp<'_>, p: &PacketIn<'_>| {
        let n = p.buffer().unwrap().number();
        dp.add(&Flow::new(5).matching(Match::new().in_port(PortNo(n))));
    };
    let config = Config { max_remembered_flows: 10, ..Config::default() };
    let (mut lab, log) = two(config, add, |_, _| {}, None);
    let s = lab.switch(0, Version::V1_0, 1);
    said(&log);
    (1..=12).for_each(|n| packet(&mut lab, s, Some(n)));
    assert_eq!(lab.at(s).adds().len(), 10);
    assert_eq!(lab.controller(0).counters().flow_memory_full, 2);
    assert_eq!(said(&log).iter().filter(|l| l.contains("too many flows")).count(), 2);
}

#[test]
fn the_same_flow_is_refused_to_a_second_app() {
    let add = |dp: &mut Dp<'_>, _: &PacketIn<'_>| {
        dp.add(&Flow::new(5).matching(Match::new().in_port(PortNo(1))));
    };
    for version in [Version::V1_0, Version::V1_3] {
        let (mut lab, log) = two(Config::default(), add, add, Some((0, 100)));
        let s = lab.switch(0, version, 1);
        said(&log);
        packet(&mut lab, s, None);
        assert_eq!(lab.at(s).adds().len(), 1);
        assert!(said(&log).contains(&"b@0 flow 5 refused: app `a` has the same flow".to_string()));
        assert_eq!(lab.controller(0).counters().flow_conflicts, 1);
    }
}

#[test]
fn flow_removed_goes_to_the_owner_that_asked() {
    let a = |dp: &mut Dp<'_>, _: &PacketIn<'_>| {
        dp.add(&Flow::new(5).cookie(1).notify());
        dp.add(&Flow::new(6).cookie(2));
    };
    for version in [Version::V1_0, Version::V1_3] {
        let (mut lab, log) = two(Config::default(), a, |_, _| {}, None);
        let s = lab.switch(0, version, 1);
        packet(&mut lab, s, None);
        said(&log);
        for flow in lab.at(s).adds() {
            let removed = lab.at(s).flow_removed(&flow, 1);
            lab.send(s, &removed);
        }
        assert_eq!(said(&log), ["a@0 removed 5 HardTimeout cookie 1"]);
    }
}

#[test]
fn requests_end_with_their_reply() {
    for version in [Version::V1_0, Version::V1_3] {
        let (mut lab, log) = lab_with(Config::default(), |dp, _| {
            dp.request(StatsRequest::Description, Token(1));
            dp.request(StatsRequest::Ports(None), Token(2));
            dp.install(&Flow::new(5), Token(3));
            dp.barrier(Token(4));
        });
        let s = lab.switch(0, version, 9);
        said(&log);
        packet(&mut lab, s, None);
        lab.advance(Duration::from_secs(60));
        let want = ["by lab", "2 port stats", "done", "done"];
        let want: Vec<_> = (1..=4).map(|t| format!("probe@0 token {t} of 9: {}", want[t - 1])).collect();
        assert_eq!(said(&log)[1..], want, "once each");
    }
}

#[test]
fn requests_end_with_an_error_that_names_the_flow() {
    for version in [Version::V1_0, Version::V1_3] {
        let (mut lab, log) = lab_with(Config::default(), |dp, _| {
            dp.install(&Flow::new(5).cookie(42), Token(3));
            dp.add(&Flow::new(6).cookie(43));
        });
        let s = lab.switch(0, version, 9);
        said(&log);
        packet(&mut lab, s, None);
        // The barrier's reply has come: the next error is of a request that has ended. So again, without replies.
        lab.at(s).answers_requests = false;
        said(&log);
        lab.at(s).clear();
        packet(&mut lab, s, None);
        said(&log);
        let failed: Vec<Vec<u8>> = lab.at(s).of_type(14).iter().map(|m| m.to_vec()).collect();
        let all_tables_full = ErrorCode { ty: if version == Version::V1_0 { 3 } else { 5 }, code: 0 };
        for msg in failed {
            let error = ErrorMsg::answer(version, &msg, all_tables_full).to_vec();
            lab.send(s, &error);
        }
        lab.advance(Duration::from_secs(60));
        let name = match version {
            Version::V1_0 => "OFPET_FLOW_MOD_FAILED/OFPFMFC_ALL_TABLES_FULL",
            _ => "OFPET_FLOW_MOD_FAILED/OFPFMFC_UNKNOWN",
        };
        let want = [
            format!("probe@0 token 3 of 9: failed {name} flow Some((5, 42))"),
            format!("probe@0 error {name} flow Some((6, 43, true))"),
        ];
        assert_eq!(said(&log), want);
        let (ty, code) = name.split_once('/').unwrap();
        let errors: Vec<_> = lab.controller(0).counters().errors().collect();
        assert_eq!(errors.len(), 1);
        assert_eq!((errors[0].0, errors[0].1), ((ty, code), 2));
    }
}

#[test]
fn requests_time_out_or_end_with_the_connection_and_are_bounded() {
    let config = Config { max_requests: 2, ..Config::default() };
    let (mut lab, log) = lab_with(config, |dp, _| {
        (1..=3).for_each(|t| {
            dp.barrier(Token(t));
        });
    });
    let s = lab.connect(0, peer(1), Switch::new(Version::V1_3, 9).with(|s| s.answers_requests = false));
    said(&log);
    packet(&mut lab, s, None);
    assert_eq!(said(&log)[1..], ["probe@0 token 3 of 9: failed: not sent: too many open requests"]);
    lab.advance(Duration::from_millis(10_100));
    assert_eq!(said(&log), [1, 2].map(|t| format!("probe@0 token {t} of 9: failed: no answer in time")));
    packet(&mut lab, s, None);
    said(&log);
    lab.reset(s);
    let mut want: Vec<_> =
        [1, 2].map(|t| format!("probe@0 token {t} of 9: failed: the datapath went away")).into();
    want.push("probe@0 down 9 false".into());
    assert_eq!(said(&log), want);
    assert_eq!(lab.controller(0).counters().request_timeouts, 2);
}

#[test]
fn a_buffered_packet_takes_one_flow_mod_and_an_unbuffered_one_a_packet_out_behind_it() {
    for version in [Version::V1_0, Version::V1_3] {
        let (mut lab, _) = lab_with(Config::default(), |dp, p| {
            dp.add_and_forward(p, &Flow::new(5).output(PortNo(2)));
        });
        let s = lab.switch(0, version, 1);
        packet(&mut lab, s, Some(17));
        assert_eq!(lab.at(s).adds()[0].buffer, Some(17));
        assert!(lab.at(s).packet_outs().is_empty());
        lab.at(s).clear();
        packet(&mut lab, s, None);
        let types: Vec<u8> = lab.at(s).seen.iter().map(|m| m[1]).collect();
        assert_eq!(types, [14, 13], "flow_mod, then packet_out");
        let out = lab.at(s).packet_outs().remove(0);
        assert_eq!((out.outputs.as_slice(), out.data), (&[PortNo(2)][..], frame(1, 2)));
        assert_eq!(out.in_port, PortNo(1));
    }
}

#[test]
fn a_truncated_frame_is_never_sent_on() {
    for version in [Version::V1_0, Version::V1_3] {
        let (mut lab, _) = lab_with(Config::default(), |dp, p| {
            dp.add_and_forward(p, &Flow::new(5).output(PortNo(2)));
            dp.flood(p);
        });
        let s = lab.switch(0, version, 1);
        let cut = lab.at(s).truncated_packet_in(1, None, &frame(1, 2), 1500);
        lab.send(s, &cut);
        assert_eq!(lab.at(s).adds().len(), 1, "the flow itself is fine");
        assert!(lab.at(s).packet_outs().is_empty());
        assert_eq!(lab.controller(0).counters().truncated_dropped, 2);
    }
}

#[test]
fn an_unknown_buffer_installs_the_flow_again_and_buffers_are_named_no_more() {
    for version in [Version::V1_0, Version::V1_3] {
        let (mut lab, log) = lab_with(Config::default(), |dp, p| {
            dp.add_and_forward(p, &Flow::new(5).output(PortNo(2)).idle_timeout_s(9).cookie(3));
        });
        let s = lab.connect(0, peer(1), Switch::new(version, 1).with(|s| s.refuses_buffers = true));
        lab.at(s).clear();
        packet(&mut lab, s, Some(17));
        let adds = lab.at(s).adds();
        assert_eq!(adds.iter().map(|f| f.buffer).collect::<Vec<_>>(), [Some(17), None]);
        let same =
            |f: &ferroflow::testing::FlowModSeen| (f.matching, f.outputs.clone(), f.cookie, f.idle_timeout_s);
        assert_eq!(same(&adds[0]), same(&adds[1]));
        assert_ne!(adds[0].xid, adds[1].xid);
        // And the switch is asked for unbuffered packets.
        assert_eq!(lab.at(s).of_type(9).len(), 1, "set_config again");
        assert_eq!(lab.at(s).flow_mods().len(), adds.len() + usize::from(version == Version::V1_3));
        lab.at(s).clear();
        packet(&mut lab, s, Some(18));
        assert_eq!(lab.at(s).adds()[0].buffer, None);
        assert_eq!(lab.at(s).packet_outs().len(), 1);
        let c = lab.controller(0).counters();
        assert_eq!((c.buffer_unknown, c.reinstalled, c.reinstall_forgotten), (1, 1, 0));
        assert!(!said(&log).iter().any(|l| l.contains("error")), "the app need not know");
    }
}

#[test]
fn a_switch_that_does_not_read_pauses_its_own_reading_and_then_loses_packets() {
    for version in [Version::V1_0, Version::V1_3] {
        let (mut lab, log) = lab_with(Config::default(), |dp, p| match p.in_port() {
            PortNo(1) => {
                dp.packet_out(PortNo(1), &[Action::Output(PortNo(2))], &[0; 1000]);
            }
            _ => {
                dp.add(&Flow::new(5).output(PortNo(2)));
            }
        });
        lab.set_ring_limit(64 * 1024);
        let other = lab.switch(0, version, 2);
        let s = lab.switch(0, version, 1);
        lab.set_reading(s, false);
        for _ in 0..200 {
            packet(&mut lab, s, None);
        }
        assert!(lab.untaken(s) > 0, "reading pauses");
        let handled = said(&log).len();
        lab.advance(Duration::from_millis(900));
        assert!(lab.untaken(s) > 0 && said(&log).is_empty());
        lab.advance(Duration::from_millis(200));
        assert_eq!(lab.untaken(s), 0, "for at most 1 s");
        let c = lab.controller(0).counters();
        assert!(c.packet_outs_dropped > 0 && c.pauses_over == 1 && handled < 200);
        said(&log);
        let bytes = lab.at(s).packet_in(9, None, &frame(1, 2));
        (0..20).for_each(|_| lab.send(s, &bytes));
        let refused = "probe@0 flow 5 refused: the switch reads too slowly".to_string();
        assert!(said(&log).contains(&refused), "flow_mods fail with an event");
        // Room for echo and barrier replies is kept.
        let echo = lab.at(s).echo_request(99, b"x");
        lab.send(s, &echo);
        let barrier = [version.0, if version == Version::V1_0 { 18 } else { 20 }, 0, 8, 0, 0, 0, 98];
        lab.send(s, &barrier);
        assert!(lab.is_open(s) && lab.is_open(other));
        lab.at(s).clear();
        lab.set_reading(s, true);
        assert_eq!(lab.at(s).of_type(3).len(), 1, "echo reply");
        assert_eq!(lab.at(s).of_type(barrier[1] + 1).len(), 1, "barrier reply");
        // All is well again.
        lab.at(s).clear();
        packet(&mut lab, s, None);
        assert_eq!(lab.at(s).packet_outs().len(), 1);
    }
}

#[test]
fn a_panicking_app_is_disabled_and_everything_else_goes_on() {
    let boom = |_: &mut Dp<'_>, p: &PacketIn<'_>| assert_ne!(p.in_port(), PortNo(1), "boom");
    let (mut lab, log) = two(Config::default(), boom, |_, _| {}, None);
    let s = lab.switch(0, Version::V1_3, 1);
    said(&log);
    packet(&mut lab, s, None);
    assert_eq!(said(&log), ["a@0 packet 1", "b@0 packet 1"], "the chain goes on");
    packet(&mut lab, s, None);
    assert_eq!(said(&log), ["b@0 packet 1"]);
    assert!(lab.is_open(s));
    assert_eq!(lab.controller(0).disabled_apps().collect::<Vec<_>>(), ["a"]);
    assert_eq!(lab.controller(0).counters().app_panics, 1);
}

#[test]
fn stop_ends_the_chain() {
    let log = Log::default();
    let (la, lb) = (log.clone(), log.clone());
    let builder = Controller::builder()
        .app("a", move |c| Probe { next: Next::Stop, ..Probe::new("a", c, &la) })
        .app("b", move |c| Probe::new("b", c, &lb));
    let mut lab = Lab::new(builder.build_cores(1).unwrap());
    let s = lab.switch(0, Version::V1_3, 1);
    said(&log);
    packet(&mut lab, s, None);
    assert_eq!(said(&log), ["a@0 packet 1"]);
}

#[test]
fn a_tick_reaches_every_local_datapath() {
    let ticks = Arc::new(AtomicUsize::new(0));
    let (log, count) = (Log::default(), ticks.clone());
    let inner = log.clone();
    let builder = Controller::builder().app("t", move |core| {
        let count = count.clone();
        let on_tick = move |cx: &mut Cx<'_>| {
            count.fetch_add(1, Ordering::Relaxed);
            let token = Token(cx.now().as_millis());
            cx.local_datapaths(|dp| assert!(dp.request(StatsRequest::Description, token)));
            assert!(cx.datapath(Dpid(1)).is_some() && cx.datapath(Dpid(99)).is_none());
        };
        Probe { on_tick: Box::new(on_tick), ..Probe::new("t", core, &inner) }
    });
    let mut lab = Lab::new(builder.build_cores(1).unwrap());
    let all = [1, 2].map(|dpid| lab.switch(0, Version::V1_3, dpid));
    said(&log);
    lab.advance(Duration::from_millis(3_500));
    assert_eq!(ticks.load(Ordering::Relaxed), 3);
    assert_eq!(said(&log).iter().filter(|l| l.contains("by lab")).count(), 6);
    assert!(all.iter().all(|s| lab.is_open(*s)));
}

#[test]
fn an_event_storm_comes_to_an_end() {
    // A handler whose answer is refused again, for ever.
    struct Storm;
    impl App for Storm {
        fn packet_in(&mut self, dp: &mut Dp<'_>, _: &PacketIn<'_>) -> Next {
            dp.add(&Flow::new(0));
            Next::Stop
        }
        fn event(&mut self, dp: &mut Dp<'_>, _: &Event) {
            if dp.now() < Instant::from_secs(5) {
                dp.add(&Flow::new(0));
            }
        }
    }
    let mut controller = Controller::builder().app("storm", |_| Storm).build_cores(1).unwrap().remove(0);
    let mut net = ferroflow::testing::FakeNet::new(1);
    use ferroflow_stack::{Rx, Service};
    controller.start(&mut net);
    let (id, info) = net.open(peer(1));
    let mut key = controller.accepted(&mut net, id, &info).unwrap();
    let mut switch = Switch::new(Version::V1_3, 1);
    for _ in 0..3 {
        use ferroflow_stack::Net;
        let ring = net.sender(id).unwrap();
        let mut bytes = vec![0; ring.len()];
        ring.copy_out(0, &mut bytes);
        ring.consume(bytes.len());
        switch.receive(&bytes);
        let answer = switch.take_output();
        controller.data(&mut net, id, &mut key, &mut Rx::new(&answer, &[]));
    }
    let packet = switch.packet_in(1, None, &frame(1, 2));
    controller.data(&mut net, id, &mut key, &mut Rx::new(&packet, &[]));
    controller.turn(&mut net);
    assert_eq!(controller.deadline(), Some(Instant::ZERO), "the rest waits for the next turn");
    net.set_now(Instant::from_secs(6));
    controller.turn(&mut net);
    assert!(controller.deadline().unwrap() > Instant::from_secs(6));
}

#[test]
fn a_flow_deleted_meanwhile_is_not_installed_again() {
    for version in [Version::V1_0, Version::V1_3] {
        let (mut lab, _) = lab_with(Config::default(), |dp, p| {
            dp.add_and_forward(p, &Flow::new(5).output(PortNo(2)));
            dp.delete(Match::ALL);
        });
        let s = lab.connect(0, peer(1), Switch::new(version, 1).with(|s| s.refuses_buffers = true));
        lab.at(s).clear();
        packet(&mut lab, s, Some(17));
        assert_eq!(lab.at(s).adds().iter().map(|f| f.buffer).collect::<Vec<_>>(), [Some(17)]);
        let c = lab.controller(0).counters();
        assert_eq!((c.buffer_unknown, c.reinstalled, c.reinstall_forgotten), (1, 0, 1));
    }
}

#[test]
fn a_packet_out_with_an_unknown_buffer_is_no_forgotten_flow() {
    for version in [Version::V1_0, Version::V1_3] {
        let (mut lab, _) = lab_with(Config::default(), |dp, p| {
            dp.flood(p);
        });
        let s = lab.switch(0, version, 1);
        packet(&mut lab, s, Some(17));
        let out = lab.at(s).of_type(13)[0].to_vec();
        lab.send(s, &ErrorMsg::answer(version, &out, ErrorCode { ty: 1, code: 8 }).to_vec());
        let c = lab.controller(0).counters();
        assert_eq!((c.buffer_unknown, c.reinstall_forgotten), (1, 0));
    }
}

#[test]
fn what_finds_no_room_is_counted_once_by_what_it_was() {
    let (mut lab, log) = lab_with(Config::default(), |dp, p| match p.in_port() {
        PortNo(1) => {
            // To the last byte.
            while dp.packet_out(PortNo(1), &[Action::Output(PortNo(2))], &[]) {}
            while dp.barrier(Token(9)) {}
        }
        PortNo(2) => {
            assert!(!dp.add(&Flow::new(5).output(PortNo(2))));
            assert!(!dp.delete(Match::ALL));
            assert!(!dp.install(&Flow::new(5).output(PortNo(2)), Token(1)));
        }
        _ => assert!(!dp.request(StatsRequest::Ports(None), Token(2)) && !dp.barrier(Token(3))),
    });
    lab.set_ring_limit(8 * 1024);
    let s = lab.switch(0, Version::V1_3, 1);
    lab.set_reading(s, false);
    packet(&mut lab, s, None);
    // The pause is over: what comes now is handled although the ring is full.
    lab.advance(Duration::from_millis(1_100));
    let counts = |lab: &Lab| {
        let c = lab.controller(0).counters();
        [c.packet_outs_dropped, c.flow_mods_refused, c.sends_refused]
    };
    let before = counts(&lab);
    for port in [2, 3] {
        let bytes = lab.at(s).packet_in(port, None, &frame(1, 2));
        lab.send(s, &bytes);
        lab.advance(Duration::from_millis(1_100));
    }
    let after = counts(&lab);
    let diff: Vec<u64> = after.iter().zip(before).map(|(a, b)| a - b).collect();
    assert_eq!(diff, [0, 3, 2], "{:#?}", said(&log));
}

#[test]
fn a_delete_that_found_no_room_forgets_nothing() {
    // Several apps: in 1.0 the memory says what to delete, in 1.3 with overlapping bands who owns what.
    let act = |dp: &mut Dp<'_>, p: &PacketIn<'_>| match p.in_port() {
        PortNo(1) => assert!(dp.add(&Flow::new(5).matching(Match::new().tcp_dst(80)).output(PortNo(4)))),
        PortNo(2) => while dp.packet_out(PortNo(1), &[Action::Output(PortNo(2))], &[]) {},
        PortNo(3) => assert!(!dp.delete(Match::ALL)),
        _ => assert!(dp.delete(Delete::towards(PortNo(4)))),
    };
    for version in [Version::V1_0, Version::V1_3] {
        let other = |dp: &mut Dp<'_>, p: &PacketIn<'_>| {
            if p.in_port() == PortNo(3) {
                assert!(!dp.add(&Flow::new(5).matching(Match::new().tcp_dst(80)).output(PortNo(9))));
            }
        };
        let (mut lab, log) = two(Config::default(), act, other, Some((0, 100)));
        lab.set_ring_limit(8 * 1024);
        let s = lab.switch(0, version, 1);
        let go = |lab: &mut Lab, port| {
            let bytes = lab.at(s).packet_in(port, None, &frame(1, 2));
            lab.send(s, &bytes);
            lab.advance(Duration::from_millis(1_100));
        };
        go(&mut lab, 1);
        lab.set_reading(s, false);
        go(&mut lab, 2);
        said(&log);
        go(&mut lab, 3);
        assert!(said(&log).contains(&"b@0 flow 5 refused: app `a` has the same flow".to_string()));
        lab.set_reading(s, true);
        lab.at(s).clear();
        go(&mut lab, 4);
        let deletes: Vec<_> = lab.at(s).flow_mods().iter().map(|f| f.command).collect();
        assert_eq!(deletes, [if version == Version::V1_0 { 4 } else { 3 }]);
        assert_eq!(lab.controller(0).disabled_apps().count(), 0);
    }
}

#[test]
fn an_answer_that_is_too_long_fails_instead_of_being_cut() {
    use ferroflow_openflow::v13;
    type Part<'a> = v13::MultipartReply<'a, &'a [v13::PortStats], &'a [v13::Port]>;
    let (mut lab, log) = lab_with(Config::default(), |dp, _| {
        dp.request(StatsRequest::Ports(None), Token(1));
    });
    let s = lab.connect(0, peer(1), Switch::new(Version::V1_3, 9).with(|s| s.answers_requests = false));
    lab.at(s).clear();
    packet(&mut lab, s, None);
    said(&log);
    let xid = v13::MultipartRequest::parse(lab.at(s).of_type(18)[0]).unwrap().xid;
    let stats = vec![v13::PortStats::default(); 512];
    let part = Part { xid, flags: 1, body: v13::MultipartReplyBody::PortStats(&stats[..]) }.to_vec();
    (0..128).for_each(|_| lab.send(s, &part));
    assert!(said(&log).is_empty(), "65,536 are kept");
    lab.send(s, &part);
    assert_eq!(said(&log), ["probe@0 token 1 of 9: failed: the answer is too long"]);
    lab.send(s, &part);
    assert!(said(&log).is_empty(), "it ended once");
    let c = lab.controller(0).counters();
    assert_eq!((c.replies_too_long, c.stray_replies), (1, 1));
}
