//! Actions of 1.0 (OF 1.0 5.2.4).

use super::numbers::{PortNo, VlanId};
use crate::owned::common::{ExperimenterId, QueueId, bad_action};
use crate::owned::nicira::NxAction;
use crate::v10::ActionType;
use ferroflow_wire::MacAddr;
use ferroflow_wire::{choice, tagged, tlv};
use std::net::Ipv4Addr;

choice! {
    /// `ofp_action_header` and what follows it.
    pub enum Action("type": ActionType) {
        OFPAT_OUTPUT => Output {
            port: PortNo,
            /// Bytes of the packet, for `OFPP_CONTROLLER`.
            max_len: u16,
        },
        OFPAT_SET_VLAN_VID => SetVlanVid { vlan_vid: VlanId, _[2], },
        OFPAT_SET_VLAN_PCP => SetVlanPcp { vlan_pcp: u8, _[3], },
        OFPAT_STRIP_VLAN => StripVlan { _[4], },
        OFPAT_SET_DL_SRC => SetDlSrc { dl_addr: MacAddr, _[6], },
        OFPAT_SET_DL_DST => SetDlDst { dl_addr: MacAddr, _[6], },
        OFPAT_SET_NW_SRC => SetNwSrc { nw_addr: Ipv4Addr, },
        OFPAT_SET_NW_DST => SetNwDst { nw_addr: Ipv4Addr, },
        OFPAT_SET_NW_TOS => SetNwTos { nw_tos: u8, _[3], },
        OFPAT_SET_TP_SRC => SetTpSrc { tp_port: u16, _[2], },
        OFPAT_SET_TP_DST => SetTpDst { tp_port: u16, _[2], },
        OFPAT_ENQUEUE => Enqueue { port: PortNo, _[6], queue_id: QueueId, },
        OFPAT_VENDOR => Vendor(action: VendorAction),
        _ => Unknown,
    }
}
// OF 1.0 5.2.4: the length is a multiple of 8.
tlv!(Action, len: u16, answer bad_action, unit 8);

choice! {
    /// `ofp_action_vendor_header` and what follows it (OF 1.0 5.2.4).
    pub enum VendorAction("vendor": ExperimenterId) {
        NX_VENDOR_ID => Nicira(action: NxAction),
        _ => Unknown after 8,
    }
}
tagged!(VendorAction);

impl From<NxAction> for Action {
    fn from(action: NxAction) -> Self {
        Self::Vendor(VendorAction::Nicira(action))
    }
}
