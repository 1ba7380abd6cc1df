use crate::bytes::get32;
use crate::encode::{Encode, Writer};
use crate::error::DecodeError;
use crate::header::{Header, OFP_HEADER_LEN, Start, Version};

ferroflow_wire::open_enum! {
    /// The two echo messages' types, the same in every version.
    pub EchoKind(u8) { OFPT_ECHO_REQUEST = 2, OFPT_ECHO_REPLY = 3 }
}

/// `OFPT_ECHO_REQUEST` or `OFPT_ECHO_REPLY` of any version (OF 1.3.5 7.5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Echo<'a> {
    /// The header's version.
    pub version: Version,
    /// Request or reply.
    pub kind: EchoKind,
    /// Transaction id.
    pub xid: u32,
    /// Bytes that the reply returns unchanged.
    pub data: &'a [u8],
}

impl<'a> Echo<'a> {
    /// A request.
    pub const fn request(version: Version, xid: u32, data: &'a [u8]) -> Self {
        Self { version, kind: EchoKind::OFPT_ECHO_REQUEST, xid, data }
    }

    /// The reply to this request: same xid, same data.
    pub const fn reply(self) -> Self {
        Self { kind: EchoKind::OFPT_ECHO_REPLY, ..self }
    }

    /// Reads one whole message of any version, request or reply.
    ///
    /// # Errors
    /// When the header is not an echo's or its length is not `msg`'s.
    pub fn parse(msg: &'a [u8]) -> Result<Self, DecodeError> {
        let header = Header::parse(msg)?;
        let kind = match EchoKind(header.ty) {
            EchoKind::OFPT_ECHO_REPLY => EchoKind::OFPT_ECHO_REPLY,
            _ => EchoKind::OFPT_ECHO_REQUEST,
        };
        let start = Start { message: "Echo", version: header.version, ty: kind.0 };
        let (fixed, data) = start.split::<8>(msg)?;
        Ok(Self { version: header.version, kind, xid: get32(fixed, 4), data })
    }
}

impl Encode for Echo<'_> {
    fn wire_len(&self) -> usize {
        OFP_HEADER_LEN + self.data.len()
    }

    fn write(&self, buf: &mut [u8]) {
        let mut w = Writer::new(buf);
        w.header(self.version, self.kind.0, self.xid);
        w.bytes(self.data);
        w.finish();
    }
}
