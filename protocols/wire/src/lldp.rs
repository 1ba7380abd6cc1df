//! LLDP (IEEE 802.1AB): what a controller sends out of a switch port to learn where it comes in.

use crate::error::{Protocol, Reason, WireError};
use crate::ethernet::MacAddr;

/// The longest information string of a TLV, in bytes (9 bits of length).
pub const MAX_INFO_LEN: usize = 511;

const TLV_HEADER_LEN: usize = 2;
/// A chassis or port identifier is 1 to 255 bytes behind its subtype (IEEE 802.1AB 8.5.2.3, 8.5.3.3).
const MAX_ID_LEN: usize = 255;

/// TLV types (IEEE 802.1AB table 8-1).
pub mod tlv_type {
    /// End of the LLDPDU.
    pub const END: u8 = 0;
    /// Chassis identifier; mandatory, first.
    pub const CHASSIS_ID: u8 = 1;
    /// Port identifier; mandatory, second.
    pub const PORT_ID: u8 = 2;
    /// Time to live; mandatory, third.
    pub const TTL: u8 = 3;
    /// Port description.
    pub const PORT_DESCRIPTION: u8 = 4;
    /// System name.
    pub const SYSTEM_NAME: u8 = 5;
    /// System description.
    pub const SYSTEM_DESCRIPTION: u8 = 6;
    /// System capabilities.
    pub const SYSTEM_CAPABILITIES: u8 = 7;
    /// Management address.
    pub const MANAGEMENT_ADDRESS: u8 = 8;
    /// Organizationally specific: custom contents under an OUI.
    pub const ORGANIZATIONALLY_SPECIFIC: u8 = 127;
}

/// Subtypes of a chassis identifier (IEEE 802.1AB table 8-2).
pub mod chassis_subtype {
    /// A MAC address.
    pub const MAC: u8 = 4;
    /// A network address, behind a byte with its family.
    pub const NETWORK_ADDRESS: u8 = 5;
    /// An interface name.
    pub const INTERFACE_NAME: u8 = 6;
    /// Locally assigned, such as `dpid:0000000000000001`.
    pub const LOCAL: u8 = 7;
}

/// Subtypes of a port identifier (IEEE 802.1AB table 8-3).
pub mod port_subtype {
    /// An interface alias.
    pub const INTERFACE_ALIAS: u8 = 1;
    /// A port component.
    pub const PORT_COMPONENT: u8 = 2;
    /// A MAC address.
    pub const MAC: u8 = 3;
    /// A network address, behind a byte with its family.
    pub const NETWORK_ADDRESS: u8 = 4;
    /// An interface name.
    pub const INTERFACE_NAME: u8 = 5;
    /// Locally assigned, such as a switch port's number.
    pub const LOCAL: u8 = 7;
}

/// A chassis or port identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LldpId<'a> {
    /// What kind of identifier, of [`chassis_subtype`] or [`port_subtype`].
    pub subtype: u8,
    /// The identifier, 1 to 255 bytes.
    pub id: &'a [u8],
}

impl<'a> LldpId<'a> {
    /// A chassis identified by a MAC address.
    pub const fn chassis_mac(mac: &'a MacAddr) -> LldpId<'a> {
        LldpId { subtype: chassis_subtype::MAC, id: &mac.0 }
    }

    /// A chassis identified by a locally assigned name.
    pub const fn chassis_local(id: &'a [u8]) -> LldpId<'a> {
        LldpId { subtype: chassis_subtype::LOCAL, id }
    }

    /// A port identified by a locally assigned name or number.
    pub const fn port_local(id: &'a [u8]) -> LldpId<'a> {
        LldpId { subtype: port_subtype::LOCAL, id }
    }
}

/// One TLV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// The type, 0 to 127, of [`tlv_type`].
    pub tlv_type: u8,
    /// The information string, 0 to 511 bytes.
    pub info: &'a [u8],
}

impl<'a> Tlv<'a> {
    /// The parts of an organizationally specific TLV: OUI, subtype and contents (IEEE 802.1AB 8.6).
    pub fn organizationally_specific(&self) -> Option<([u8; 3], u8, &'a [u8])> {
        match (self.tlv_type, self.info) {
            (tlv_type::ORGANIZATIONALLY_SPECIFIC, &[a, b, c, subtype, ref contents @ ..]) => {
                Some(([a, b, c], subtype, contents))
            }
            _ => None,
        }
    }
}

/// Walks TLVs up to the end of the LLDPDU. After an error it ends.
#[derive(Debug, Clone)]
pub struct TlvIter<'a> {
    rest: &'a [u8],
}

impl<'a> TlvIter<'a> {
    /// Over the payload of an Ethernet frame.
    pub fn new(bytes: &'a [u8]) -> Self {
        TlvIter { rest: bytes }
    }
}

impl<'a> Iterator for TlvIter<'a> {
    type Item = Result<Tlv<'a>, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        // Whatever happens below, a header is consumed, or all.
        let bytes = std::mem::take(&mut self.rest);
        if bytes.is_empty() {
            return None;
        }
        let Some((header, behind)) = bytes.split_first_chunk::<TLV_HEADER_LEN>() else {
            return Some(Err(WireError::truncated(Protocol::Lldp, TLV_HEADER_LEN, bytes.len())));
        };
        // IEEE 802.1AB 8.4: 7 bits of type, 9 bits of length.
        let header = u16::from_be_bytes(*header);
        let (tlv_type, len) = ((header >> 9) as u8, usize::from(header & 0x01ff));
        if tlv_type == tlv_type::END {
            return None;
        }
        let Some((info, rest)) = behind.split_at_checked(len) else {
            return Some(Err(WireError::truncated(Protocol::Lldp, len, behind.len())));
        };
        self.rest = rest;
        Some(Ok(Tlv { tlv_type, info }))
    }
}

/// An LLDPDU: the payload of a frame of type [`LLDP`](crate::ethernet::EtherType::LLDP).
#[derive(Debug, Clone, Copy)]
pub struct LldpView<'a> {
    chassis_id: LldpId<'a>,
    port_id: LldpId<'a>,
    ttl_s: u16,
    optional: &'a [u8],
}

impl<'a> LldpView<'a> {
    /// Checks every TLV's length, and that the three mandatory ones come first, in order and once. An end TLV may be
    /// missing where the frame ends; what follows one is padding.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, WireError> {
        let mut tlvs = TlvIter::new(bytes);
        // IEEE 802.1AB 9.2.7.7.1: otherwise the LLDPDU is discarded.
        let chassis_id = id_of(mandatory(&mut tlvs, tlv_type::CHASSIS_ID)?)?;
        let port_id = id_of(mandatory(&mut tlvs, tlv_type::PORT_ID)?)?;
        let ttl = mandatory(&mut tlvs, tlv_type::TTL)?;
        let &[high, low, ..] = ttl.info else {
            return Err(WireError::new(Protocol::Lldp, Reason::BadOption(tlv_type::TTL)));
        };
        let optional = tlvs.rest;
        for tlv in tlvs {
            let tlv = tlv?;
            if matches!(tlv.tlv_type, tlv_type::CHASSIS_ID | tlv_type::PORT_ID | tlv_type::TTL) {
                return Err(WireError::new(Protocol::Lldp, Reason::BadOrder(tlv.tlv_type)));
            }
        }
        Ok(LldpView { chassis_id, port_id, ttl_s: u16::from_be_bytes([high, low]), optional })
    }

    /// Who sent it.
    pub fn chassis_id(&self) -> LldpId<'a> {
        self.chassis_id
    }

    /// From which of its ports.
    pub fn port_id(&self) -> LldpId<'a> {
        self.port_id
    }

    /// For how many seconds this holds; 0 takes back what was said before.
    pub fn ttl_s(&self) -> u16 {
        self.ttl_s
    }

    /// The TLVs behind the mandatory ones.
    pub fn optional(&self) -> impl Iterator<Item = Tlv<'a>> + use<'a> {
        // `parse` walked them all without an error.
        TlvIter::new(self.optional).filter_map(Result::ok)
    }

    /// The contents of the first organizationally specific TLV with this OUI and subtype.
    pub fn custom(&self, oui: [u8; 3], subtype: u8) -> Option<&'a [u8]> {
        self.optional().find_map(|tlv| match tlv.organizationally_specific() {
            Some((o, s, contents)) if (o, s) == (oui, subtype) => Some(contents),
            _ => None,
        })
    }
}

fn mandatory<'a>(tlvs: &mut TlvIter<'a>, tlv_type: u8) -> Result<Tlv<'a>, WireError> {
    match tlvs.next() {
        Some(Ok(tlv)) if tlv.tlv_type == tlv_type => Ok(tlv),
        Some(Err(e)) => Err(e),
        Some(Ok(_)) | None => Err(WireError::new(Protocol::Lldp, Reason::BadOrder(tlv_type))),
    }
}

fn id_of(tlv: Tlv<'_>) -> Result<LldpId<'_>, WireError> {
    match tlv.info {
        [subtype, id @ ..] if (1..=MAX_ID_LEN).contains(&id.len()) => Ok(LldpId { subtype: *subtype, id }),
        _ => Err(WireError::new(Protocol::Lldp, Reason::BadOption(tlv.tlv_type))),
    }
}

/// Builds an LLDPDU in a buffer, the mandatory TLVs first.
///
/// ```
/// use ferroflow_wire::lldp::{LldpId, LldpView, LldpWriter, tlv_type};
///
/// let mut buf = [0; 128];
/// let len = LldpWriter::new(&mut buf, LldpId::chassis_local(b"dpid:1"), LldpId::port_local(b"7"), 120)?
///     .tlv(tlv_type::SYSTEM_NAME, b"s1")?
///     .custom([0x26, 0xe1, 0x00], 0, &1u64.to_be_bytes())?
///     .finish()?;
/// assert_eq!(LldpView::parse(&buf[..len])?.port_id().id, b"7");
/// # Ok::<(), ferroflow_wire::WireError>(())
/// ```
#[derive(Debug)]
pub struct LldpWriter<'b> {
    buf: &'b mut [u8],
    len: usize,
}

impl<'b> LldpWriter<'b> {
    /// Starts with the mandatory TLVs; `ttl_s` is in seconds. Fails if `buf` is too short or an identifier's length
    /// is not 1 to 255 bytes.
    pub fn new(
        buf: &'b mut [u8],
        chassis: LldpId<'_>,
        port: LldpId<'_>,
        ttl_s: u16,
    ) -> Result<Self, WireError> {
        for id in [chassis.id, port.id] {
            if !(1..=MAX_ID_LEN).contains(&id.len()) {
                return Err(WireError::bad_length(Protocol::Lldp, id.len()));
            }
        }
        LldpWriter { buf, len: 0 }
            .put(tlv_type::CHASSIS_ID, &[&[chassis.subtype], chassis.id])?
            .put(tlv_type::PORT_ID, &[&[port.subtype], port.id])?
            .put(tlv_type::TTL, &[&ttl_s.to_be_bytes()])
    }

    /// Appends a TLV with a type from 4 to 127. Fails if `buf` is too short, the type is another, or `info` is longer
    /// than [`MAX_INFO_LEN`].
    pub fn tlv(self, tlv_type: u8, info: &[u8]) -> Result<Self, WireError> {
        if !(tlv_type::PORT_DESCRIPTION..=tlv_type::ORGANIZATIONALLY_SPECIFIC).contains(&tlv_type) {
            return Err(WireError::new(Protocol::Lldp, Reason::BadOrder(tlv_type)));
        }
        self.put(tlv_type, &[info])
    }

    /// Appends an organizationally specific TLV. Fails if `buf` is too short or `contents` is longer than 507 bytes.
    pub fn custom(self, oui: [u8; 3], subtype: u8, contents: &[u8]) -> Result<Self, WireError> {
        self.put(tlv_type::ORGANIZATIONALLY_SPECIFIC, &[&oui, &[subtype], contents])
    }

    /// Appends the end TLV and returns the length of the LLDPDU. Fails if `buf` is too short.
    pub fn finish(self) -> Result<usize, WireError> {
        Ok(self.put(tlv_type::END, &[])?.len)
    }

    fn put(mut self, tlv_type: u8, parts: &[&[u8]]) -> Result<Self, WireError> {
        let info_len = parts.iter().map(|p| p.len()).sum::<usize>();
        if info_len > MAX_INFO_LEN {
            return Err(WireError::bad_length(Protocol::Lldp, info_len));
        }
        let need = self.len + TLV_HEADER_LEN + info_len;
        if need > self.buf.len() {
            return Err(WireError::truncated(Protocol::Lldp, need, self.buf.len()));
        }
        let header = (u16::from(tlv_type) << 9) | info_len as u16;
        self.append(&header.to_be_bytes());
        for part in parts {
            self.append(part);
        }
        Ok(self)
    }

    fn append(&mut self, part: &[u8]) {
        self.buf[self.len..self.len + part.len()].copy_from_slice(part);
        self.len += part.len();
    }
}

#[cfg(test)]
mod tests;
