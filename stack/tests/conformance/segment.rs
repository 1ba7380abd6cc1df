//! Segments as a script writes and reads them. Sequence numbers count from the sender's initial one: a SYN is 0, the first
//! byte 1.

use ferroflow_stack::Instant;
use ferroflow_wire::tcp::{TcpFlags, TcpOptions};

pub const SYN: TcpFlags = TcpFlags::SYN;
pub const ACK: TcpFlags = TcpFlags::ACK;
pub const RST: TcpFlags = TcpFlags::RST;
pub const FIN_ACK: TcpFlags = TcpFlags(0x11);
pub const PSH_ACK: TcpFlags = TcpFlags(0x18);
pub const FIN_PSH_ACK: TcpFlags = TcpFlags(0x19);
pub const SYN_ACK: TcpFlags = TcpFlags(0x12);
pub const RST_ACK: TcpFlags = TcpFlags(0x14);

/// A segment of the peer.
#[derive(Debug, Clone)]
pub struct Seg {
    pub flags: TcpFlags,
    pub seq: u32,
    pub ack: u32,
    pub win: u16,
    pub options: TcpOptions,
    pub text: Vec<u8>,
    /// SACK blocks.
    pub sacks: Vec<(u32, u32)>,
    /// The urgent pointer.
    pub urgent: u16,
    /// Leave the timestamps out although the connection uses them.
    pub bare: bool,
}

fn seg(flags: TcpFlags, seq: u32, ack: u32, text: &[u8]) -> Seg {
    Seg {
        flags,
        seq,
        ack,
        win: 65_535,
        options: TcpOptions::NONE,
        text: text.to_vec(),
        sacks: Vec::new(),
        urgent: 0,
        bare: false,
    }
}

pub fn syn() -> Seg {
    seg(SYN, 0, 0, b"").mss(1460)
}

pub fn syn_ack(n: u32) -> Seg {
    seg(SYN_ACK, 0, n, b"").mss(1460)
}

pub fn ack(s: u32, a: u32) -> Seg {
    seg(ACK, s, a, b"")
}

pub fn data(s: u32, a: u32, text: &[u8]) -> Seg {
    seg(PSH_ACK, s, a, text)
}

pub fn fin(s: u32, a: u32) -> Seg {
    seg(FIN_ACK, s, a, b"")
}

pub fn rst(s: u32) -> Seg {
    seg(RST, s, 0, b"")
}

impl Seg {
    pub fn flags(mut self, flags: TcpFlags) -> Seg {
        self.flags = flags;
        self
    }

    pub fn seq(mut self, n: u32) -> Seg {
        self.seq = n;
        self
    }

    pub fn ack_of(mut self, n: u32) -> Seg {
        self.ack = n;
        self
    }

    pub fn text(mut self, text: &[u8]) -> Seg {
        self.text = text.to_vec();
        self
    }

    pub fn win(mut self, n: u16) -> Seg {
        self.win = n;
        self
    }

    pub fn mss(mut self, n: u16) -> Seg {
        self.options.mss = Some(n);
        self
    }

    pub fn no_mss(mut self) -> Seg {
        self.options.mss = None;
        self
    }

    pub fn wscale(mut self, n: u8) -> Seg {
        self.options.window_scale = Some(n);
        self
    }

    pub fn ts(mut self, value: u32, echo: u32) -> Seg {
        self.options.timestamps = Some((value, echo));
        self
    }

    pub fn sack(mut self) -> Seg {
        self.options.sack_permitted = true;
        self
    }

    /// SACK blocks.
    pub fn sacks(mut self, blocks: &[(u32, u32)]) -> Seg {
        self.sacks = blocks.to_vec();
        self
    }

    /// The user time-out option as it stands (RFC 5482 3).
    pub fn user_timeout(mut self, option: u16) -> Seg {
        self.options.user_timeout = Some(option);
        self
    }

    pub fn urgent(mut self, pointer: u16) -> Seg {
        self.flags |= TcpFlags::URG;
        self.urgent = pointer;
        self
    }

    pub fn bare(mut self) -> Seg {
        self.bare = true;
        self
    }
}

/// A segment of the stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Got {
    pub flags: TcpFlags,
    pub seq: u32,
    pub ack: u32,
    pub win: u16,
    pub options: TcpOptions,
    pub text: Vec<u8>,
    /// The urgent pointer.
    pub urgent: u16,
    /// Of the IP header: DS field without ECN, and time to live.
    pub dscp: u8,
    pub ttl: u8,
    pub at: Instant,
    /// As on the wire.
    pub raw_seq: u32,
}

impl Got {
    /// When it was sent, in milliseconds.
    pub fn ms(&self) -> u64 {
        self.at.as_millis()
    }
}
