//! The messages of the data path, in place: a PACKET_IN is read where it lies, a FLOW_MOD and a PACKET_OUT are written
//! straight into a buffer of the caller's. Nothing here allocates.
//!
//! ```
//! use ferroflow_pof::fast::{ActionSlot, FieldMatch, FlowModBuilder, PacketInView};
//! use ferroflow_pof::{FlowModCommand, Profile, TableType};
//!
//! # fn answer(packet_in: &[u8], ring: &mut [u8]) -> Result<usize, Box<dyn std::error::Error>> {
//! let packet = PacketInView::parse(Profile::P140, packet_in)?;
//! let (dst, _) = packet.frame.split_first_chunk::<6>().ok_or("a frame too short")?;
//! let mut flow = FlowModBuilder::new(Profile::P140, ring, packet.xid, FlowModCommand::ADD)?;
//! flow.table(TableType::MM, 0).index(17).priority(10).cookie(0xc1, u64::MAX);
//! flow.matching(&FieldMatch::exact(1, 0, dst)?)?;
//! flow.apply_actions(&[ActionSlot::output(Profile::P140, 2)])?;
//! let len = flow.finish();
//! assert_eq!(len, 2192);
//! # Ok(len)
//! # }
//! # let mut message = vec![4, 10, 0, 46, 0, 0, 0, 1];
//! # message.resize(32, 0);
//! # message.extend_from_slice(&[2; 14]);
//! # answer(&message, &mut [0; 2560]).unwrap();
//! ```

mod action_slot;
mod bytes;
mod flow_mod;
mod packet_in;
mod packet_out;

pub use action_slot::ActionSlot;
pub use flow_mod::{FieldMatch, FlowModBuilder};
pub use packet_in::PacketInView;
pub use packet_out::write_packet_out;

use crate::{HEADER_LEN, Header, MAX_MESSAGE_LEN, MessageType, Profile};

/// What cannot be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// The buffer is too small.
    #[error("{need} bytes of buffer needed, {have} there")]
    Room {
        /// Bytes needed.
        need: usize,
        /// Bytes there.
        have: usize,
    },
    /// More of something than its slots hold.
    #[error("{what}: at most {max}, {found} given")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// The most that there may be.
        max: usize,
        /// What was given.
        found: usize,
    },
    /// The profile has no such message, or its layout is not known.
    #[error("{message} of profile {profile} is not known")]
    NotInProfile {
        /// The message.
        message: MessageType,
        /// The profile.
        profile: Profile,
    },
}

impl BuildError {
    fn at_most(what: &'static str, max: usize, found: usize) -> Result<(), Self> {
        if found <= max { Ok(()) } else { Err(Self::TooMany { what, max, found }) }
    }
}

/// The first `len` bytes of `buf`, zeroed, with a header in front.
#[inline]
fn start(ty: MessageType, xid: u32, len: usize, buf: &mut [u8]) -> Result<&mut [u8], BuildError> {
    debug_assert!(len <= MAX_MESSAGE_LEN);
    let have = buf.len();
    let msg = buf.get_mut(..len).ok_or(BuildError::Room { need: len, have })?;
    msg.fill(0);
    let Some(header) = msg.first_chunk_mut::<HEADER_LEN>() else {
        return Err(BuildError::Room { need: HEADER_LEN, have });
    };
    // WIRE.md 1: version, type, length of the whole message, xid.
    *header = Header { ty, length: len as u16, xid }.to_bytes();
    Ok(msg)
}

#[cfg(test)]
mod tests;
