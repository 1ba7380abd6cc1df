use super::*;
use crate::{
    Action, ActionData, Body, Bytes, ErrorCode, FieldId, FlowMod, FlowModCommand, Frame, Instruction,
    InstructionData, MAX_PACKET_LEN, MatchX, Message, PacketIn, PacketInReason, PacketOut, TableType,
};

fn flow_mod(profile: Profile) -> FlowMod {
    FlowMod {
        command: FlowModCommand::MODIFY,
        counter_id: 1,
        cookie: 2,
        cookie_mask: 3,
        table_id: 4,
        table_type: TableType::LPM,
        idle_timeout: 5,
        hard_timeout: 6,
        priority: 7,
        index: 8,
        slot: profile.has_slots().then_some(9),
        r#match: vec![
            MatchX::exact(FieldId::METADATA, 16, &[1]).unwrap(),
            MatchX::exact(FieldId(1), 0, &[2, 0, 0, 0, 0, 9]).unwrap(),
        ],
        instructions: vec![
            Instruction::apply(
                profile,
                [
                    Action::output(profile, 3),
                    ActionData::Counter { counter_id: 10 }.in_profile(profile),
                    ActionData::Group { group_id: 11 }.in_profile(profile),
                    ActionData::PacketIn { reason: 1 }.in_profile(profile),
                ],
            ),
            Instruction::apply(profile, [ActionData::Drop { reason: 12 }.in_profile(profile)]),
            InstructionData::Meter { meter_id: 13 }.in_profile(profile),
            Instruction::goto_table(profile, 14, 15),
        ],
    }
}

#[test]
fn a_flow_mod_is_the_one_of_the_owned_value() {
    for profile in Profile::ALL {
        let mut buf = [0xee; 2560];
        let mut flow = FlowModBuilder::new(profile, &mut buf, 77, FlowModCommand::MODIFY).unwrap();
        flow.counter_id(1).cookie(2, 3).table(TableType::LPM, 4).timeouts(5, 6).priority(7).index(8).slot(9);
        let metadata = FieldMatch::exact(FieldId::METADATA.0, 16, &[1]).unwrap();
        let address = FieldMatch::exact(1, 0, &[2, 0, 0, 0, 0, 9]).unwrap();
        flow.matching(&metadata).unwrap().matching(&address).unwrap();
        let counter = ActionSlot::new(profile, &ActionData::Counter { counter_id: 10 }.in_profile(profile));
        assert_eq!(counter, Ok(ActionSlot::counter(10)));
        let actions = [
            ActionSlot::output(profile, 3),
            ActionSlot::counter(10),
            ActionSlot::group(11),
            ActionSlot::packet_in(1),
        ];
        flow.apply_actions(&actions).unwrap().apply_actions(&[ActionSlot::drop(12)]).unwrap();
        flow.meter(13).unwrap().goto_table(14, 15).unwrap();
        let len = flow.finish();
        let owned = Message::new(profile, 77, Body::FlowMod(flow_mod(profile)));
        assert_eq!(owned.to_vec().unwrap(), buf[..len], "{profile}");
        assert!(buf[len..].iter().all(|&b| b == 0xee), "nothing behind the message");
    }
}

#[test]
fn what_has_no_slot_is_refused() {
    for profile in Profile::ALL {
        let mut buf = [0; 2560];
        let need = profile.flow_mod_len();
        assert_eq!(
            FlowModBuilder::new(profile, &mut buf[..need - 1], 1, FlowModCommand::ADD).unwrap_err(),
            BuildError::Room { need, have: need - 1 }
        );
        let mut flow = FlowModBuilder::new(profile, &mut buf, 1, FlowModCommand::ADD).unwrap();
        let field = FieldMatch::exact(1, 0, &[0; 16]).unwrap();
        for _ in 0..8 {
            flow.matching(&field).unwrap();
        }
        let error = flow.matching(&field).unwrap_err();
        assert_eq!(error.to_string(), "match_field_num: at most 8, 9 given");
        assert!(flow.matching(&FieldMatch { len: 129, ..field }).is_err());
        let max = profile.max_actions();
        assert!(flow.apply_actions(&[ActionSlot::drop(0); 7][..=max]).is_err());
        for _ in 0..profile.max_instructions() {
            flow.apply_actions(&[ActionSlot::drop(0); 7][..max]).unwrap();
        }
        assert!(flow.meter(1).is_err() && flow.goto_table(1, 0).is_err());
        let len = flow.finish();
        let Body::FlowMod(full) = Message::decode(profile, &buf[..len]).unwrap().body else { panic!() };
        assert_eq!((full.r#match.len(), full.instructions.len()), (8, profile.max_instructions()));
    }
    assert!(FieldMatch::exact(1, 0, &[0; 17]).is_err());
}

#[test]
fn a_packet_out_is_the_one_of_the_owned_value() {
    let profile = Profile::P140;
    let mut buf = [0xee; 2560];
    for frame in [&[][..], &[1, 2, 3], &[9; MAX_PACKET_LEN]] {
        let actions = [ActionSlot::output(profile, 0x0001_0002), ActionSlot::drop(1)];
        let len = write_packet_out(profile, &mut buf, 5, 6, &actions, frame).unwrap();
        let owned = PacketOut {
            buffer_id: crate::NO_BUFFER,
            in_port: 6,
            packet_len: frame.len() as u32,
            actions: vec![
                Action::output(profile, 0x0001_0002),
                ActionData::Drop { reason: 1 }.in_profile(profile),
            ],
            data: Frame(Bytes::from(frame)),
        };
        assert_eq!(Message::new(profile, 5, Body::PacketOut(owned)).to_vec().unwrap(), buf[..len]);
    }
    let refused = |profile, room: usize, actions: usize, frame: usize| {
        let mut buf = vec![0; room];
        let actions = vec![ActionSlot::drop(1); actions];
        write_packet_out(profile, &mut buf, 5, 6, &actions, &vec![0; frame]).unwrap_err().to_string()
    };
    assert_eq!(refused(profile, 2560, 7, 1), "action_num: at most 6, 7 given");
    assert_eq!(refused(profile, 2560, 6, 2049), "bytes of a packet: at most 2048, 2049 given");
    assert_eq!(refused(profile, 312, 6, 1), "313 bytes of buffer needed, 312 there");
    assert_eq!(refused(Profile::P134, 2560, 1, 1), "PACKET_OUT of profile 1.3.4 is not known");
}

#[test]
fn a_packet_in_is_read_in_place() {
    for profile in [Profile::P134, Profile::P140] {
        let has_slots = profile.has_slots();
        for len in [0, 1, 64, MAX_PACKET_LEN] {
            let owned = PacketIn {
                buffer_id: 1,
                total_len: 2,
                reason: PacketInReason::INVALID_TTL,
                table_id: 3,
                cookie: 4,
                device_id: 5,
                slot: has_slots.then_some(6),
                port_id: has_slots.then_some(7),
                frame: Frame(Bytes(vec![0xaa; len])),
            };
            let bytes = Message::new(profile, 8, Body::PacketIn(owned.clone())).to_vec().unwrap();
            let view = PacketInView::parse(profile, &bytes).unwrap();
            let read = PacketIn {
                buffer_id: view.buffer_id,
                total_len: view.total_len,
                reason: view.reason,
                table_id: view.table_id,
                cookie: view.cookie,
                device_id: view.device_id,
                slot: view.slot,
                port_id: view.port_id,
                frame: Frame(Bytes::from(view.frame)),
            };
            assert_eq!((view.xid, read), (8, owned));
        }
    }
}

#[test]
fn what_is_no_packet_in_is_refused_as_by_the_owned_value() {
    let profile = Profile::P140;
    let message = |ty: u8, len: usize| {
        let mut bytes = vec![0; len];
        bytes[..4].copy_from_slice(&[4, ty, (len >> 8) as u8, len as u8]);
        bytes
    };
    let error = |bytes: &[u8]| PacketInView::parse(profile, bytes).unwrap_err();
    assert_eq!(error(&message(12, 136)).to_string(), "PACKET_IN: type at offset 1: unexpected value 12");
    assert_eq!(error(&message(12, 136)).answer(), ErrorCode::BAD_TYPE);
    assert_eq!(
        error(&message(10, 31)).to_string(),
        "PACKET_IN: port_id at offset 30: truncated: 2 bytes needed, 1 there"
    );
    assert_eq!(error(&message(10, 32 + 2049)).answer(), ErrorCode::BAD_PACKET);
    assert_eq!(
        error(&message(10, 3000)).to_string(),
        "PACKET_IN: length at offset 2: 3000 bytes, and 2560 is the most"
    );
    for version in [1, 5] {
        let mut other = message(10, 40);
        other[0] = version;
        assert_eq!(error(&other).answer(), ErrorCode::BAD_VERSION);
    }
    let mut longer = message(10, 40);
    longer[3] = 41;
    assert_eq!(error(&longer).to_string(), "PACKET_IN: length at offset 2: 41 bytes announced, 40 there");
    // 1.1.8: the layout is not known.
    assert!(PacketInView::parse(Profile::P118, &message(10, 40)).is_err());
}
