//! The match fields: the standard's (OF 1.5.1 7.2.3.7, a superset of the earlier versions'), and Open vSwitch's.

use super::numbers::{Ipv6ExtHdr, PortNo};
use super::oxm::{OxmClass, OxmId, read_field, read_maskable, read_plain, write_field, write_value};
use crate::owned::v15::HeaderType;
use ferroflow_wire::MacAddr;
use ferroflow_wire::codec::{
    Bytes, Codec, Json, JsonError, JsonObject, Object, Raw, ReadError, Reader, U24, Writer,
};
use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

const NXM_0: u16 = 0x0000;
const NXM_1: u16 = 0x0001;
const ERICSSON: u16 = 0x1000;
const BASIC: u16 = 0x8000;
const REGS: u16 = 0x8001;
const EXP: u16 = 0xffff;

const ONF: u32 = 0x4f4e_4600;
const NX: u32 = 0x2320;
const NSH: u32 = 0x005a_d650;

macro_rules! oxm_fields {
    (
        plain { $($pname:ident = ($pclass:ident, $pexp:tt, $pfield:literal) $plain:ident: $pty:ty;)* }
        maskable { $($mname:ident = ($mclass:ident, $mexp:tt, $mfield:literal) $maskable:ident: $mty:ty;)* }
        numbered { $(
            $(#[$nmeta:meta])*
            $nname:ident = ($nclass:ident, $nexp:tt, $first:literal, $count:literal from $base:literal)
                $numbered:ident: $nty:ty;
        )* }
    ) => {
        /// A match field with its value: an OXM or NXM TLV (OF 1.3.5 7.2.3).
        ///
        /// A field that can be masked has its mask second. L4 ports and the addresses of neighbour discovery, which the
        /// specification does not let be masked, can be here: Open vSwitch masks them. A field is known in every
        /// version, whichever version brought it.
        ///
        /// For people: `{"field": "OFPXMT_OFB_METADATA", "value": 5, "mask": 7}`.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the specification's names, documented where the table is")]
        pub enum Oxm {
            $(#[doc = concat!("`", stringify!($pname), "`.")] $plain($pty),)*
            $(#[doc = concat!("`", stringify!($mname), "`.")] $maskable($mty, Option<$mty>),)*
            $($(#[$nmeta])* $numbered(u8, $nty, Option<$nty>),)*
            /// A field that this library does not know, kept as bytes.
            Unknown {
                /// Which field.
                id: OxmId,
                /// Whether it says that it has a mask.
                hasmask: bool,
                /// Value and mask.
                unknown: Bytes,
            },
        }

        impl Oxm {
            /// Which field.
            pub fn id(&self) -> OxmId {
                let of = |class, experimenter, field| OxmId { class: OxmClass(class), field, experimenter };
                match self {
                    $(Self::$plain(..) => of($pclass, $pexp, $pfield),)*
                    $(Self::$maskable(..) => of($mclass, $mexp, $mfield),)*
                    $(Self::$numbered(n, ..) => of($nclass, $nexp, $first + (n - $base)),)*
                    Self::Unknown { id, .. } => *id,
                }
            }
        }

        impl Oxm {
            /// Whether it has a mask.
            pub fn has_mask(&self) -> bool {
                match self {
                    $(Self::$plain(..) => false,)*
                    $(Self::$maskable(_, mask) => mask.is_some(),)*
                    $(Self::$numbered(_, _, mask) => mask.is_some(),)*
                    Self::Unknown { hasmask, .. } => *hasmask,
                }
            }
        }

        impl OxmId {
            /// The field's name, where it is known.
            pub fn name(self) -> Option<Cow<'static, str>> {
                Some(match (self.class.0, self.experimenter, self.field) {
                    $(($pclass, $pexp, $pfield) => stringify!($pname).into(),)*
                    $(($mclass, $mexp, $mfield) => stringify!($mname).into(),)*
                    $(($nclass, $nexp, n @ $first..) if n - $first < $count =>
                        format!("{}{}", stringify!($nname), n - $first + $base).into(),)*
                    _ => return None,
                })
            }

            /// The field's name without its number, for errors.
            pub(super) fn static_name(self) -> &'static str {
                match (self.class.0, self.experimenter, self.field) {
                    $(($pclass, $pexp, $pfield) => stringify!($pname),)*
                    $(($mclass, $mexp, $mfield) => stringify!($mname),)*
                    $(($nclass, $nexp, n @ $first..) if n - $first < $count => stringify!($nname),)*
                    _ => "oxm",
                }
            }

            /// The field of a name.
            pub fn from_name(name: &str) -> Option<Self> {
                let of = |class, experimenter, field| Some(Self { class: OxmClass(class), field, experimenter });
                match name {
                    $(stringify!($pname) => return of($pclass, $pexp, $pfield),)*
                    $(stringify!($mname) => return of($mclass, $mexp, $mfield),)*
                    _ => {}
                }
                $(
                    if let Some(n) = name.strip_prefix(stringify!($nname)).and_then(|n| n.parse::<u8>().ok())
                        && ($base..$base + $count).contains(&n)
                    {
                        return of($nclass, $nexp, $first + (n - $base));
                    }
                )*
                None
            }
        }

        impl Codec for Oxm {
            const MIN: usize = 4;

            fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
                read_field(r, |header, r, len| {
                    let OxmId { class, experimenter, field } = header.id;
                    Ok(match (class.0, experimenter, field) {
                        $(($pclass, $pexp, $pfield) => Self::$plain(read_plain(r, header)?),)*
                        $(($mclass, $mexp, $mfield) => {
                            let (value, mask) = read_maskable(r, header, len)?;
                            Self::$maskable(value, mask)
                        })*
                        $(($nclass, $nexp, n @ $first..) if n - $first < $count => {
                            let (value, mask) = read_maskable(r, header, len)?;
                            Self::$numbered(n - $first + $base, value, mask)
                        })*
                        _ => Self::Unknown {
                            id: header.id,
                            hasmask: header.hasmask,
                            unknown: Bytes::read(r)?,
                        },
                    })
                })
            }

            fn write(&self, w: &mut Writer<'_>) {
                match self {
                    $(Self::$plain(value) => write_value(self.id(), value, None, w),)*
                    $(Self::$maskable(value, mask) => write_value(self.id(), value, mask.as_ref(), w),)*
                    $(Self::$numbered(n, ..) if !($base..$base + $count).contains(n) => {
                        w.fail(stringify!($nname), "there is no field of this number");
                    }
                    Self::$numbered(_, value, mask) => write_value(self.id(), value, mask.as_ref(), w),)*
                    Self::Unknown { id, hasmask, unknown } => {
                        write_field(*id, *hasmask, w, |w| w.bytes(unknown));
                    }
                }
            }
        }

        impl JsonObject for Oxm {
            fn to_fields(&self, object: &mut Object) {
                self.id().to_fields(object);
                match self {
                    $(Self::$plain(value) => value.put("value", object),)*
                    $(Self::$maskable(value, mask) => {
                        value.put("value", object);
                        mask.put("mask", object);
                    })*
                    $(Self::$numbered(_, value, mask) => {
                        value.put("value", object);
                        mask.put("mask", object);
                    })*
                    Self::Unknown { hasmask, unknown, .. } => {
                        hasmask.put("oxm_hasmask", object);
                        unknown.put("unknown", object);
                    }
                }
            }

            fn from_fields(object: &mut Object) -> Result<Self, JsonError> {
                let id = OxmId::from_fields(object)?;
                Ok(match (id.class.0, id.experimenter, id.field) {
                    $(($pclass, $pexp, $pfield) => Self::$plain(object.field("value")?),)*
                    $(($mclass, $mexp, $mfield) => {
                        Self::$maskable(object.field("value")?, object.field("mask")?)
                    })*
                    $(($nclass, $nexp, n @ $first..) if n - $first < $count => {
                        let number = n - $first + $base;
                        Self::$numbered(number, object.field("value")?, object.field("mask")?)
                    })*
                    _ => Self::Unknown {
                        id,
                        hasmask: object.field("oxm_hasmask")?,
                        unknown: object.field("unknown")?,
                    },
                })
            }
        }

        #[cfg(feature = "arbitrary")]
        mod made_up {
            use super::*;
            use ferroflow_wire::codec::{Arbitrary, Entropy};

            impl Arbitrary for Oxm {
                fn arbitrary(e: &mut Entropy<'_>) -> Self {
                    fn masked<T: Arbitrary + Codec>(e: &mut Entropy<'_>) -> (T, Option<T>) {
                        let value = T::arbitrary(e);
                        // Fields of no fixed length have a mask of the same length: their own value will do.
                        let mask = bool::arbitrary(e).then(|| {
                            let mut bytes = ferroflow_wire::codec::to_bytes(&value).expect("a made-up value");
                            bytes.iter_mut().for_each(|byte| *byte = e.byte());
                            ferroflow_wire::codec::from_bytes(&bytes, e.version()).expect("a value of any bytes")
                        });
                        (value, mask)
                    }
                    let make: &[fn(&mut Entropy<'_>) -> Self] = &[
                        $(|e| Self::$plain(Arbitrary::arbitrary(e)),)*
                        $(|e| { let (value, mask) = masked(e); Self::$maskable(value, mask) },)*
                        $(|e| {
                            let n = $base + e.below($count) as u8;
                            let (value, mask) = masked(e);
                            Self::$numbered(n, value, mask)
                        },)*
                        |e| {
                            let id = OxmId { class: OxmClass(0x4242), field: e.byte() & 0x7f, experimenter: 0 };
                            Self::Unknown { id, hasmask: bool::arbitrary(e), unknown: Bytes::arbitrary(e) }
                        },
                    ];
                    make[e.number(2) as usize % make.len()](e)
                }
            }
        }
    };
}

oxm_fields! {
    plain {
        OFPXMT_OFB_IN_PORT = (BASIC, 0, 0) InPort: PortNo;
        OFPXMT_OFB_IN_PHY_PORT = (BASIC, 0, 1) InPhyPort: PortNo;
        OFPXMT_OFB_ETH_TYPE = (BASIC, 0, 5) EthType: u16;
        OFPXMT_OFB_VLAN_PCP = (BASIC, 0, 7) VlanPcp: u8;
        OFPXMT_OFB_IP_DSCP = (BASIC, 0, 8) IpDscp: u8;
        OFPXMT_OFB_IP_ECN = (BASIC, 0, 9) IpEcn: u8;
        OFPXMT_OFB_IP_PROTO = (BASIC, 0, 10) IpProto: u8;
        OFPXMT_OFB_ICMPV4_TYPE = (BASIC, 0, 19) Icmpv4Type: u8;
        OFPXMT_OFB_ICMPV4_CODE = (BASIC, 0, 20) Icmpv4Code: u8;
        OFPXMT_OFB_ARP_OP = (BASIC, 0, 21) ArpOp: u16;
        OFPXMT_OFB_ICMPV6_TYPE = (BASIC, 0, 29) Icmpv6Type: u8;
        OFPXMT_OFB_ICMPV6_CODE = (BASIC, 0, 30) Icmpv6Code: u8;
        OFPXMT_OFB_MPLS_LABEL = (BASIC, 0, 34) MplsLabel: u32;
        OFPXMT_OFB_MPLS_TC = (BASIC, 0, 35) MplsTc: u8;
        OFPXMT_OFB_MPLS_BOS = (BASIC, 0, 36) MplsBos: u8;
        OFPXMT_OFB_PBB_UCA = (BASIC, 0, 41) PbbUca: u8;
        OFPXMT_OFB_ACTSET_OUTPUT = (BASIC, 0, 43) ActsetOutput: PortNo;
        OFPXMT_OFB_PACKET_TYPE = (BASIC, 0, 44) PacketType: HeaderType;
        ONFOXM_ET_ACTSET_OUTPUT = (EXP, ONF, 43) OnfActsetOutput: PortNo;
        NXM_OF_IN_PORT = (NXM_0, 0, 0) NxmInPort: u16;
        NXM_OF_ETH_TYPE = (NXM_0, 0, 3) NxmEthType: u16;
        NXM_OF_IP_TOS = (NXM_0, 0, 5) NxmIpTos: u8;
        NXM_OF_IP_PROTO = (NXM_0, 0, 6) NxmIpProto: u8;
        NXM_OF_ICMP_TYPE = (NXM_0, 0, 13) NxmIcmpType: u8;
        NXM_OF_ICMP_CODE = (NXM_0, 0, 14) NxmIcmpCode: u8;
        NXM_OF_ARP_OP = (NXM_0, 0, 15) NxmArpOp: u16;
        NXM_NX_ICMPV6_TYPE = (NXM_1, 0, 21) NxIcmpv6Type: u8;
        NXM_NX_ICMPV6_CODE = (NXM_1, 0, 22) NxIcmpv6Code: u8;
        NXM_NX_IP_ECN = (NXM_1, 0, 28) NxIpEcn: u8;
        NXM_NX_IP_TTL = (NXM_1, 0, 29) NxIpTtl: u8;
        NXM_NX_MPLS_TTL = (NXM_1, 0, 30) NxMplsTtl: u8;
        NXM_NX_RECIRC_ID = (NXM_1, 0, 36) NxRecircId: u32;
        NXM_NX_CONJ_ID = (NXM_1, 0, 37) NxConjId: u32;
        NXM_NX_CT_ZONE = (NXM_1, 0, 106) NxCtZone: u16;
        NXM_NX_CT_NW_PROTO = (NXM_1, 0, 119) NxCtNwProto: u8;
        ERICOXM_OF_ICMPV6_ND_RESERVED = (ERICSSON, 0, 1) EricNdReserved: u32;
        ERICOXM_OF_ICMPV6_ND_OPTIONS_TYPE = (ERICSSON, 0, 2) EricNdOptionsType: u8;
        NXOXM_NSH_MDTYPE = (EXP, NSH, 2) NshMdtype: u8;
        NXOXM_NSH_NP = (EXP, NSH, 3) NshNp: u8;
        NXOXM_NSH_SPI = (EXP, NSH, 4) NshSpi: u32;
        NXOXM_NSH_SI = (EXP, NSH, 5) NshSi: u8;
        NXOXM_NSH_TTL = (EXP, NSH, 10) NshTtl: u8;
    }
    maskable {
        OFPXMT_OFB_METADATA = (BASIC, 0, 2) Metadata: u64;
        OFPXMT_OFB_ETH_DST = (BASIC, 0, 3) EthDst: MacAddr;
        OFPXMT_OFB_ETH_SRC = (BASIC, 0, 4) EthSrc: MacAddr;
        OFPXMT_OFB_VLAN_VID = (BASIC, 0, 6) VlanVid: u16;
        OFPXMT_OFB_IPV4_SRC = (BASIC, 0, 11) Ipv4Src: Ipv4Addr;
        OFPXMT_OFB_IPV4_DST = (BASIC, 0, 12) Ipv4Dst: Ipv4Addr;
        OFPXMT_OFB_TCP_SRC = (BASIC, 0, 13) TcpSrc: u16;
        OFPXMT_OFB_TCP_DST = (BASIC, 0, 14) TcpDst: u16;
        OFPXMT_OFB_UDP_SRC = (BASIC, 0, 15) UdpSrc: u16;
        OFPXMT_OFB_UDP_DST = (BASIC, 0, 16) UdpDst: u16;
        OFPXMT_OFB_SCTP_SRC = (BASIC, 0, 17) SctpSrc: u16;
        OFPXMT_OFB_SCTP_DST = (BASIC, 0, 18) SctpDst: u16;
        OFPXMT_OFB_ARP_SPA = (BASIC, 0, 22) ArpSpa: Ipv4Addr;
        OFPXMT_OFB_ARP_TPA = (BASIC, 0, 23) ArpTpa: Ipv4Addr;
        OFPXMT_OFB_ARP_SHA = (BASIC, 0, 24) ArpSha: MacAddr;
        OFPXMT_OFB_ARP_THA = (BASIC, 0, 25) ArpTha: MacAddr;
        OFPXMT_OFB_IPV6_SRC = (BASIC, 0, 26) Ipv6Src: Ipv6Addr;
        OFPXMT_OFB_IPV6_DST = (BASIC, 0, 27) Ipv6Dst: Ipv6Addr;
        OFPXMT_OFB_IPV6_FLABEL = (BASIC, 0, 28) Ipv6Flabel: u32;
        OFPXMT_OFB_IPV6_ND_TARGET = (BASIC, 0, 31) Ipv6NdTarget: Ipv6Addr;
        OFPXMT_OFB_IPV6_ND_SLL = (BASIC, 0, 32) Ipv6NdSll: MacAddr;
        OFPXMT_OFB_IPV6_ND_TLL = (BASIC, 0, 33) Ipv6NdTll: MacAddr;
        OFPXMT_OFB_PBB_ISID = (BASIC, 0, 37) PbbIsid: U24;
        OFPXMT_OFB_TUNNEL_ID = (BASIC, 0, 38) TunnelId: u64;
        OFPXMT_OFB_IPV6_EXTHDR = (BASIC, 0, 39) Ipv6Exthdr: Ipv6ExtHdr;
        OFPXMT_OFB_TCP_FLAGS = (BASIC, 0, 42) TcpFlags: u16;
        ONFOXM_ET_TCP_FLAGS = (EXP, ONF, 42) OnfTcpFlags: u16;
        NXM_OF_ETH_DST = (NXM_0, 0, 1) NxmEthDst: MacAddr;
        NXM_OF_ETH_SRC = (NXM_0, 0, 2) NxmEthSrc: MacAddr;
        NXM_OF_VLAN_TCI = (NXM_0, 0, 4) NxmVlanTci: u16;
        NXM_OF_IP_SRC = (NXM_0, 0, 7) NxmIpSrc: Ipv4Addr;
        NXM_OF_IP_DST = (NXM_0, 0, 8) NxmIpDst: Ipv4Addr;
        NXM_OF_TCP_SRC = (NXM_0, 0, 9) NxmTcpSrc: u16;
        NXM_OF_TCP_DST = (NXM_0, 0, 10) NxmTcpDst: u16;
        NXM_OF_UDP_SRC = (NXM_0, 0, 11) NxmUdpSrc: u16;
        NXM_OF_UDP_DST = (NXM_0, 0, 12) NxmUdpDst: u16;
        NXM_OF_ARP_SPA = (NXM_0, 0, 16) NxmArpSpa: Ipv4Addr;
        NXM_OF_ARP_TPA = (NXM_0, 0, 17) NxmArpTpa: Ipv4Addr;
        NXM_NX_TUN_ID = (NXM_1, 0, 16) NxTunId: u64;
        NXM_NX_ARP_SHA = (NXM_1, 0, 17) NxArpSha: MacAddr;
        NXM_NX_ARP_THA = (NXM_1, 0, 18) NxArpTha: MacAddr;
        NXM_NX_IPV6_SRC = (NXM_1, 0, 19) NxIpv6Src: Ipv6Addr;
        NXM_NX_IPV6_DST = (NXM_1, 0, 20) NxIpv6Dst: Ipv6Addr;
        NXM_NX_ND_TARGET = (NXM_1, 0, 23) NxNdTarget: Ipv6Addr;
        NXM_NX_ND_SLL = (NXM_1, 0, 24) NxNdSll: MacAddr;
        NXM_NX_ND_TLL = (NXM_1, 0, 25) NxNdTll: MacAddr;
        NXM_NX_IP_FRAG = (NXM_1, 0, 26) NxIpFrag: u8;
        NXM_NX_IPV6_LABEL = (NXM_1, 0, 27) NxIpv6Label: u32;
        NXM_NX_TUN_IPV4_SRC = (NXM_1, 0, 31) NxTunIpv4Src: Ipv4Addr;
        NXM_NX_TUN_IPV4_DST = (NXM_1, 0, 32) NxTunIpv4Dst: Ipv4Addr;
        NXM_NX_PKT_MARK = (NXM_1, 0, 33) NxPktMark: u32;
        NXM_NX_TCP_FLAGS = (NXM_1, 0, 34) NxTcpFlags: u16;
        NXM_NX_DP_HASH = (NXM_1, 0, 35) NxDpHash: u32;
        NXM_NX_TUN_GBP_ID = (NXM_1, 0, 38) NxTunGbpId: u16;
        NXM_NX_TUN_GBP_FLAGS = (NXM_1, 0, 39) NxTunGbpFlags: u8;
        NXM_NX_TUN_FLAGS = (NXM_1, 0, 104) NxTunFlags: u16;
        NXM_NX_CT_STATE = (NXM_1, 0, 105) NxCtState: u32;
        NXM_NX_CT_MARK = (NXM_1, 0, 107) NxCtMark: u32;
        NXM_NX_CT_LABEL = (NXM_1, 0, 108) NxCtLabel: Raw<16>;
        NXM_NX_TUN_IPV6_SRC = (NXM_1, 0, 109) NxTunIpv6Src: Ipv6Addr;
        NXM_NX_TUN_IPV6_DST = (NXM_1, 0, 110) NxTunIpv6Dst: Ipv6Addr;
        NXM_NX_CT_NW_SRC = (NXM_1, 0, 120) NxCtNwSrc: Ipv4Addr;
        NXM_NX_CT_NW_DST = (NXM_1, 0, 121) NxCtNwDst: Ipv4Addr;
        NXM_NX_CT_IPV6_SRC = (NXM_1, 0, 122) NxCtIpv6Src: Ipv6Addr;
        NXM_NX_CT_IPV6_DST = (NXM_1, 0, 123) NxCtIpv6Dst: Ipv6Addr;
        NXM_NX_CT_TP_SRC = (NXM_1, 0, 124) NxCtTpSrc: u16;
        NXM_NX_CT_TP_DST = (NXM_1, 0, 125) NxCtTpDst: u16;
        NXOXM_ET_DP_HASH = (EXP, NX, 0) NxoxmDpHash: u32;
        NXOXM_ET_ERSPAN_IDX = (EXP, NX, 11) NxoxmErspanIdx: u32;
        NXOXM_ET_ERSPAN_VER = (EXP, NX, 12) NxoxmErspanVer: u8;
        NXOXM_ET_ERSPAN_DIR = (EXP, NX, 13) NxoxmErspanDir: u8;
        NXOXM_ET_ERSPAN_HWID = (EXP, NX, 14) NxoxmErspanHwid: u8;
        NXOXM_ET_GTPU_FLAGS = (EXP, NX, 15) NxoxmGtpuFlags: u8;
        NXOXM_ET_GTPU_MSGTYPE = (EXP, NX, 16) NxoxmGtpuMsgtype: u8;
        NXOXM_NSH_FLAGS = (EXP, NSH, 1) NshFlags: u8;
    }
    numbered {
        /// `OXM_OF_PKT_REG<N>`: a packet register (OF 1.5.1 7.2.3.10).
        OXM_OF_PKT_REG = (REGS, 0, 0, 128 from 0) PktReg: u64;
        /// `NXM_NX_REG<N>`: a register, 0 to 15.
        NXM_NX_REG = (NXM_1, 0, 0, 16 from 0) NxReg: u32;
        /// `NXM_NX_XXREG<N>`: four registers as one, 0 to 3.
        NXM_NX_XXREG = (NXM_1, 0, 111, 4 from 0) NxXxreg: Raw<16>;
        /// `NXM_NX_TUN_METADATA<N>`: a tunnel option, 0 to 63, of up to 124 bytes.
        NXM_NX_TUN_METADATA = (NXM_1, 0, 40, 64 from 0) NxTunMetadata: Bytes;
        /// `NXOXM_NSH_C<N>`: an NSH context header, 1 to 4.
        NXOXM_NSH_C = (EXP, NSH, 6, 4 from 1) NshC: u32;
    }
}

ferroflow_wire::__object_json!(Oxm);
