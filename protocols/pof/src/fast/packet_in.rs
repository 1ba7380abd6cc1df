use super::bytes::get;
use crate::{DecodeError, MessageType, PacketInReason, Profile};

/// A PACKET_IN where it lies (WIRE.md 4, PACKET_IN).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PacketInView<'a> {
    /// Transaction id.
    pub xid: u32,
    /// Always [`NO_BUFFER`](crate::NO_BUFFER) from the known switches: they hold no copy.
    pub buffer_id: u32,
    /// Bytes of the frame, as the switch says.
    pub total_len: u16,
    /// Why it was sent.
    pub reason: PacketInReason,
    /// The table's global id.
    pub table_id: u8,
    /// The entry's cookie AND its mask.
    pub cookie: u64,
    /// The switch.
    pub device_id: u32,
    /// The slot, in profiles that have slots.
    pub slot: Option<u16>,
    /// The ingress port. 1.3.4 does not tell it.
    pub port_id: Option<u16>,
    /// The frame.
    pub frame: &'a [u8],
}

/// Bytes in front of the frame.
pub(crate) const PACKET_IN_LEN: usize = 32;

impl<'a> PacketInView<'a> {
    /// Reads one whole message.
    ///
    /// # Errors
    /// When it is no PACKET_IN, is too short or too long, or when the profile's layout is not known.
    #[inline]
    pub fn parse(profile: Profile, msg: &'a [u8]) -> Result<Self, DecodeError> {
        let Some((b, frame)) = msg.split_first_chunk::<PACKET_IN_LEN>() else {
            return Err(crate::message::refuse_packet_in(profile, msg));
        };
        let starts_well = b[0] == crate::VERSION
            && b[1] == MessageType::PACKET_IN.0
            && usize::from(u16::from_be_bytes(get(b, 2))) == msg.len();
        if !starts_well || frame.len() > crate::MAX_PACKET_LEN || !profile.is_complete() {
            return Err(crate::message::refuse_packet_in(profile, msg));
        }
        let has_slots = profile.has_slots();
        Ok(Self {
            xid: u32::from_be_bytes(get(b, 4)),
            buffer_id: u32::from_be_bytes(get(b, 8)),
            total_len: u16::from_be_bytes(get(b, 12)),
            reason: PacketInReason(b[14]),
            table_id: b[15],
            cookie: u64::from_be_bytes(get(b, 16)),
            device_id: u32::from_be_bytes(get(b, 24)),
            slot: has_slots.then(|| u16::from_be_bytes(get(b, 28))),
            port_id: has_slots.then(|| u16::from_be_bytes(get(b, 30))),
            frame,
        })
    }
}
