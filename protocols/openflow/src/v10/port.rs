use crate::FixedStr;
use crate::bytes::{get, get16, get32, put, put16, put32};
use crate::encode::{Part, Writer};
use crate::error::{ErrorCode, Fault};
use crate::list::Decode;

/// `ofp_phy_port`: a switch port (OF 1.0 5.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Port {
    /// Number, or `OFPP_LOCAL`.
    pub port_no: u16,
    /// Ethernet address.
    pub hw_addr: [u8; 6],
    /// Name.
    pub name: FixedStr<16>,
    /// `OFPPC_*`.
    pub config: u32,
    /// `OFPPS_*`.
    pub state: u32,
    /// Current features, `OFPPF_*`.
    pub curr: u32,
    /// Advertised features.
    pub advertised: u32,
    /// Supported features.
    pub supported: u32,
    /// Features that the peer advertises.
    pub peer: u32,
}

/// What a list of ports may be made of.
pub trait PortItem: Part {}

impl PortItem for Port {}

impl<T: PortItem + ?Sized> PortItem for &T {}

impl Port {
    /// Length on the wire in bytes.
    pub const LEN: usize = 48;

    /// Whether the port is administratively up and has a link.
    pub const fn is_live(&self) -> bool {
        self.config & super::OFPPC_PORT_DOWN == 0 && self.state & super::OFPPS_LINK_DOWN == 0
    }

    pub(crate) fn read<const N: usize>(b: &[u8; N], at: usize) -> Self {
        Self {
            port_no: get16(b, at),
            hw_addr: get(b, at + 2),
            name: FixedStr(get(b, at + 8)),
            config: get32(b, at + 24),
            state: get32(b, at + 28),
            curr: get32(b, at + 32),
            advertised: get32(b, at + 36),
            supported: get32(b, at + 40),
            peer: get32(b, at + 44),
        }
    }

    pub(crate) fn fill<const N: usize>(&self, b: &mut [u8; N], at: usize) {
        put16(b, at, self.port_no);
        put(b, at + 2, self.hw_addr);
        put(b, at + 8, self.name.0);
        put32(b, at + 24, self.config);
        put32(b, at + 28, self.state);
        put32(b, at + 32, self.curr);
        put32(b, at + 36, self.advertised);
        put32(b, at + 40, self.supported);
        put32(b, at + 44, self.peer);
    }
}

impl<'a> Decode<'a> for Port {
    fn decode(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), Fault> {
        match bytes.split_first_chunk::<{ Self::LEN }>() {
            Some((b, rest)) => Ok((Self::read(b, 0), rest)),
            None => Err(Fault::truncated("ofp_phy_port", Self::LEN, bytes.len(), ErrorCode::BAD_LEN)),
        }
    }
}

impl Part for Port {
    fn wire_len(&self) -> usize {
        Self::LEN
    }

    fn write_to(&self, w: &mut Writer<'_>) {
        self.fill(w.take::<{ Self::LEN }>(), 0);
    }
}
