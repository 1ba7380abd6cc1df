use super::{ActionItem, Actions};
use crate::bytes::{get16, get32, get64, pad8, put16, put32, put64};
use crate::encode::{Part, Writer, list_len, write_list};
use crate::error::{ErrorCode, Fault};
use crate::list::{Decode, List};

ferroflow_wire::open_enum! {
    /// `ofp_instruction_type` (OF 1.3.5 7.2.4).
    pub InstructionType(u16) {
        OFPIT_GOTO_TABLE = 1,
        OFPIT_WRITE_METADATA = 2,
        OFPIT_WRITE_ACTIONS = 3,
        OFPIT_APPLY_ACTIONS = 4,
        OFPIT_CLEAR_ACTIONS = 5,
        OFPIT_METER = 6,
        OFPIT_EXPERIMENTER = 0xffff,
    }
}

/// A list of instructions as it was received.
pub type Instructions<'a> = List<'a, Instruction<'a>>;

/// What a list of instructions may be made of.
pub trait InstructionItem: Part {}

impl<A: Clone + IntoIterator<Item: ActionItem>> InstructionItem for Instruction<'_, A> {}

impl<T: InstructionItem + ?Sized> InstructionItem for &T {}

/// An instruction of 1.3 (OF 1.3.5 7.2.4), `A` being a list of actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instruction<'a, A = Actions<'a>> {
    /// `OFPIT_GOTO_TABLE`: go on in a later table.
    GotoTable(u8),
    /// `OFPIT_WRITE_METADATA`.
    WriteMetadata {
        /// New value.
        metadata: u64,
        /// Bits to change.
        mask: u64,
    },
    /// `OFPIT_WRITE_ACTIONS`: merge into the action set.
    WriteActions(A),
    /// `OFPIT_APPLY_ACTIONS`: do at once, in order.
    ApplyActions(A),
    /// `OFPIT_CLEAR_ACTIONS`: empty the action set.
    ClearActions,
    /// `OFPIT_METER`: apply a meter.
    Meter(u32),
    /// Any other instruction, experimenters' included.
    Other {
        /// Its type.
        ty: InstructionType,
        /// What follows type and length. When written, it is padded to a multiple of 8 with the header.
        body: &'a [u8],
    },
}

fn bad_len(len: usize) -> Fault {
    Fault::length("ofp_instruction.len", 2, len, ErrorCode::BAD_INSTRUCTION_LEN)
}

impl<'a> Decode<'a> for Instruction<'a> {
    #[inline]
    fn decode(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), Fault> {
        let Some(b) = bytes.first_chunk::<8>() else {
            return Err(Fault::truncated("ofp_instruction", 8, bytes.len(), ErrorCode::BAD_INSTRUCTION_LEN));
        };
        let ty = InstructionType(get16(b, 0));
        let len = usize::from(get16(b, 2));
        if len < 8 || !len.is_multiple_of(8) || len > bytes.len() {
            return Err(bad_len(len));
        }
        let (this, rest) = bytes.split_at(len);
        let actions = || Actions::checked(&this[8..]).map_err(|fault| fault.shifted(8));
        let exactly = |n| if len == n { Ok(()) } else { Err(bad_len(len)) };
        let instruction = match ty {
            InstructionType::OFPIT_GOTO_TABLE => {
                exactly(8)?;
                Self::GotoTable(b[4])
            }
            InstructionType::OFPIT_WRITE_METADATA => {
                exactly(24)?;
                let b = this.first_chunk::<24>().ok_or_else(|| bad_len(len))?;
                Self::WriteMetadata { metadata: get64(b, 8), mask: get64(b, 16) }
            }
            InstructionType::OFPIT_WRITE_ACTIONS => Self::WriteActions(actions()?),
            InstructionType::OFPIT_APPLY_ACTIONS => Self::ApplyActions(actions()?),
            InstructionType::OFPIT_CLEAR_ACTIONS => {
                exactly(8)?;
                Self::ClearActions
            }
            InstructionType::OFPIT_METER => {
                exactly(8)?;
                Self::Meter(get32(b, 4))
            }
            ty => Self::Other { ty, body: &this[4..] },
        };
        Ok((instruction, rest))
    }
}

impl<A: Clone + IntoIterator<Item: ActionItem>> Part for Instruction<'_, A> {
    #[inline]
    fn wire_len(&self) -> usize {
        match self {
            Self::GotoTable(_) | Self::ClearActions | Self::Meter(_) => 8,
            Self::WriteMetadata { .. } => 24,
            Self::WriteActions(actions) | Self::ApplyActions(actions) => 8 + list_len(actions),
            Self::Other { body, .. } => pad8(4 + body.len()).max(8),
        }
    }

    #[inline]
    fn write_to(&self, w: &mut Writer<'_>) {
        match self {
            Self::GotoTable(table) => eight(w, InstructionType::OFPIT_GOTO_TABLE, u32::from(*table) << 24),
            Self::WriteMetadata { metadata, mask } => {
                let b = w.take::<24>();
                put_header(b, InstructionType::OFPIT_WRITE_METADATA, 24);
                put64(b, 8, *metadata);
                put64(b, 16, *mask);
            }
            Self::WriteActions(actions) => write_actions(w, InstructionType::OFPIT_WRITE_ACTIONS, actions),
            Self::ApplyActions(actions) => write_actions(w, InstructionType::OFPIT_APPLY_ACTIONS, actions),
            Self::ClearActions => eight(w, InstructionType::OFPIT_CLEAR_ACTIONS, 0),
            Self::Meter(meter) => eight(w, InstructionType::OFPIT_METER, *meter),
            Self::Other { ty, body } => {
                let len = self.wire_len();
                put_header(w.take::<4>(), *ty, len);
                w.bytes(body);
                w.zeros(len - 4 - body.len());
            }
        }
    }
}

#[inline]
fn write_actions<A>(w: &mut Writer<'_>, ty: InstructionType, actions: &A)
where
    A: Clone + IntoIterator<Item: ActionItem>,
{
    let at = w.position();
    put_header(w.take::<8>(), ty, 8);
    let len = 8 + write_list(actions, w);
    w.patch16(at + 2, len as u16);
}

#[inline(always)]
fn put_header<const N: usize>(b: &mut [u8; N], ty: InstructionType, len: usize) {
    *b = [0; N];
    put16(b, 0, ty.0);
    put16(b, 2, len as u16);
}

#[inline(always)]
fn eight(w: &mut Writer<'_>, ty: InstructionType, word: u32) {
    let b = w.take::<8>();
    put_header(b, ty, 8);
    put32(b, 4, word);
}
