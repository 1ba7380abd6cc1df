//! The parts of multipart messages put together.

use ferroflow_openflow::owned::common::since_14::FlowUpdate;
use ferroflow_openflow::owned::common::{Match, Port, PortNo, QueueId, TableId, TableStats};
use ferroflow_openflow::owned::v13::{Body, Message, MultipartReply, MultipartReplyBody};
use ferroflow_openflow::owned::{Assembled, ReassembleError, Reassembler, v10, v12, v14, v15};
use ferroflow_wire::codec::{Choice, Reader};

fn table(n: u8) -> TableStats {
    TableStats { table_id: TableId(n), active_count: 1, lookup_count: 2, matched_count: 3 }
}

fn part(xid: u32, tables: &[u8], more: bool) -> Vec<u8> {
    let body = MultipartReplyBody::Table { body: tables.iter().map(|&n| table(n)).collect() };
    let mut reply = MultipartReply::from(body);
    reply.flags.0 = more.into();
    Message { xid, body: Body::MultipartReply(reply) }.encode().unwrap()
}

fn tables(assembled: &Assembled) -> Vec<u8> {
    let mut r = Reader::new(&assembled.body, assembled.header.version.0);
    let ty = ferroflow_openflow::v13::MultipartType(assembled.ty);
    match MultipartReplyBody::read_rest(ty, 0, &mut r).unwrap() {
        MultipartReplyBody::Table { body } => body.iter().map(|table| table.table_id.0).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn parts_of_two_messages_between_each_other() {
    let mut parts = Reassembler::new(4, 1 << 20);
    assert_eq!(parts.push(&part(1, &[1, 2], true)), Ok(None));
    assert_eq!(parts.push(&part(2, &[7], true)), Ok(None));
    assert_eq!(parts.push(&part(1, &[3], true)), Ok(None));
    assert_eq!(parts.open(), 2);
    let one = parts.push(&part(1, &[], false)).unwrap().unwrap();
    assert_eq!((one.header.xid, tables(&one)), (1, vec![1, 2, 3]));
    let two = parts.push(&part(2, &[8], false)).unwrap().unwrap();
    assert_eq!((two.header.xid, tables(&two)), (2, vec![7, 8]));
    assert_eq!(parts.open(), 0);
}

#[test]
fn bounds() {
    let mut parts = Reassembler::new(2, 100);
    for xid in 1..=3 {
        assert_eq!(parts.push(&part(xid, &[xid as u8], true)), Ok(None));
    }
    // The first gave way: what comes of it later is taken for all of it.
    assert_eq!(parts.open(), 2);
    assert_eq!(tables(&parts.push(&part(1, &[9], false)).unwrap().unwrap()), [9]);
    assert_eq!(tables(&parts.push(&part(2, &[9], false)).unwrap().unwrap()), [2, 9]);
    assert_eq!(parts.push(&part(3, &[1, 2, 3, 4], false)), Err(ReassembleError::TooLong { limit: 100 }));
    assert_eq!(parts.open(), 0);
}

#[test]
fn what_does_not_go_together() {
    let mut parts = Reassembler::new(2, 1000);
    assert_eq!(parts.push(&part(1, &[1], true)), Ok(None));
    let ports = MultipartReplyBody::PortDesc { body: Vec::<Port>::new() };
    let other = Message { xid: 1, body: Body::MultipartReply(ports.into()) }.encode().unwrap();
    assert_eq!(parts.push(&other), Err(ReassembleError::MixedTypes { expected: 3, found: 13 }));
    let hello = v10::Message { xid: 1, body: v10::Body::BarrierRequest }.encode().unwrap();
    assert_eq!(parts.push(&hello), Err(ReassembleError::NotMultipart));
    assert_eq!(parts.push(&part(1, &[1], true)[..12]), Err(ReassembleError::NotMultipart));
}

#[test]
fn parts_of_1_4_and_1_2() {
    let monitors = |more: bool, xid: u32| {
        let updates = vec![FlowUpdate::Abbrev { xid }];
        let mut reply = v14::MultipartReply::from(v14::MultipartReplyBody::FlowMonitor { body: updates });
        reply.flags.0 = more.into();
        v14::Message { xid: 5, body: v14::Body::MultipartReply(reply) }.encode().unwrap()
    };
    let mut parts = Reassembler::new(2, 1000);
    assert_eq!(parts.push(&monitors(true, 1)), Ok(None));
    let whole = parts.push(&monitors(false, 2)).unwrap().unwrap();
    let mut r = Reader::new(&whole.body, whole.header.version.0);
    let body = v14::MultipartReplyBody::read_rest(v14::MultipartType(whole.ty), 0, &mut r).unwrap();
    let both = vec![FlowUpdate::Abbrev { xid: 1 }, FlowUpdate::Abbrev { xid: 2 }];
    assert_eq!(body, v14::MultipartReplyBody::FlowMonitor { body: both });

    let queues = |more: bool, queue_id: u32| {
        let (port_no, queue_id) = (PortNo(1), QueueId(queue_id));
        let body = vec![v12::QueueStats { port_no, queue_id, tx_bytes: 1, tx_packets: 2, tx_errors: 3 }];
        let mut reply = v12::StatsReply::from(v12::StatsReplyBody::Queue { body });
        reply.flags.0 = more.into();
        v12::Message { xid: 5, body: v12::Body::StatsReply(reply) }.encode().unwrap()
    };
    assert_eq!(parts.push(&queues(true, 1)), Ok(None));
    let whole = parts.push(&queues(false, 2)).unwrap().unwrap();
    let mut r = Reader::new(&whole.body, whole.header.version.0);
    match v12::StatsReplyBody::read_rest(v12::StatsType(whole.ty), 0, &mut r).unwrap() {
        v12::StatsReplyBody::Queue { body } => {
            assert_eq!(body.iter().map(|queue| queue.queue_id.0).collect::<Vec<_>>(), [1, 2]);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn flows_of_1_5_in_parts() {
    let part = |table_id, more: bool| {
        let stats = vec![v15::Oxs::PacketCount(7)].into();
        let reason = v15::FlowStatsReason::OFPFSR_STATS_REQUEST;
        let r#match = Match::new(Vec::new());
        let flow = v15::FlowStats { table_id: TableId(table_id), reason, priority: 1, r#match, stats };
        let mut reply = v15::MultipartReply::from(v15::MultipartReplyBody::FlowStats { body: vec![flow] });
        reply.flags.0 = more.into();
        v15::Message { xid: 9, body: v15::Body::MultipartReply(reply) }.encode().unwrap()
    };
    let mut parts = Reassembler::new(1, 1000);
    assert_eq!(parts.push(&part(1, true)), Ok(None));
    let whole = parts.push(&part(2, false)).unwrap().unwrap();
    let mut r = Reader::new(&whole.body, whole.header.version.0);
    let ty = v15::MultipartType(whole.ty);
    let v15::MultipartReplyBody::FlowStats { body } =
        v15::MultipartReplyBody::read_rest(ty, 0, &mut r).unwrap()
    else {
        panic!("of type {ty}");
    };
    assert_eq!(body.iter().map(|flow| flow.table_id.0).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn the_shorter_header_of_1_0() {
    let reply = v10::StatsReply::from(v10::StatsReplyBody::Table { body: Vec::new() });
    let bytes = v10::Message { xid: 5, body: v10::Body::StatsReply(reply) }.encode().unwrap();
    assert_eq!(bytes.len(), 12);
    let whole = Reassembler::new(1, 0).push(&bytes).unwrap().unwrap();
    assert_eq!((whole.ty, whole.body.len()), (3, 0));
}
