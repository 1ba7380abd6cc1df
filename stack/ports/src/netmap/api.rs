//! What programs and the module say to each other: net/netmap.h, API 14. What has not changed since API 11 is taken from the
//! crate `netmap_sys`; how a port is registered has, and is here.

use std::mem::offset_of;

use netmap_sys::netmap as sys;

use crate::spec::netmap::NAME_LEN;

/// Version of the interface (`NETMAP_API`): the module refuses others than 14 and 15.
pub(super) const API: u16 = 14;

/// `NETMAP_REQ_REGISTER`
pub(super) const REGISTER: u16 = 1;

/// `_IOWR('i', 151, struct nmreq_header)`
pub(super) const NIOCCTRL: libc::c_ulong = 0xc058_6997;
pub(super) const NIOCTXSYNC: libc::c_ulong = sys::NIOCTXSYNC as libc::c_ulong;
pub(super) const NIOCRXSYNC: libc::c_ulong = sys::NIOCRXSYNC as libc::c_ulong;

/// Values of [`Register::nr_mode`].
pub(super) const ONE_NIC: u32 = sys::NR_REG_ONE_NIC;
/// `NR_REG_ONE_SW`
pub(super) const ONE_SW: u32 = 8;

/// Flags of [`Register::nr_flags`]: nobody else may have these rings, and `poll` sends nothing by itself.
pub(super) const EXCLUSIVE: u64 = sys::NR_EXCLUSIVE as u64;
/// `NR_NO_TX_POLL`
pub(super) const NO_TX_POLL: u64 = 0x20000;

/// Flags of a slot: another buffer than before; the packet goes on in the next slot.
pub(super) const BUF_CHANGED: u16 = sys::NS_BUF_CHANGED;
pub(super) const MOREFRAG: u16 = sys::NS_MOREFRAG;

/// `struct nmreq_header`
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    pub nr_version: u16,
    pub nr_reqtype: u16,
    pub nr_reserved: u32,
    pub nr_name: [u8; NAME_LEN],
    pub nr_options: u64,
    pub nr_body: u64,
}

/// `struct nmreq_register`
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Register {
    pub nr_offset: u64,
    pub nr_memsize: u64,
    pub nr_tx_slots: u32,
    pub nr_rx_slots: u32,
    pub nr_tx_rings: u16,
    pub nr_rx_rings: u16,
    pub nr_host_tx_rings: u16,
    pub nr_host_rx_rings: u16,
    pub nr_mem_id: u16,
    pub nr_ringid: u16,
    pub nr_mode: u32,
    pub nr_extra_bufs: u32,
    pub nr_flags: u64,
}

// The number of the ioctl has the header's size in it: 0x58.
const _: () = assert!(size_of::<Header>() == 0x58 && offset_of!(Header, nr_body) == 80);
const _: () = assert!(size_of::<Register>() == 56 && offset_of!(Register, nr_flags) == 48);

/// Where things are in the module's memory: `struct netmap_if`.
pub(super) mod interface {
    use super::{offset_of, sys};

    pub const TX_RINGS: usize = offset_of!(sys::netmap_if, ni_tx_rings);
    pub const RX_RINGS: usize = offset_of!(sys::netmap_if, ni_rx_rings);
    pub const BUFS_HEAD: usize = offset_of!(sys::netmap_if, ni_bufs_head);
    /// `ni_host_tx_rings`, which was spare in API 11.
    pub const HOST_TX_RINGS: usize = offset_of!(sys::netmap_if, ni_spare1);
    pub const HOST_RX_RINGS: usize = HOST_TX_RINGS + 4;
    pub const RING_OFS: usize = offset_of!(sys::netmap_if, ring_ofs);
    const _: () = assert!(BUFS_HEAD == 32 && RING_OFS == 56);
}

/// The same: `struct netmap_ring`.
pub(super) mod ring {
    use super::{offset_of, sys};

    pub const BUF_OFS: usize = offset_of!(sys::netmap_ring, buf_ofs);
    pub const NUM_SLOTS: usize = offset_of!(sys::netmap_ring, num_slots);
    pub const BUF_SIZE: usize = offset_of!(sys::netmap_ring, nr_buf_size);
    pub const HEAD: usize = offset_of!(sys::netmap_ring, head);
    pub const CUR: usize = offset_of!(sys::netmap_ring, cur);
    pub const TAIL: usize = offset_of!(sys::netmap_ring, tail);
    pub const SLOTS: usize = offset_of!(sys::netmap_ring, slot);
    const _: () = assert!(HEAD == 20 && TAIL == 28 && SLOTS == 256);
}

/// The same: `struct netmap_slot`.
pub(super) mod slot {
    use super::{offset_of, sys};

    pub const BUF_IDX: usize = offset_of!(sys::netmap_slot, buf_idx);
    /// Length and flags share a word.
    pub const LEN_AND_FLAGS: usize = offset_of!(sys::netmap_slot, len);
    pub const SIZE: usize = size_of::<sys::netmap_slot>();
    const _: () = assert!(SIZE == 16 && LEN_AND_FLAGS == 4 && offset_of!(sys::netmap_slot, flags) == 6);
}
