//! The one grammar for ports: what `--port` of every program understands.
//!
//! A port is a kind, mostly a name behind a colon, and options behind commas: `tap:ff0,queues=2`. [`GRAMMAR`] is the whole
//! of it. [`PortSpec`] is what was said, [`crate::open`] makes ports of it.

pub(crate) mod netmap;

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::str::FromStr;

/// All kinds of ports and their options, as text for people.
pub const GRAMMAR: &str = r"  kernel                                  the kernel's sockets
  tap:NAME[,offload=on|off][,queues=N]    a TAP interface, made if there is none of the name
  packet:IFACE[,queues=N]                 an interface, by AF_PACKET
  xdp:IFACE[,own|shared][,queues=N]       an interface's queues, by AF_XDP; `shared`: the kernel keeps its address
                                          and all but our TCP ports, `own`: the stack has one of its own
  netmap:NAME                             netmap's rings: IFACE, IFACE-N (one pair), IFACE^ (the kernel's
                                          own), vale0:1 (a switch), NAME{ID or NAME}ID (a pipe)
  shm:PATH                                another process's memory, over the Unix socket PATH
  pipe                                    this process's memory
  for tap, packet, xdp, netmap and shm also [,mac=XX:XX:XX:XX:XX:XX] (the stack's address)
  for tap also [,mtu=N] (bytes of an IP packet), for xdp [,busy=N] (microseconds of busy polling), and where it is
  shared no mac but [,sources=N] (ports to open connections from)";

/// Smallest MTU that may be asked for: every IPv4 host takes such a packet (RFC 791 3.2).
const MTU_MIN: u32 = 576;
/// Largest: with its Ethernet header a packet still has to fit in 64 KiB less what the kernel adds.
pub(crate) const MTU_MAX: u32 = 65_521;
/// Longest busy polling, in microseconds: a second.
const BUSY_MAX: u32 = 1_000_000;
/// Most ports to open connections from: each takes a descriptor.
const SOURCES_MAX: u32 = 4096;
/// Most queues of one interface.
pub(crate) const QUEUES_MAX: u16 = 256;

/// A port as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortSpec {
    /// What kind, and which one.
    pub kind: PortKind,
    /// How many queues; `None` = one for each core.
    pub queues: Option<u16>,
    /// The stack's MAC address; `None` = one that is made up.
    pub mac: Option<[u8; 6]>,
    /// Largest IP packet, in bytes; `None` = as the interface has it.
    pub mtu: Option<u32>,
    /// For so many microseconds the kernel polls the card when it is called; `None` = it waits for interrupts.
    pub busy: Option<u32>,
    /// How many ports to open connections from are taken from the kernel, where its address is shared; `None` = 64.
    pub sources: Option<u16>,
}

/// What kind of port, and which one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PortKind {
    /// Both ends in this process.
    Pipe,
    /// Memory shared with another process, which is met at this Unix socket.
    Shm {
        /// The socket.
        path: PathBuf,
    },
    /// A TAP interface.
    Tap {
        /// Its name.
        name: String,
        /// Whether checksums and segmentation are left to the kernel; `None` = as is best.
        offload: Option<bool>,
    },
    /// An interface's queues, taken by an XDP program.
    Xdp {
        /// The interface.
        interface: String,
        /// Whose address is used; `None` = the kernel's where it has one there, unless a MAC address is named.
        mode: Option<XdpMode>,
    },
    /// An interface, seen through packet sockets.
    Packet {
        /// The interface.
        interface: String,
    },
    /// A netmap port.
    Netmap {
        /// Its name, as netmap(4) has it without the prefix.
        name: String,
    },
    /// The kernel's sockets: no port at all.
    Kernel,
}

/// Whose the address on an XDP interface is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum XdpMode {
    /// The stack has an address of its own.
    Own,
    /// The kernel keeps its address, and the stack uses it too.
    Shared,
}

/// What is wrong in the text of a port, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecError {
    text: String,
    at: Range<usize>,
    what: String,
}

impl std::error::Error for SpecError {}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = self.text[..self.at.start].chars().count();
        let marked = self.text[self.at.clone()].chars().count().max(1);
        writeln!(f, "{}", self.what)?;
        writeln!(f, "  {}", self.text)?;
        writeln!(f, "  {:before$}{:^<marked$}", "", "")?;
        write!(f, "ports are:\n{GRAMMAR}")
    }
}

impl fmt::Display for PortSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.word())?;
        match &self.kind {
            PortKind::Pipe | PortKind::Kernel => {}
            PortKind::Shm { path } => write!(f, ":{}", path.display())?,
            PortKind::Tap { name, offload } => {
                write!(f, ":{name}")?;
                if let Some(on) = offload {
                    write!(f, ",offload={}", if *on { "on" } else { "off" })?;
                }
            }
            PortKind::Xdp { interface, mode } => {
                write!(f, ":{interface}")?;
                match mode {
                    None => {}
                    Some(XdpMode::Own) => f.write_str(",own")?,
                    Some(XdpMode::Shared) => f.write_str(",shared")?,
                }
            }
            PortKind::Packet { interface: name } | PortKind::Netmap { name } => write!(f, ":{name}")?,
        }
        if let Some(n) = self.queues {
            write!(f, ",queues={n}")?;
        }
        if let Some([a, b, c, d, e, g]) = self.mac {
            write!(f, ",mac={a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")?;
        }
        if let Some(n) = self.mtu {
            write!(f, ",mtu={n}")?;
        }
        if let Some(n) = self.busy {
            write!(f, ",busy={n}")?;
        }
        if let Some(n) = self.sources {
            write!(f, ",sources={n}")?;
        }
        Ok(())
    }
}

impl PortKind {
    /// The word before the colon.
    pub fn word(&self) -> &'static str {
        match self {
            PortKind::Pipe => "pipe",
            PortKind::Shm { .. } => "shm",
            PortKind::Tap { .. } => "tap",
            PortKind::Xdp { .. } => "xdp",
            PortKind::Packet { .. } => "packet",
            PortKind::Netmap { .. } => "netmap",
            PortKind::Kernel => "kernel",
        }
    }

    /// The options that it has.
    fn options(&self) -> &'static [&'static str] {
        match self {
            PortKind::Pipe | PortKind::Kernel => &[],
            PortKind::Shm { .. } | PortKind::Netmap { .. } => &["mac"],
            PortKind::Tap { .. } => &["offload", "queues", "mac", "mtu"],
            PortKind::Xdp { .. } => &["own", "shared", "queues", "mac", "busy", "sources"],
            PortKind::Packet { .. } => &["queues", "mac"],
        }
    }

    /// Reads `tap:NAME`.
    fn parse(head: Word<'_>) -> Result<PortKind, SpecError> {
        let (kind, name) = head.split(':');
        let named = || name.filter(|n| !n.text.is_empty());
        let missing = |example: &str| head.wrong(format!("a name is missing, for example {example}"));
        let interface = |example: &str| {
            let name = named().ok_or_else(|| missing(example))?;
            name.interface()
        };
        let kind = match kind.text {
            "kernel" => PortKind::Kernel,
            "pipe" => PortKind::Pipe,
            "tap" => PortKind::Tap { name: interface("tap:ff0")?, offload: None },
            "packet" => PortKind::Packet { interface: interface("packet:eth0")? },
            "xdp" => PortKind::Xdp { interface: interface("xdp:eth0")?, mode: None },
            "netmap" => {
                let name = named().ok_or_else(|| missing("netmap:eth0 or netmap:vale0:1"))?;
                netmap::NetmapName::parse(name.text).map_err(|why| name.wrong(why))?;
                PortKind::Netmap { name: name.text.to_owned() }
            }
            "shm" => {
                let path = named().ok_or_else(|| missing("shm:/run/ferroflow.sock"))?;
                PortKind::Shm { path: path.text.into() }
            }
            other => return Err(kind.wrong(format!("{other:?} is no kind of port"))),
        };
        match name {
            Some(name) if matches!(kind, PortKind::Kernel | PortKind::Pipe) => {
                Err(name.wrong(format!("{} has no name", kind.word())))
            }
            _ => Ok(kind),
        }
    }
}

impl PortSpec {
    /// A port of this kind with nothing else said.
    pub fn new(kind: PortKind) -> PortSpec {
        PortSpec { kind, queues: None, mac: None, mtu: None, busy: None, sources: None }
    }

    /// Takes one option.
    fn set(&mut self, word: Word<'_>) -> Result<(), SpecError> {
        let (key, value) = word.split('=');
        let options = self.kind.options();
        if !options.contains(&key.text) {
            let has = match options {
                [] => "no options".to_owned(),
                some => some.join(", "),
            };
            return Err(key.wrong(format!(
                "{} has no option {:?}; it has {has}",
                self.kind.word(),
                key.text
            )));
        }
        if let (Some(value), "own" | "shared") = (value, key.text) {
            return Err(value.wrong(format!("{} has no value", key.text)));
        }
        let value = value.unwrap_or(Word { at: word.at + word.text.len(), text: "", whole: word.whole });
        match (key.text, &mut self.kind) {
            ("own", PortKind::Xdp { mode, .. }) => word.once(mode, XdpMode::Own),
            ("shared", PortKind::Xdp { mode, .. }) => word.once(mode, XdpMode::Shared),
            ("offload", PortKind::Tap { offload, .. }) => word.once(offload, value.on_or_off()?),
            ("queues", _) => word.once(&mut self.queues, value.number(1, QUEUES_MAX.into())? as u16),
            ("busy", _) => word.once(&mut self.busy, value.number(1, BUSY_MAX)?),
            ("sources", _) => word.once(&mut self.sources, value.number(1, SOURCES_MAX)? as u16),
            ("mtu", _) => word.once(&mut self.mtu, value.number(MTU_MIN, MTU_MAX)?),
            _ => word.once(&mut self.mac, value.mac()?),
        }
    }
}

impl FromStr for PortSpec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<PortSpec, SpecError> {
        let mut at = 0;
        let mut words = text.split(',').map(|word| {
            let word = Word { at, text: word, whole: text };
            at += word.text.len() + 1;
            word
        });
        let head = words.next().unwrap_or(Word { at: 0, text: "", whole: text });
        let mut spec = PortSpec::new(PortKind::parse(head)?);
        words.try_for_each(|word| spec.set(word))?;
        Ok(spec)
    }
}

/// A part of the text, and where it is.
#[derive(Debug, Clone, Copy)]
struct Word<'a> {
    at: usize,
    text: &'a str,
    whole: &'a str,
}

impl<'a> Word<'a> {
    /// What is before and behind the first `by`.
    fn split(self, by: char) -> (Word<'a>, Option<Word<'a>>) {
        match self.text.split_once(by) {
            None => (self, None),
            Some((a, b)) => {
                let behind = Word { at: self.at + a.len() + by.len_utf8(), text: b, ..self };
                (Word { text: a, ..self }, Some(behind))
            }
        }
    }

    fn wrong(self, what: String) -> SpecError {
        SpecError { text: self.whole.to_owned(), at: self.at..self.at + self.text.len(), what }
    }

    fn once<T>(self, place: &mut Option<T>, value: T) -> Result<(), SpecError> {
        match place {
            Some(_) => Err(self.wrong(format!("{:?} was said before, or its opposite", self.text))),
            None => {
                *place = Some(value);
                Ok(())
            }
        }
    }

    fn interface(self) -> Result<String, SpecError> {
        if is_interface_name(self.text) {
            return Ok(self.text.to_owned());
        }
        Err(self.wrong(format!(
            "{:?} is no name for an interface: 1 to 15 characters, without spaces, `/`, `:`, `%` and `,`",
            self.text
        )))
    }

    fn on_or_off(self) -> Result<bool, SpecError> {
        match self.text {
            "on" => Ok(true),
            "off" => Ok(false),
            _ => Err(self.wrong("on or off is wanted".to_owned())),
        }
    }

    fn number(self, from: u32, to: u32) -> Result<u32, SpecError> {
        let digits = !self.text.is_empty() && self.text.bytes().all(|b| b.is_ascii_digit());
        match self.text.parse() {
            Ok(n) if digits && (from..=to).contains(&n) => Ok(n),
            _ => Err(self.wrong(format!("a number from {from} to {to} is wanted"))),
        }
    }

    fn mac(self) -> Result<[u8; 6], SpecError> {
        let wrong =
            |why: &str| self.wrong(format!("a MAC address is wanted, such as 02:00:00:00:00:01{why}"));
        let mut mac = [0; 6];
        let mut parts = self.text.split(':');
        for byte in &mut mac {
            let part = parts.next().filter(|p| p.len() == 2 && p.bytes().all(|b| b.is_ascii_hexdigit()));
            *byte = part.and_then(|p| u8::from_str_radix(p, 16).ok()).ok_or_else(|| wrong(""))?;
        }
        match (parts.next(), mac) {
            (Some(_), _) => Err(wrong("")),
            (None, [0, 0, 0, 0, 0, 0]) => Err(wrong(": all zeroes is none")),
            // IEEE 802: the lowest bit of the first byte makes it a group's.
            (None, [first, ..]) if first & 1 != 0 => Err(wrong(": this one is a group's, not a host's")),
            (None, mac) => Ok(mac),
        }
    }
}

/// Whether the kernel takes this as the name of an interface, and the grammar can say it.
pub(crate) fn is_interface_name(name: &str) -> bool {
    let good = |b: u8| b.is_ascii_graphic() && !matches!(b, b'/' | b':' | b'%' | b',');
    (1..libc::IFNAMSIZ).contains(&name.len()) && name.bytes().all(good) && name != "." && name != ".."
}

#[cfg(test)]
mod tests;
