use super::bytes::put;
use super::{ActionSlot, BuildError, start};
use crate::{ACTION_LEN, MAX_PACKET_LEN, MAX_PACKET_OUT_ACTIONS, MessageType, NO_BUFFER, Profile};

/// Bytes in front of the frame (WIRE.md 4, PACKET_OUT).
pub(crate) const PACKET_OUT_LEN: usize = 8 + 304;

/// Writes a PACKET_OUT of `frame` at the front of `buf`, and says how long it is.
///
/// # Errors
/// When the profile's layout is not known (all but 1.4.0), there are more than six actions, the frame has more than
/// 2048 bytes, or `buf` is too short.
#[inline]
pub fn write_packet_out(
    profile: Profile,
    buf: &mut [u8],
    xid: u32,
    in_port: u32,
    actions: &[ActionSlot],
    frame: &[u8],
) -> Result<usize, BuildError> {
    let message = MessageType::PACKET_OUT;
    if profile != Profile::P140 {
        return Err(BuildError::NotInProfile { message, profile });
    }
    BuildError::at_most("action_num", MAX_PACKET_OUT_ACTIONS, actions.len())?;
    // The switch copies so many bytes unchecked.
    BuildError::at_most("bytes of a packet", MAX_PACKET_LEN, frame.len())?;
    let len = PACKET_OUT_LEN + frame.len();
    let have = buf.len();
    let room = BuildError::Room { need: len, have };
    let msg = start(message, xid, PACKET_OUT_LEN, buf.get_mut(..len).ok_or(room)?)?;
    let Some(b) = msg.first_chunk_mut::<PACKET_OUT_LEN>() else { return Err(room) };
    put(b, 2, (len as u16).to_be_bytes());
    put(b, 8, NO_BUFFER.to_be_bytes());
    put(b, 12, in_port.to_be_bytes());
    b[16] = actions.len() as u8;
    put(b, 20, (frame.len() as u32).to_be_bytes());
    for (i, action) in actions.iter().enumerate() {
        action.put_into(b, 24 + ACTION_LEN * i);
    }
    buf[PACKET_OUT_LEN..len].copy_from_slice(frame);
    Ok(len)
}
