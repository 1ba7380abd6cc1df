use super::bytes::put;
use crate::{ACTION_LEN, Action, ActionType, Message, Profile, WriteError};

/// An action as its slot's 48 bytes, made once and written many times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActionSlot(pub(super) [u8; ACTION_LEN]);

impl ActionSlot {
    /// OUTPUT of the whole packet to `port`. In 1.4.0 the slot's id stands in the upper 16 bits of `port`.
    #[inline]
    pub const fn output(profile: Profile, port: u32) -> Self {
        // WIRE.md 4, action slot: the port's offset in the slot.
        let at = if profile.has_field_values() { 12 } else { 4 };
        Self::of(ActionType::OUTPUT, 16, at, port)
    }

    /// GROUP: the actions of a group.
    #[inline]
    pub const fn group(group_id: u32) -> Self {
        Self::of(ActionType::GROUP, 8, 4, group_id)
    }

    /// DROP: ends processing.
    #[inline]
    pub const fn drop(reason: u32) -> Self {
        Self::of(ActionType::DROP, 8, 4, reason)
    }

    /// PACKET_IN: to the controller, with this reason.
    #[inline]
    pub const fn packet_in(reason: u32) -> Self {
        Self::of(ActionType::PACKET_IN, 8, 4, reason)
    }

    /// COUNTER: counts.
    #[inline]
    pub const fn counter(counter_id: u32) -> Self {
        Self::of(ActionType::COUNTER, 8, 4, counter_id)
    }

    /// Any action. This allocates; the others do not.
    ///
    /// # Errors
    /// When the profile has no such action.
    pub fn new(profile: Profile, action: &Action) -> Result<Self, WriteError> {
        let mut slot = [0; ACTION_LEN];
        slot.copy_from_slice(&Message::element(profile, action)?);
        Ok(Self(slot))
    }

    /// The slot's bytes.
    pub const fn as_bytes(&self) -> &[u8; ACTION_LEN] {
        &self.0
    }

    /// Type, length with `data_len` bytes of data, and one number at `at`.
    #[inline(always)]
    const fn of(ty: ActionType, data_len: u8, at: usize, value: u32) -> Self {
        let mut slot = [0; ACTION_LEN];
        let v = value.to_be_bytes();
        let t = ty.0.to_be_bytes();
        (slot[0], slot[1], slot[3]) = (t[0], t[1], 4 + data_len);
        (slot[at], slot[at + 1], slot[at + 2], slot[at + 3]) = (v[0], v[1], v[2], v[3]);
        Self(slot)
    }

    #[inline(always)]
    pub(super) fn put_into<const N: usize>(&self, buf: &mut [u8; N], at: usize) {
        put(buf, at, self.0);
    }
}
