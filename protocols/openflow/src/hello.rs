use crate::bytes::{get32, pad8};
use crate::encode::{Encode, Writer};
use crate::error::DecodeError;
use crate::header::{Header, OFP_HEADER_LEN, Start, Version};
use std::fmt;

const OFPT_HELLO: u8 = 0;

/// `OFPHET_VERSIONBITMAP`, the type of the hello element that lists versions (OF 1.3.5 7.5.1).
pub const OFPHET_VERSIONBITMAP: u16 = 1;

/// A set of versions: bit `n` stands for version byte `n` (OF 1.3.5 7.5.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct VersionBitmap(pub u32);

impl VersionBitmap {
    /// The set of `versions`.
    pub const fn of(versions: &[Version]) -> Self {
        let mut bits = 0;
        let mut i = 0;
        while i < versions.len() {
            if versions[i].0 < 32 {
                bits |= 1 << versions[i].0;
            }
            i += 1;
        }
        Self(bits)
    }

    /// Whether the set holds `version`.
    pub const fn contains(self, version: Version) -> bool {
        version.0 < 32 && self.0 & (1 << version.0) != 0
    }

    /// What both sets hold.
    pub const fn common(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The highest version in the set.
    pub const fn highest(self) -> Option<Version> {
        match self.0.checked_ilog2() {
            Some(n) => Some(Version(n as u8)),
            None => None,
        }
    }

    /// The versions in the set, lowest first.
    pub fn iter(self) -> impl Iterator<Item = Version> {
        (0..32).map(Version).filter(move |v| self.contains(*v))
    }
}

impl fmt::Display for VersionBitmap {
    /// `1.0, 1.3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("none");
        }
        for (i, v) in self.iter().enumerate() {
            f.write_str(if i == 0 { "" } else { ", " })?;
            match v.dotted() {
                Some(text) => f.write_str(text)?,
                None => write!(f, "version byte {}", v.0)?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for VersionBitmap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VersionBitmap({self})")
    }
}

/// `OFPT_HELLO` (OF 1.0 5.5.1, OF 1.3.5 7.5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hello {
    /// The header's version: the highest that the sender speaks.
    pub version: Version,
    /// Transaction id.
    pub xid: u32,
    /// The versions that the sender speaks, if it says so.
    pub bitmap: Option<VersionBitmap>,
}

impl Hello {
    /// A hello that offers `versions`. With no versions at all its header has version 0.
    pub fn offering(versions: VersionBitmap, xid: u32) -> Self {
        Self { version: versions.highest().unwrap_or_default(), xid, bitmap: Some(versions) }
    }

    /// Reads one whole message of any version.
    ///
    /// Elements of unknown type are skipped (OF 1.3.5 7.5.1). A body that is no list of elements is passed over
    /// as well: 1.0 (5.5.1) lets a hello carry any body and tells the receiver to ignore it.
    ///
    /// # Errors
    /// When the header is not a hello's or its length is not `msg`'s.
    pub fn parse(msg: &[u8]) -> Result<Self, DecodeError> {
        let version = Header::parse(msg)?.version;
        let start = Start { message: "Hello", version, ty: OFPT_HELLO };
        let (fixed, elements) = start.split::<8>(msg)?;
        Ok(Self { version, xid: get32(fixed, 4), bitmap: find_bitmap(elements) })
    }
}

fn find_bitmap(mut elements: &[u8]) -> Option<VersionBitmap> {
    while let Some(&[t0, t1, l0, l1]) = elements.first_chunk::<4>() {
        let len = usize::from(u16::from_be_bytes([l0, l1]));
        let body = elements.get(4..len)?;
        if u16::from_be_bytes([t0, t1]) == OFPHET_VERSIONBITMAP {
            // Versions from 32 on, in further words, do not exist.
            return body.first_chunk().map(|word| VersionBitmap(u32::from_be_bytes(*word)));
        }
        elements = elements.get(pad8(len)..)?;
    }
    None
}

impl Encode for Hello {
    fn wire_len(&self) -> usize {
        OFP_HEADER_LEN + if self.bitmap.is_some() { 8 } else { 0 }
    }

    fn write(&self, buf: &mut [u8]) {
        let mut w = Writer::new(buf);
        w.header(self.version, OFPT_HELLO, self.xid);
        if let Some(bitmap) = self.bitmap {
            w.bytes(&OFPHET_VERSIONBITMAP.to_be_bytes());
            w.bytes(&8u16.to_be_bytes());
            w.bytes(&bitmap.0.to_be_bytes());
        }
        w.finish();
    }
}

/// Why there is no codec of 1.1.
pub(crate) const NOT_1_1: &str = "1.1 is not spoken: its fixed match and its actions are of no other version";

/// No version is spoken by both sides. Its text is fit for `OFPHFC_INCOMPATIBLE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Incompatible {
    /// What we speak.
    pub ours: VersionBitmap,
    /// Their header's version.
    pub their_header: Version,
    /// Their bitmap, if they sent one.
    pub their_bitmap: Option<VersionBitmap>,
}

impl std::error::Error for Incompatible {}

impl fmt::Display for Incompatible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no common OpenFlow version: we speak {}, you ", self.ours)?;
        match (self.their_bitmap, self.their_header.dotted()) {
            (Some(theirs), _) => write!(f, "speak {theirs}"),
            (None, Some(v)) => write!(f, "offer up to {v}"),
            (None, None) => write!(f, "offer version byte {}", self.their_header.0),
        }?;
        let offered = self.their_bitmap.unwrap_or(VersionBitmap::of(&[self.their_header]));
        if offered.contains(Version::V1_1) {
            write!(f, " ({NOT_1_1})")?;
        }
        Ok(())
    }
}

/// The version that two hellos agree on, ours being [`Hello::offering`]`(ours, _)` (OF 1.3.5 6.3.1).
///
/// # Errors
/// When there is none.
pub fn negotiate(
    ours: VersionBitmap,
    their_header: Version,
    their_bitmap: Option<VersionBitmap>,
) -> Result<Version, Incompatible> {
    let agreed = match their_bitmap {
        // Both sides sent a bitmap: the highest common version.
        Some(theirs) => ours.common(theirs).highest(),
        // Otherwise the lower of the two header versions, if we speak it.
        None => ours.highest().map(|v| v.min(their_header)).filter(|v| ours.contains(*v)),
    };
    agreed.ok_or(Incompatible { ours, their_header, their_bitmap })
}

#[cfg(test)]
mod tests;
