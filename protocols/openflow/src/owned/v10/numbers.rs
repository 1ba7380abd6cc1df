//! Numbers with names of 1.0.

use ferroflow_wire::codec::{Json, JsonError, Object, Value};
use ferroflow_wire::{bit_flags, open_enum};

open_enum! {
    /// `ofp_port` (OF 1.0 5.2.1).
    pub PortNo(u16) {
        OFPP_MAX = 0xff00,
        OFPP_IN_PORT = 0xfff8,
        OFPP_TABLE = 0xfff9,
        OFPP_NORMAL = 0xfffa,
        OFPP_FLOOD = 0xfffb,
        OFPP_ALL = 0xfffc,
        OFPP_CONTROLLER = 0xfffd,
        OFPP_LOCAL = 0xfffe,
        OFPP_NONE = 0xffff,
    }
}

open_enum! {
    /// A VLAN's number in a match (OF 1.0 5.2.3).
    pub VlanId(u16) { OFP_VLAN_NONE = 0xffff }
}

bit_flags! {
    /// `ofp_port_config` (OF 1.0 5.2.1).
    pub PortConfig(u32) {
        OFPPC_PORT_DOWN = 1 << 0,
        OFPPC_NO_STP = 1 << 1,
        OFPPC_NO_RECV = 1 << 2,
        OFPPC_NO_RECV_STP = 1 << 3,
        OFPPC_NO_FLOOD = 1 << 4,
        OFPPC_NO_FWD = 1 << 5,
        OFPPC_NO_PACKET_IN = 1 << 6,
    }
}

bit_flags! {
    /// `ofp_port_state`: one flag, and a number of two bits for spanning tree (OF 1.0 5.2.1).
    pub PortState(u32) {
        OFPPS_STP_BLOCK = 3 << 8,
        OFPPS_LINK_DOWN = 1 << 0,
        OFPPS_STP_LEARN = 1 << 8,
        OFPPS_STP_FORWARD = 2 << 8,
    }
}

bit_flags! {
    /// `ofp_port_features` (OF 1.0 5.2.1).
    pub PortFeatures(u32) {
        OFPPF_10MB_HD = 1 << 0,
        OFPPF_10MB_FD = 1 << 1,
        OFPPF_100MB_HD = 1 << 2,
        OFPPF_100MB_FD = 1 << 3,
        OFPPF_1GB_HD = 1 << 4,
        OFPPF_1GB_FD = 1 << 5,
        OFPPF_10GB_FD = 1 << 6,
        OFPPF_COPPER = 1 << 7,
        OFPPF_FIBER = 1 << 8,
        OFPPF_AUTONEG = 1 << 9,
        OFPPF_PAUSE = 1 << 10,
        OFPPF_PAUSE_ASYM = 1 << 11,
    }
}

bit_flags! {
    /// `ofp_capabilities` (OF 1.0 5.3.1).
    pub Capabilities(u32) {
        OFPC_FLOW_STATS = 1 << 0,
        OFPC_TABLE_STATS = 1 << 1,
        OFPC_PORT_STATS = 1 << 2,
        OFPC_STP = 1 << 3,
        OFPC_RESERVED = 1 << 4,
        OFPC_IP_REASM = 1 << 5,
        OFPC_QUEUE_STATS = 1 << 6,
        OFPC_ARP_MATCH_IP = 1 << 7,
    }
}

bit_flags! {
    /// A set of action types, bit `n` for type `n` (OF 1.0 5.3.1). The names are those of the types.
    pub ActionTypes(u32) {
        OFPAT_OUTPUT = 1 << 0,
        OFPAT_SET_VLAN_VID = 1 << 1,
        OFPAT_SET_VLAN_PCP = 1 << 2,
        OFPAT_STRIP_VLAN = 1 << 3,
        OFPAT_SET_DL_SRC = 1 << 4,
        OFPAT_SET_DL_DST = 1 << 5,
        OFPAT_SET_NW_SRC = 1 << 6,
        OFPAT_SET_NW_DST = 1 << 7,
        OFPAT_SET_NW_TOS = 1 << 8,
        OFPAT_SET_TP_SRC = 1 << 9,
        OFPAT_SET_TP_DST = 1 << 10,
        OFPAT_ENQUEUE = 1 << 11,
    }
}

bit_flags! {
    /// `ofp_flow_mod_flags` (OF 1.0 5.3.3).
    pub FlowModFlags(u16) { OFPFF_SEND_FLOW_REM = 1 << 0, OFPFF_CHECK_OVERLAP = 1 << 1, OFPFF_EMERG = 1 << 2 }
}

bit_flags! {
    /// Flags of a stats request: none is defined (OF 1.0 5.3.5).
    pub StatsRequestFlags(u16) {}
}

bit_flags! {
    /// Flags of a stats reply (OF 1.0 5.3.5).
    pub StatsReplyFlags(u16) { OFPSF_REPLY_MORE = 1 << 0 }
}

bit_flags! {
    /// `ofp_flow_wildcards` that are one bit each.
    pub WildcardBits(u32) {
        OFPFW_IN_PORT = 1 << 0,
        OFPFW_DL_VLAN = 1 << 1,
        OFPFW_DL_SRC = 1 << 2,
        OFPFW_DL_DST = 1 << 3,
        OFPFW_DL_TYPE = 1 << 4,
        OFPFW_NW_PROTO = 1 << 5,
        OFPFW_TP_SRC = 1 << 6,
        OFPFW_TP_DST = 1 << 7,
        OFPFW_DL_VLAN_PCP = 1 << 20,
        OFPFW_NW_TOS = 1 << 21,
    }
}

/// `ofp_flow_wildcards` (OF 1.0 5.2.3).
///
/// For people: `{"bits": ["OFPFW_DL_SRC"], "nw_src": 8, "nw_dst": 63}`, the addresses' numbers being how many of their low
/// bits are wildcarded, 32 and more being all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Wildcards(pub u32);

const NW_SRC_SHIFT: u32 = 8;
const NW_DST_SHIFT: u32 = 14;
const NW_BITS: u32 = 0x3f;
const NW_MASK: u32 = NW_BITS << NW_SRC_SHIFT | NW_BITS << NW_DST_SHIFT;

impl Wildcards {
    /// `OFPFW_ALL`: every packet.
    pub const OFPFW_ALL: Self = Self((1 << 22) - 1);

    /// Those that are one bit each.
    pub const fn bits(self) -> WildcardBits {
        WildcardBits(self.0 & !NW_MASK)
    }

    /// How many low bits of `nw_src` are wildcarded, 0 to 63.
    pub const fn nw_src(self) -> u8 {
        (self.0 >> NW_SRC_SHIFT & NW_BITS) as u8
    }

    /// How many low bits of `nw_dst` are wildcarded, 0 to 63.
    pub const fn nw_dst(self) -> u8 {
        (self.0 >> NW_DST_SHIFT & NW_BITS) as u8
    }
}

ferroflow_wire::__number_codec!(Wildcards(u32));

impl Json for Wildcards {
    fn to_json(&self) -> Value {
        let mut object = Object::default();
        self.bits().put("bits", &mut object);
        self.nw_src().put("nw_src", &mut object);
        self.nw_dst().put("nw_dst", &mut object);
        Value::Object(object)
    }

    fn from_json(value: Value) -> Result<Self, JsonError> {
        let Value::Object(mut object) = value else { return u32::from_json(value).map(Self) };
        let bits: WildcardBits = object.field("bits")?;
        let mut address = |name, shift| match object.field::<u8>(name)? {
            n if u32::from(n) <= NW_BITS => Ok(u32::from(n) << shift),
            _ => Err(JsonError::new("at most 63 expected").within(name)),
        };
        let all = bits.0 & !NW_MASK | address("nw_src", NW_SRC_SHIFT)? | address("nw_dst", NW_DST_SHIFT)?;
        object.finished()?;
        Ok(Self(all))
    }
}

ferroflow_wire::__if_arbitrary! {
    impl ferroflow_wire::codec::Arbitrary for Wildcards {
        fn arbitrary(e: &mut ferroflow_wire::codec::Entropy<'_>) -> Self {
            Self(u32::arbitrary(e))
        }
    }
}
