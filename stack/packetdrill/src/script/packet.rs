//! Packets as a script writes them.

use std::fmt;

/// TCP's flags, as in the header's 13th and 14th byte (RFC 9293 3.1; AE: RFC 9768).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(pub u16);

impl Flags {
    pub(super) const FIN: Flags = Flags(1);
    pub(super) const SYN: Flags = Flags(2);
    pub(super) const RST: Flags = Flags(4);
    pub(super) const PSH: Flags = Flags(8);
    pub(super) const ACK: Flags = Flags(16);
    pub(super) const URG: Flags = Flags(32);
    const ECE: Flags = Flags(64);
    const CWR: Flags = Flags(128);
    const AE: Flags = Flags(256);

    /// packetdrill's letters, in the order in which they are printed.
    const LETTERS: [(char, Flags); 9] = [
        ('F', Flags::FIN),
        ('S', Flags::SYN),
        ('R', Flags::RST),
        ('P', Flags::PSH),
        ('.', Flags::ACK),
        ('U', Flags::URG),
        ('E', Flags::ECE),
        ('W', Flags::CWR),
        ('A', Flags::AE),
    ];

    pub(super) fn parse(text: &str) -> Option<Flags> {
        let mut flags = Flags::default();
        for c in text.chars() {
            flags.0 |= Flags::LETTERS.iter().find(|(letter, _)| *letter == c)?.1.0;
        }
        Some(flags)
    }

    pub(super) fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }
}

impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Flags::default() {
            return f.write_str("-");
        }
        Flags::LETTERS
            .iter()
            .filter(|(_, flag)| self.has(*flag))
            .try_for_each(|(letter, _)| write!(f, "{letter}"))
    }
}

/// A TCP option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TcpOption {
    /// End of options.
    Eol,
    /// Padding.
    Nop,
    /// Maximum segment size.
    Mss(u16),
    /// Window scale's shift.
    Wscale(u8),
    /// SACK permitted.
    SackOk,
    /// SACK blocks: left and right edge.
    Sack(Vec<(u32, u32)>),
    /// Timestamps.
    Ts {
        /// TSval
        val: u32,
        /// TSecr
        ecr: u32,
    },
    /// Any other: its kind and its data.
    Other(u8, Vec<u8>),
}

impl TcpOption {
    /// The name, for a message.
    pub(super) fn kind(&self) -> u8 {
        match self {
            TcpOption::Eol => 0,
            TcpOption::Nop => 1,
            TcpOption::Mss(_) => 2,
            TcpOption::Wscale(_) => 3,
            TcpOption::SackOk => 4,
            TcpOption::Sack(_) => 5,
            TcpOption::Ts { .. } => 8,
            TcpOption::Other(kind, _) => *kind,
        }
    }
}

impl fmt::Display for TcpOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TcpOption::Eol => f.write_str("eol"),
            TcpOption::Nop => f.write_str("nop"),
            TcpOption::Mss(mss) => write!(f, "mss {mss}"),
            TcpOption::Wscale(shift) => write!(f, "wscale {shift}"),
            TcpOption::SackOk => f.write_str("sackOK"),
            TcpOption::Sack(blocks) => {
                f.write_str("sack")?;
                blocks.iter().try_for_each(|(left, right)| write!(f, " {left}:{right}"))
            }
            TcpOption::Ts { val, ecr } => write!(f, "TS val {val} ecr {ecr}"),
            TcpOption::Other(kind, data) => {
                write!(f, "kind-{kind} ")?;
                data.iter().try_for_each(|b| write!(f, "{b:02x}"))
            }
        }
    }
}

/// What a script says of the byte with the traffic class and ECN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tos {
    /// Nothing: 0 when injected, anything when expected.
    #[default]
    Any,
    /// `[noecn]`, `[ect0]`, `[ect1]`, `[ce]`: the two ECN bits (RFC 3168 5).
    Ecn(u8),
    /// `[ect01]`: either of the two ECT codepoints.
    Ect01,
    /// `[tos 0x10]`: the whole byte.
    Whole(u8),
}

impl Tos {
    /// The byte of an injected packet.
    pub(super) fn byte(self) -> u8 {
        match self {
            Tos::Any | Tos::Ect01 => 0,
            Tos::Ecn(bits) | Tos::Whole(bits) => bits,
        }
    }

    pub(super) fn accepts(self, actual: u8) -> bool {
        match self {
            Tos::Any => true,
            Tos::Ecn(bits) => actual & 3 == bits,
            Tos::Ect01 => matches!(actual & 3, 1 | 2),
            Tos::Whole(byte) => actual == byte,
        }
    }
}

impl fmt::Display for Tos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Tos::Any => Ok(()),
            Tos::Ecn(bits) => write!(f, "[{}] ", ["noecn", "ect1", "ect0", "ce"][usize::from(bits & 3)]),
            Tos::Ect01 => f.write_str("[ect01] "),
            Tos::Whole(byte) => write!(f, "[tos {byte:#x}] "),
        }
    }
}

/// A TCP segment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tcp {
    /// Source and destination port, where the script names them.
    pub ports: Option<(u16, u16)>,
    /// Flags.
    pub flags: Flags,
    /// Sequence number.
    pub seq: u32,
    /// Length of the data.
    pub len: u16,
    /// Acknowledgement number.
    pub ack: u32,
    /// Window; `None` = any.
    pub window: Option<u16>,
    /// Urgent pointer.
    pub urgent: u16,
    /// Options; `None` = any (`<...>`).
    pub options: Option<Vec<TcpOption>>,
}

impl Tcp {
    /// Its timestamps, if it has any.
    pub(super) fn timestamps(&self) -> Option<(u32, u32)> {
        self.options.iter().flatten().find_map(|o| match o {
            TcpOption::Ts { val, ecr } => Some((*val, *ecr)),
            _ => None,
        })
    }
}

impl fmt::Display for Tcp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tcp { flags, seq, len, .. } = self;
        if let Some((from, to)) = self.ports {
            write!(f, "{from}>{to} ")?;
        }
        write!(f, "{flags} {seq}:{}({len})", seq.wrapping_add(u32::from(*len)))?;
        if flags.has(Flags::ACK) {
            write!(f, " ack {}", self.ack)?;
        }
        if let Some(window) = self.window {
            write!(f, " win {window}")?;
        }
        if self.urgent != 0 {
            write!(f, " urg {}", self.urgent)?;
        }
        match self.options.as_deref() {
            None => f.write_str(" <...>"),
            Some([]) => Ok(()),
            Some(options) => {
                let all: Vec<String> = options.iter().map(ToString::to_string).collect();
                write!(f, " <{}>", all.join(","))
            }
        }
    }
}

/// An ICMP error about one of the stack's segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Icmp {
    /// ICMP's or ICMPv6's type.
    pub kind: u8,
    /// Its code.
    pub code: u8,
    /// The next hop's MTU, in "fragmentation needed" and "packet too big".
    pub mtu: Option<u32>,
    /// First sequence number of the quoted segment.
    pub seq: u32,
    /// Length of the quoted segment's data.
    pub len: u16,
}

/// What a packet carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// A TCP segment.
    Tcp(Tcp),
    /// An ICMP error.
    Icmp(Icmp),
}

/// A packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// Traffic class and ECN.
    pub tos: Tos,
    /// Time to live or hop limit; `None` = 255 when injected, any when expected.
    pub ttl: Option<u8>,
    /// What it carries.
    pub body: Body,
}

impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(ttl) = self.ttl {
            write!(f, "[ttl {ttl}] ")?;
        }
        match &self.body {
            Body::Tcp(tcp) => write!(f, "{}{tcp}", self.tos),
            Body::Icmp(icmp) => write!(f, "icmp type_{} code_{}", icmp.kind, icmp.code),
        }
    }
}
