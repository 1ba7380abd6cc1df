use crate::bytes::{get, get16, get32, pad8, put, put16, put32};
use crate::encode::{Part, Writer};
use crate::error::{ErrorCode, Fault};
use crate::list::{Decode, List};
use std::net::Ipv4Addr;

ferroflow_wire::open_enum! {
    /// `ofp_action_type` (OF 1.0 5.2.4).
    pub ActionType(u16) {
        OFPAT_OUTPUT = 0,
        OFPAT_SET_VLAN_VID = 1,
        OFPAT_SET_VLAN_PCP = 2,
        OFPAT_STRIP_VLAN = 3,
        OFPAT_SET_DL_SRC = 4,
        OFPAT_SET_DL_DST = 5,
        OFPAT_SET_NW_SRC = 6,
        OFPAT_SET_NW_DST = 7,
        OFPAT_SET_NW_TOS = 8,
        OFPAT_SET_TP_SRC = 9,
        OFPAT_SET_TP_DST = 10,
        OFPAT_ENQUEUE = 11,
        OFPAT_VENDOR = 0xffff,
    }
}

/// A list of actions as it was received.
pub type Actions<'a> = List<'a, Action<'a>>;

/// What a list of actions may be made of.
pub trait ActionItem: Part {}

impl ActionItem for Action<'_> {}

impl<T: ActionItem + ?Sized> ActionItem for &T {}

/// An action of 1.0 (OF 1.0 5.2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action<'a> {
    /// `OFPAT_OUTPUT`: send out of a switch port.
    Output {
        /// Switch port, or `OFPP_*`.
        port: u16,
        /// Bytes to send to the controller, for `OFPP_CONTROLLER`.
        max_len: u16,
    },
    /// `OFPAT_SET_VLAN_VID`: set the VLAN id, adding a tag if there is none.
    SetVlanVid(u16),
    /// `OFPAT_SET_VLAN_PCP`: set the VLAN priority (0 to 7), adding a tag if there is none.
    SetVlanPcp(u8),
    /// `OFPAT_STRIP_VLAN`: remove the VLAN tag.
    StripVlan,
    /// `OFPAT_SET_DL_SRC`: set the Ethernet source.
    SetDlSrc([u8; 6]),
    /// `OFPAT_SET_DL_DST`: set the Ethernet destination.
    SetDlDst([u8; 6]),
    /// `OFPAT_SET_NW_SRC`: set the IP source.
    SetNwSrc(Ipv4Addr),
    /// `OFPAT_SET_NW_DST`: set the IP destination.
    SetNwDst(Ipv4Addr),
    /// `OFPAT_SET_NW_TOS`: set the upper six bits of the IP ToS.
    SetNwTos(u8),
    /// `OFPAT_SET_TP_SRC`: set the TCP/UDP source port.
    SetTpSrc(u16),
    /// `OFPAT_SET_TP_DST`: set the TCP/UDP destination port.
    SetTpDst(u16),
    /// `OFPAT_ENQUEUE`: send out of a switch port's queue.
    Enqueue {
        /// Switch port.
        port: u16,
        /// Queue of that port.
        queue_id: u32,
    },
    /// Any other action, vendors' included.
    Other {
        /// Its type.
        ty: ActionType,
        /// What follows type and length. When written, it is padded so that the action ends at a multiple of 8.
        body: &'a [u8],
    },
}

impl Action<'_> {
    /// Output to a switch port.
    #[inline]
    pub const fn output(port: u16) -> Self {
        Self::Output { port, max_len: 0 }
    }

    /// Send to the controller, at most `max_len` bytes.
    #[inline]
    pub const fn controller(max_len: u16) -> Self {
        Self::Output { port: super::OFPP_CONTROLLER, max_len }
    }
}

fn bad_len(len: usize) -> Fault {
    Fault::length("ofp_action_header.len", 2, len, ErrorCode::BAD_ACTION_LEN)
}

impl<'a> Decode<'a> for Action<'a> {
    #[inline]
    fn decode(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), Fault> {
        let Some(b) = bytes.first_chunk::<8>() else {
            return Err(Fault::truncated("ofp_action_header", 8, bytes.len(), ErrorCode::BAD_ACTION_LEN));
        };
        let ty = ActionType(get16(b, 0));
        let len = usize::from(get16(b, 2));
        // OF 1.0 5.2.4: the length is a multiple of 8.
        if len < 8 || !len.is_multiple_of(8) || len > bytes.len() {
            return Err(bad_len(len));
        }
        let (this, rest) = bytes.split_at(len);
        let sixteen = match ty {
            ActionType::OFPAT_SET_DL_SRC | ActionType::OFPAT_SET_DL_DST | ActionType::OFPAT_ENQUEUE => {
                Some(this.first_chunk::<16>().filter(|_| len == 16).ok_or_else(|| bad_len(len))?)
            }
            ActionType(0..=10) if len != 8 => return Err(bad_len(len)),
            _ => None,
        };
        let action = match (ty, sixteen) {
            (ActionType::OFPAT_OUTPUT, _) => Self::Output { port: get16(b, 4), max_len: get16(b, 6) },
            (ActionType::OFPAT_SET_VLAN_VID, _) => Self::SetVlanVid(get16(b, 4)),
            (ActionType::OFPAT_SET_VLAN_PCP, _) => Self::SetVlanPcp(b[4]),
            (ActionType::OFPAT_STRIP_VLAN, _) => Self::StripVlan,
            (ActionType::OFPAT_SET_DL_SRC, Some(b)) => Self::SetDlSrc(get(b, 4)),
            (ActionType::OFPAT_SET_DL_DST, Some(b)) => Self::SetDlDst(get(b, 4)),
            (ActionType::OFPAT_SET_NW_SRC, _) => Self::SetNwSrc(Ipv4Addr::from_bits(get32(b, 4))),
            (ActionType::OFPAT_SET_NW_DST, _) => Self::SetNwDst(Ipv4Addr::from_bits(get32(b, 4))),
            (ActionType::OFPAT_SET_NW_TOS, _) => Self::SetNwTos(b[4]),
            (ActionType::OFPAT_SET_TP_SRC, _) => Self::SetTpSrc(get16(b, 4)),
            (ActionType::OFPAT_SET_TP_DST, _) => Self::SetTpDst(get16(b, 4)),
            (ActionType::OFPAT_ENQUEUE, Some(b)) => {
                Self::Enqueue { port: get16(b, 4), queue_id: get32(b, 12) }
            }
            _ => Self::Other { ty, body: &this[4..] },
        };
        Ok((action, rest))
    }
}

impl Part for Action<'_> {
    #[inline]
    fn wire_len(&self) -> usize {
        match self {
            Self::SetDlSrc(_) | Self::SetDlDst(_) | Self::Enqueue { .. } => 16,
            Self::Other { body, .. } => pad8(4 + body.len()).max(8),
            _ => 8,
        }
    }

    #[inline]
    fn write_to(&self, w: &mut Writer<'_>) {
        match *self {
            Self::Output { port, max_len } => {
                let b = eight(w, ActionType::OFPAT_OUTPUT);
                put16(b, 4, port);
                put16(b, 6, max_len);
            }
            Self::SetVlanVid(vid) => put16(eight(w, ActionType::OFPAT_SET_VLAN_VID), 4, vid),
            Self::SetVlanPcp(pcp) => eight(w, ActionType::OFPAT_SET_VLAN_PCP)[4] = pcp,
            Self::StripVlan => {
                eight(w, ActionType::OFPAT_STRIP_VLAN);
            }
            Self::SetDlSrc(addr) => put(sixteen(w, ActionType::OFPAT_SET_DL_SRC), 4, addr),
            Self::SetDlDst(addr) => put(sixteen(w, ActionType::OFPAT_SET_DL_DST), 4, addr),
            Self::SetNwSrc(addr) => put(eight(w, ActionType::OFPAT_SET_NW_SRC), 4, addr.octets()),
            Self::SetNwDst(addr) => put(eight(w, ActionType::OFPAT_SET_NW_DST), 4, addr.octets()),
            Self::SetNwTos(tos) => eight(w, ActionType::OFPAT_SET_NW_TOS)[4] = tos,
            Self::SetTpSrc(port) => put16(eight(w, ActionType::OFPAT_SET_TP_SRC), 4, port),
            Self::SetTpDst(port) => put16(eight(w, ActionType::OFPAT_SET_TP_DST), 4, port),
            Self::Enqueue { port, queue_id } => {
                let b = sixteen(w, ActionType::OFPAT_ENQUEUE);
                put16(b, 4, port);
                put32(b, 12, queue_id);
            }
            Self::Other { ty, body } => {
                let len = self.wire_len();
                put_header(w.take::<4>(), ty, len);
                w.bytes(body);
                w.zeros(len - 4 - body.len());
            }
        }
    }
}

#[inline(always)]
fn put_header<const N: usize>(b: &mut [u8; N], ty: ActionType, len: usize) {
    *b = [0; N];
    put16(b, 0, ty.0);
    put16(b, 2, len as u16);
}

#[inline(always)]
fn eight<'w>(w: &'w mut Writer<'_>, ty: ActionType) -> &'w mut [u8; 8] {
    let b = w.take::<8>();
    put_header(b, ty, 8);
    b
}

#[inline(always)]
fn sixteen<'w>(w: &'w mut Writer<'_>, ty: ActionType) -> &'w mut [u8; 16] {
    let b = w.take::<16>();
    put_header(b, ty, 16);
    b
}
