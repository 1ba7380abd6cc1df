//! Actions of 1.2 and later (OF 1.3.5 7.2.5).

use super::numbers::{ExperimenterId, GroupId, MaxLen, MeterId, PortNo, QueueId};
use super::oxm::{Oxm, OxmHeader};
use super::set_field;
use crate::owned::nicira::NxAction;
use ferroflow_wire::codec::Reason;
use ferroflow_wire::{choice, open_enum, tagged, tlv};

open_enum! {
    /// `ofp_action_type` (OF 1.3.5 7.2.5; PBB is of 1.3, the last two are of 1.5).
    pub ActionType(u16) {
        OFPAT_OUTPUT = 0,
        OFPAT_COPY_TTL_OUT = 11,
        OFPAT_COPY_TTL_IN = 12,
        OFPAT_SET_MPLS_TTL = 15,
        OFPAT_DEC_MPLS_TTL = 16,
        OFPAT_PUSH_VLAN = 17,
        OFPAT_POP_VLAN = 18,
        OFPAT_PUSH_MPLS = 19,
        OFPAT_POP_MPLS = 20,
        OFPAT_SET_QUEUE = 21,
        OFPAT_GROUP = 22,
        OFPAT_SET_NW_TTL = 23,
        OFPAT_DEC_NW_TTL = 24,
        OFPAT_SET_FIELD = 25,
        OFPAT_PUSH_PBB = 26,
        OFPAT_POP_PBB = 27,
        OFPAT_COPY_FIELD = 28,
        OFPAT_METER = 29,
        OFPAT_EXPERIMENTER = 0xffff,
    }
}

choice! {
    /// `ofp_action_header` and what follows it.
    pub enum Action("type": ActionType) {
        OFPAT_OUTPUT => Output { port: PortNo, max_len: MaxLen, _[6], },
        OFPAT_COPY_TTL_OUT => CopyTtlOut { _[4], },
        OFPAT_COPY_TTL_IN => CopyTtlIn { _[4], },
        OFPAT_SET_MPLS_TTL => SetMplsTtl { mpls_ttl: u8, _[3], },
        OFPAT_DEC_MPLS_TTL => DecMplsTtl { _[4], },
        OFPAT_PUSH_VLAN => PushVlan { ethertype: u16, _[2], },
        OFPAT_POP_VLAN => PopVlan { _[4], },
        OFPAT_PUSH_MPLS => PushMpls { ethertype: u16, _[2], },
        OFPAT_POP_MPLS => PopMpls { ethertype: u16, _[2], },
        OFPAT_SET_QUEUE => SetQueue { queue_id: QueueId, },
        OFPAT_GROUP => Group { group_id: GroupId, },
        OFPAT_SET_NW_TTL => SetNwTtl { nw_ttl: u8, _[3], },
        OFPAT_DEC_NW_TTL => DecNwTtl { _[4], },
        OFPAT_SET_FIELD => SetField { field: Oxm as with(set_field), _[align 8], },
        OFPAT_PUSH_PBB in 4..=6 => PushPbb { ethertype: u16, _[2], },
        OFPAT_POP_PBB in 4..=6 => PopPbb { _[4], },
        OFPAT_COPY_FIELD in 6..=6 => CopyField {
            n_bits: u16,
            src_offset: u16,
            dst_offset: u16,
            _[2],
            /// Source and destination.
            oxm_ids: [OxmHeader; 2],
            _[align 8],
        },
        OFPAT_METER in 6..=6 => Meter { meter_id: MeterId, },
        OFPAT_EXPERIMENTER => Experimenter(action: ExperimenterAction),
        _ => Unknown,
    }
}
// OF 1.3.5 7.2.5: the length is a multiple of 8.
tlv!(Action, len: u16, answer bad_action, unit 8);

/// OFPET_BAD_ACTION with OFPBAC_BAD_LEN, OFPBAC_BAD_ARGUMENT or OFPBAC_TOO_MANY, the same numbers in every version.
pub(in crate::owned) fn bad_action(_version: u8, reason: Reason) -> Option<(u16, u16)> {
    Some(match reason {
        Reason::Masked | Reason::BadValue { .. } => (2, 5),
        Reason::TooDeep => (2, 7),
        _ => (2, 1),
    })
}

choice! {
    /// `ofp_action_experimenter_header` and what follows it (OF 1.3.5 7.2.5).
    pub enum ExperimenterAction("experimenter": ExperimenterId) {
        NX_VENDOR_ID => Nicira(action: NxAction),
        _ => Unknown after 8,
    }
}
tagged!(ExperimenterAction);

impl Action {
    /// `OFPAT_OUTPUT` to a switch port.
    pub fn output(port: u32) -> Self {
        Self::Output { port: PortNo(port), max_len: MaxLen(0) }
    }

    /// `OFPAT_OUTPUT` of whole packets to the controller.
    pub fn controller() -> Self {
        Self::Output { port: PortNo::OFPP_CONTROLLER, max_len: MaxLen::OFPCML_NO_BUFFER }
    }
}

impl From<NxAction> for Action {
    fn from(action: NxAction) -> Self {
        Self::Experimenter(ExperimenterAction::Nicira(action))
    }
}
