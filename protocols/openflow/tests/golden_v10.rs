//! OpenFlow 1.0 messages written by hand from the specification (December 31, 2009), both ways.

mod common;

use common::{golden, hex};
use ferroflow_openflow::v10::*;
use ferroflow_openflow::{
    DecodeError, Desc, Echo, Encode, ErrorCode, ErrorMsg, FixedStr, OFP_NO_BUFFER, PortCounters, Reason,
    Version,
};
use std::net::Ipv4Addr;

const MAC1: [u8; 6] = [2, 0, 0, 0, 0, 1];
const MAC2: [u8; 6] = [2, 0, 0, 0, 0, 2];

#[test]
fn header_only_messages() {
    golden("01 05 0008 00000001", &FeaturesRequest { xid: 1 }, FeaturesRequest::parse);
    golden("01 07 0008 00000002", &GetConfigRequest { xid: 2 }, GetConfigRequest::parse);
    golden("01 12 0008 00000003", &BarrierRequest { xid: 3 }, BarrierRequest::parse);
    golden("01 13 0008 00000004", &BarrierReply { xid: 4 }, BarrierReply::parse);
}

#[test]
fn echo() {
    let bytes = hex("01 02 000b 00000007 616263");
    let request = Echo::parse(&bytes).unwrap();
    assert_eq!(request, Echo::request(Version::V1_0, 7, b"abc"));
    assert_eq!(request.to_vec(), bytes);
    assert_eq!(request.reply().to_vec(), hex("01 03 000b 00000007 616263"));
}

#[test]
fn error() {
    let bytes = hex("01 01 0014 00000009     # OFPT_ERROR, 20 bytes, the failed message's xid
         0003 0001               # OFPET_FLOW_MOD_FAILED, OFPFMFC_OVERLAP
         01 0e 0050 00000009     # the failed flow_mod's first bytes");
    let error = ErrorMsg::parse(&bytes).unwrap();
    assert_eq!(error.to_string(), "OFPET_FLOW_MOD_FAILED/OFPFMFC_OVERLAP");
    let failed = error.failed().unwrap();
    assert_eq!((failed.ty, failed.length, failed.xid), (14, 80, 9));
    assert_eq!(error.to_vec(), bytes);

    let odd = ErrorMsg { error: ErrorCode { ty: 1, code: 8 }, ..error };
    assert_eq!(odd.to_string(), "OFPET_BAD_REQUEST/OFPBRC_BUFFER_UNKNOWN");
    let odd = ErrorMsg { error: ErrorCode { ty: 9, code: 8 }, ..error };
    assert_eq!(odd.to_string(), "type 9/code 8");

    let hello_failed = ErrorMsg::hello_failed(Version::V1_0, 5, "no");
    assert_eq!(hello_failed.to_vec(), hex("01 01 000e 00000005 0000 0000 6e6f"));
    assert_eq!(hello_failed.failed(), None);
}

#[test]
fn an_answer_quotes_64_bytes() {
    let failed = [vec![1, 14, 0, 100, 0, 0, 0, 42], vec![7; 92]].concat();
    let answer = ErrorMsg::answer(Version::V1_0, &failed, ErrorCode::BAD_TYPE);
    assert_eq!((answer.xid, answer.data), (42, &failed[..64]));
}

#[test]
fn features_reply() {
    let port = Port {
        port_no: 1,
        hw_addr: MAC1,
        name: FixedStr::new("eth1"),
        config: OFPPC_NO_FLOOD,
        state: OFPPS_LINK_DOWN,
        curr: OFPPF_1GB_FD,
        advertised: OFPPF_AUTONEG,
        supported: OFPPF_COPPER,
        peer: OFPPF_PAUSE,
    };
    let text = "01 06 0050 0000000a
         00000000 000000ff           # datapath_id
         00000100 02 000000          # n_buffers 256, n_tables 2, pad
         000000c7 00000fff           # capabilities, actions
         0001 020000000001           # port_no, hw_addr
         65746831 00000000 00000000 00000000  # name
         00000010 00000001           # OFPPC_NO_FLOOD, OFPPS_LINK_DOWN
         00000020 00000200 00000080 00000400";
    let bytes = hex(text);
    let reply = FeaturesReply::parse(&bytes).unwrap();
    assert_eq!((reply.xid, reply.datapath_id, reply.n_buffers, reply.n_tables), (10, 255, 256, 2));
    assert_eq!((reply.capabilities, reply.actions), (0xc7, 0xfff));
    assert_eq!(reply.ports.iter().collect::<Vec<_>>(), [port]);
    assert_eq!(port.name.to_text(), "eth1");
    assert!(!port.is_live());
    assert_eq!(reply.to_vec(), bytes);
    let built = FeaturesReply {
        xid: 10,
        datapath_id: 255,
        n_buffers: 256,
        n_tables: 2,
        capabilities: OFPC_FLOW_STATS
            | OFPC_TABLE_STATS
            | OFPC_PORT_STATS
            | OFPC_QUEUE_STATS
            | OFPC_ARP_MATCH_IP,
        actions: 0xfff,
        ports: [port],
    };
    assert_eq!(built.to_vec(), bytes);
}

#[test]
fn config() {
    let reply = GetConfigReply { xid: 1, flags: OFPC_FRAG_DROP, miss_send_len: 128 };
    golden("01 08 000c 00000001 0001 0080", &reply, GetConfigReply::parse);
    let set = SetConfig { xid: 2, flags: OFPC_FRAG_NORMAL, miss_send_len: 0xffff };
    golden("01 09 000c 00000002 0000 ffff", &set, SetConfig::parse);
}

#[test]
fn packet_in() {
    let packet = PacketIn {
        xid: 0,
        buffer_id: 0x101,
        total_len: 60,
        in_port: 3,
        reason: PacketInReason::OFPR_ACTION,
        data: &[0xaa, 0xbb, 0xcc],
    };
    let bytes = hex("01 0a 0015 00000000
         00000101 003c 0003      # buffer_id, total_len, in_port
         01 00                   # OFPR_ACTION, pad
         aabbcc");
    assert_eq!(PacketIn::parse(&bytes), Ok(packet));
    assert_eq!(packet.to_vec(), bytes);
    assert!(packet.is_truncated());
    assert!(!PacketIn { total_len: 3, ..packet }.is_truncated());
}

#[test]
fn packet_out() {
    let bytes = hex("01 0d 001b 00000011
         ffffffff 0002 0008      # OFP_NO_BUFFER, in_port 2, 8 bytes of actions
         0000 0008 fffb 0000     # OFPAT_OUTPUT to OFPP_FLOOD
         010203");
    let actions = [Action::output(OFPP_FLOOD)];
    let built = PacketOut { xid: 0x11, ..PacketOut::of_data(2, &actions, &[1, 2, 3]) };
    assert_eq!(built.to_vec(), bytes);
    let seen = PacketOut::parse(&bytes).unwrap();
    assert_eq!(
        (seen.xid, seen.buffer_id, seen.in_port(), seen.data),
        (0x11, OFP_NO_BUFFER, Some(2), &[1, 2, 3][..])
    );
    assert_eq!(seen.actions.iter().collect::<Vec<_>>(), actions);
    assert_eq!(seen.to_vec(), bytes);
}

#[test]
fn flow_mod() {
    // OFPFW_ALL without IN_PORT (1), DL_VLAN (2), DL_SRC (4), DL_DST (8): 0x3ffff0.
    let bytes = hex("01 0e 0050 00000005
         003ffff0
         0001 020000000001 020000000002  # in_port, dl_src, dl_dst
         ffff 00 00 0000         # untagged, pcp, pad, dl_type
         00 00 0000              # nw_tos, nw_proto, pad
         00000000 00000000 0000 0000     # nw_src, nw_dst, tp_src, tp_dst
         00000000 00001234       # cookie
         0000 003c 0000 000a     # OFPFC_ADD, idle 60, hard 0, priority 10
         00000063 ffff 0001      # buffer 99, OFPP_NONE, OFPFF_SEND_FLOW_REM
         0000 0008 0002 0000     # OFPAT_OUTPUT to 2");
    let matching = Match::ANY.in_port(1).dl_src(MAC1).dl_dst(MAC2).dl_vlan(OFP_VLAN_NONE);
    let built = FlowMod {
        xid: 5,
        cookie: 0x1234,
        idle_timeout: 60,
        priority: 10,
        buffer_id: 99,
        flags: OFPFF_SEND_FLOW_REM,
        ..FlowMod::new(matching, [Action::output(2)])
    };
    assert_eq!(built.to_vec(), bytes);
    let seen = FlowMod::parse(&bytes).unwrap();
    assert_eq!(
        (seen.xid, seen.matching, seen.cookie, seen.command),
        (5, matching, 0x1234, FlowModCommand::OFPFC_ADD)
    );
    assert_eq!((seen.idle_timeout, seen.hard_timeout, seen.priority, seen.buffer_id), (60, 0, 10, 99));
    assert_eq!((seen.out_port, seen.flags), (OFPP_NONE, OFPFF_SEND_FLOW_REM));
    assert_eq!(seen.actions.iter().collect::<Vec<_>>(), [Action::output(2)]);
    assert_eq!(seen.to_vec(), bytes);
}

#[test]
fn delete_of_a_whole_match() {
    // All bits but DL_TYPE (0x10), NW_PROTO (0x20), TP_SRC (0x40), TP_DST (0x80), DL_VLAN_PCP (1 << 20) and
    // NW_TOS (1 << 21); nw_src wildcards 8 low bits (8 << 8), nw_dst none.
    let bytes = hex("01 0e 0048 00000006
         0000080f
         0000 000000000000 000000000000
         0000 05 00 0800         # dl_vlan_pcp 5, dl_type IPv4
         b8 06 0000              # nw_tos, nw_proto TCP
         0a000100 0a000202 1f90 0050
         00000000 00000000
         0004 0000 0007 8000     # OFPFC_DELETE_STRICT, idle 0, hard 7, OFP_DEFAULT_PRIORITY
         ffffffff 0003 0000      # OFP_NO_BUFFER, out_port 3");
    let matching = Match::ANY
        .dl_type(0x800)
        .dl_vlan_pcp(5)
        .nw_tos(0xb8)
        .nw_proto(6)
        .nw_src(Ipv4Addr::new(10, 0, 1, 0), 24)
        .nw_dst(Ipv4Addr::new(10, 0, 2, 2), 32)
        .tp_src(8080)
        .tp_dst(80);
    let built = FlowMod {
        xid: 6,
        command: FlowModCommand::OFPFC_DELETE_STRICT,
        hard_timeout: 7,
        out_port: 3,
        ..FlowMod::new(matching, Actions::default())
    };
    assert_eq!(built.to_vec(), bytes);
    assert_eq!(FlowMod::parse(&bytes), Ok(built));
    assert_eq!((matching.nw_src_prefix(), matching.nw_dst_prefix()), (24, 32));
    assert!(matching.is_wild(OFPFW_IN_PORT) && !matching.is_wild(OFPFW_TP_DST));
    assert_eq!((Match::ANY.nw_src_prefix(), Match::ANY.wildcards), (0, 0x003f_ffff));
}

#[test]
fn every_action() {
    let bytes = hex("01 0e 00c8 00000000
         003fffff 0000 000000000000 000000000000 0000 00 00 0000 00 00 0000 00000000 00000000 0000 0000
         0000000000000000 0000 0000 0000 8000 ffffffff ffff 0000
         0000 0008 fffd ffff     # OUTPUT to OFPP_CONTROLLER, max_len
         0001 0008 0064 0000     # SET_VLAN_VID 100
         0002 0008 03 000000     # SET_VLAN_PCP 3
         0003 0008 00000000      # STRIP_VLAN
         0004 0010 020000000001 000000000000     # SET_DL_SRC
         0005 0010 020000000002 000000000000     # SET_DL_DST
         0006 0008 0a000001      # SET_NW_SRC
         0007 0008 0a000002      # SET_NW_DST
         0008 0008 b8 000000     # SET_NW_TOS
         0009 0008 0050 0000     # SET_TP_SRC
         000a 0008 01bb 0000     # SET_TP_DST
         000b 0010 0004 000000000000 00000009    # ENQUEUE to port 4, queue 9
         ffff 0008 00002320      # VENDOR");
    let actions = [
        Action::controller(0xffff),
        Action::SetVlanVid(100),
        Action::SetVlanPcp(3),
        Action::StripVlan,
        Action::SetDlSrc(MAC1),
        Action::SetDlDst(MAC2),
        Action::SetNwSrc(Ipv4Addr::new(10, 0, 0, 1)),
        Action::SetNwDst(Ipv4Addr::new(10, 0, 0, 2)),
        Action::SetNwTos(0xb8),
        Action::SetTpSrc(80),
        Action::SetTpDst(443),
        Action::Enqueue { port: 4, queue_id: 9 },
        Action::Other { ty: ActionType::OFPAT_VENDOR, body: &[0, 0, 0x23, 0x20] },
    ];
    assert_eq!(FlowMod::new(Match::ANY, &actions).to_vec(), bytes);
    assert_eq!(FlowMod::parse(&bytes).unwrap().actions.iter().collect::<Vec<_>>(), actions);
}

#[test]
fn flow_removed() {
    let removed = FlowRemoved {
        xid: 0,
        matching: Match::ANY.dl_dst(MAC2),
        cookie: 0x1234,
        priority: 10,
        reason: FlowRemovedReason::OFPRR_DELETE,
        duration_sec: 5,
        duration_nsec: 6,
        idle_timeout: 60,
        packet_count: 7,
        byte_count: 8,
    };
    golden(
        "01 0b 0058 00000000
         003ffff7 0000 000000000000 020000000002 0000 00 00 0000 00 00 0000 00000000 00000000 0000 0000
         0000000000001234 000a 02 00     # cookie, priority, OFPRR_DELETE, pad
         00000005 00000006 003c 0000     # duration, idle_timeout, pad
         0000000000000007 0000000000000008",
        &removed,
        FlowRemoved::parse,
    );
}

#[test]
fn port_status() {
    let desc = Port { port_no: OFPP_LOCAL, hw_addr: MAC1, name: FixedStr::new("br0"), ..Port::default() };
    golden(
        "01 0c 0040 00000000
         02 00000000000000               # OFPPR_MODIFY, pad
         fffe 020000000001 62723000 00000000 00000000 00000000
         00000000 00000000 00000000 00000000 00000000 00000000",
        &PortStatus { xid: 0, reason: PortReason::OFPPR_MODIFY, desc },
        PortStatus::parse,
    );
}

#[test]
fn stats_requests() {
    let bytes = hex("01 10 000c 00000001 0000 0000");
    assert_eq!(StatsRequest::desc(1).to_vec(), bytes);
    assert_eq!(StatsRequest::parse(&bytes), Ok(StatsRequest::desc(1)));
    let bytes = hex("01 10 0014 00000002 0004 0000 ffff 000000000000");
    assert_eq!(StatsRequest::port(2, OFPP_NONE).to_vec(), bytes);
    assert_eq!(StatsRequest::parse(&bytes), Ok(StatsRequest::port(2, OFPP_NONE)));
    let bytes = hex("01 10 000e 00000003 0003 0000 abcd");
    let body = StatsRequestBody::Other { ty: StatsType::OFPST_TABLE, body: &[0xab, 0xcd] };
    assert_eq!(StatsRequest::parse(&bytes), Ok(StatsRequest { xid: 3, flags: 0, body }));
    assert_eq!(StatsRequest::parse(&bytes).unwrap().to_vec(), bytes);
}

#[test]
fn desc_reply() {
    let mut bytes = hex("01 11 042c 00000001 0000 0000");
    for (text, size) in [("Nicira", 256), ("OVS", 256), ("3.1", 256), ("None", 32), ("br0", 256)] {
        let mut field = text.as_bytes().to_vec();
        field.resize(size, 0);
        bytes.extend(field);
    }
    let desc =
        Desc { mfr_desc: b"Nicira", hw_desc: b"OVS", sw_desc: b"3.1", serial_num: b"None", dp_desc: b"br0" };
    assert_eq!(bytes.len(), 1068);
    assert_eq!(StatsReply::parse(&bytes), Ok(StatsReply::desc(1, desc)));
    assert_eq!(StatsReply::desc(1, desc).to_vec(), bytes);
}

#[test]
fn port_stats_reply() {
    let bytes = hex("01 11 0074 00000002 0004 0001   # OFPST_PORT, OFPSF_REPLY_MORE
         0003 000000000000               # port_no, pad
         0000000000000001 0000000000000002 0000000000000003 0000000000000004
         0000000000000005 0000000000000006 0000000000000007 0000000000000008
         0000000000000009 000000000000000a 000000000000000b ffffffffffffffff");
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
        collisions: u64::MAX,
    };
    let ports = [PortStats { port_no: 3, counters }];
    let built = StatsReply { flags: OFPSF_REPLY_MORE, ..StatsReply::port(2, &ports) };
    assert_eq!(built.to_vec(), bytes);
    let seen = StatsReply::parse(&bytes).unwrap();
    assert!(seen.has_more());
    let StatsReplyBody::Port(list) = seen.body else { panic!("{seen:?}") };
    assert_eq!(list.iter().collect::<Vec<_>>(), ports);
    assert_eq!(seen.to_vec(), bytes);
}

#[test]
fn errors_say_where_and_what_to_answer() {
    let flow = FlowMod::new(Match::ANY, &[Action::StripVlan, Action::output(1)]).to_vec();
    let broken = |at: usize, value: u8| {
        let mut bytes = flow.clone();
        bytes[at] = value;
        bytes
    };
    let error = FlowMod::parse(&broken(83, 9)).unwrap_err();
    assert_eq!(
        error,
        DecodeError {
            message: "FlowMod",
            field: "ofp_action_header.len",
            offset: 82,
            reason: Reason::BadLength { length: 9 },
            answer: ErrorCode::BAD_ACTION_LEN,
        }
    );
    assert_eq!(error.to_string(), "FlowMod: ofp_action_header.len at offset 82: impossible length 9");
    assert_eq!(FlowMod::parse(&broken(83, 16)).unwrap_err().offset, 82);
    assert_eq!(FlowMod::parse(&broken(83, 0)).unwrap_err().offset, 82);
    assert_eq!(FlowMod::parse(&broken(75, 16)).unwrap_err().offset, 74);
    assert_eq!(FlowMod::parse(&broken(0, 4)).unwrap_err().answer, ErrorCode::BAD_VERSION);
    assert_eq!(FlowMod::parse(&broken(1, 13)).unwrap_err().answer, ErrorCode::BAD_TYPE);
    assert_eq!(FlowMod::parse(&broken(3, 80)).unwrap_err().answer, ErrorCode::BAD_LEN);
    assert_eq!(FlowMod::parse(&flow[..70]).unwrap_err().reason, Reason::Truncated { need: 72, have: 70 });
    let long = hex("01 05 0009 00000001 00");
    assert_eq!(FeaturesRequest::parse(&long).unwrap_err().reason, Reason::Trailing { bytes: 1 });
    let out = hex("01 0d 0010 00000000 ffffffff 0001 0008");
    assert_eq!(PacketOut::parse(&out).unwrap_err().field, "actions_len");
}
