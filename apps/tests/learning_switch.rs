//! Every rule of the learning switch, and of the hub, in both versions.

use std::time::Duration;

use ferroflow::flow::{Match, PortNo, VlanMatch};
use ferroflow::testing::{Lab, SwitchId};
use ferroflow::{Controller, MacAddr, Version};
use ferroflow_apps::{Hub, LearningSwitch, Settings};

const A: u64 = 0x0200_0000_000a;
const B: u64 = 0x0200_0000_000b;
const ALL: u64 = 0xffff_ffff_ffff;

const VERSIONS: [Version; 2] = [Version::V1_0, Version::V1_3];

fn frame(dst: u64, src: u64) -> Vec<u8> {
    let mut f = vec![0; 64];
    f[..6].copy_from_slice(&dst.to_be_bytes()[2..]);
    f[6..12].copy_from_slice(&src.to_be_bytes()[2..]);
    f[12] = 8;
    f
}

fn tagged(dst: u64, src: u64, vid: u16) -> Vec<u8> {
    let mut f = frame(dst, src);
    f.splice(12..12, [0x81, 0, (vid >> 8) as u8, vid as u8]);
    f
}

struct Net {
    lab: Lab,
    s: SwitchId,
}

impl Net {
    fn new(version: Version, settings: Settings) -> Net {
        let builder = Controller::builder().app("learning-switch", move |_| LearningSwitch::new(settings));
        Net::with(builder.build_cores(1).unwrap(), version)
    }

    fn with(controllers: Vec<Controller>, version: Version) -> Net {
        let mut lab = Lab::new(controllers);
        let s = lab.switch(0, version, 1);
        lab.at(s).clear();
        Net { lab, s }
    }

    /// One packet_in; what is seen afterwards is its answer alone.
    fn packet(&mut self, port: u32, buffer: Option<u32>, frame: &[u8]) {
        self.lab.at(self.s).clear();
        let bytes = self.lab.at(self.s).packet_in(port, buffer, frame);
        self.lab.send(self.s, &bytes);
    }

    /// Whether the answer was one flood and nothing else.
    fn flooded(&mut self) -> bool {
        let s = self.lab.at(self.s);
        let outs = s.packet_outs();
        s.seen.len() == 1 && outs.len() == 1 && outs[0].outputs == [PortNo::FLOOD]
    }

    fn installed(&mut self) -> Vec<u32> {
        self.lab.at(self.s).adds().iter().flat_map(|f| f.outputs.iter().map(|p| p.0)).collect()
    }

    fn deletes(&mut self) -> Vec<(Match, Option<PortNo>)> {
        let flows = self.lab.at(self.s).flow_mods();
        flows.iter().filter(|f| f.command >= 3).map(|f| (f.matching, f.out_port)).collect()
    }
}

#[test]
fn unknown_and_group_destinations_are_flooded_and_install_nothing() {
    for version in VERSIONS {
        let mut net = Net::new(version, Settings::default());
        for (dst, buffer) in [(B, None), (B, Some(7)), (ALL, None), (0x0100_5e00_0001, None)] {
            net.packet(1, buffer, &frame(dst, A));
            assert!(net.flooded());
            let out = net.lab.at(net.s).packet_outs().remove(0);
            assert_eq!((out.in_port, out.buffer), (PortNo(1), buffer));
            assert_eq!(out.data, if buffer.is_some() { vec![] } else { frame(dst, A) });
        }
    }
}

#[test]
fn a_known_destination_gets_one_flow_mod_that_names_the_buffer() {
    for version in VERSIONS {
        let mut net = Net::new(version, Settings::default());
        net.packet(2, None, &frame(ALL, B));
        net.packet(1, Some(99), &frame(B, A));
        let s = net.lab.at(net.s);
        assert_eq!(s.seen.len(), 1);
        let flow = s.adds().remove(0);
        assert_eq!((flow.buffer, flow.outputs.as_slice()), (Some(99), &[PortNo(2)][..]));
        let (a, b) = (MacAddr::from_u64(A), MacAddr::from_u64(B));
        let want = Match::new().in_port(PortNo(1)).vlan(VlanMatch::Untagged).eth_src(a).eth_dst(b);
        assert_eq!(flow.matching, want);
        assert_eq!((flow.idle_timeout_s, flow.hard_timeout_s, flow.priority), (60, 150, 10));
        // Not buffered: the flow, then the packet.
        net.packet(1, None, &frame(B, A));
        let types: Vec<u8> = net.lab.at(net.s).seen.iter().map(|m| m[1]).collect();
        assert_eq!(types, [14, 13]);
        assert_eq!(net.lab.at(net.s).packet_outs()[0].outputs, [PortNo(2)]);
    }
}

#[test]
fn vlans_are_learnt_apart() {
    for version in VERSIONS {
        let mut net = Net::new(version, Settings::default());
        net.packet(2, None, &tagged(ALL, B, 5));
        net.packet(3, None, &tagged(ALL, B, 6));
        assert!(net.deletes().is_empty(), "another VLAN is not a move");
        for (vid, port) in [(5, 2), (6, 3)] {
            net.packet(1, Some(1), &tagged(B, A, vid));
            assert_eq!(net.installed(), [port]);
            assert_eq!(net.lab.at(net.s).adds()[0].matching.vlan, Some(VlanMatch::Id(vid)));
        }
        net.packet(1, None, &tagged(B, A, 7));
        assert!(net.flooded());
        net.packet(1, None, &frame(B, A));
        assert!(net.flooded());
    }
}

#[test]
fn group_addresses_are_never_learnt() {
    let mut net = Net::new(Version::V1_3, Settings::default());
    net.packet(2, None, &frame(A, 0x0300_0000_0001));
    net.packet(1, None, &frame(0x0300_0000_0001, A));
    assert!(net.flooded());
    net.packet(2, None, &frame(A, 0));
    net.packet(1, None, &frame(0, A));
    assert!(net.flooded(), "nor is the address that nobody has");
}

#[test]
fn link_local_destinations_are_ignored() {
    let mut net = Net::new(Version::V1_3, Settings::default());
    for last in [0, 2, 0xe, 0xf] {
        net.packet(2, Some(1), &frame(0x0180_c200_0000 | last, B));
        assert!(net.lab.at(net.s).seen.is_empty());
    }
    net.packet(1, None, &frame(B, A));
    assert!(net.flooded(), "not even learnt from");
}

#[test]
fn a_packet_to_its_own_port_is_dropped() {
    let mut net = Net::new(Version::V1_3, Settings::default());
    net.packet(1, None, &frame(ALL, B));
    net.packet(1, None, &frame(B, A));
    assert!(net.lab.at(net.s).seen.is_empty());
    net.packet(1, Some(5), &frame(B, A));
    let out = net.lab.at(net.s).packet_outs().remove(0);
    assert_eq!((out.buffer, out.outputs), (Some(5), vec![]), "the buffer is given back");
}

#[test]
fn addresses_age_and_no_flow_outlives_them() {
    for version in VERSIONS {
        let mut net = Net::new(version, Settings::default());
        net.packet(2, None, &frame(ALL, B));
        for (at_s, hard) in [(0, 150), (100, 150), (200, 100), (299, 1)] {
            let now_s = net.lab.now().as_millis() / 1000;
            net.lab.advance(Duration::from_secs(at_s - now_s));
            net.packet(1, Some(1), &frame(B, A));
            assert_eq!(net.lab.at(net.s).adds()[0].hard_timeout_s, hard, "at {at_s} s");
        }
        net.lab.advance(Duration::from_secs(1));
        net.packet(1, None, &frame(B, A));
        assert!(net.flooded(), "after 300 s");
        // Every packet of its own keeps it fresh.
        net.packet(2, None, &frame(ALL, B));
        net.packet(1, Some(1), &frame(B, A));
        assert_eq!(net.lab.at(net.s).adds()[0].hard_timeout_s, 150);
    }
}

#[test]
fn a_host_that_moves_takes_its_flows_along() {
    for version in VERSIONS {
        let mut net = Net::new(version, Settings::default());
        net.packet(2, None, &tagged(ALL, B, 5));
        net.packet(3, None, &tagged(ALL, B, 5));
        let (vlan, b) = (Match::new().vlan(VlanMatch::Id(5)), MacAddr::from_u64(B));
        assert_eq!(net.deletes(), [(vlan.eth_dst(b), None), (vlan.eth_src(b), None)]);
        net.packet(1, Some(1), &tagged(B, A, 5));
        assert_eq!(net.installed(), [3]);
    }
}

#[test]
fn a_port_that_goes_down_is_forgotten() {
    for version in VERSIONS {
        for (reason, up) in [(2, false), (1, true)] {
            let mut net = Net::new(version, Settings::default());
            net.packet(2, None, &frame(ALL, B));
            net.packet(3, None, &frame(ALL, A));
            net.lab.at(net.s).clear();
            let status = net.lab.at(net.s).port_status(2, reason, up);
            net.lab.send(net.s, &status);
            let from = Match::new().in_port(PortNo(2));
            assert_eq!(net.deletes(), [(Match::ALL, Some(PortNo(2))), (from, None)]);
            net.packet(1, None, &frame(B, A + 5));
            assert!(net.flooded());
            net.packet(1, Some(1), &frame(A, A + 5));
            assert_eq!(net.installed(), [3], "others stay");
        }
    }
}

#[test]
fn a_truncated_frame_is_never_sent_on() {
    for version in VERSIONS {
        let mut net = Net::new(version, Settings::default());
        net.packet(2, None, &frame(ALL, B));
        for dst in [B, ALL] {
            net.lab.at(net.s).clear();
            let cut = net.lab.at(net.s).truncated_packet_in(1, None, &frame(dst, A), 1000);
            net.lab.send(net.s, &cut);
            assert!(net.lab.at(net.s).packet_outs().is_empty());
        }
        net.lab.at(net.s).clear();
        let cut = net.lab.at(net.s).truncated_packet_in(1, Some(4), &frame(B, A), 1000);
        net.lab.send(net.s, &cut);
        assert_eq!(net.lab.at(net.s).adds()[0].buffer, Some(4), "the switch has all of it");
        net.packet(1, None, &[1; 13]);
        assert!(net.lab.at(net.s).seen.is_empty(), "not even a header");
    }
}

#[test]
fn the_table_is_bounded_and_aged_entries_make_room() {
    let max = 1_000_000;
    assert_eq!(Settings::default().max_macs, max);
    let mut net = Net::new(Version::V1_0, Settings::default());
    // A second switch shares the bound.
    let other = net.lab.switch(0, Version::V1_0, 2);
    let mut stream = Vec::new();
    for n in 0..max as u64 {
        stream.extend(net.lab.at(other).packet_in(2, Some(1), &frame(ALL, 0x0400_0000_0000 | n)));
        if stream.len() > 1 << 19 || n + 1 == max as u64 {
            let to = if n % 2 == 0 { other } else { net.s };
            net.lab.send(to, &std::mem::take(&mut stream));
            net.lab.at(to).clear();
        }
    }
    net.packet(9, None, &frame(ALL, B));
    net.packet(1, None, &frame(B, A));
    assert!(net.flooded(), "one more is not learnt");
    assert_eq!(net.lab.controller(0).counters().app_table_full, 2, "both hosts");
    net.lab.advance(Duration::from_secs(299));
    net.packet(9, None, &frame(ALL, B));
    net.packet(1, None, &frame(B, A));
    assert!(net.flooded());
    net.lab.advance(Duration::from_secs(2));
    net.packet(9, None, &frame(ALL, B));
    net.packet(1, Some(1), &frame(B, A));
    assert_eq!(net.installed(), [9]);
}

#[test]
fn a_switch_that_goes_gives_its_room_back_and_starts_clean() {
    let settings = Settings { max_macs: 2, ..Settings::default() };
    let mut net = Net::new(Version::V1_3, settings);
    net.packet(2, None, &frame(ALL, A));
    net.packet(2, None, &frame(ALL, B));
    net.lab.close(net.s);
    net.s = net.lab.switch(0, Version::V1_3, 1);
    assert!(net.deletes().contains(&(Match::ALL, None)), "flows of before are removed");
    net.packet(1, None, &frame(B, A));
    assert!(net.flooded());
    net.packet(2, None, &frame(ALL, B));
    net.packet(1, Some(1), &frame(B, A));
    assert_eq!(net.installed(), [2]);
}

#[test]
fn an_address_that_moves_too_often_is_a_loop_and_is_not_flooded_for_five_seconds() {
    let mut net = Net::new(Version::V1_3, Settings::default());
    net.packet(1, None, &frame(ALL, A));
    for n in 0..5 {
        net.packet(2 + n % 2, None, &frame(ALL, A));
        assert_eq!(net.lab.at(net.s).packet_outs().len(), 1, "move {n} is believed");
    }
    net.packet(3, None, &frame(ALL, A));
    assert!(
        !net.deletes().is_empty() && net.lab.at(net.s).packet_outs().is_empty(),
        "the last move's deletes"
    );
    for n in 0..20 {
        net.packet(2 + n % 2, None, &frame(ALL, A));
        assert!(net.lab.at(net.s).seen.is_empty(), "no flood, no delete");
        net.lab.advance(Duration::from_millis(200));
    }
    net.packet(4, None, &frame(ALL, B));
    assert!(net.flooded(), "others are not held back");
    net.packet(1, Some(1), &frame(B, A));
    assert!(net.installed().is_empty());
    assert_eq!(net.lab.at(net.s).packet_outs()[0].outputs, [PortNo(4)], "what is known is still forwarded");
    net.lab.advance(Duration::from_millis(1_100));
    net.packet(1, None, &frame(ALL, A));
    assert_eq!(net.lab.at(net.s).packet_outs().len(), 1, "after 5 s");
}

#[test]
fn a_host_that_flaps_and_settles_is_reached_where_it_settled() {
    for version in VERSIONS {
        for settles in [2, 3, 5] {
            let mut net = Net::new(version, Settings::default());
            net.packet(4, None, &frame(ALL, B));
            net.packet(1, None, &frame(ALL, A));
            for n in 0..6 {
                net.packet(2 + n % 2, None, &frame(ALL, A));
            }
            let (vlan, a) = (Match::new().vlan(VlanMatch::Untagged), MacAddr::from_u64(A));
            let deletes = net.deletes();
            assert!(deletes.contains(&(vlan.eth_dst(a), None)), "the sixth move too removes the flows");
            assert!(deletes.contains(&(vlan.eth_src(a), None)));

            // While it is held no flow carries it past us, or anybody to it.
            net.packet(settles, None, &frame(B, A));
            assert!(net.lab.at(net.s).flow_mods().is_empty());
            assert_eq!(net.lab.at(net.s).packet_outs()[0].outputs, [PortNo(4)]);
            net.packet(4, Some(3), &frame(A, B));
            assert!(net.lab.at(net.s).flow_mods().is_empty());
            let out = net.lab.at(net.s).packet_outs().remove(0);
            assert_eq!((out.buffer, out.outputs), (Some(3), vec![PortNo(settles)]));

            // It is heard where it settled: from then on there are flows, and they lead there.
            net.lab.advance(Duration::from_millis(5_000));
            net.packet(settles, Some(1), &frame(B, A));
            assert_eq!(net.installed(), [4]);
            net.packet(4, Some(1), &frame(A, B));
            assert_eq!(net.installed(), [settles]);
            // And its next move is a move.
            net.packet(6, None, &frame(ALL, A));
            assert!(net.deletes().contains(&(vlan.eth_dst(a), None)));
            net.packet(4, Some(1), &frame(A, B));
            assert_eq!(net.installed(), [6]);
        }
    }
}

#[test]
fn five_moves_a_second_are_no_loop() {
    let mut net = Net::new(Version::V1_3, Settings::default());
    for n in 0..40 {
        net.packet(1 + n % 2, None, &frame(ALL, A));
        assert_eq!(net.lab.at(net.s).packet_outs().len(), 1, "move {n}");
        net.lab.advance(Duration::from_millis(201));
    }
}

#[test]
fn a_hub_floods_all_but_link_local() {
    for version in VERSIONS {
        let mut net = Net::with(Controller::builder().app("hub", |_| Hub).build_cores(1).unwrap(), version);
        net.packet(2, None, &frame(A, B));
        net.packet(1, None, &frame(B, A));
        assert!(net.flooded(), "it learns nothing");
        net.packet(1, Some(3), &frame(0x0180_c200_000e, A));
        assert!(net.lab.at(net.s).seen.is_empty());
    }
}

#[test]
fn the_registry_has_both() {
    let mut apps = ferroflow_apps::registry();
    assert_eq!(apps.list().map(|(n, _)| n).collect::<Vec<_>>(), ["learning-switch", "hub"]);
    assert!(apps.take("hub").is_ok());
    let unknown = apps.take("hubb").err().unwrap();
    assert_eq!(unknown.to_string(), "there is no app `hubb`; there are: learning-switch");
}
