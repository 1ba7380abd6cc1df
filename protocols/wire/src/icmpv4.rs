//! ICMP for IPv4 (RFC 792).

use crate::checksum::{self, Sum};
use crate::error::{Protocol, Reason, WireError, head, room};
use crate::ipv4;

/// Bytes of an ICMP header: type, code, checksum and four bytes that depend on the type.
pub const HEADER_LEN: usize = 8;

/// The most bytes of an offending datagram to quote: the error fits 576 bytes (RFC 1812 4.3.2.3).
pub const MAX_QUOTE: usize = ipv4::MIN_REASSEMBLY - ipv4::HEADER_LEN - HEADER_LEN;

const ECHO_REPLY: u8 = 0;
const DEST_UNREACHABLE: u8 = 3;
const ECHO_REQUEST: u8 = 8;
const TIME_EXCEEDED: u8 = 11;
const PARAMETER_PROBLEM: u8 = 12;

/// Codes of [`IcmpMessage::DestUnreachable`] (RFC 792; RFC 1122 3.2.2.1; RFC 1812 5.2.7.1).
pub mod unreachable {
    /// Network unreachable.
    pub const NET: u8 = 0;
    /// Host unreachable.
    pub const HOST: u8 = 1;
    /// Protocol unreachable.
    pub const PROTOCOL: u8 = 2;
    /// Port unreachable.
    pub const PORT: u8 = 3;
    /// Fragmentation needed and "don't fragment" set.
    pub const FRAGMENTATION_NEEDED: u8 = 4;
    /// Source route failed.
    pub const SOURCE_ROUTE_FAILED: u8 = 5;
    /// Communication administratively prohibited.
    pub const ADMIN_PROHIBITED: u8 = 13;
}

/// Codes of [`IcmpMessage::TimeExceeded`] (RFC 792).
pub mod time_exceeded {
    /// The time to live ran out on the way.
    pub const TTL: u8 = 0;
    /// Fragments were missing for too long.
    pub const REASSEMBLY: u8 = 1;
}

/// An ICMP message of any type.
#[derive(Debug, Clone, Copy)]
pub struct Icmpv4View<'a> {
    head: &'a [u8; HEADER_LEN],
    bytes: &'a [u8],
}

impl<'a> Icmpv4View<'a> {
    /// Checks the length. The message is all of `bytes`: an IPv4 payload.
    #[inline]
    pub fn parse(bytes: &'a [u8]) -> Result<Self, WireError> {
        Ok(Icmpv4View { head: head(Protocol::Icmpv4, bytes)?, bytes })
    }

    /// The type.
    #[inline]
    pub fn message_type(&self) -> u8 {
        self.head[0]
    }

    /// The code, whose meaning depends on the type.
    #[inline]
    pub fn code(&self) -> u8 {
        self.head[1]
    }

    /// What follows the 8 bytes of header: echo data or the quoted datagram.
    #[inline]
    pub fn payload(&self) -> &'a [u8] {
        &self.bytes[HEADER_LEN..]
    }

    /// Reports an error, so that nothing may be answered to it (RFC 1122 3.2.2). Types that are not assigned count
    /// as errors, for safety.
    #[inline]
    pub fn is_error(&self) -> bool {
        // Queries: echo, router discovery, timestamp, information, address mask, extended echo (RFC 8335).
        !matches!(self.head[0], ECHO_REPLY | ECHO_REQUEST | 9 | 10 | 13..=18 | 42 | 43)
    }

    /// Checks the checksum over the whole message.
    #[inline]
    pub fn verify_checksum(&self) -> Result<(), WireError> {
        if Sum::of(self.bytes).is_valid() {
            Ok(())
        } else {
            Err(WireError::new(Protocol::Icmpv4, Reason::BadChecksum))
        }
    }

    /// The message as a value.
    #[inline]
    pub fn message(&self) -> IcmpMessage<'a> {
        let [kind, code, _, _, rest @ ..] = *self.head;
        let (high, low) = (u16::from_be_bytes([rest[0], rest[1]]), u16::from_be_bytes([rest[2], rest[3]]));
        let data = self.payload();
        match (kind, code) {
            (ECHO_REQUEST, 0) => IcmpMessage::EchoRequest { ident: high, seq: low, data },
            (ECHO_REPLY, 0) => IcmpMessage::EchoReply { ident: high, seq: low, data },
            (DEST_UNREACHABLE, _) => IcmpMessage::DestUnreachable { code, next_hop_mtu: low, original: data },
            (TIME_EXCEEDED, _) => IcmpMessage::TimeExceeded { code, original: data },
            (PARAMETER_PROBLEM, _) => {
                IcmpMessage::ParameterProblem { code, pointer: rest[0], original: data }
            }
            _ => IcmpMessage::Other { message_type: kind, code, rest, data },
        }
    }
}

/// An ICMP message, read or to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IcmpMessage<'a> {
    /// An echo request ("ping").
    EchoRequest {
        /// Identifier.
        ident: u16,
        /// Sequence number.
        seq: u16,
        /// To be returned unchanged.
        data: &'a [u8],
    },
    /// The answer to an echo request.
    EchoReply {
        /// Identifier of the request.
        ident: u16,
        /// Sequence number of the request.
        seq: u16,
        /// Data of the request.
        data: &'a [u8],
    },
    /// A datagram could not be delivered.
    DestUnreachable {
        /// One of [`mod@unreachable`].
        code: u8,
        /// With [`unreachable::FRAGMENTATION_NEEDED`], the MTU of the next hop in bytes (RFC 1191 4), else 0.
        next_hop_mtu: u16,
        /// The datagram's header and the start of its payload.
        original: &'a [u8],
    },
    /// A datagram, or its fragments, took too long.
    TimeExceeded {
        /// One of [`time_exceeded`].
        code: u8,
        /// The datagram's header and the start of its payload.
        original: &'a [u8],
    },
    /// A field of the datagram's header could not be processed.
    ParameterProblem {
        /// 0 if the pointer indicates the error, 1 for a missing option (RFC 1122 3.2.2.5).
        code: u8,
        /// The offset of the field, in bytes.
        pointer: u8,
        /// The datagram's header and the start of its payload.
        original: &'a [u8],
    },
    /// Any other message.
    Other {
        /// The type.
        message_type: u8,
        /// The code.
        code: u8,
        /// The four bytes behind the checksum.
        rest: [u8; 4],
        /// What follows.
        data: &'a [u8],
    },
}

/// The part of an offending datagram that an error quotes, given the datagram from its IPv4 header on.
#[inline]
pub fn quote(datagram: &[u8]) -> &[u8] {
    &datagram[..datagram.len().min(MAX_QUOTE)]
}

impl<'a> IcmpMessage<'a> {
    /// What follows the 8 bytes of header.
    #[inline]
    pub const fn payload(&self) -> &'a [u8] {
        match *self {
            IcmpMessage::EchoRequest { data, .. }
            | IcmpMessage::EchoReply { data, .. }
            | IcmpMessage::Other { data, .. } => data,
            IcmpMessage::DestUnreachable { original, .. }
            | IcmpMessage::TimeExceeded { original, .. }
            | IcmpMessage::ParameterProblem { original, .. } => original,
        }
    }

    /// Bytes that [`IcmpMessage::write`] writes.
    #[inline]
    #[expect(clippy::len_without_is_empty, reason = "a message is never empty")]
    pub const fn len(&self) -> usize {
        HEADER_LEN + self.payload().len()
    }

    /// Writes the message, checksum included, to the front of `buf` and returns its length. A quoted datagram is
    /// written as it is: cut it with [`quote`] first. Fails if `buf` is too short.
    pub fn write(&self, buf: &mut [u8]) -> Result<usize, WireError> {
        let len = self.len();
        let b = room(Protocol::Icmpv4, buf, len)?;
        let (message_type, code, rest) = self.fields();
        b[..4].copy_from_slice(&[message_type, code, 0, 0]);
        b[4..HEADER_LEN].copy_from_slice(&rest);
        b[HEADER_LEN..].copy_from_slice(self.payload());
        let checksum = checksum::checksum(b);
        b[2..4].copy_from_slice(&checksum.to_be_bytes());
        Ok(len)
    }

    fn fields(&self) -> (u8, u8, [u8; 4]) {
        let words = |high: u16, low: u16| {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            [a, b, c, d]
        };
        match *self {
            IcmpMessage::EchoRequest { ident, seq, .. } => (ECHO_REQUEST, 0, words(ident, seq)),
            IcmpMessage::EchoReply { ident, seq, .. } => (ECHO_REPLY, 0, words(ident, seq)),
            IcmpMessage::DestUnreachable { code, next_hop_mtu, .. } => {
                (DEST_UNREACHABLE, code, words(0, next_hop_mtu))
            }
            IcmpMessage::TimeExceeded { code, .. } => (TIME_EXCEEDED, code, [0; 4]),
            IcmpMessage::ParameterProblem { code, pointer, .. } => {
                (PARAMETER_PROBLEM, code, [pointer, 0, 0, 0])
            }
            IcmpMessage::Other { message_type, code, rest, .. } => (message_type, code, rest),
        }
    }
}

#[cfg(test)]
mod tests;
