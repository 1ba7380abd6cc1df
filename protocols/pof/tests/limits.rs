//! Sizes and offsets of WIRE.md as constants, the limit of 2,560 bytes, and what is said of wrong messages and values.

use ferroflow_pof::codec::Codec;
use ferroflow_pof::{
    ACTION_LEN, Action, ActionData, ActionType, Body, Bytes, Counter, CounterCommand, EncodeError, ErrorCode,
    ErrorMsg, FieldBits, FieldId, FlowMod, Frame, GroupMod, GroupModCommand, Instruction, InstructionData,
    MAX_MESSAGE_LEN, Match, MatchX, Message, MessageType, MeterMod, MeterModCommand, Number, PacketIn,
    PacketInReason, PacketOut, Port, PortChange, Profile, Raw, ResourceReport, SwitchConfig,
    SwitchConfigFlags, TableMod, TableResource, TableType, Unused, Value,
};

/// The length of the shortest message of a type: what a made-up one has, whose lists are empty.
fn body_len(profile: Profile, ty: u8) -> Option<usize> {
    (0..=255u8).find_map(|choice| {
        let message = Message::arbitrary(profile, &[0, 0, 0, 0, choice]);
        let is_it =
            message.message_type() == MessageType(ty) && !matches!(message.body, Body::Unknown { .. });
        is_it.then(|| message.to_vec().unwrap().len() - 8)
    })
}

#[test]
fn the_bodies_have_the_sizes_of_the_description() {
    // WIRE.md 2: type, 1.3.4, 1.4.0; None where the type is not described.
    for (ty, p134, p140) in [
        (0, Some(0), Some(0)),
        (1, Some(264), Some(272)),
        (2, Some(0), Some(0)),
        (3, Some(0), Some(0)),
        (4, None, None),
        (5, Some(0), Some(0)),
        (6, Some(208), Some(208)),
        (7, Some(0), Some(0)),
        (8, Some(4), Some(8)),
        (9, Some(4), Some(8)),
        (10, Some(24), Some(24)),
        (11, None, None),
        (12, Some(128), Some(128)),
        (13, Some(80), Some(80)),
        (14, None, Some(304)),
        (15, Some(1192), Some(2184)),
        (16, Some(208), Some(208)),
        (17, Some(128), Some(128)),
        (18, Some(144), Some(144)),
        (19, None, None),
        (21, None, None),
        (29, None, None),
        (30, Some(8), Some(16)),
        (31, Some(16), Some(24)),
        (32, Some(16), Some(24)),
        (33, Some(16), Some(24)),
        (34, None, Some(8)),
        (35, None, Some(0)),
        (36, None, None),
        (101, None, None),
    ] {
        assert_eq!(body_len(Profile::P134, ty), p134, "{} of 1.3.4", MessageType(ty));
        assert_eq!(body_len(Profile::P140, ty), p140, "{} of 1.4.0", MessageType(ty));
    }
    for profile in [Profile::P118, Profile::P119] {
        assert_eq!(body_len(profile, 15), Some(2184));
        assert_eq!(body_len(profile, 33), Some(24));
        assert_eq!(body_len(profile, 1), Some(264));
        for unknown in [6, 8, 9, 10, 12, 14, 17, 30, 34, 35] {
            assert_eq!(body_len(profile, unknown), None, "{} of {profile}", MessageType(unknown));
        }
    }
}

#[test]
fn the_structures_have_the_offsets_of_the_description() {
    assert_eq!((Match::MIN, MatchX::MIN, Action::MIN, ACTION_LEN), (8, 40, 48, 48));
    assert_eq!((Port::MIN + 2, PortChange::MIN + 2, TableResource::MIN), (120, 128, 16));
    assert_eq!((PacketOut::MIN, MeterMod::MIN, FlowMod::MIN), (304, 8, 1192));
    assert_eq!(Match::layout(), [("field_id", 0), ("offset", 2), ("len", 4)]);
    let match_x = [("field_id", 0), ("offset", 2), ("len", 4), ("value", 8), ("mask", 24)];
    assert_eq!(MatchX::layout(), match_x);
    let resource = [("device_id", 0), ("type", 4), ("tbl_num", 5), ("key_len", 6), ("total_size", 8)];
    assert_eq!(TableResource::layout(), resource);
    // What only some profiles have counts as absent here; the golden messages pin it down.
    assert_eq!(SwitchConfig::layout(), [("dev_id", 0), ("flags", 0), ("miss_send_len", 2)]);
    assert_eq!(ErrorMsg::layout()[..2], [("error", 0), ("device_id", 4)]);
    assert_eq!(ResourceReport::layout()[0], ("resource_type", 0));
    assert_eq!(TableMod::layout()[..3], [("command", 0), ("table_id", 1), ("type", 2)]);
    assert_eq!(TableMod::layout()[3..6], [("match_field_num", 3), ("size", 4), ("key_len", 8)]);
    assert_eq!(GroupMod::layout()[..4], [("command", 0), ("type", 1), ("action_number", 2), ("group_id", 4)]);
    assert_eq!(PacketIn::layout()[..4], [("buffer_id", 0), ("total_len", 4), ("reason", 6), ("table_id", 7)]);
}

fn refused(profile: Profile, body: Body) -> String {
    Message::new(profile, 1, body).to_vec().unwrap_err().to_string()
}

#[test]
fn nothing_is_longer_than_a_switchs_buffer() {
    let opaque = |len| Body::Unknown { tag: MessageType::EXPERIMENTER, unknown: Bytes(vec![1; len]) };
    let longest = Message::new(Profile::P134, 1, opaque(MAX_MESSAGE_LEN - 8));
    let bytes = longest.to_vec().unwrap();
    assert_eq!(bytes.len(), 2560);
    assert_eq!(Message::decode(Profile::P134, &bytes), Ok(longest));
    assert_eq!(
        refused(Profile::P134, opaque(MAX_MESSAGE_LEN - 7)),
        "EXPERIMENTER: 2561 bytes, and 2560 is the most"
    );
    let mut over = vec![0; 2561];
    over[..4].copy_from_slice(&[4, 4, 10, 1]);
    let error = Message::decode(Profile::P134, &over).unwrap_err();
    assert_eq!(error.to_string(), "EXPERIMENTER: length at offset 2: 2561 bytes, and 2560 is the most");
    assert_eq!(error.answer(), ErrorCode::BAD_LEN);
    // The stream ends at such a message, before its bytes have come.
    let mut splitter = ferroflow_pof::splitter();
    assert!(splitter.next(&mut &bytes[..]).unwrap().is_some());
    let error = splitter.next(&mut &over[..8]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "message of type 4 and version 4, xid 0x0: length 2561 is over the limit of 2560"
    );
}

fn packet_in(profile: Profile, frame: usize) -> Body {
    let has_slots = profile.has_slots();
    Body::PacketIn(PacketIn {
        buffer_id: 0,
        total_len: 0,
        reason: PacketInReason::ACTION,
        table_id: 0,
        cookie: 0,
        device_id: 0,
        slot: has_slots.then_some(0),
        port_id: has_slots.then_some(0),
        frame: Frame(Bytes(vec![0; frame])),
    })
}

#[test]
fn a_frame_has_2048_bytes_at_most() {
    assert!(Message::new(Profile::P140, 1, packet_in(Profile::P140, 2048)).to_vec().is_ok());
    assert_eq!(refused(Profile::P140, packet_in(Profile::P140, 2049)), "PACKET_IN: frame: over 2048 bytes");
    let data = Frame(Bytes(vec![0; 3]));
    let packet = PacketOut { buffer_id: 0, in_port: 0, packet_len: 4, actions: Vec::new(), data };
    assert_eq!(
        refused(Profile::P140, Body::PacketOut(packet.clone())),
        "PACKET_OUT: packet_len: more than the bytes of data"
    );
    let mut bytes = Message::new(Profile::P140, 1, Body::PacketOut(PacketOut { packet_len: 3, ..packet }))
        .to_vec()
        .unwrap();
    bytes[23] = 4;
    let error = Message::decode(Profile::P140, &bytes).unwrap_err();
    assert_eq!(error.to_string(), "PACKET_OUT: packet_len at offset 20: impossible length 4");
    assert_eq!(error.answer(), ErrorCode::BAD_PACKET);
}

fn group(profile: Profile, actions: Vec<Action>) -> Body {
    let slot = profile.has_slots().then_some(0);
    let command = GroupModCommand::ADD;
    Body::GroupMod(GroupMod { command, r#type: 0, group_id: 1, counter_id: 0, slot, actions })
}

#[test]
fn a_profile_carries_its_own_fields_alone() {
    use Profile::{P119, P134, P140};
    let counter = |slot, bytes| {
        Body::CounterMod(Counter { command: CounterCommand::ADD, slot, counter_id: 1, packets: 0, bytes })
    };
    let missing = "COUNTER_MOD: slot: missing in this version";
    assert_eq!(refused(P140, counter(None, Some(0))), missing);
    let extra = "COUNTER_MOD: slot: not a field of this version";
    assert_eq!(refused(P134, counter(Some(1), None)), extra);
    assert_eq!(refused(P134, counter(None, Some(1))), "COUNTER_MOD: bytes: not a field of this version");
    assert_eq!(refused(P119, counter(None, None)), "COUNTER_MOD: bytes: missing in this version");
    let meter =
        |slot, rate| Body::MeterMod(MeterMod { command: MeterModCommand::ADD, slot, meter_id: 1, rate });
    assert_eq!(refused(P134, meter(None, 0x1_0000)), "METER_MOD: rate: over 16 bits");
    assert_eq!(refused(P134, meter(Some(1), 1)), "METER_MOD: slot: this profile has no slots");
    assert_eq!(refused(P140, meter(None, 1)), "METER_MOD: slot: missing in this profile");
    assert_eq!(refused(P119, meter(None, 1)), "METER_MOD: METER_MOD: not a type of this version");
    let field = Match::packet(1, 0, 8);
    let output = Action { len: 20, data: Action::output(P140, field).data };
    assert_eq!(
        refused(P134, group(P134, vec![output])),
        "GROUP_MOD: port: profile 1.3.4 has numbers alone here"
    );
    let add = |value| {
        let data = ActionData::AddField { tag_id: 1, tag_pos: 0, tag_len: 8, value };
        vec![Action { len: 20, data }]
    };
    assert_eq!(
        refused(P119, group(P119, add(Number::Number(1)))),
        "GROUP_MOD: value: 16 bytes in this profile, not a number"
    );
    assert_eq!(
        refused(P134, group(P134, add(Number::Bytes(Raw([0; 16]))))),
        "GROUP_MOD: value: a number in this profile, not 16 bytes"
    );
    let five = vec![ActionData::Drop { reason: 1 }.in_profile(P140); 5];
    assert_eq!(refused(P140, group(P140, five)), "GROUP_MOD: actions: more elements than slots");
    let config = SwitchConfig { dev_id: None, flags: SwitchConfigFlags::FRAG_NORMAL, miss_send_len: 0 };
    assert_eq!(refused(P140, Body::SetConfig(config)), "SET_CONFIG: dev_id: missing in this version");
    let of_type_one = Value::Unknown { value_type: 1, bytes: Raw([0; 8]) };
    let odd = Action::output(P140, of_type_one);
    assert_eq!(refused(P140, group(P140, vec![odd])), "GROUP_MOD: port: types 0 and 1 are not unknown");
    let long = ActionData::Unknown { tag: ActionType::EXPERIMENTER, unknown: Bytes(vec![1; 45]) };
    let long = vec![Action { len: 49, data: long }];
    assert_eq!(refused(P140, group(P140, long)), "GROUP_MOD: data: longer than its slot");
}

fn flow(profile: Profile) -> FlowMod {
    let Body::FlowMod(flow) = (0..=255u8)
        .map(|choice| Message::arbitrary(profile, &[0, 0, 0, 0, choice]).body)
        .find(|body| matches!(body, Body::FlowMod(_)))
        .unwrap()
    else {
        unreachable!()
    };
    flow
}

#[test]
fn an_entry_is_held_to_its_slots() {
    let drop = |profile| ActionData::Drop { reason: 1 }.in_profile(profile);
    for profile in Profile::ALL {
        let max = profile.max_instructions();
        let with = |n, actions| {
            let list = Instruction::apply(profile, vec![drop(profile); actions]);
            Body::FlowMod(FlowMod { instructions: vec![list; n], ..flow(profile) })
        };
        let full = Message::new(profile, 1, with(max, profile.max_actions())).to_vec().unwrap();
        assert_eq!(full.len(), profile.flow_mod_len());
        assert_eq!(refused(profile, with(max + 1, 1)), "FLOW_MOD: instructions: more elements than slots");
        assert_eq!(
            refused(profile, with(1, profile.max_actions() + 1)),
            "FLOW_MOD: actions: more elements than slots"
        );
        let error = |at: usize, to: u8| {
            let mut bytes = full.clone();
            bytes[at] = to;
            let error = Message::decode(profile, &bytes).unwrap_err();
            (error.to_string(), error.answer().to_string())
        };
        assert_eq!(
            error(9, 9),
            ("FLOW_MOD: match_field_num at offset 9: impossible length 9".into(), "BAD_MATCH/BAD_LEN".into())
        );
        assert_eq!(
            error(10, max as u8 + 1),
            (
                format!("FLOW_MOD: instruction_num at offset 10: impossible length {}", max + 1),
                "BAD_INSTRUCTION/BAD_LEN".into()
            )
        );
        assert_eq!(
            error(368 + profile.instruction_len() + 8, 7),
            (
                format!(
                    "FLOW_MOD: instructions[1].data.action_num at offset {}: impossible length 7",
                    368 + profile.instruction_len() + 8
                ),
                "BAD_INSTRUCTION/TOO_MANY_ACTIONS".into()
            )
        );
    }
    let wide = MatchX { len: FieldBits(129), ..MatchX::exact(FieldId(1), 0, &[1]).unwrap() };
    let flow = |field: MatchX| Body::FlowMod(FlowMod { r#match: vec![field], ..flow(Profile::P134) });
    assert_eq!(refused(Profile::P134, flow(wide)), "FLOW_MOD: len: over 128 bits");
    let narrow = MatchX { len: FieldBits(128), ..wide };
    let mut bytes = Message::new(Profile::P134, 1, flow(narrow)).to_vec().unwrap();
    bytes[48 + 5] = 129;
    let error = Message::decode(Profile::P134, &bytes).unwrap_err();
    assert_eq!(error.to_string(), "FLOW_MOD: match[0].len at offset 52: impossible length 129");
    assert_eq!(error.answer(), ErrorCode::BAD_MATCH_LEN);
    assert!(MatchX::exact(FieldId(1), 0, &[0; 17]).is_none());
}

#[test]
fn jumps_are_not_in_1_3_4() {
    let jump = |profile: Profile| {
        let calculation = ferroflow_pof::CalculateField {
            calc_type: ferroflow_pof::Calculation::ADD,
            dst: Match::packet(1, 0, 8),
            src: 1.into(),
        };
        let instruction = Instruction { len: 32, data: InstructionData::CalculateField(calculation) };
        Body::FlowMod(FlowMod { instructions: vec![instruction], ..flow(profile) })
    };
    assert!(Message::new(Profile::P118, 1, jump(Profile::P118)).to_vec().is_ok());
    assert_eq!(
        refused(Profile::P134, jump(Profile::P134)),
        "FLOW_MOD: CALCULATE_FIELD: not a type of this version"
    );
}

#[test]
fn tables_have_a_local_and_a_global_id() {
    let Body::ResourceReport(mut report) =
        Message::decode(Profile::P134, &[&[4, 13, 0, 88, 0, 0, 0, 1][..], &[0; 80]].concat()).unwrap().body
    else {
        panic!("no RESOURCE_REPORT")
    };
    // As shipped (WIRE.md 4, RESOURCE_REPORT).
    for (table, tbl_num) in report.tables.iter_mut().zip([8, 2, 6, 7]) {
        table.tbl_num = tbl_num;
    }
    for (ty, local, global) in [
        (TableType::MM, 0, Some(0)),
        (TableType::MM, 7, Some(7)),
        (TableType::MM, 8, None),
        (TableType::LPM, 0, Some(8)),
        (TableType::EM, 5, Some(15)),
        (TableType::LINEAR, 0, Some(16)),
        (TableType::LINEAR, 6, Some(22)),
        (TableType(4), 0, None),
    ] {
        assert_eq!(report.global_table_id(ty, local), global);
        if let Some(global) = global {
            assert_eq!(report.local_table_id(global), Some((ty, local)));
        }
    }
    assert_eq!(report.local_table_id(23), None);
    report.tables.iter_mut().for_each(|table| table.tbl_num = 255);
    assert_eq!(report.global_table_id(TableType::LPM, 0), Some(255));
    assert_eq!(report.global_table_id(TableType::LPM, 1), None);
    assert_eq!(report.global_table_id(TableType::LINEAR, 254), None);
}

#[test]
fn wrong_headers_are_named() {
    let error = |bytes: &[u8]| {
        let error = Message::decode(Profile::P134, bytes).unwrap_err();
        (error.to_string(), error.field(), error.offset(), error.answer().to_string())
    };
    let expect = |text: &str, field: &str, offset, answer: &str| {
        (text.to_owned(), field.to_owned(), offset, answer.to_owned())
    };
    assert_eq!(
        error(&[4, 0, 0]),
        expect("message: length at offset 2: 8 bytes announced, 3 there", "length", 2, "BAD_REQUEST/BAD_LEN")
    );
    assert_eq!(
        error(&[5, 0, 0, 8, 0, 0, 0, 0]),
        expect("HELLO: version at offset 0: 5, and POF's is 4", "version", 0, "HELLO_FAILED/INCOMPATIBLE")
    );
    assert_eq!(
        error(&[1, 2, 0, 8, 0, 0, 0, 0]),
        expect(
            "ECHO_REQUEST: version at offset 0: 1, and POF's is 4",
            "version",
            0,
            "BAD_REQUEST/BAD_VERSION"
        )
    );
    assert_eq!(
        error(&[4, 2, 0, 9, 0, 0, 0, 0]),
        expect(
            "ECHO_REQUEST: length at offset 2: 9 bytes announced, 8 there",
            "length",
            2,
            "BAD_REQUEST/BAD_LEN"
        )
    );
    assert_eq!(
        error(&[4, 2, 0, 10, 0, 0, 0, 0, 1, 2]),
        expect("ECHO_REQUEST: length at offset 8: 2 bytes too many", "length", 8, "BAD_REQUEST/BAD_LEN")
    );
    assert_eq!(
        error(&[4, 9, 0, 10, 0, 0, 0, 0, 1, 2]),
        expect(
            "SET_CONFIG: miss_send_len at offset 10: truncated: 2 bytes needed, 0 there",
            "miss_send_len",
            10,
            "BAD_REQUEST/BAD_LEN"
        )
    );
}

#[test]
fn what_is_unused_stays_where_nothing_is_said() {
    let config = [4, 31, 0, 24, 0, 0, 0, 1, 0, 1, 2, 3, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1];
    let mut message = Message::decode(Profile::P134, &config).unwrap();
    assert_eq!(message.unused.iter().collect::<Vec<_>>(), [(9, &[1, 2, 3][..])]);
    let json = serde_json::to_string(&message).unwrap();
    assert!(json.ends_with(r#""unused":[{"offset":9,"bytes":"010203"}]}"#), "{json}");
    assert_eq!(message.to_vec().unwrap(), config);
    for (offset, bytes) in
        [(15, vec![8]), (8, vec![1, 1]), (22, vec![0, 1, 2]), (60000, vec![1]), (0, vec![5])]
    {
        message.unused = Unused::default();
        message.unused.push(offset, &bytes);
        let expected = EncodeError::NotUnused { message: MessageType::COUNTER_MOD, offset };
        assert_eq!(message.to_vec(), Err(expected));
    }
}

#[test]
fn the_view_names_what_is_wrong_with_it() {
    let read = |text: &str| serde_json::from_str::<Message>(text).unwrap_err().to_string();
    let counter = r#"{"header":{"profile":"1.3.4","type":"COUNTER_MOD","xid":1},"command":"ADD","counter_id":1,"packets":0}"#;
    assert!(serde_json::from_str::<Message>(counter).is_ok());
    for (from, to, wrong) in [
        (
            "1.3.4",
            "1.5.0",
            "header.profile: no POF profile \"1.5.0\"; there are 1.1.8, 1.1.9, 1.3.4 and 1.4.0",
        ),
        ("COUNTER_MOD", "COUNTER", "header.type: MessageType has no value named \"COUNTER\""),
        ("\"ADD\"", "\"PUT\"", "command: CounterCommand has no value named \"PUT\""),
        ("\"packets\":0", "\"packets\":-1", "packets: a number of 64 bits expected, -1 found"),
        ("\"packets\":0", "\"packet\":0", "packets: missing"),
        ("\"packets\":0", "\"packets\":0,\"more\":1", "no field is named \"more\""),
        (",\"xid\":1", "", "header.xid: missing"),
        ("\"xid\":1", "\"xid\":1,\"more\":2", "header: no field is named \"more\""),
    ] {
        let message = read(&counter.replace(from, to));
        assert!(message.contains(wrong), "{message}");
    }
}
