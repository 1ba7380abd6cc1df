use crate::FixedStr;
use crate::bytes::{get, get32, put, put32};
use crate::encode::{Part, Writer};
use crate::error::{ErrorCode, Fault};
use crate::list::Decode;

/// `ofp_port`: a switch port (OF 1.3.5 7.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Port {
    /// Number, or `OFPP_LOCAL`.
    pub port_no: u32,
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
    /// Current bit rate in kbit/s.
    pub curr_speed: u32,
    /// Greatest bit rate in kbit/s.
    pub max_speed: u32,
}

/// What a list of ports may be made of.
pub trait PortItem: Part {}

impl PortItem for Port {}

impl<T: PortItem + ?Sized> PortItem for &T {}

impl Port {
    /// Length on the wire in bytes.
    pub const LEN: usize = 64;

    /// Whether the port is administratively up and has a link.
    pub const fn is_live(&self) -> bool {
        self.config & super::OFPPC_PORT_DOWN == 0 && self.state & super::OFPPS_LINK_DOWN == 0
    }

    pub(crate) fn read<const N: usize>(b: &[u8; N], at: usize) -> Self {
        Self {
            port_no: get32(b, at),
            hw_addr: get(b, at + 8),
            name: FixedStr(get(b, at + 16)),
            config: get32(b, at + 32),
            state: get32(b, at + 36),
            curr: get32(b, at + 40),
            advertised: get32(b, at + 44),
            supported: get32(b, at + 48),
            peer: get32(b, at + 52),
            curr_speed: get32(b, at + 56),
            max_speed: get32(b, at + 60),
        }
    }

    /// Writes the port at byte `at`; its padding is left as it is.
    pub(crate) fn fill<const N: usize>(&self, b: &mut [u8; N], at: usize) {
        put32(b, at, self.port_no);
        put(b, at + 8, self.hw_addr);
        put(b, at + 16, self.name.0);
        put32(b, at + 32, self.config);
        put32(b, at + 36, self.state);
        put32(b, at + 40, self.curr);
        put32(b, at + 44, self.advertised);
        put32(b, at + 48, self.supported);
        put32(b, at + 52, self.peer);
        put32(b, at + 56, self.curr_speed);
        put32(b, at + 60, self.max_speed);
    }
}

impl<'a> Decode<'a> for Port {
    fn decode(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), Fault> {
        match bytes.split_first_chunk::<{ Self::LEN }>() {
            Some((b, rest)) => Ok((Self::read(b, 0), rest)),
            None => Err(Fault::truncated("ofp_port", Self::LEN, bytes.len(), ErrorCode::BAD_LEN)),
        }
    }
}

impl Part for Port {
    fn wire_len(&self) -> usize {
        Self::LEN
    }

    fn write_to(&self, w: &mut Writer<'_>) {
        let b = w.take::<{ Self::LEN }>();
        *b = [0; Self::LEN];
        self.fill(b, 0);
    }
}
