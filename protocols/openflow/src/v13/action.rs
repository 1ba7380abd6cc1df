use super::{OFPCML_NO_BUFFER, OFPP_CONTROLLER, Oxm};
use crate::bytes::{get16, get32, pad8, put16, put32};
use crate::encode::{Part, Writer};
use crate::error::{ErrorCode, Fault, Reason};
use crate::list::{Decode, List};

ferroflow_wire::open_enum! {
    /// `ofp_action_type` (OF 1.3.5 7.2.5).
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
        OFPAT_EXPERIMENTER = 0xffff,
    }
}

/// A list of actions as it was received.
pub type Actions<'a> = List<'a, Action<'a>>;

/// What a list of actions may be made of.
pub trait ActionItem: Part {}

impl ActionItem for Action<'_> {}

impl<T: ActionItem + ?Sized> ActionItem for &T {}

/// An action of 1.3 (OF 1.3.5 7.2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action<'a> {
    /// `OFPAT_OUTPUT`: send out of a switch port.
    Output {
        /// Switch port, or `OFPP_*`.
        port: u32,
        /// Bytes to send to the controller, for `OFPP_CONTROLLER`; `OFPCML_NO_BUFFER` for all.
        max_len: u16,
    },
    /// `OFPAT_COPY_TTL_OUT`: copy the TTL outwards.
    CopyTtlOut,
    /// `OFPAT_COPY_TTL_IN`: copy the TTL inwards.
    CopyTtlIn,
    /// `OFPAT_SET_MPLS_TTL`.
    SetMplsTtl(u8),
    /// `OFPAT_DEC_MPLS_TTL`.
    DecMplsTtl,
    /// `OFPAT_PUSH_VLAN`: push a tag of this Ethernet type (0x8100 or 0x88a8).
    PushVlan(u16),
    /// `OFPAT_POP_VLAN`: remove the outermost tag.
    PopVlan,
    /// `OFPAT_PUSH_MPLS`: push a header of this Ethernet type (0x8847 or 0x8848).
    PushMpls(u16),
    /// `OFPAT_POP_MPLS`: remove the outermost header; this is the Ethernet type of what is left.
    PopMpls(u16),
    /// `OFPAT_SET_QUEUE`: the queue for a later output.
    SetQueue(u32),
    /// `OFPAT_GROUP`: process by a group.
    Group(u32),
    /// `OFPAT_SET_NW_TTL`.
    SetNwTtl(u8),
    /// `OFPAT_DEC_NW_TTL`.
    DecNwTtl,
    /// `OFPAT_SET_FIELD`: set a field, which has no mask.
    SetField(Oxm<'a>),
    /// `OFPAT_PUSH_PBB`: push a service tag of this Ethernet type (0x88e7).
    PushPbb(u16),
    /// `OFPAT_POP_PBB`: remove the outermost service tag.
    PopPbb,
    /// Any other action, experimenters' included.
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
    pub const fn output(port: u32) -> Self {
        Self::Output { port, max_len: 0 }
    }

    /// Send the whole packet to the controller, unbuffered.
    #[inline]
    pub const fn controller() -> Self {
        Self::Output { port: OFPP_CONTROLLER, max_len: OFPCML_NO_BUFFER }
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
        // OF 1.3.5 7.2.5: the length is a multiple of 8, padding included.
        if len < 8 || !len.is_multiple_of(8) || len > bytes.len() {
            return Err(bad_len(len));
        }
        let (this, rest) = bytes.split_at(len);
        let action = match ty {
            ActionType::OFPAT_OUTPUT => {
                let b = this.first_chunk::<16>().filter(|_| len == 16).ok_or_else(|| bad_len(len))?;
                Self::Output { port: get32(b, 4), max_len: get16(b, 8) }
            }
            ActionType::OFPAT_SET_FIELD => Self::SetField(set_field(&this[4..])?),
            ty if len == 8 => Self::short(ty, b).unwrap_or(Self::Other { ty, body: &this[4..] }),
            ty if Self::short(ty, b).is_some() => return Err(bad_len(len)),
            ty => Self::Other { ty, body: &this[4..] },
        };
        Ok((action, rest))
    }
}

/// The field of a set-field action, whose rest is padding.
#[inline]
fn set_field(body: &[u8]) -> Result<Oxm<'_>, Fault> {
    let failed = |fault: Fault| {
        let answer = match fault.reason {
            Reason::Masked => ErrorCode::BAD_ACTION_SET_TYPE,
            _ => ErrorCode::BAD_ACTION_SET_LEN,
        };
        Fault { answer, ..fault.shifted(4) }
    };
    let (oxm, padding) = Oxm::decode(body).map_err(failed)?;
    // OF 1.3.5 7.2.5.6: no mask, and the padding fills the action to a multiple of 8.
    if oxm.header().has_mask() {
        return Err(Fault {
            field: "oxm_hasmask",
            at: 6,
            reason: Reason::Masked,
            answer: ErrorCode::BAD_ACTION_SET_TYPE,
        });
    }
    if padding.len() >= 8 {
        return Err(bad_len(4 + body.len()));
    }
    Ok(oxm)
}

impl Action<'_> {
    /// The actions of 8 bytes.
    #[inline]
    fn short(ty: ActionType, b: &[u8; 8]) -> Option<Self> {
        Some(match ty {
            ActionType::OFPAT_COPY_TTL_OUT => Self::CopyTtlOut,
            ActionType::OFPAT_COPY_TTL_IN => Self::CopyTtlIn,
            ActionType::OFPAT_SET_MPLS_TTL => Self::SetMplsTtl(b[4]),
            ActionType::OFPAT_DEC_MPLS_TTL => Self::DecMplsTtl,
            ActionType::OFPAT_PUSH_VLAN => Self::PushVlan(get16(b, 4)),
            ActionType::OFPAT_POP_VLAN => Self::PopVlan,
            ActionType::OFPAT_PUSH_MPLS => Self::PushMpls(get16(b, 4)),
            ActionType::OFPAT_POP_MPLS => Self::PopMpls(get16(b, 4)),
            ActionType::OFPAT_SET_QUEUE => Self::SetQueue(get32(b, 4)),
            ActionType::OFPAT_GROUP => Self::Group(get32(b, 4)),
            ActionType::OFPAT_SET_NW_TTL => Self::SetNwTtl(b[4]),
            ActionType::OFPAT_DEC_NW_TTL => Self::DecNwTtl,
            ActionType::OFPAT_PUSH_PBB => Self::PushPbb(get16(b, 4)),
            ActionType::OFPAT_POP_PBB => Self::PopPbb,
            _ => return None,
        })
    }
}

impl Part for Action<'_> {
    #[inline(always)]
    fn wire_len(&self) -> usize {
        match self {
            Self::Output { .. } => 16,
            Self::SetField(oxm) => pad8(4 + oxm.wire_len()),
            Self::Other { body, .. } => pad8(4 + body.len()).max(8),
            _ => 8,
        }
    }

    #[inline(always)]
    fn write_to(&self, w: &mut Writer<'_>) {
        match *self {
            Self::Output { port, max_len } => {
                let b = w.take::<16>();
                put_header(b, ActionType::OFPAT_OUTPUT, 16);
                put32(b, 4, port);
                put16(b, 8, max_len);
            }
            Self::CopyTtlOut => eight(w, ActionType::OFPAT_COPY_TTL_OUT, 0),
            Self::CopyTtlIn => eight(w, ActionType::OFPAT_COPY_TTL_IN, 0),
            Self::SetMplsTtl(ttl) => eight(w, ActionType::OFPAT_SET_MPLS_TTL, u32::from(ttl) << 24),
            Self::DecMplsTtl => eight(w, ActionType::OFPAT_DEC_MPLS_TTL, 0),
            Self::PushVlan(ethertype) => eight(w, ActionType::OFPAT_PUSH_VLAN, u32::from(ethertype) << 16),
            Self::PopVlan => eight(w, ActionType::OFPAT_POP_VLAN, 0),
            Self::PushMpls(ethertype) => eight(w, ActionType::OFPAT_PUSH_MPLS, u32::from(ethertype) << 16),
            Self::PopMpls(ethertype) => eight(w, ActionType::OFPAT_POP_MPLS, u32::from(ethertype) << 16),
            Self::SetQueue(queue_id) => eight(w, ActionType::OFPAT_SET_QUEUE, queue_id),
            Self::Group(group_id) => eight(w, ActionType::OFPAT_GROUP, group_id),
            Self::SetNwTtl(ttl) => eight(w, ActionType::OFPAT_SET_NW_TTL, u32::from(ttl) << 24),
            Self::DecNwTtl => eight(w, ActionType::OFPAT_DEC_NW_TTL, 0),
            Self::SetField(oxm) => {
                let len = 4 + oxm.wire_len();
                put_header(w.take::<4>(), ActionType::OFPAT_SET_FIELD, pad8(len));
                oxm.write_to(w);
                w.pad_after(len);
            }
            Self::PushPbb(ethertype) => eight(w, ActionType::OFPAT_PUSH_PBB, u32::from(ethertype) << 16),
            Self::PopPbb => eight(w, ActionType::OFPAT_POP_PBB, 0),
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

/// An action of 8 bytes whose argument, with its padding, is the second word.
#[inline(always)]
fn eight(w: &mut Writer<'_>, ty: ActionType, word: u32) {
    let b = w.take::<8>();
    put_header(b, ty, 8);
    put32(b, 4, word);
}
