use ferroflow_openflow::{Encode, ErrorMsg, Hello, OFP_NO_BUFFER, Version, v10, v13};

use super::*;
use crate::switch::dialect::put;

struct Rig {
    switch: EmulatedSwitch,
    out: SendRing,
    now: Instant,
}

impl Rig {
    fn new(config: EmulatedConfig) -> Rig {
        let mut rig = Rig {
            switch: EmulatedSwitch::new(config),
            out: SendRing::new(1 << 20),
            now: Instant::from_secs(1),
        };
        rig.switch.connected(&mut rig.out);
        rig
    }

    fn up(version: Dialect, n_buffers: u32) -> Rig {
        let mut rig = Rig::new(EmulatedConfig { version, n_buffers, ..EmulatedConfig::with_hosts(9, 4) });
        match version {
            Dialect::V10 => rig.feed(&v10::FeaturesRequest { xid: 1 }),
            Dialect::V13 => rig.feed(&v13::FeaturesRequest { xid: 1 }),
        }
        rig.take();
        rig
    }

    fn feed(&mut self, m: &impl Encode) {
        self.feed_bytes(&m.to_vec()).expect("accepted");
    }

    fn feed_bytes(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        self.switch.receive(&mut Rx::new(bytes, &[]), &mut self.out, self.now)
    }

    /// The messages sent since the last call.
    fn take(&mut self) -> Vec<Vec<u8>> {
        let mut all = vec![0; self.out.len()];
        self.out.copy_out(0, &mut all);
        self.out.consume(all.len());
        let (mut splitter, mut rest, mut messages) = (Splitter::default(), &all[..], Vec::new());
        while let Some(m) = splitter.next(&mut rest).expect("framed") {
            messages.push(m.to_vec());
        }
        messages
    }

    fn one(&mut self) -> Vec<u8> {
        let mut all = self.take();
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    fn error(&mut self) -> (u16, u16) {
        let m = self.one();
        let e = ErrorMsg::parse(&m).expect("an error").error;
        (e.ty, e.code)
    }

    fn inject(&mut self, port: u32, frame: &[u8]) {
        self.switch.inject(port, frame.to_vec(), self.now, Some(&mut self.out));
    }

    fn sent(&self, port: u32) -> u64 {
        self.switch.ports[port as usize - 1].counters.tx_packets
    }

    fn sent_by_port(&self) -> Vec<u64> {
        (1..=4).map(|p| self.sent(p)).collect()
    }
}

/// A frame that no host answers.
fn frame(src: u8, dst: u8) -> Vec<u8> {
    let mut f = vec![0; 200];
    f[5] = dst;
    f[11] = src;
    f[12..14].copy_from_slice(&[0x88, 0xb5]);
    f
}

fn add_10(matching: v10::Match, out: u16) -> v10::FlowMod<Vec<v10::Action<'static>>> {
    v10::FlowMod { xid: 5, ..v10::FlowMod::new(matching, vec![v10::Action::output(out)]) }
}

#[test]
fn handshake_in_both_versions() {
    let mut rig = Rig::new(EmulatedConfig { n_buffers: 7, ..EmulatedConfig::with_hosts(0xabc, 3) });
    let hello = Hello::parse(&rig.one()).expect("HELLO");
    assert_eq!((hello.version, hello.bitmap), (Version::V1_0, None));
    rig.feed(&Hello { version: Version::V1_3, xid: 1, bitmap: None });
    assert_eq!(rig.switch.stage(), Stage::Hello);
    rig.feed(&v10::FeaturesRequest { xid: 77 });
    let m = rig.one();
    let f = v10::FeaturesReply::parse(&m).expect("features");
    assert_eq!((f.xid, f.datapath_id, f.n_buffers), (77, 0xabc, 7));
    assert_eq!(f.ports.iter().map(|p| p.port_no).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(rig.switch.stage(), Stage::Up);

    let mut rig = Rig::up(Dialect::V13, 0);
    rig.feed(&v13::MultipartRequest::port_desc(3));
    let m = rig.one();
    let v13::MultipartReplyBody::PortDesc(ports) = v13::MultipartReply::parse(&m).expect("reply").body else {
        panic!("port descriptions")
    };
    assert_eq!(ports.iter().map(|p| p.port_no).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert!(ports.iter().all(|p| p.is_live()));
}

#[test]
fn a_version_that_is_not_ours_is_refused_with_an_error() {
    let mut rig = Rig::new(EmulatedConfig { version: Dialect::V13, ..EmulatedConfig::with_hosts(1, 1) });
    rig.take();
    let hello = Hello { version: Version::V1_0, xid: 1, bitmap: None };
    assert_eq!(rig.feed_bytes(&hello.to_vec()), Err(Refused::Version(Dialect::V13)));
    assert_eq!(rig.error(), (0, 0));
}

#[test]
fn requests_are_answered() {
    let mut rig = Rig::up(Dialect::V10, 0);
    put(&mut SendRing::new(64), &v10::BarrierRequest { xid: 1 });
    rig.feed(&v10::BarrierRequest { xid: 8 });
    assert_eq!(v10::BarrierReply::parse(&rig.one()), Ok(v10::BarrierReply { xid: 8 }));
    rig.feed(&v10::SetConfig { xid: 1, flags: 0, miss_send_len: 99 });
    rig.feed(&v10::GetConfigRequest { xid: 2 });
    assert_eq!(v10::GetConfigReply::parse(&rig.one()).expect("config").miss_send_len, 99);
    rig.feed(&v10::StatsRequest::desc(4));
    let m = rig.one();
    let v10::StatsReplyBody::Desc(d) = v10::StatsReply::parse(&m).expect("reply").body else {
        panic!("desc")
    };
    assert_eq!(d.mfr_desc, b"Ferroflow");
    rig.inject(2, &frame(1, 2));
    rig.take();
    rig.feed(&v10::StatsRequest::port(4, v10::OFPP_NONE));
    let m = rig.one();
    let v10::StatsReplyBody::Port(p) = v10::StatsReply::parse(&m).expect("reply").body else {
        panic!("ports")
    };
    let received: Vec<_> = p.iter().map(|p| (p.port_no, p.counters.rx_packets)).collect();
    assert_eq!(received, [(1, 0), (2, 1), (3, 0), (4, 0)]);
    let mut echo = vec![1, 2, 0, 11, 0, 0, 0, 9, 1, 2, 3];
    rig.feed_bytes(&echo).expect("accepted");
    echo[1] = 3;
    assert_eq!(rig.one(), echo);
    // OFPT_PORT_MOD and a flow statistics request: not of its world.
    rig.feed_bytes(&[1, 15, 0, 8, 0, 0, 0, 1]).expect("accepted");
    assert_eq!(rig.error(), (1, 1));
    rig.feed_bytes(&[1, 16, 0, 12, 0, 0, 0, 1, 0, 1, 0, 0]).expect("accepted");
    assert_eq!(rig.error(), (1, 2));
    rig.feed(&v13::BarrierRequest { xid: 8 });
    assert_eq!(rig.error(), (1, 0), "another version");
}

#[test]
fn misses_go_to_a_1_0_controller_and_nowhere_in_1_3() {
    let mut rig = Rig::up(Dialect::V10, 0);
    rig.inject(3, &frame(1, 2));
    let m = rig.one();
    let p = v10::PacketIn::parse(&m).expect("packet_in");
    assert_eq!((p.in_port, p.reason, p.buffer_id), (3, v10::PacketInReason::OFPR_NO_MATCH, OFP_NO_BUFFER));
    assert_eq!(p.data, frame(1, 2), "without a buffer it is whole");
    let mut rig = Rig::up(Dialect::V13, 0);
    rig.inject(3, &frame(1, 2));
    assert!(rig.take().is_empty());
    let apply = [v13::Instruction::ApplyActions(&[v13::Action::controller()][..])];
    let none: &[v13::Oxm<'_>] = &[];
    rig.feed(&v13::FlowMod { priority: 0, cookie: 4, ..v13::FlowMod::new(none, &apply[..]) });
    rig.inject(3, &frame(1, 2));
    let m = rig.one();
    let p = v13::PacketIn::parse(&m).expect("packet_in");
    assert_eq!((p.matching.in_port(), p.reason, p.cookie), (Some(3), v13::PacketInReason::OFPR_NO_MATCH, 4));
    assert_eq!(p.data.len(), 200);
}

#[test]
fn buffers_hold_the_newest_packets_once() {
    let mut rig = Rig::up(Dialect::V10, 2);
    for src in 1..=3 {
        rig.inject(1, &frame(src, 9));
    }
    let ins = rig.take();
    let ids: Vec<_> = ins.iter().map(|m| v10::PacketIn::parse(m).expect("packet_in").buffer_id).collect();
    assert_eq!(ids, [0, 1, 2]);
    let first = v10::PacketIn::parse(&ins[0]).expect("packet_in");
    assert_eq!((first.total_len, first.data.len()), (200, 128), "miss_send_len's default");
    let flood = [v10::Action::output(v10::OFPP_FLOOD)];
    rig.feed(&v10::PacketOut { xid: 1, ..v10::PacketOut::of_buffer(1, &flood[..], 0) });
    assert_eq!(rig.error(), (1, 7), "overwritten");
    rig.feed(&v10::PacketOut::of_buffer(1, &flood[..], 1));
    assert!(rig.take().is_empty());
    assert_eq!(rig.sent_by_port(), [0, 1, 1, 1], "a flood spares the input port");
    rig.feed(&v10::PacketOut::of_buffer(1, &flood[..], 1));
    assert_eq!(rig.error(), (1, 7), "used up");
    rig.feed(&v10::PacketOut::of_buffer(1, &flood[..], 1000));
    assert_eq!(rig.error(), (1, 8), "never was");
    // A flow_mod that names the buffer sends the packet and installs the flow.
    let to_9 = v10::Match::ANY.dl_dst([0, 0, 0, 0, 0, 9]);
    rig.feed(&v10::FlowMod { buffer_id: 2, ..add_10(to_9, 4) });
    assert_eq!(rig.sent_by_port(), [0, 1, 1, 2]);
    rig.inject(1, &frame(7, 9));
    assert_eq!(rig.sent_by_port(), [0, 1, 1, 3]);
    assert!(rig.take().is_empty());
    assert_eq!(rig.switch.counters().buffered, 3);
}

#[test]
fn packet_out_goes_where_it_says() {
    for version in [Dialect::V10, Dialect::V13] {
        let mut rig = Rig::up(version, 0);
        let f = frame(1, 2);
        let mut send = |to_10: u16, to_13: u32, in_port: u32| match version {
            Dialect::V10 => {
                rig.feed(&v10::PacketOut::of_data(in_port as u16, &[v10::Action::output(to_10)][..], &f));
                rig.sent_by_port()
            }
            Dialect::V13 => {
                rig.feed(&v13::PacketOut::of_data(in_port, &[v13::Action::output(to_13)][..], &f));
                rig.sent_by_port()
            }
        };
        assert_eq!(send(2, 2, 1), [0, 1, 0, 0], "{version:?}");
        assert_eq!(send(2, 2, 2), [0, 1, 0, 0], "{version:?}: not out of the input port");
        assert_eq!(send(v10::OFPP_IN_PORT, v13::OFPP_IN_PORT, 3), [0, 1, 1, 0], "{version:?}");
        assert_eq!(send(v10::OFPP_ALL, v13::OFPP_ALL, 1), [0, 2, 2, 1], "{version:?}");
        assert_eq!(send(99, 99, 1), [0, 2, 2, 1], "{version:?}: no such port");
        // Not from a port at all: a flood reaches every one.
        let (none_10, controller) = (u32::from(v10::OFPP_NONE), v13::OFPP_CONTROLLER);
        let from = if version == Dialect::V10 { none_10 } else { controller };
        assert_eq!(send(v10::OFPP_FLOOD, v13::OFPP_FLOOD, from), [1, 3, 3, 2], "{version:?}");
        // Through the table: there is no flow, so in 1.0 it comes back as a packet_in.
        send(v10::OFPP_TABLE, v13::OFPP_TABLE, 1);
        assert_eq!(rig.take().len(), usize::from(version == Dialect::V10));
    }
}

#[test]
fn flow_mods_of_every_command() {
    let mut rig = Rig::up(Dialect::V10, 0);
    let m = v10::Match::ANY.in_port(1).dl_vlan(v10::OFP_VLAN_NONE).dl_dst([0, 0, 0, 0, 0, 9]);
    rig.feed(&v10::FlowMod { flags: v10::OFPFF_SEND_FLOW_REM, cookie: 6, ..add_10(m, 2) });
    rig.inject(1, &frame(1, 9));
    assert_eq!(rig.sent_by_port(), [0, 1, 0, 0]);
    rig.feed(&v10::FlowMod { command: v10::FlowModCommand::OFPFC_MODIFY, ..add_10(v10::Match::ANY, 3) });
    rig.inject(1, &frame(1, 9));
    assert_eq!(rig.sent_by_port(), [0, 1, 1, 0]);
    let strict = v10::FlowModCommand::OFPFC_DELETE_STRICT;
    rig.feed(&v10::FlowMod { command: strict, ..add_10(v10::Match::ANY, 3) });
    assert_eq!(rig.switch.flows().len(), 1);
    let delete = v10::FlowModCommand::OFPFC_DELETE;
    rig.feed(&v10::FlowMod { command: delete, out_port: 2, ..add_10(v10::Match::ANY, 3) });
    assert_eq!(rig.switch.flows().len(), 1, "it goes to port 3 by now");
    assert!(rig.take().is_empty());
    rig.feed(&v10::FlowMod { command: delete, out_port: 3, ..add_10(v10::Match::ANY, 3) });
    let r = v10::FlowRemoved::parse(&rig.one()).expect("flow_removed");
    assert_eq!((r.matching, r.cookie, r.packet_count, r.byte_count), (m, 6, 2, 400));
    assert_eq!(r.reason, v10::FlowRemovedReason::OFPRR_DELETE);
    assert_eq!(rig.switch.flows().len(), 0);
    // OF 1.0: a modify that finds nothing adds.
    rig.feed(&v10::FlowMod { command: v10::FlowModCommand::OFPFC_MODIFY_STRICT, ..add_10(m, 2) });
    assert_eq!(rig.switch.flows().len(), 1);
    rig.feed(&v10::FlowMod { command: v10::FlowModCommand(9), ..add_10(m, 2) });
    assert_eq!(rig.error(), (3, 4));
}

#[test]
fn cookie_filter_and_flow_removed_in_1_3() {
    let mut rig = Rig::up(Dialect::V13, 0);
    let apply = [v13::Instruction::ApplyActions(&[v13::Action::output(2)][..])];
    for n in 1..=3u8 {
        let matching =
            [v13::Oxm::InPort(1), v13::Oxm::EthDst([0, 0, 0, 0, 0, n], None), v13::Oxm::VlanVid(0, None)];
        let f = v13::FlowMod::new(&matching[..], &apply[..]);
        rig.feed(&v13::FlowMod { cookie: u64::from(n) << 48, flags: 1, idle_timeout: n.into(), ..f });
    }
    let none: &[v13::Oxm<'_>] = &[];
    let delete = v13::FlowModCommand::OFPFC_DELETE;
    let f = v13::FlowMod::new(none, &[] as &[v13::Instruction<'_>]);
    rig.feed(&v13::FlowMod { command: delete, cookie: 2 << 48, cookie_mask: 0xffff << 48, ..f });
    let m = rig.one();
    let r = v13::FlowRemoved::parse(&m).expect("flow_removed");
    assert_eq!((r.cookie, r.reason), (2 << 48, v13::FlowRemovedReason::OFPRR_DELETE));
    assert!(r.matching.iter().any(|o| o == v13::Oxm::EthDst([0, 0, 0, 0, 0, 2], None)));
    assert!(r.matching.iter().any(|o| o == v13::Oxm::VlanVid(0, None)));
    rig.now += std::time::Duration::from_secs(1);
    rig.switch.expire(rig.now, Some(&mut rig.out));
    let m = rig.one();
    let r = v13::FlowRemoved::parse(&m).expect("flow_removed");
    assert_eq!(
        (r.cookie, r.reason, r.duration_sec),
        (1 << 48, v13::FlowRemovedReason::OFPRR_IDLE_TIMEOUT, 1)
    );
    // From 1.1 on a modify that finds nothing does nothing.
    let modify = v13::FlowModCommand::OFPFC_MODIFY;
    rig.feed(&v13::FlowMod { command: modify, cookie: 77, cookie_mask: u64::MAX, ..f });
    assert_eq!(rig.switch.flows().len(), 1);
}

#[test]
fn what_it_cannot_do_is_an_error() {
    let mut rig = Rig::new(EmulatedConfig { flows_max: 1, ..EmulatedConfig::with_hosts(1, 4) });
    rig.take();
    rig.feed(&add_10(v10::Match::ANY.in_port(1), 2));
    rig.feed(&add_10(v10::Match::ANY.in_port(2), 2));
    assert_eq!(rig.error(), (3, 0), "table full");
    rig.feed(&add_10(v10::Match::ANY.in_port(1).tp_dst(80), 2));
    assert_eq!(rig.error(), (3, 5), "a match on layer 4");
    let strip = v10::FlowMod::new(v10::Match::ANY, [v10::Action::StripVlan]);
    rig.feed(&strip);
    assert_eq!(rig.error(), (2, 0));
    let mut rig = Rig::up(Dialect::V13, 0);
    let apply = [v13::Instruction::ApplyActions(&[v13::Action::output(2)][..])];
    rig.feed(&v13::FlowMod::new(&[v13::Oxm::TcpDst(80)][..], &apply[..]));
    assert_eq!(rig.error(), (4, 6));
    let none: &[v13::Oxm<'_>] = &[];
    rig.feed(&v13::FlowMod::new(none, &[v13::Instruction::<v13::Actions<'_>>::GotoTable(1)][..]));
    assert_eq!(rig.error(), (3, 1));
    assert_eq!(rig.switch.counters().errors_sent, 2);
}

#[test]
fn ports_that_are_down_carry_nothing_and_are_reported() {
    let mut rig = Rig::up(Dialect::V13, 0);
    rig.switch.set_port(2, false, Some(&mut rig.out));
    let m = rig.one();
    let s = v13::PortStatus::parse(&m).expect("port_status");
    assert_eq!((s.desc.port_no, s.desc.is_live()), (2, false));
    rig.switch.set_port(2, false, Some(&mut rig.out));
    assert!(rig.take().is_empty(), "nothing changed");
    let flood = [v13::Action::output(v13::OFPP_FLOOD)];
    rig.feed(&v13::PacketOut::of_data(1, &flood[..], &frame(1, 2)));
    assert_eq!(rig.sent_by_port(), [0, 0, 1, 1]);
    rig.inject(2, &frame(1, 2));
    assert_eq!(rig.switch.counters().table_misses, 0);
}

#[test]
fn no_room_stops_reading() {
    let mut rig = Rig::up(Dialect::V10, 0);
    rig.out = SendRing::new(4096);
    rig.out.write(&[0; 3000]);
    let m = v10::BarrierRequest { xid: 1 }.to_vec();
    let mut rx = Rx::new(&m, &[]);
    rig.switch.receive(&mut rx, &mut rig.out, rig.now).expect("accepted");
    assert_eq!(rx.remaining(), 8);
    assert!(rig.out.is_short(), "asks for room");
    rig.out.consume(3000);
    rig.switch.receive(&mut rx, &mut rig.out, rig.now).expect("accepted");
    assert_eq!((rx.remaining(), rig.out.len()), (0, 8));
}

#[test]
fn random_bytes_do_no_harm() {
    for seed in 0..300u64 {
        eprintln!("seed {seed}"); // shown when it fails
        let mut rng = fastrand::Rng::with_seed(seed);
        for version in [Dialect::V10, Dialect::V13] {
            let mut rig = Rig::up(version, 4);
            let mut bytes: Vec<u8> = (0..rng.usize(8..600)).map(|_| rng.u8(..)).collect();
            // Often enough a plausible header.
            bytes[0] = version.version().0;
            bytes[1] = rng.u8(..24);
            let len = rng.usize(8..=bytes.len()) as u16;
            bytes[2..4].copy_from_slice(&len.to_be_bytes());
            let _ = rig.feed_bytes(&bytes);
            rig.inject(1, &bytes);
        }
    }
}
