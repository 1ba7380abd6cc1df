//! Between the flow model and the versions: what leaves in [`write`](self), what arrives in [`read`].

mod read;
pub(crate) mod v10;
pub(crate) mod v13;

pub(crate) use read::{Kind, StatsPart, flow_name, kind};
pub(crate) use read::{features, flow_removed, packet_in, port_status, stats};

use ferroflow_openflow::{Encode, Version};
use ferroflow_stack::SendRing;

use crate::app::Refused;
use crate::flow::{Action, Match, PortNo, StatsRequest};

/// What a [`FlowMod`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FlowCommand {
    Add,
    Delete,
    DeleteStrict,
}

/// A flow_mod in the words of no version, with everything the session adds filled in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FlowMod<'a> {
    pub xid: u32,
    pub command: FlowCommand,
    /// `None` = all tables (deletes).
    pub table: Option<u8>,
    pub priority: u16,
    pub cookie: u64,
    /// For deletes. 1.0 has no such filter.
    pub cookie_mask: u64,
    pub buffer: u32,
    pub out_port: PortNo,
    pub idle_timeout_s: u16,
    pub hard_timeout_s: u16,
    pub notify: bool,
    pub matching: &'a Match,
    pub actions: &'a [Action],
    pub goto_table: Option<u8>,
}

/// A packet_out in the words of no version.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PacketOutMsg<'a> {
    pub xid: u32,
    pub buffer: u32,
    pub in_port: PortNo,
    pub actions: &'a [Action],
    pub data: &'a [u8],
}

/// Where messages are written: a send ring of which some room is kept for others.
pub(crate) struct Out<'a> {
    pub ring: &'a mut SendRing,
    /// Bytes of the ring that this message must leave free.
    pub keep: usize,
    /// The message is copied here too, if it fits.
    pub copy: Option<&'a mut CopyBuf>,
}

/// Room for a copy of a short message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CopyBuf {
    pub len: u8,
    pub bytes: [u8; CopyBuf::LEN],
}

impl CopyBuf {
    /// The longest message that is copied: any flow_mod of a learning switch.
    pub(crate) const LEN: usize = 128;
    pub(crate) const EMPTY: CopyBuf = CopyBuf { len: 0, bytes: [0; CopyBuf::LEN] };

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl Out<'_> {
    /// Writes one message whole, or nothing.
    #[inline]
    pub(crate) fn put(&mut self, message: &impl Encode) -> Result<(), Refused> {
        let len = message.wire_len();
        if len > usize::from(u16::MAX) {
            return Err(Refused::TooLong);
        }
        if self.ring.room() < len + self.keep {
            self.ring.want_room();
            return Err(Refused::Full);
        }
        let copy = self.copy.take().filter(|_| len <= CopyBuf::LEN);
        self.ring.write_with(len, |buf| {
            message.write(buf);
            if let Some(copy) = copy {
                copy.bytes[..len].copy_from_slice(buf);
                copy.len = len as u8;
            }
        });
        Ok(())
    }

    #[inline]
    pub(crate) fn flow_mod(&mut self, version: Version, message: &FlowMod<'_>) -> Result<(), Refused> {
        match version {
            Version::V1_0 => v10::flow_mod(self, message),
            _ => v13::flow_mod(self, message),
        }
    }

    #[inline]
    pub(crate) fn packet_out(&mut self, version: Version, message: &PacketOutMsg<'_>) -> Result<(), Refused> {
        match version {
            Version::V1_0 => v10::packet_out(self, message),
            _ => v13::packet_out(self, message),
        }
    }

    pub(crate) fn barrier_request(&mut self, version: Version, xid: u32) -> Result<(), Refused> {
        match version {
            Version::V1_0 => self.put(&ferroflow_openflow::v10::BarrierRequest { xid }),
            _ => self.put(&ferroflow_openflow::v13::BarrierRequest { xid }),
        }
    }

    pub(crate) fn barrier_reply(&mut self, version: Version, xid: u32) -> Result<(), Refused> {
        match version {
            Version::V1_0 => self.put(&ferroflow_openflow::v10::BarrierReply { xid }),
            _ => self.put(&ferroflow_openflow::v13::BarrierReply { xid }),
        }
    }

    pub(crate) fn features_request(&mut self, version: Version, xid: u32) -> Result<(), Refused> {
        match version {
            Version::V1_0 => self.put(&ferroflow_openflow::v10::FeaturesRequest { xid }),
            _ => self.put(&ferroflow_openflow::v13::FeaturesRequest { xid }),
        }
    }

    /// Whole packets, please.
    pub(crate) fn set_config(&mut self, version: Version, xid: u32) -> Result<(), Refused> {
        let miss_send_len = 0xffff;
        match version {
            Version::V1_0 => self.put(&ferroflow_openflow::v10::SetConfig { xid, flags: 0, miss_send_len }),
            _ => self.put(&ferroflow_openflow::v13::SetConfig { xid, flags: 0, miss_send_len }),
        }
    }

    /// Asks for the list of ports, where features_reply does not have it.
    pub(crate) fn port_desc_request(&mut self, version: Version, xid: u32) -> Result<(), Refused> {
        match version {
            Version::V1_0 => Ok(()),
            _ => self.put(&ferroflow_openflow::v13::MultipartRequest::port_desc(xid)),
        }
    }

    pub(crate) fn stats(&mut self, version: Version, xid: u32, what: StatsRequest) -> Result<(), Refused> {
        match version {
            Version::V1_0 => v10::stats(self, xid, what),
            _ => v13::stats(self, xid, what),
        }
    }
}

/// Changes a written flow_mod so that it names no buffer and has another xid.
pub(crate) fn without_buffer(version: Version, message: &mut [u8], xid: u32) {
    // OF 1.0 5.3.3 and OF 1.3.5 7.3.4.1: where buffer_id is.
    let at = if version == Version::V1_0 { 64 } else { 32 };
    if let Some(field) = message.get_mut(at..at + 4) {
        field.copy_from_slice(&ferroflow_openflow::OFP_NO_BUFFER.to_be_bytes());
    }
    if let Some(field) = message.get_mut(4..8) {
        field.copy_from_slice(&xid.to_be_bytes());
    }
}

#[cfg(test)]
mod tests;
