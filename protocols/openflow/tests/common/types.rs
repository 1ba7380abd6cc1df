//! What there is, by the names of the specifications.
#![allow(dead_code, reason = "each test binary uses some of it")]

use ferroflow_openflow::owned::common::since_14::*;
use ferroflow_openflow::owned::{common, nicira, v10, v12, v14, v15};
use ferroflow_openflow::{v10 as views_v10, v13 as views_v13};

/// The types of messages and of multiparts (statistics) that a version has, with all that there are of its own.
pub fn types(version: u8) -> (Vec<&'static str>, Vec<&'static str>) {
    match version {
        1 => (names(views_v10::MsgType::NAMES), names(views_v10::StatsType::NAMES)),
        3 => (names(v12::MsgType::NAMES), names(v12::StatsType::NAMES)),
        4 => (names(views_v13::MsgType::NAMES), names(views_v13::MultipartType::NAMES)),
        5 => (names(v14::MsgType::NAMES), names(v14::MultipartType::NAMES)),
        6 => (names(v15::MsgType::NAMES), names(v15::MultipartType::NAMES)),
        version => panic!("no list of types of version {version}"),
    }
}

fn names<T>(names: &[(&'static str, T)]) -> Vec<&'static str> {
    names.iter().map(|&(name, _)| name).collect()
}

/// The types of actions, instructions, meter bands, properties and other parts of messages of all versions.
pub fn parts() -> Vec<&'static str> {
    [
        names(views_v10::ActionType::NAMES),
        names(v10::ErrorType::NAMES),
        names(v10::QueueProperty::NAMES),
        names(common::ActionType::NAMES),
        names(common::ErrorType::NAMES),
        names(common::InstructionType::NAMES),
        names(common::MeterBandType::NAMES),
        names(common::QueueProperty::NAMES),
        names(common::TableFeaturePropType::NAMES),
        names(PortDescPropType::NAMES),
        names(PortModPropType::NAMES),
        names(PortStatsPropType::NAMES),
        names(QueueDescPropType::NAMES),
        names(QueueStatsPropType::NAMES),
        names(RolePropType::NAMES),
        names(TableModPropType::NAMES),
        names(BundlePropType::NAMES),
        names(BundleCtrlType::NAMES),
        names(AsyncConfigPropType::NAMES),
        names(FlowUpdateEvent::NAMES),
        names(v15::GroupBucketPropType::NAMES),
        names(v15::GroupPropType::NAMES),
        names(v15::ControllerStatusPropType::NAMES),
        names(v15::BundleFeaturesPropType::NAMES),
        names(v15::HeaderTypeNamespace::NAMES),
        names(nicira::NxActionType::NAMES),
        names(nicira::Controller2PropType::NAMES),
        names(nicira::NxMessageType::NAMES),
        names(nicira::PacketIn2PropType::NAMES),
        names(nicira::NxStatsType::NAMES),
        names(nicira::FlowUpdateEvent::NAMES),
    ]
    .concat()
}
