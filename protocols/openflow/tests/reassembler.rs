//! The parts of multipart messages put together.

use ferroflow_openflow::owned::common::since_14::FlowUpdate;
use ferroflow_openflow::owned::common::{Match, Port, PortNo, QueueId, TableId, TableStats};
use ferroflow_openflow::owned::v13::{Body, Message, MultipartReply, MultipartReplyBody};
use ferroflow_openflow::owned::{AnyMessage, Assembled, ReassembleError, Reassembler, v10, v12, v14, v15};

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
    let AnyMessage::V13(Message { body: Body::MultipartReply(reply), .. }) = assembled.decode().unwrap()
    else {
        panic!("{assembled:?}");
    };
    match reply.body {
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
    let both = vec![FlowUpdate::Abbrev { xid: 1 }, FlowUpdate::Abbrev { xid: 2 }];
    let body = v14::Body::MultipartReply(v14::MultipartReplyBody::FlowMonitor { body: both }.into());
    assert_eq!(whole.decode(), Ok(AnyMessage::V14(v14::Message { xid: 5, body })));

    let queues = |more: bool, queue_id: u32| {
        let (port_no, queue_id) = (PortNo(1), QueueId(queue_id));
        let body = vec![v12::QueueStats { port_no, queue_id, tx_bytes: 1, tx_packets: 2, tx_errors: 3 }];
        let mut reply = v12::StatsReply::from(v12::StatsReplyBody::Queue { body });
        reply.flags.0 = more.into();
        v12::Message { xid: 5, body: v12::Body::StatsReply(reply) }.encode().unwrap()
    };
    assert_eq!(parts.push(&queues(true, 1)), Ok(None));
    let whole = parts.push(&queues(false, 2)).unwrap().unwrap();
    let AnyMessage::V12(v12::Message { body: v12::Body::StatsReply(reply), .. }) = whole.decode().unwrap()
    else {
        panic!("{whole:?}");
    };
    match reply.body {
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
    let AnyMessage::V15(v15::Message { body: v15::Body::MultipartReply(reply), .. }) =
        whole.decode().unwrap()
    else {
        panic!("{whole:?}");
    };
    let v15::MultipartReplyBody::FlowStats { body } = reply.body else { panic!("{reply:?}") };
    assert_eq!(body.iter().map(|flow| flow.table_id.0).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn the_shorter_header_of_1_0() {
    let reply = v10::StatsReply::from(v10::StatsReplyBody::Table { body: Vec::new() });
    let bytes = v10::Message { xid: 5, body: v10::Body::StatsReply(reply) }.encode().unwrap();
    assert_eq!(bytes.len(), 12);
    let whole = Reassembler::new(1, 0).push(&bytes).unwrap().unwrap();
    assert_eq!((whole.ty, whole.body.len()), (3, 0));
    let body = v10::Body::StatsReply(v10::StatsReplyBody::Table { body: Vec::new() }.into());
    assert_eq!(whole.decode(), Ok(AnyMessage::V10(v10::Message { xid: 5, body })));
}

/// What is wrong with the parts together is said as of a message in one part.
#[test]
fn parts_that_are_no_message() {
    let request = |ty: u8, part: &[u8], more: u8| {
        let length = 16 + part.len() as u8;
        [&[4, 18, 0, length, 0, 0, 0, 1, 0, ty, 0, more, 0, 0, 0, 0], part].concat()
    };
    let mut parts = Reassembler::new(1, 1000);
    assert_eq!(parts.push(&request(9, &[0, 0, 0], 1)), Ok(None));
    let whole = parts.push(&request(9, &[1, 0], 0)).unwrap().unwrap();
    let error = whole.decode().unwrap_err();
    assert_eq!(
        error.to_string(),
        "OFPT_MULTIPART_REQUEST: pad at offset 4: truncated: 4 bytes needed, 1 there"
    );
    // In one part the body begins behind 16 bytes.
    let one = AnyMessage::decode(&request(9, &[0, 0, 0, 1, 0], 0)).unwrap_err();
    assert_eq!((&one.message, one.path(), one.reason()), (&error.message, error.path(), error.reason()));
    assert_eq!((one.offset(), one.answer), (16 + error.offset(), error.answer));
    let whole = parts.push(&request(99, &[], 0)).unwrap().unwrap();
    let error = whole.decode().unwrap_err();
    assert_eq!((error.answer.ty, error.answer.code), (1, 2), "{error}");
}
