use ferroflow_openflow::{Encode, ErrorCode, ErrorMsg, v10};

use super::*;
use crate::app::Refused;
use crate::flow::VlanMatch;

fn written(version: Version, matching: &Match, actions: &[Action]) -> Result<Vec<u8>, Refused> {
    let mut ring = SendRing::new(1 << 16);
    let message = FlowMod {
        xid: 7,
        command: FlowCommand::Add,
        table: Some(0),
        priority: 5,
        cookie: 9,
        cookie_mask: 0,
        buffer: 0x1234,
        out_port: PortNo::ANY,
        idle_timeout_s: 0,
        hard_timeout_s: 0,
        notify: false,
        matching,
        actions,
        goto_table: None,
    };
    Out { ring: &mut ring, keep: 0, copy: None }.flow_mod(version, &message)?;
    let mut bytes = vec![0; ring.len()];
    ring.copy_out(0, &mut bytes);
    Ok(bytes)
}

#[test]
fn a_vlan_is_pushed_by_one_action_in_1_0_and_two_in_1_3() {
    let actions = [Action::PushVlan(5), Action::Output(PortNo(1))];
    let old = written(Version::V1_0, &Match::ALL, &actions).unwrap();
    assert_eq!(old.len(), 72 + 8 + 8);
    let new = written(Version::V1_3, &Match::ALL, &actions).unwrap();
    let seen = format!("{:?}", ferroflow_openflow::v13::FlowMod::parse(&new).unwrap().instructions);
    assert!(seen.contains("PushVlan(33024)") && seen.contains("VlanVid(4101"), "{seen}");
}

#[test]
fn a_masked_copy_keeps_everything_but_buffer_and_xid() {
    for version in [Version::V1_0, Version::V1_3] {
        let before = written(version, &Match::ALL, &[Action::Output(PortNo(1))]).unwrap();
        let mut after = before.clone();
        without_buffer(version, &mut after, 8);
        let changed: Vec<usize> = (0..before.len()).filter(|i| before[*i] != after[*i]).collect();
        let at = if version == Version::V1_0 { 64 } else { 32 };
        assert_eq!(changed, [7, at, at + 1, at + 2, at + 3]);
        assert_eq!(after[at..at + 4], [0xff; 4]);
    }
}

#[test]
fn an_error_names_its_flow_from_what_it_quotes() {
    let m = Match::new().in_port(PortNo(3)).vlan(VlanMatch::Id(4));
    for version in [Version::V1_0, Version::V1_3] {
        let msg = written(version, &m, &[Action::Output(PortNo(1))]).unwrap();
        let error = ErrorMsg::answer(version, &msg, ErrorCode { ty: 3, code: 0 }).to_vec();
        let name = flow_name(&ErrorMsg::parse(&error).unwrap()).unwrap();
        assert_eq!((name.priority, name.cookie), (5, 9));
        // 64 bytes hold a match of 1.0 whole, and one of 1.3 only if it is short: this one is not.
        assert_eq!(name.matching, (version == Version::V1_0).then_some(m));
        // What is quoted too short is no panic.
        for cut in 0..error.len() {
            let mut short = error[..cut].to_vec();
            if cut >= 12 {
                short[2..4].copy_from_slice(&(cut as u16).to_be_bytes());
                if let Ok(error) = ErrorMsg::parse(&short) {
                    let _ = flow_name(&error);
                }
            }
        }
    }
}

#[test]
fn an_error_about_something_else_names_no_flow() {
    let msg = v10::BarrierRequest { xid: 1 }.to_vec();
    let error = ErrorMsg::answer(Version::V1_0, &msg, ErrorCode { ty: 1, code: 1 }).to_vec();
    assert!(flow_name(&ErrorMsg::parse(&error).unwrap()).is_none());
}

#[test]
fn ports_of_other_protocols_are_unsupported_in_1_3() {
    let m = Match { ip_proto: Some(132), eth_type: Some(0x800), l4_dst: Some(1), ..Match::ALL };
    assert!(written(Version::V1_0, &m, &[]).is_ok());
    assert!(matches!(written(Version::V1_3, &m, &[]), Err(Refused::Unsupported(_))));
}

#[test]
fn room_is_kept_for_others_and_a_message_is_never_cut() {
    let mut ring = SendRing::new(4096);
    let mut out = Out { ring: &mut ring, keep: 1000, copy: None };
    while out.barrier_request(Version::V1_3, 1).is_ok() {}
    assert_eq!((4096 - ring.len()) / 8, 1000 / 8);
    assert!(ring.is_short(), "writable will follow");
    let mut out = Out { ring: &mut ring, keep: 0, copy: None };
    assert!(out.barrier_request(Version::V1_3, 1).is_ok());
}
