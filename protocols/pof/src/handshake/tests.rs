use super::*;
use crate::{Body, FeaturesReply, Message, PortChange, Profile, ResourceReport, SwitchConfig};
use ferroflow_wire::codec::Arbitrary;
use ferroflow_wire::codec::Entropy;

fn made<T: Arbitrary>(profile: Profile) -> T {
    T::arbitrary(&mut Entropy::new(&[], profile.version()))
}

fn bytes(profile: Profile, body: Body) -> Vec<u8> {
    Message::new(profile, 7, body).to_vec().unwrap()
}

fn features(profile: Profile, ports: u16) -> Vec<u8> {
    let features = FeaturesReply { port_num: ports, dev_id: 0x0a0b_0c0d, ..made(profile) };
    bytes(profile, Body::FeaturesReply(features))
}

fn config_reply(profile: Profile) -> Vec<u8> {
    bytes(profile, Body::GetConfigReply(made::<SwitchConfig>(profile)))
}

fn resources(profile: Profile) -> Vec<u8> {
    bytes(profile, Body::ResourceReport(made::<ResourceReport>(profile)))
}

fn port(profile: Profile) -> Vec<u8> {
    bytes(profile, Body::PortStatus(made::<PortChange>(profile)))
}

/// The types of the messages in `out`.
fn types(mut out: &[u8]) -> Vec<MessageType> {
    let mut splitter = crate::splitter();
    let mut found = Vec::new();
    while let Ok(Some(msg)) = splitter.next(&mut out) {
        found.push(Header::of_message(msg).unwrap().ty);
    }
    found
}

/// A controller that has the first FEATURES_REPLY of a switch.
fn configured(profile: Profile, ports: u16) -> ControllerHandshake {
    let mut controller = ControllerHandshake::new(profile, 100);
    assert_eq!(types(&controller.connected()), [MessageType::HELLO]);
    let request = controller.receive(&bytes(profile, Body::Hello)).unwrap();
    assert_eq!(*request, [4, 5, 0, 8, 0, 0, 0, 100]);
    let sent = controller.receive(&features(profile, ports)).unwrap();
    assert_eq!(types(&sent), [MessageType::SET_CONFIG, MessageType::GET_CONFIG_REQUEST]);
    controller
}

#[test]
fn the_configuration_is_of_the_profile() {
    let send = |profile| {
        let mut controller = ControllerHandshake::new(profile, u32::MAX);
        controller.connected();
        controller.receive(&bytes(profile, Body::Hello)).unwrap();
        controller.receive(&features(profile, 1)).unwrap().to_vec()
    };
    assert_eq!(send(Profile::P134), [4, 9, 0, 12, 0, 0, 0, 0, 0, 0, 255, 255, 4, 7, 0, 8, 0, 0, 0, 1]);
    assert_eq!(
        send(Profile::P140),
        [4, 9, 0, 16, 0, 0, 0, 0, 10, 11, 12, 13, 0, 0, 255, 255, 4, 7, 0, 8, 0, 0, 0, 1]
    );
}

#[test]
fn a_switch_is_ready_when_every_port_has_been_told() {
    let profile = Profile::P134;
    let mut controller = configured(profile, 2);
    for (msg, state) in [
        (config_reply(profile), ControllerState::Resources { left: 1 }),
        (resources(profile), ControllerState::Ports { left: 2 }),
        (port(profile), ControllerState::Ports { left: 1 }),
        (port(profile), ControllerState::Run),
    ] {
        assert!(!controller.is_ready());
        assert_eq!(controller.receive(&msg), Ok(Outgoing::default()));
        assert_eq!(controller.state(), state);
    }
    assert_eq!(controller.may_send(MessageType::ECHO_REQUEST), Ok(()));
    assert_eq!(controller.next_xid(), 103);
    assert_eq!(controller.receive(&bytes(profile, Body::EchoRequest)), Ok(Outgoing::default()));
}

#[test]
fn every_slot_has_its_features_and_its_report() {
    let profile = Profile::P140;
    let mut controller = configured(profile, 1);
    controller.receive(&features(profile, 0)).unwrap();
    controller.receive(&features(profile, 1)).unwrap();
    controller.receive(&config_reply(profile)).unwrap();
    assert_eq!(controller.state(), ControllerState::Resources { left: 3 });
    for _ in 0..3 {
        controller.receive(&resources(profile)).unwrap();
    }
    assert_eq!(controller.state(), ControllerState::Ports { left: 2 });
    // A port that was not counted, or counted and not told: the switch's ECHO_REQUEST says that it is ready.
    controller.receive(&bytes(profile, Body::EchoRequest)).unwrap();
    assert!(controller.is_ready());
    let mut portless = configured(profile, 0);
    portless.receive(&config_reply(profile)).unwrap();
    portless.receive(&resources(profile)).unwrap();
    assert!(portless.is_ready());
}

#[test]
fn a_controller_names_what_it_expected() {
    let profile = Profile::P134;
    let error = |controller: &mut ControllerHandshake, msg: &[u8]| controller.receive(msg).unwrap_err();
    let mut controller = ControllerHandshake::new(profile, 1);
    controller.connected();
    let echo = bytes(profile, Body::EchoRequest);
    let early = error(&mut controller, &echo);
    assert_eq!(early.to_string(), "ECHO_REQUEST in state HELLO: HELLO expected");
    assert_eq!(early.answer(), ErrorCode::BAD_TYPE);
    let mut controller = configured(profile, 3);
    // A second FEATURES_REPLY is a further slot's, and 1.3.4 has none.
    assert_eq!(
        error(&mut controller, &features(profile, 1)).to_string(),
        "FEATURES_REPLY in state REQUEST_GET_CONFIG: GET_CONFIG_REPLY expected"
    );
    assert_eq!(
        error(&mut controller, &resources(profile)).to_string(),
        "RESOURCE_REPORT in state REQUEST_GET_CONFIG: GET_CONFIG_REPLY expected"
    );
    controller.receive(&config_reply(profile)).unwrap();
    assert_eq!(
        error(&mut controller, &echo).to_string(),
        "ECHO_REQUEST in state RESOURCES: RESOURCE_REPORT expected"
    );
    // An ERROR may come at any time.
    let refusal = crate::ErrorMsg::new(profile, 1, ErrorCode::BAD_TYPE);
    assert_eq!(controller.receive(&bytes(profile, Body::Error(refusal))), Ok(Outgoing::default()));
    assert_eq!(
        controller.may_send(MessageType::ECHO_REQUEST).unwrap_err().to_string(),
        "ECHO_REQUEST in state RESOURCES: RESOURCE_REPORT expected"
    );
}

#[test]
fn a_profile_without_a_known_features_reply_is_refused() {
    let mut controller = ControllerHandshake::new(Profile::P118, 1);
    controller.connected();
    controller.receive(&bytes(Profile::P118, Body::Hello)).unwrap();
    let error = controller.receive(&features(Profile::P134, 1)).unwrap_err();
    assert_eq!(error.to_string(), "the layout of FEATURES_REPLY in profile 1.1.8 is not known");
}

#[test]
fn a_switch_takes_the_four_messages_in_order_and_nothing_else() {
    use MessageType as T;
    let order = [
        (T::HELLO, SwitchState::Hello, SwitchStep::Forget),
        (T::FEATURES_REQUEST, SwitchState::RequestFeature, SwitchStep::SendFeatures { xid: 9 }),
        (T::SET_CONFIG, SwitchState::SetConfig, SwitchStep::Configure),
        (T::GET_CONFIG_REQUEST, SwitchState::RequestGetConfig, SwitchStep::SendReports { xid: 9 }),
    ];
    let message = |ty: T| Header { ty, length: 8, xid: 9 }.to_bytes();
    for done in 0..order.len() {
        for ty in (0..=u8::MAX).map(MessageType) {
            let mut switch = SwitchHandshake::new();
            assert_eq!(types(&switch.connected()), [T::HELLO]);
            for (ty, state, step) in &order[..done] {
                assert_eq!(switch.state(), *state);
                assert_eq!(switch.receive(&message(*ty)).as_ref(), Ok(step));
            }
            let (expected, state, step) = order[done];
            assert_eq!(switch.state(), state);
            let answer = switch.receive(&message(ty));
            if ty == expected {
                assert_eq!(answer, Ok(step));
                continue;
            }
            let name = state.name();
            assert_eq!(answer, Err(HandshakeError::Order { state: name, expected, found: ty }));
            assert_eq!(switch.state(), SwitchState::Invalid);
        }
    }
    let mut switch = SwitchHandshake::default();
    switch.connected();
    for (ty, ..) in &order {
        switch.receive(&message(*ty)).unwrap();
    }
    assert_eq!(switch.state(), SwitchState::Run);
    for ty in (0..=u8::MAX).map(MessageType) {
        assert_eq!(switch.receive(&message(ty)), Ok(SwitchStep::Act));
    }
}

#[test]
fn a_later_version_is_incompatible() {
    let mut switch = SwitchHandshake::new();
    switch.connected();
    let error = switch.receive(&[5, 0, 0, 16, 0, 0, 0, 1, 0, 1, 0, 8, 0, 0, 0, 0x30]).unwrap_err();
    assert_eq!(error, HandshakeError::Version { version: 5 });
    assert_eq!(error.answer(), ErrorCode::INCOMPATIBLE);
    assert_eq!(error.to_string(), "HELLO of version 5: at most 4 expected");
    assert_eq!(switch.state(), SwitchState::Invalid);
    // The state numbers are the switch's own (WIRE.md 3).
    assert_eq!((SwitchState::Invalid as u8, SwitchState::Hello as u8, SwitchState::Run as u8), (0, 3, 7));
}
