//! Switch ports.

use std::fmt;

use ferroflow_wire::MacAddr;

/// A switch port's number, as OpenFlow 1.3 writes it (32 bits; reserved numbers from `OFPP_MAX` on). A 1.0 session
/// translates the reserved ones (OF 1.0 5.2.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortNo(pub u32);

impl PortNo {
    /// `OFPP_MAX`: the highest number of an ordinary port (OF 1.3.5 7.2.1).
    pub const MAX: PortNo = PortNo(0xffff_ff00);
    /// `OFPP_IN_PORT`: back out where the packet came in.
    pub const IN_PORT: PortNo = PortNo(0xffff_fff8);
    /// `OFPP_TABLE`: through the flow tables (packet_out only).
    pub const TABLE: PortNo = PortNo(0xffff_fff9);
    /// `OFPP_NORMAL`: the switch's own layer 2 or 3.
    pub const NORMAL: PortNo = PortNo(0xffff_fffa);
    /// `OFPP_FLOOD`: all ports of the spanning tree but the one the packet came in.
    pub const FLOOD: PortNo = PortNo(0xffff_fffb);
    /// `OFPP_ALL`: all ports but the one the packet came in.
    pub const ALL: PortNo = PortNo(0xffff_fffc);
    /// `OFPP_CONTROLLER`: us.
    pub const CONTROLLER: PortNo = PortNo(0xffff_fffd);
    /// `OFPP_LOCAL`: the switch's own network stack.
    pub const LOCAL: PortNo = PortNo(0xffff_fffe);
    /// `OFPP_ANY` (1.0: `OFPP_NONE`): no port.
    pub const ANY: PortNo = PortNo(0xffff_ffff);

    /// An ordinary port, as opposed to a reserved number.
    pub const fn is_physical(self) -> bool {
        self.0 <= Self::MAX.0
    }

    /// From the 16 bits of 1.0, whose reserved numbers start at 0xff00 (OF 1.0 5.2.1).
    #[inline]
    pub const fn from_v10(n: u16) -> PortNo {
        if n > 0xff00 { PortNo(0xffff_0000 | n as u32) } else { PortNo(n as u32) }
    }

    /// To the 16 bits of 1.0; `None` where the number does not fit.
    #[inline]
    pub const fn to_v10(self) -> Option<u16> {
        if self.0 > 0xffff_ff00 || self.0 <= 0xff00 { Some(self.0 as u16) } else { None }
    }
}

impl fmt::Display for PortNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match *self {
            Self::IN_PORT => "IN_PORT",
            Self::TABLE => "TABLE",
            Self::NORMAL => "NORMAL",
            Self::FLOOD => "FLOOD",
            Self::ALL => "ALL",
            Self::CONTROLLER => "CONTROLLER",
            Self::LOCAL => "LOCAL",
            Self::ANY => "ANY",
            PortNo(n) => return write!(f, "{n}"),
        };
        f.write_str(name)
    }
}

impl fmt::Debug for PortNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a switch says about one of its ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Its number.
    pub number: PortNo,
    /// Its hardware address.
    pub mac: MacAddr,
    /// Its name; bytes that are not UTF-8 are replaced.
    pub name: Box<str>,
    /// It was switched off by configuration (`OFPPC_PORT_DOWN`).
    pub admin_down: bool,
    /// It has no carrier (`OFPPS_LINK_DOWN`).
    pub link_down: bool,
}

impl Port {
    /// Whether it can carry packets.
    pub fn is_up(&self) -> bool {
        !self.admin_down && !self.link_down
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_ports_translate_both_ways_and_others_do_not_fit() {
        for n in [PortNo::IN_PORT, PortNo::FLOOD, PortNo::CONTROLLER, PortNo::ANY, PortNo::LOCAL, PortNo(1)] {
            assert_eq!(PortNo::from_v10(n.to_v10().unwrap()), n);
        }
        assert_eq!(PortNo::FLOOD.to_v10(), Some(0xfffb));
        assert_eq!(PortNo::from_v10(0xff00), PortNo(0xff00), "OFPP_MAX of 1.0 is an ordinary port");
        assert_eq!(PortNo(0xff01).to_v10(), None);
        assert_eq!(PortNo(0x1_0001).to_v10(), None);
    }
}
