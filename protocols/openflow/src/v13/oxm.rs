use super::{OFPXMC_EXPERIMENTER, OFPXMC_OPENFLOW_BASIC};
use crate::bytes::{put, put32};
use crate::encode::{Part, Writer};
use crate::error::{ErrorCode, Fault, Reason};
use crate::list::Decode;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Bytes of the experimenter's number, which `oxm_length` counts (`ofp_oxm_experimenter_header`).
const EXPERIMENTER_LEN: usize = 4;

/// The four bytes in front of an OXM field: class (16 bits), field (7), has-mask (1), length (8)
/// (OF 1.3.5 7.2.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OxmHeader(pub u32);

impl OxmHeader {
    /// A header of class `OFPXMC_OPENFLOW_BASIC` for a value of `len` bytes; a mask doubles the length.
    pub const fn basic(field: u8, has_mask: bool, len: u8) -> Self {
        let len = if has_mask { 2 * len } else { len };
        Self((OFPXMC_OPENFLOW_BASIC as u32) << 16 | (field as u32) << 9 | (has_mask as u32) << 8 | len as u32)
    }

    /// `OFPXMC_*`.
    pub const fn class(self) -> u16 {
        (self.0 >> 16) as u16
    }

    /// The field's number in its class, 0 to 127.
    pub const fn field(self) -> u8 {
        (self.0 >> 9) as u8 & 0x7f
    }

    /// Whether a mask follows the value.
    pub const fn has_mask(self) -> bool {
        self.0 & 0x100 != 0
    }

    /// Bytes that follow the header.
    pub const fn len(self) -> usize {
        self.0 as usize & 0xff
    }

    /// Whether nothing follows the header.
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// What a match may be made of.
pub trait OxmItem: Part {}

impl OxmItem for Oxm<'_> {}

impl<T: OxmItem + ?Sized> OxmItem for &T {}

/// A field's value or mask on the wire.
trait Value: Copy {
    const LEN: u8;
    type Octets;
    /// Reads from exactly `LEN` bytes.
    fn get(bytes: &[u8]) -> Option<Self>;
    fn to_wire(self) -> Self::Octets;
}

macro_rules! value {
    ($($ty:ty, $len:literal, $from:expr, $into:expr;)*) => {
        $(
            impl Value for $ty {
                const LEN: u8 = $len;
                type Octets = [u8; $len];

                #[inline(always)]
                fn get(bytes: &[u8]) -> Option<Self> {
                    let array: &[u8; $len] = bytes.try_into().ok()?;
                    Some($from(*array))
                }

                #[inline(always)]
                fn to_wire(self) -> [u8; $len] {
                    $into(self)
                }
            }
        )*
    };
}

value! {
    u8, 1, u8::from_be_bytes, u8::to_be_bytes;
    u16, 2, u16::from_be_bytes, u16::to_be_bytes;
    u32, 4, u32::from_be_bytes, u32::to_be_bytes;
    u64, 8, u64::from_be_bytes, u64::to_be_bytes;
    [u8; 3], 3, std::convert::identity, std::convert::identity;
    [u8; 6], 6, std::convert::identity, std::convert::identity;
    Ipv4Addr, 4, Ipv4Addr::from, |a: Ipv4Addr| a.octets();
    Ipv6Addr, 16, Ipv6Addr::from, |a: Ipv6Addr| a.octets();
}

/// One table for the standard's fields: those that may not be masked, then those that may.
macro_rules! oxm_fields {
    (
        exact { $($(#[$edoc:meta])* $exact:ident($ety:ty) = $efield:literal $ename:ident,)* }
        maskable { $($(#[$mdoc:meta])* $masked:ident($mty:ty) = $mfield:literal $mname:ident,)* }
    ) => {
        /// An OXM field of a match or of a set-field action (OF 1.3.5 7.2.3.7, table 11).
        ///
        /// Fields that may be masked carry the mask as their second member: a bit of 1 counts.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Oxm<'a> {
            $(
                #[doc = concat!("`OXM_OF_", stringify!($ename), "`: ")]
                $(#[$edoc])*
                $exact($ety),
            )*
            $(
                #[doc = concat!("`OXM_OF_", stringify!($mname), "`: ")]
                $(#[$mdoc])*
                $masked($mty, Option<$mty>),
            )*
            /// Any other field.
            Other {
                /// Its header.
                header: OxmHeader,
                /// The `header.len()` bytes that follow it.
                body: &'a [u8],
            },
        }

        impl Oxm<'_> {
            /// The field's header on the wire.
            #[inline]
            pub const fn header(&self) -> OxmHeader {
                match self {
                    $(Self::$exact(_) => OxmHeader::basic($efield, false, <$ety as Value>::LEN),)*
                    $(Self::$masked(_, mask) => {
                        OxmHeader::basic($mfield, mask.is_some(), <$mty as Value>::LEN)
                    })*
                    Self::Other { header, .. } => *header,
                }
            }

            /// The standard's name, such as `OXM_OF_IN_PORT`; none for [`Oxm::Other`].
            pub const fn name(&self) -> Option<&'static str> {
                Some(match self {
                    $(Self::$exact(_) => concat!("OXM_OF_", stringify!($ename)),)*
                    $(Self::$masked(..) => concat!("OXM_OF_", stringify!($mname)),)*
                    Self::Other { .. } => return None,
                })
            }

            /// Bytes on the wire. The arms are constants, so that this becomes a look-up.
            #[inline(always)]
            const fn bytes_len(&self) -> usize {
                match self {
                    $(Self::$exact(_) => 4 + <$ety as Value>::LEN as usize,)*
                    $(
                        Self::$masked(_, None) => 4 + <$mty as Value>::LEN as usize,
                        Self::$masked(_, Some(_)) => 4 + 2 * <$mty as Value>::LEN as usize,
                    )*
                    Self::Other { body, .. } => 4 + body.len(),
                }
            }

            /// Inlined whole, so that of a match whose fields are known only their own arms are left.
            #[inline(always)]
            fn append(&self, w: &mut Writer<'_>) {
                match *self {
                    $(Self::$exact(value) => {
                        let b = w.take::<{ 4 + <$ety as Value>::LEN as usize }>();
                        put32(b, 0, OxmHeader::basic($efield, false, <$ety as Value>::LEN).0);
                        put(b, 4, Value::to_wire(value));
                    })*
                    $(Self::$masked(value, None) => {
                        let b = w.take::<{ 4 + <$mty as Value>::LEN as usize }>();
                        put32(b, 0, OxmHeader::basic($mfield, false, <$mty as Value>::LEN).0);
                        put(b, 4, Value::to_wire(value));
                    }
                    Self::$masked(value, Some(mask)) => {
                        const LEN: usize = <$mty as Value>::LEN as usize;
                        let b = w.take::<{ 4 + 2 * LEN }>();
                        put32(b, 0, OxmHeader::basic($mfield, true, LEN as u8).0);
                        put(b, 4, Value::to_wire(value));
                        put(b, 4 + LEN, Value::to_wire(mask));
                    })*
                    Self::Other { header, body } => {
                        assert_eq!(header.len(), body.len(), "length in the header of an OXM field");
                        *w.take::<4>() = header.0.to_be_bytes();
                        w.bytes(body);
                    }
                }
            }
        }

        #[inline]
        fn read_basic(header: OxmHeader, body: &[u8]) -> Result<Option<Oxm<'static>>, Reason> {
            Ok(Some(match header.field() {
                $($efield => Oxm::$exact(exact(header, body)?),)*
                $($mfield => {
                    let (value, mask) = maskable(header, body)?;
                    Oxm::$masked(value, mask)
                })*
                _ => return Ok(None),
            }))
        }
    };
}

oxm_fields! {
    exact {
        /// ingress port, physical or logical.
        InPort(u32) = 0 IN_PORT,
        /// physical port under a logical ingress port.
        InPhyPort(u32) = 1 IN_PHY_PORT,
        /// Ethernet type after VLAN tags.
        EthType(u16) = 5 ETH_TYPE,
        /// VLAN priority, 3 bits.
        VlanPcp(u8) = 7 VLAN_PCP,
        /// IP DSCP, 6 bits.
        IpDscp(u8) = 8 IP_DSCP,
        /// IP ECN, 2 bits.
        IpEcn(u8) = 9 IP_ECN,
        /// IP protocol.
        IpProto(u8) = 10 IP_PROTO,
        /// TCP source port.
        TcpSrc(u16) = 13 TCP_SRC,
        /// TCP destination port.
        TcpDst(u16) = 14 TCP_DST,
        /// UDP source port.
        UdpSrc(u16) = 15 UDP_SRC,
        /// UDP destination port.
        UdpDst(u16) = 16 UDP_DST,
        /// SCTP source port.
        SctpSrc(u16) = 17 SCTP_SRC,
        /// SCTP destination port.
        SctpDst(u16) = 18 SCTP_DST,
        /// ICMP type.
        Icmpv4Type(u8) = 19 ICMPV4_TYPE,
        /// ICMP code.
        Icmpv4Code(u8) = 20 ICMPV4_CODE,
        /// ARP opcode.
        ArpOp(u16) = 21 ARP_OP,
        /// ICMPv6 type.
        Icmpv6Type(u8) = 29 ICMPV6_TYPE,
        /// ICMPv6 code.
        Icmpv6Code(u8) = 30 ICMPV6_CODE,
        /// target address of neighbour discovery.
        Ipv6NdTarget(Ipv6Addr) = 31 IPV6_ND_TARGET,
        /// source link-layer address of neighbour discovery.
        Ipv6NdSll([u8; 6]) = 32 IPV6_ND_SLL,
        /// target link-layer address of neighbour discovery.
        Ipv6NdTll([u8; 6]) = 33 IPV6_ND_TLL,
        /// label of the first MPLS header, 20 bits.
        MplsLabel(u32) = 34 MPLS_LABEL,
        /// traffic class of the first MPLS header, 3 bits.
        MplsTc(u8) = 35 MPLS_TC,
        /// bottom-of-stack bit of the first MPLS header.
        MplsBos(u8) = 36 MPLS_BOS,
    }
    maskable {
        /// metadata passed between tables.
        Metadata(u64) = 2 METADATA,
        /// Ethernet destination.
        EthDst([u8; 6]) = 3 ETH_DST,
        /// Ethernet source.
        EthSrc([u8; 6]) = 4 ETH_SRC,
        /// VLAN id with `OFPVID_PRESENT`, or `OFPVID_NONE`.
        VlanVid(u16) = 6 VLAN_VID,
        /// IPv4 source.
        Ipv4Src(Ipv4Addr) = 11 IPV4_SRC,
        /// IPv4 destination.
        Ipv4Dst(Ipv4Addr) = 12 IPV4_DST,
        /// source IPv4 address in ARP.
        ArpSpa(Ipv4Addr) = 22 ARP_SPA,
        /// target IPv4 address in ARP.
        ArpTpa(Ipv4Addr) = 23 ARP_TPA,
        /// source Ethernet address in ARP.
        ArpSha([u8; 6]) = 24 ARP_SHA,
        /// target Ethernet address in ARP.
        ArpTha([u8; 6]) = 25 ARP_THA,
        /// IPv6 source.
        Ipv6Src(Ipv6Addr) = 26 IPV6_SRC,
        /// IPv6 destination.
        Ipv6Dst(Ipv6Addr) = 27 IPV6_DST,
        /// IPv6 flow label, 20 bits.
        Ipv6Flabel(u32) = 28 IPV6_FLABEL,
        /// I-SID of provider backbone bridging.
        PbbIsid([u8; 3]) = 37 PBB_ISID,
        /// metadata of a logical port, such as a tunnel's key.
        TunnelId(u64) = 38 TUNNEL_ID,
        /// which IPv6 extension headers there are, 9 bits.
        Ipv6Exthdr(u16) = 39 IPV6_EXTHDR,
    }
}

#[inline(always)]
fn exact<T: Value>(header: OxmHeader, body: &[u8]) -> Result<T, Reason> {
    if header.has_mask() {
        return Err(Reason::Masked);
    }
    T::get(body).ok_or(Reason::BadLength { length: body.len() as u32 })
}

#[inline(always)]
fn maskable<T: Value>(header: OxmHeader, body: &[u8]) -> Result<(T, Option<T>), Reason> {
    let bad = Reason::BadLength { length: body.len() as u32 };
    if !header.has_mask() {
        return Ok((T::get(body).ok_or(bad)?, None));
    }
    let (value, mask) = body.split_at_checked(T::LEN.into()).ok_or(bad)?;
    Ok((T::get(value).ok_or(bad)?, Some(T::get(mask).ok_or(bad)?)))
}

impl<'a> Decode<'a> for Oxm<'a> {
    #[inline]
    fn decode(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), Fault> {
        let Some((first, after)) = bytes.split_first_chunk::<4>() else {
            return Err(Fault::truncated("oxm_header", 4, bytes.len(), ErrorCode::BAD_MATCH_LEN));
        };
        let header = OxmHeader(u32::from_be_bytes(*first));
        let Some((body, rest)) = after.split_at_checked(header.len()) else {
            return Err(Fault::length("oxm_length", 3, header.len(), ErrorCode::BAD_MATCH_LEN));
        };
        if header.class() == OFPXMC_OPENFLOW_BASIC {
            match read_basic(header, body) {
                Ok(Some(oxm)) => return Ok((oxm, rest)),
                Ok(None) => {}
                Err(reason) => return Err(bad_field(reason)),
            }
        } else if header.class() == OFPXMC_EXPERIMENTER && body.len() < EXPERIMENTER_LEN {
            return Err(bad_field(Reason::BadLength { length: body.len() as u32 }));
        }
        Ok((Self::Other { header, body }, rest))
    }
}

#[cold]
fn bad_field(reason: Reason) -> Fault {
    let (field, at, answer) = match reason {
        Reason::Masked => ("oxm_hasmask", 2, ErrorCode::BAD_MATCH_MASK),
        _ => ("oxm_length", 3, ErrorCode::BAD_MATCH_LEN),
    };
    Fault { field, at, reason, answer }
}

impl Part for Oxm<'_> {
    #[inline(always)]
    fn wire_len(&self) -> usize {
        self.bytes_len()
    }

    /// # Panics
    /// If an [`Oxm::Other`]'s header tells another length than its body has.
    #[inline(always)]
    fn write_to(&self, w: &mut Writer<'_>) {
        self.append(w);
    }
}
