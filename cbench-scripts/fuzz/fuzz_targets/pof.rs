//! POF's codec. Any bytes are refused or come out unchanged, as bytes and by way of the view for people; a made-up
//! message is what is read; both ends of the handshake take any stream; the data path reads as the owned values do.
#![no_main]

mod input;

use ferroflow_pof::codec::Json;
use ferroflow_pof::fast::{ActionSlot, FieldMatch, FlowModBuilder, PacketInView, write_packet_out};
use ferroflow_pof::handshake::{ControllerHandshake, SwitchHandshake};
use ferroflow_pof::{Body, FlowModCommand, Header, MAX_MESSAGE_LEN, Message, Profile, TableType};
use input::Script;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut script = Script::new(data);
    let profile = Profile::ALL[usize::from(script.u8() % 4)];
    match script.u8() % 4 {
        0 => framed(profile, &mut script),
        1 => made_up(profile, &mut script),
        2 => stream(profile, &mut script),
        _ => built(profile, &mut script),
    }
});

/// A right header around a body from the script, cut or filled up to a length that a type has.
fn framed(profile: Profile, script: &mut Script<'_>) {
    let [ty, choice] = script.array();
    let fixed = [4, 8, 16, 24, 80, 128, 144, 208, 264, 272, 304, 320, 1192, 2184];
    let body = script.bytes(4096);
    let len = fixed.get(usize::from(choice)).copied().unwrap_or(body.len());
    let mut msg = vec![4, ty % 40, 0, 0, 0, 0, 0, choice];
    msg.extend(body.iter().copied().chain(std::iter::repeat(0)).take(len));
    let length = (msg.len() as u16).to_be_bytes();
    msg[2..4].copy_from_slice(&length);
    read(profile, &msg);
}

/// Reads `msg` in every way that there is.
fn read(profile: Profile, msg: &[u8]) {
    let view = PacketInView::parse(profile, msg);
    let message = match Message::decode(profile, msg) {
        Ok(message) => message,
        Err(error) => {
            assert!(view.is_err() && error.offset() <= msg.len().max(2) && !error.field().is_empty());
            assert!(error.answer().name().is_some() && !error.to_string().is_empty());
            return;
        }
    };
    assert!(msg.len() <= MAX_MESSAGE_LEN);
    assert_eq!(message.to_vec().as_deref(), Ok(msg), "what is read is written as it was");
    assert_eq!(Message::from_json(message.to_json()).as_ref(), Ok(&message));
    assert!(!format!("{message:?}").is_empty());
    match (&message.body, view) {
        (Body::PacketIn(packet), Ok(view)) => {
            assert_eq!(
                (packet.slot, packet.port_id, &packet.frame.0[..]),
                (view.slot, view.port_id, view.frame)
            );
            assert_eq!((packet.cookie, packet.device_id), (view.cookie, view.device_id));
            assert_eq!((packet.buffer_id, packet.total_len), (view.buffer_id, view.total_len));
            assert_eq!((packet.reason, packet.table_id, message.xid), (view.reason, view.table_id, view.xid));
        }
        (body, view) => assert!(view.is_err() && !matches!(body, Body::PacketIn(_))),
    }
}

/// A message that the profile can carry, then with some of its bytes changed.
fn made_up(profile: Profile, script: &mut Script<'_>) {
    let changes = script.array::<9>();
    let mut entropy = Vec::new();
    while !script.is_over() {
        entropy.extend_from_slice(script.bytes(64));
    }
    let message = Message::arbitrary(profile, &entropy);
    let mut msg = message.to_vec().expect("the profile can carry it");
    assert_eq!(Message::decode(profile, &msg).as_ref(), Ok(&message));
    assert_eq!(Message::from_json(message.to_json()).as_ref(), Ok(&message));
    for change in changes.chunks_exact(3) {
        let at = usize::from(u16::from_be_bytes([change[0], change[1]])) % msg.len();
        msg[at] = change[2];
        read(profile, &msg);
    }
}

/// A stream in pieces, to both ends of the handshake.
fn stream(profile: Profile, script: &mut Script<'_>) {
    let mut controller = ControllerHandshake::new(profile, 1);
    let mut switch = SwitchHandshake::new();
    assert!(
        Header::of_message(&controller.connected()).is_ok()
            && Header::of_message(&switch.connected()).is_ok()
    );
    let mut splitter = ferroflow_pof::splitter();
    while !script.is_over() {
        let piece = usize::from(script.u8()) + 1;
        let mut chunk = script.bytes(piece);
        loop {
            match splitter.next(&mut chunk) {
                Ok(Some(msg)) => {
                    read(profile, msg);
                    let _ = switch.receive(msg).map_err(|e| (e.to_string(), e.answer()));
                    if let Ok(out) = controller.receive(msg) {
                        let mut sent = ferroflow_pof::splitter();
                        let mut rest = &out[..];
                        while let Some(msg) = sent.next(&mut rest).expect("whole messages") {
                            read(profile, msg);
                        }
                        assert!(rest.is_empty() && sent.pending() == 0);
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    assert!(error.header.length < 8 || usize::from(error.header.length) > MAX_MESSAGE_LEN);
                    return;
                }
            }
        }
        assert!(splitter.capacity() <= MAX_MESSAGE_LEN);
    }
}

/// Messages of the builders are read as they were built.
fn built(profile: Profile, script: &mut Script<'_>) {
    let mut buf = [0xee; MAX_MESSAGE_LEN];
    let xid = script.u32();
    let mut flow =
        FlowModBuilder::new(profile, &mut buf, xid, FlowModCommand(script.u8())).expect("there is room");
    flow.table(TableType(script.u8()), script.u8()).index(script.u32()).priority(script.u16());
    flow.cookie(script.u64(), script.u64()).slot(script.u16());
    for _ in 0..script.u8() % 10 {
        let field = FieldMatch::exact(script.u16(), script.u16(), script.bytes(16)).expect("16 bytes");
        let _ = flow.matching(&field).map(|_| ());
    }
    for _ in 0..script.u8() % 8 {
        let action = match script.u8() % 3 {
            0 => ActionSlot::output(profile, script.u32()),
            1 => ActionSlot::group(script.u32()),
            _ => ActionSlot::drop(script.u32()),
        };
        let _ = match script.u8() % 3 {
            0 => flow.goto_table(script.u8(), script.u16()).map(|_| ()),
            1 => flow.meter(script.u32()).map(|_| ()),
            _ => flow.apply_actions(&[action; 7][..usize::from(script.u8() % 8)]).map(|_| ()),
        };
    }
    let len = flow.finish();
    let message = Message::decode(profile, &buf[..len]).expect("what was built can be read");
    assert!(message.xid == xid && message.unused.is_empty());
    read(profile, &buf[..len]);
    let actions = [ActionSlot::output(profile, xid); 7];
    let count = usize::from(script.u8() % 8);
    let frame = script.bytes(4096);
    if let Ok(len) = write_packet_out(profile, &mut buf, xid, 1, &actions[..count], frame) {
        let message = Message::decode(profile, &buf[..len]).expect("what was built can be read");
        let Body::PacketOut(packet) = &message.body else { panic!("{message:?}") };
        assert_eq!((&packet.data.0[..], packet.actions.len()), (frame, count));
    }
}
