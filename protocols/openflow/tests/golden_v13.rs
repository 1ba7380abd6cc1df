//! OpenFlow 1.3 messages written by hand from the specification (1.3.5), both ways.

mod common;

use common::{golden, hex};
use ferroflow_openflow::v13::*;
use ferroflow_openflow::{
    DecodeError, Desc, Encode, ErrorCode, ErrorMsg, FixedStr, OFP_NO_BUFFER, PortCounters, Reason,
};
use std::net::{Ipv4Addr, Ipv6Addr};

const MAC1: [u8; 6] = [2, 0, 0, 0, 0, 1];
const MAC2: [u8; 6] = [2, 0, 0, 0, 0, 2];

#[test]
fn header_only_messages() {
    golden("04 05 0008 00000001", &FeaturesRequest { xid: 1 }, FeaturesRequest::parse);
    golden("04 07 0008 00000002", &GetConfigRequest { xid: 2 }, GetConfigRequest::parse);
    golden("04 14 0008 00000003", &BarrierRequest { xid: 3 }, BarrierRequest::parse);
    golden("04 15 0008 00000004", &BarrierReply { xid: 4 }, BarrierReply::parse);
}

#[test]
fn error_names() {
    let bytes = hex("04 01 000c 00000009 0005 0003");
    let error = ErrorMsg::parse(&bytes).unwrap();
    assert_eq!(error.to_string(), "OFPET_FLOW_MOD_FAILED/OFPFMFC_OVERLAP");
    let of = |ty, code| ErrorMsg { error: ErrorCode { ty, code }, ..error }.to_string();
    assert_eq!(of(4, 9), "OFPET_BAD_MATCH/OFPBMC_BAD_PREREQ");
    assert_eq!(of(1, 8), "OFPET_BAD_REQUEST/OFPBRC_BUFFER_UNKNOWN");
    assert_eq!(of(3, 7), "OFPET_BAD_INSTRUCTION/OFPBIC_BAD_LEN");
    assert_eq!(of(13, 5), "OFPET_TABLE_FEATURES_FAILED/OFPTFFC_EPERM");
    assert_eq!(of(0xffff, 5), "OFPET_EXPERIMENTER/code 5");
    assert_eq!(of(5, 99), "OFPET_FLOW_MOD_FAILED/code 99");
}

#[test]
fn features_reply() {
    golden(
        "04 06 0020 0000000a
         0000aabb ccddeeff           # datapath_id
         00000100 fe 01 0000         # n_buffers 256, n_tables 254, auxiliary_id 1, pad
         0000014f 00000000           # capabilities, reserved",
        &FeaturesReply {
            xid: 10,
            datapath_id: 0xaabb_ccdd_eeff,
            n_buffers: 256,
            n_tables: 254,
            auxiliary_id: 1,
            capabilities: OFPC_FLOW_STATS
                | OFPC_TABLE_STATS
                | OFPC_PORT_STATS
                | OFPC_GROUP_STATS
                | OFPC_QUEUE_STATS
                | OFPC_PORT_BLOCKED,
        },
        FeaturesReply::parse,
    );
}

#[test]
fn config() {
    let reply = GetConfigReply { xid: 1, flags: OFPC_FRAG_REASM, miss_send_len: 128 };
    golden("04 08 000c 00000001 0002 0080", &reply, GetConfigReply::parse);
    let set = SetConfig { xid: 2, flags: OFPC_FRAG_NORMAL, miss_send_len: OFPCML_NO_BUFFER };
    golden("04 09 000c 00000002 0000 ffff", &set, SetConfig::parse);
}

#[test]
fn packet_in() {
    let bytes = hex("04 0a 002d 00000000
         ffffffff 0003 01 02         # OFP_NO_BUFFER, total_len 3, OFPR_ACTION, table 2
         0000000000001234            # cookie
         0001 000c 80000004 00000007 00000000    # OFPMT_OXM, 12 bytes, in_port 7, pad
         0000 aabbcc                 # pad, data");
    let built = PacketIn {
        xid: 0,
        buffer_id: OFP_NO_BUFFER,
        total_len: 3,
        reason: PacketInReason::OFPR_ACTION,
        table_id: 2,
        cookie: 0x1234,
        matching: [Oxm::InPort(7)],
        data: &[0xaa, 0xbb, 0xcc],
    };
    assert_eq!(built.to_vec(), bytes);
    let seen = PacketIn::parse(&bytes).unwrap();
    assert_eq!(
        (seen.buffer_id, seen.total_len, seen.reason, seen.table_id),
        (OFP_NO_BUFFER, 3, built.reason, 2)
    );
    assert_eq!((seen.cookie, seen.in_port(), seen.data), (0x1234, Some(7), built.data));
    assert!(!seen.is_truncated());
    assert_eq!(seen.to_vec(), bytes);
}

#[test]
fn packet_in_port_behind_unknown_fields() {
    let bytes = hex("04 0a 0042 00000000
         00000001 0003 00 00 0000000000000000
         0001 0024                   # 4 + 8 + 12 + 8 + 4 = 36 bytes
         00010204 00000001           # class NXM_1, field 1: unknown here
         ffff0008 00002320 00000009  # an experimenter's
         80000004 00000009           # in_port
         80005000                    # basic class, field 40: unknown, and empty
         00000000                    # to a multiple of 8
         0000");
    let seen = PacketIn::parse(&bytes).unwrap();
    assert_eq!(seen.in_port(), Some(9));
    assert_eq!(seen.matching.iter().count(), 4);
    assert_eq!(seen.data, []);
    assert_eq!(seen.to_vec(), bytes);
}

#[test]
fn packet_out() {
    let bytes = hex("04 0d 002b 00000011
         ffffffff 00000002           # OFP_NO_BUFFER, in_port 2
         0010 000000000000           # 16 bytes of actions, pad
         0000 0010 fffffffb 0000 000000000000    # OFPAT_OUTPUT to OFPP_FLOOD, max_len, pad
         010203");
    let actions = [Action::output(OFPP_FLOOD)];
    let built = PacketOut { xid: 0x11, ..PacketOut::of_data(2, &actions, &[1, 2, 3]) };
    assert_eq!(built.to_vec(), bytes);
    let seen = PacketOut::parse(&bytes).unwrap();
    assert_eq!((seen.xid, seen.buffer_id, seen.in_port, seen.data), (0x11, OFP_NO_BUFFER, 2, &[1, 2, 3][..]));
    assert_eq!(seen.actions.iter().collect::<Vec<_>>(), actions);
    let buffered = PacketOut::of_buffer(OFPP_CONTROLLER, Actions::default(), 9);
    assert_eq!(buffered.to_vec(), hex("04 0d 0018 00000000 00000009 fffffffd 0000 000000000000"));
}

#[test]
fn learning_switch_flow_mod() {
    let bytes = hex("04 0e 0070 00000005
         0001000000000042 ffff000000000000   # cookie, cookie_mask
         00 00 003c 0000 000a        # table 0, OFPFC_ADD, idle 60, hard 0, priority 10
         00000063 ffffffff ffffffff  # buffer 99, OFPP_ANY, OFPG_ANY
         0001 0000                   # OFPFF_SEND_FLOW_REM, pad
         0001 0026                   # OFPMT_OXM, 4 + 8 + 10 + 10 + 6 = 38 bytes
         80000004 00000001           # in_port
         80000606 020000000002       # eth_dst
         80000806 020000000001       # eth_src
         80000c02 1064               # vlan_vid: OFPVID_PRESENT and 100
         0000                        # to a multiple of 8
         0004 0018 00000000          # OFPIT_APPLY_ACTIONS, 24 bytes
         0000 0010 00000002 0000 000000000000");
    let built = FlowMod {
        xid: 5,
        cookie: 0x0001_0000_0000_0042,
        cookie_mask: 0xffff_0000_0000_0000,
        idle_timeout: 60,
        priority: 10,
        buffer_id: 99,
        flags: OFPFF_SEND_FLOW_REM,
        ..FlowMod::new(
            [
                Oxm::InPort(1),
                Oxm::EthDst(MAC2, None),
                Oxm::EthSrc(MAC1, None),
                Oxm::VlanVid(OFPVID_PRESENT | 100, None),
            ],
            [Instruction::ApplyActions([Action::output(2)])],
        )
    };
    assert_eq!(built.to_vec(), bytes);
    let seen = FlowMod::parse(&bytes).unwrap();
    assert_eq!(
        (seen.xid, seen.cookie, seen.cookie_mask, seen.table_id),
        (5, built.cookie, built.cookie_mask, 0)
    );
    assert_eq!((seen.command, seen.idle_timeout, seen.hard_timeout), (FlowModCommand::OFPFC_ADD, 60, 0));
    assert_eq!((seen.priority, seen.buffer_id, seen.flags), (10, 99, OFPFF_SEND_FLOW_REM));
    assert_eq!((seen.out_port, seen.out_group), (OFPP_ANY, OFPG_ANY));
    assert_eq!(seen.matching.iter().collect::<Vec<_>>(), built.matching);
    let instructions: Vec<_> = seen.instructions.iter().collect();
    let [Instruction::ApplyActions(actions)] = instructions[..] else { panic!("{instructions:?}") };
    assert_eq!(actions.iter().collect::<Vec<_>>(), [Action::output(2)]);
    assert_eq!(seen.to_vec(), bytes);
}

#[test]
fn table_miss_flow_mod() {
    let bytes = hex("04 0e 0050 00000001
         0000000000000000 0000000000000000
         00 00 0000 0000 0000        # priority 0
         ffffffff ffffffff ffffffff 0000 0000
         0001 0004 00000000          # a match of nothing
         0004 0018 00000000
         0000 0010 fffffffd ffff 000000000000    # to OFPP_CONTROLLER, OFPCML_NO_BUFFER");
    let to_controller = [Instruction::ApplyActions([Action::controller()])];
    let built = FlowMod { xid: 1, priority: 0, ..FlowMod::new(Match::default(), to_controller) };
    assert_eq!(built.to_vec(), bytes);
    assert!(FlowMod::parse(&bytes).unwrap().matching.is_empty());
}

#[test]
fn delete_by_cookie_from_all_tables() {
    let bytes = hex("04 0e 0038 00000002
         0001000000000000 ffff000000000000
         ff 03 0000 0000 8000        # OFPTT_ALL, OFPFC_DELETE
         ffffffff 00000004 00000005 0000 0000    # out_port 4, out_group 5
         0001 0004 00000000");
    let built = FlowMod {
        xid: 2,
        cookie: 1 << 48,
        cookie_mask: 0xffff << 48,
        table_id: OFPTT_ALL,
        command: FlowModCommand::OFPFC_DELETE,
        out_port: 4,
        out_group: 5,
        ..FlowMod::new(Match::default(), Instructions::default())
    };
    assert_eq!(built.to_vec(), bytes);
    assert_eq!(FlowMod::parse(&bytes), Ok(built));
}

#[test]
fn fields_with_masks() {
    let fields = [
        Oxm::Metadata(1, Some(0xff)),
        Oxm::EthDst([1, 0, 0, 0, 0, 0], Some([1, 0, 0, 0, 0, 0])),
        Oxm::EthType(0x0800),
        Oxm::VlanVid(OFPVID_PRESENT, Some(OFPVID_PRESENT)),
        Oxm::VlanPcp(5),
        Oxm::IpProto(6),
        Oxm::Ipv4Src(Ipv4Addr::new(10, 0, 0, 0), Some(Ipv4Addr::new(255, 0, 0, 0))),
        Oxm::Ipv4Dst(Ipv4Addr::new(10, 0, 0, 2), None),
        Oxm::TcpDst(80),
        Oxm::UdpSrc(53),
        Oxm::Ipv6Dst(Ipv6Addr::LOCALHOST, None),
        Oxm::TunnelId(9, None),
    ];
    // 4 + 20 + 16 + 6 + 8 + 5 + 5 + 12 + 8 + 6 + 6 + 20 + 12 = 128 bytes.
    let bytes = hex("04 0b 00b0 00000000
         0000000000000000 0000 00 00 00000000 00000000 0000 0000 0000000000000000 0000000000000000
         0001 0080
         80000510 0000000000000001 00000000000000ff
         8000070c 010000000000 010000000000
         80000a02 0800
         80000d04 1000 1000
         80000e01 05
         80001401 06
         80001708 0a000000 ff000000
         80001804 0a000002
         80001c02 0050
         80001e02 0035
         80003610 00000000000000000000000000000001
         80004c08 0000000000000009");
    let seen = FlowRemoved::parse(&bytes).unwrap();
    assert_eq!(seen.matching.iter().collect::<Vec<_>>(), fields);
    assert_eq!(seen.matching.in_port(), None);
    assert_eq!(seen.to_vec(), bytes);
    assert_eq!(fields[1].name(), Some("OXM_OF_ETH_DST"));
}

#[test]
fn instructions_and_actions() {
    let text = "04 0e 00e0 00000000
         0000000000000000 0000000000000000 00 00 0000 0000 8000 ffffffff ffffffff ffffffff 0000 0000
         0001 0004 00000000
         0006 0008 00000007          # OFPIT_METER
         0005 0008 00000000          # OFPIT_CLEAR_ACTIONS
         0004 0078 00000000          # OFPIT_APPLY_ACTIONS, 120 bytes
         000b 0008 00000000          # COPY_TTL_OUT
         000f 0008 40 000000         # SET_MPLS_TTL
         0011 0008 8100 0000         # PUSH_VLAN
         0019 0010 80000c02 1064 000000000000    # SET_FIELD vlan_vid
         0012 0008 00000000          # POP_VLAN
         0013 0008 8847 0000         # PUSH_MPLS
         0014 0008 0800 0000         # POP_MPLS
         0015 0008 00000003          # SET_QUEUE
         0016 0008 00000004          # GROUP
         0017 0008 3f 000000         # SET_NW_TTL
         0018 0008 00000000          # DEC_NW_TTL
         ffff 0010 00002320 0000000000000001     # EXPERIMENTER
         0002 0018 00000000 0000000000000001 00000000000000ff    # OFPIT_WRITE_METADATA
         0001 0008 05 000000         # OFPIT_GOTO_TABLE";
    let bytes = hex(text);
    let experimenter = [0, 0, 0x23, 0x20, 0, 0, 0, 0, 0, 0, 0, 1];
    let actions = [
        Action::CopyTtlOut,
        Action::SetMplsTtl(64),
        Action::PushVlan(0x8100),
        Action::SetField(Oxm::VlanVid(OFPVID_PRESENT | 100, None)),
        Action::PopVlan,
        Action::PushMpls(0x8847),
        Action::PopMpls(0x800),
        Action::SetQueue(3),
        Action::Group(4),
        Action::SetNwTtl(63),
        Action::DecNwTtl,
        Action::Other { ty: ActionType::OFPAT_EXPERIMENTER, body: &experimenter },
    ];
    let instructions = [
        Instruction::Meter(7),
        Instruction::ClearActions,
        Instruction::ApplyActions(&actions),
        Instruction::WriteMetadata { metadata: 1, mask: 0xff },
        Instruction::GotoTable(5),
    ];
    let built = FlowMod::new(Match::default(), &instructions).to_vec();
    assert_eq!(built, bytes);
    let seen = FlowMod::parse(&bytes).unwrap();
    assert_eq!(seen.to_vec(), bytes);
    let list: Vec<_> = seen.instructions.iter().collect();
    assert_eq!(list[0], Instruction::Meter(7));
    let Instruction::ApplyActions(list) = list[2] else { panic!("{list:?}") };
    assert_eq!(list.iter().collect::<Vec<_>>(), actions);
}

#[test]
fn flow_removed() {
    let bytes = hex("04 0b 0040 00000000
         0000000000001234 000a 03 02 # cookie, priority, OFPRR_GROUP_DELETE, table 2
         00000005 00000006           # duration
         003c 0007                   # idle_timeout, hard_timeout
         0000000000000008 0000000000000009
         0001 000a 80000a02 86dd 000000000000    # eth_type");
    let built = FlowRemoved {
        xid: 0,
        cookie: 0x1234,
        priority: 10,
        reason: FlowRemovedReason::OFPRR_GROUP_DELETE,
        table_id: 2,
        duration_sec: 5,
        duration_nsec: 6,
        idle_timeout: 60,
        hard_timeout: 7,
        packet_count: 8,
        byte_count: 9,
        matching: [Oxm::EthType(0x86dd)],
    };
    assert_eq!(built.to_vec(), bytes);
    let seen = FlowRemoved::parse(&bytes).unwrap();
    assert_eq!((seen.cookie, seen.priority, seen.reason, seen.table_id), (0x1234, 10, built.reason, 2));
    assert_eq!((seen.duration_sec, seen.duration_nsec, seen.idle_timeout, seen.hard_timeout), (5, 6, 60, 7));
    assert_eq!((seen.packet_count, seen.byte_count), (8, 9));
}

fn port() -> (Port, &'static str) {
    let port = Port {
        port_no: 1,
        hw_addr: MAC1,
        name: FixedStr::new("eth1"),
        config: OFPPC_NO_RECV,
        state: OFPPS_LIVE,
        curr: OFPPF_10GB_FD,
        advertised: OFPPF_AUTONEG,
        supported: OFPPF_FIBER,
        peer: OFPPF_PAUSE,
        curr_speed: 10_000_000,
        max_speed: 20_000_000,
    };
    let text = "00000001 00000000 020000000001 0000     # port_no, pad, hw_addr, pad
         65746831 00000000 00000000 00000000         # name
         00000004 00000004           # OFPPC_NO_RECV, OFPPS_LIVE
         00000040 00002000 00001000 00004000         # features
         00989680 01312d00           # speeds";
    (port, text)
}

#[test]
fn port_status() {
    let (desc, text) = port();
    assert!(desc.is_live());
    golden(
        &format!("04 0c 0050 00000000 00 00000000000000 # OFPPR_ADD, pad\n {text}"),
        &PortStatus { xid: 0, reason: PortReason::OFPPR_ADD, desc },
        PortStatus::parse,
    );
}

#[test]
fn multipart_requests() {
    let desc = MultipartRequest::desc(1);
    let bytes = hex("04 12 0010 00000001 0000 0000 00000000");
    assert_eq!((desc.to_vec(), MultipartRequest::parse(&bytes)), (bytes.clone(), Ok(desc)));
    let ports = MultipartRequest::port_desc(2);
    let bytes = hex("04 12 0010 00000002 000d 0000 00000000");
    assert_eq!((ports.to_vec(), MultipartRequest::parse(&bytes)), (bytes.clone(), Ok(ports)));
    let stats = MultipartRequest::port_stats(3, OFPP_ANY);
    let bytes = hex("04 12 0018 00000003 0004 0000 00000000 ffffffff 00000000");
    assert_eq!((stats.to_vec(), MultipartRequest::parse(&bytes)), (bytes.clone(), Ok(stats)));
    let body = MultipartRequestBody::Other { ty: MultipartType::OFPMP_TABLE, body: &[7] };
    let other = MultipartRequest { xid: 4, flags: OFPMPF_REQ_MORE, body };
    let bytes = hex("04 12 0011 00000004 0003 0001 00000000 07");
    assert_eq!((other.to_vec(), MultipartRequest::parse(&bytes)), (bytes.clone(), Ok(other)));
}

#[test]
fn desc_reply() {
    let mut bytes = hex("04 13 0430 00000001 0000 0000 00000000");
    for (text, size) in [("Nicira", 256), ("OVS", 256), ("3.1", 256), ("None", 32), ("br0", 256)] {
        let mut field = text.as_bytes().to_vec();
        field.resize(size, 0);
        bytes.extend(field);
    }
    let desc =
        Desc { mfr_desc: b"Nicira", hw_desc: b"OVS", sw_desc: b"3.1", serial_num: b"None", dp_desc: b"br0" };
    assert_eq!(MultipartReply::parse(&bytes), Ok(MultipartReply::desc(1, desc)));
    assert_eq!(MultipartReply::desc(1, desc).to_vec(), bytes);
}

#[test]
fn port_desc_reply() {
    let (port, text) = port();
    let bytes = hex(&format!("04 13 0050 00000002 000d 0001 00000000\n {text}"));
    let built = MultipartReply { flags: OFPMPF_REPLY_MORE, ..MultipartReply::port_desc(2, [port]) };
    assert_eq!(built.to_vec(), bytes);
    let seen = MultipartReply::parse(&bytes).unwrap();
    assert!(seen.has_more());
    let MultipartReplyBody::PortDesc(ports) = seen.body else { panic!("{seen:?}") };
    assert_eq!(ports.iter().collect::<Vec<_>>(), [port]);
    assert_eq!(seen.to_vec(), bytes);
}

#[test]
fn port_stats_reply() {
    let bytes = hex("04 13 0080 00000002 0004 0000 00000000
         00000003 00000000           # port_no, pad
         0000000000000001 0000000000000002 0000000000000003 0000000000000004
         0000000000000005 0000000000000006 0000000000000007 0000000000000008
         0000000000000009 000000000000000a 000000000000000b 000000000000000c
         0000000d 0000000e           # duration");
    let counters = PortCounters {
        rx_packets: 1,
        tx_packets: 2,
        rx_bytes: 3,
        tx_bytes: 4,
        rx_dropped: 5,
        tx_dropped: 6,
        rx_errors: 7,
        tx_errors: 8,
        rx_frame_err: 9,
        rx_over_err: 10,
        rx_crc_err: 11,
        collisions: 12,
    };
    let stats = [PortStats { port_no: 3, counters, duration_sec: 13, duration_nsec: 14 }];
    assert_eq!(MultipartReply::port_stats(2, &stats).to_vec(), bytes);
    let seen = MultipartReply::parse(&bytes).unwrap();
    let MultipartReplyBody::PortStats(list) = seen.body else { panic!("{seen:?}") };
    assert_eq!(list.iter().collect::<Vec<_>>(), stats);
    assert_eq!(seen.to_vec(), bytes);
}

#[test]
fn errors_say_where_and_what_to_answer() {
    let good = FlowMod::new(
        &[Oxm::InPort(1), Oxm::EthType(0x800)],
        &[Instruction::ApplyActions(&[Action::PopVlan, Action::output(1)])],
    )
    .to_vec();
    let broken = |at: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[at] = value;
        FlowMod::parse(&bytes).unwrap_err()
    };
    // The match is at 48, its fields at 52 and 60, instructions at 72, actions at 80 and 88.
    assert_eq!(
        broken(63, 3),
        DecodeError {
            message: "FlowMod",
            field: "oxm_length",
            offset: 63,
            reason: Reason::BadLength { length: 3 },
            answer: ErrorCode::BAD_MATCH_LEN,
        }
    );
    let masked = broken(62, 0x0b);
    assert_eq!(
        (masked.offset, masked.reason, masked.answer),
        (62, Reason::Masked, ErrorCode::BAD_MATCH_MASK)
    );
    let beyond = broken(63, 200);
    assert_eq!((beyond.field, beyond.offset, beyond.answer), ("oxm_length", 63, ErrorCode::BAD_MATCH_LEN));
    let ty = broken(49, 0);
    assert_eq!((ty.field, ty.offset, ty.answer), ("ofp_match.type", 48, ErrorCode::BAD_MATCH_TYPE));
    assert_eq!((broken(51, 3).offset, broken(50, 9).offset), (50, 50));
    let instruction = broken(75, 25);
    assert_eq!((instruction.offset, instruction.answer), (74, ErrorCode::BAD_INSTRUCTION_LEN));
    assert_eq!(broken(73, 1).answer, ErrorCode::BAD_INSTRUCTION_LEN);
    let action = broken(83, 16);
    assert_eq!((action.offset, action.answer), (82, ErrorCode::BAD_ACTION_LEN));
    let action = broken(91, 0);
    assert_eq!((action.field, action.offset), ("ofp_action_header.len", 90));
}

#[test]
fn a_set_field_with_a_mask_is_refused() {
    let masked = Oxm::VlanVid(0x1001, Some(0x1fff));
    let bytes =
        FlowMod::new(Match::default(), [Instruction::ApplyActions([Action::SetField(masked)])]).to_vec();
    let error = FlowMod::parse(&bytes).unwrap_err();
    assert_eq!((error.offset, error.answer), (64 + 6, ErrorCode::BAD_ACTION_SET_TYPE));
}
