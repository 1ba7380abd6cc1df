//! The little of netlink that is needed to ask the kernel about interfaces: requests, dumps, attributes.

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType};

// linux/netlink.h
pub(crate) const NLM_F_REQUEST: u16 = 1;
const NLM_F_ACK: u16 = 4;
const NLM_F_DUMP: u16 = 0x300;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const HEADER_LEN: usize = 16;
/// Says in an attribute's type that it holds attributes.
const NLA_F_NESTED: u16 = 0x8000;
const NLA_TYPE_MASK: u16 = 0x3fff;

/// Longer than any answer: the kernel fills dumps up to this, and one interface's answer is some kilobytes.
const ANSWER_MAX: usize = 64 << 10;

/// How long the kernel may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is asked for: about one thing, or about all there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum About {
    One,
    All,
}

/// A socket to one of the kernel's parts.
#[derive(Debug)]
pub(crate) struct Netlink {
    socket: OwnedFd,
    sequence: u32,
}

impl Netlink {
    /// `None` = `NETLINK_ROUTE`, which is number 0.
    pub fn open(part: Option<Protocol>) -> io::Result<Netlink> {
        let (family, flags) = (AddressFamily::NETLINK, SocketFlags::CLOEXEC);
        let socket = rustix::net::socket_with(family, SocketType::RAW, flags, part)?;
        rustix::net::bind(&socket, &SocketAddrNetlink::new(0, 0))?;
        set_socket_timeout(&socket, Timeout::Recv, Some(PATIENCE))?;
        Ok(Netlink { socket, sequence: 0 })
    }

    /// Sends a request and calls `each` with the payload of every answer.
    pub fn ask(
        &mut self,
        kind: u16,
        about: About,
        payload: &[u8],
        mut each: impl FnMut(&[u8]),
    ) -> io::Result<()> {
        self.sequence += 1;
        let flags = NLM_F_REQUEST | if about == About::All { NLM_F_DUMP } else { NLM_F_ACK };
        let request = message(kind, flags, self.sequence, payload);
        rustix::net::send(&self.socket, &request, SendFlags::empty())?;
        let mut buffer = vec![0; ANSWER_MAX];
        loop {
            let (_, len) = rustix::net::recv(&self.socket, &mut buffer[..], RecvFlags::TRUNC)?;
            if len > buffer.len() {
                return Err(Errno::MSGSIZE.into());
            }
            for answer in Messages(&buffer[..len]).filter(|answer| answer.sequence == self.sequence) {
                match answer.kind {
                    NLMSG_DONE => return Ok(()),
                    // Zero is the acknowledgement.
                    NLMSG_ERROR => return result(answer.payload),
                    _ => each(answer.payload),
                }
            }
        }
    }
}

fn result(payload: &[u8]) -> io::Result<()> {
    match payload.first_chunk().map(|bytes| i32::from_ne_bytes(*bytes)) {
        Some(0) => Ok(()),
        Some(error) => Err(io::Error::from_raw_os_error(-error)),
        None => Err(Errno::PROTO.into()),
    }
}

/// `struct nlmsghdr` and what it carries.
pub(crate) fn message(kind: u16, flags: u16, sequence: u32, payload: &[u8]) -> Vec<u8> {
    let len = (HEADER_LEN + payload.len()) as u32;
    let mut out = Vec::with_capacity(len as usize);
    out.extend(len.to_ne_bytes());
    out.extend(kind.to_ne_bytes());
    out.extend(flags.to_ne_bytes());
    out.extend(sequence.to_ne_bytes());
    out.extend(0u32.to_ne_bytes());
    out.extend(payload);
    out
}

/// A message that was received.
pub(crate) struct Message<'a> {
    pub kind: u16,
    pub sequence: u32,
    pub payload: &'a [u8],
}

/// The messages of one read.
pub(crate) struct Messages<'a>(pub &'a [u8]);

impl<'a> Iterator for Messages<'a> {
    type Item = Message<'a>;

    fn next(&mut self) -> Option<Message<'a>> {
        let header = self.0.first_chunk::<HEADER_LEN>()?;
        let word =
            |at: usize| u32::from_ne_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let len = word(0) as usize;
        let payload = self.0.get(HEADER_LEN..len)?;
        let message =
            Message { kind: u16::from_ne_bytes([header[4], header[5]]), sequence: word(8), payload };
        self.0 = self.0.get(len.next_multiple_of(4)..).unwrap_or(&[]);
        Some(message)
    }
}

/// One attribute with its header and its padding.
pub(crate) fn attribute(kind: u16, payload: &[u8]) -> Vec<u8> {
    let len = (4 + payload.len()) as u16;
    let mut out = [len.to_ne_bytes(), kind.to_ne_bytes()].concat();
    out.extend(payload);
    out.resize(out.len().next_multiple_of(4), 0);
    out
}

/// An attribute that holds others.
pub(crate) fn nest(kind: u16, inside: &[u8]) -> Vec<u8> {
    attribute(kind | NLA_F_NESTED, inside)
}

/// The attributes in a stretch of bytes: type and payload.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attributes<'a>(pub &'a [u8]);

impl<'a> Attributes<'a> {
    /// The first of a type.
    pub fn get(mut self, kind: u16) -> Option<&'a [u8]> {
        self.find(|(k, _)| *k == kind).map(|(_, payload)| payload)
    }

    pub fn u32(self, kind: u16) -> Option<u32> {
        Some(u32::from_ne_bytes(*self.get(kind)?.first_chunk()?))
    }

    pub fn u64(self, kind: u16) -> Option<u64> {
        Some(u64::from_ne_bytes(*self.get(kind)?.first_chunk()?))
    }

    pub fn u8(self, kind: u16) -> Option<u8> {
        self.get(kind)?.first().copied()
    }

    /// A text that ends with a zero.
    pub fn text(self, kind: u16) -> Option<String> {
        let bytes = self.get(kind)?;
        let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
        Some(String::from_utf8_lossy(&bytes[..end]).into_owned())
    }

    pub fn ipv4(self, kind: u16) -> Option<Ipv4Addr> {
        Some(<[u8; 4]>::try_from(self.get(kind)?).ok()?.into())
    }

    pub fn inside(self, kind: u16) -> Attributes<'a> {
        Attributes(self.get(kind).unwrap_or(&[]))
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<(u16, &'a [u8])> {
        let [a, b, c, d] = *self.0.first_chunk()?;
        let len = usize::from(u16::from_ne_bytes([a, b]));
        let payload = self.0.get(4..len)?;
        self.0 = self.0.get(len.next_multiple_of(4)..).unwrap_or(&[]);
        Some((u16::from_ne_bytes([c, d]) & NLA_TYPE_MASK, payload))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_read_as_they_were_written() {
        let inner = [attribute(1, b"eth0\0"), attribute(2, &7u32.to_ne_bytes())].concat();
        let outer = [nest(3, &inner), attribute(4, &[9])].concat();
        let all = Attributes(&outer);
        assert_eq!(all.inside(3).text(1).as_deref(), Some("eth0"));
        assert_eq!((all.inside(3).u32(2), all.u8(4), all.u32(4), all.get(5)), (Some(7), Some(9), None, None));
    }

    #[test]
    fn messages_are_taken_apart() {
        let both = [message(20, 0, 1, b"abcd"), message(NLMSG_ERROR, 0, 2, &(-22i32).to_ne_bytes())].concat();
        let all: Vec<_> = Messages(&both).map(|m| (m.kind, m.sequence, m.payload)).collect();
        assert_eq!(all[0], (20, 1, &b"abcd"[..]));
        assert_eq!(result(all[1].2).unwrap_err().raw_os_error(), Some(22));
        assert!(result(&[0; 4]).is_ok());
    }

    #[test]
    fn what_is_cut_short_ends_there() {
        let whole = [attribute(1, &[1; 8]), attribute(2, &[2; 8])].concat();
        for len in 0..whole.len() {
            let read: Vec<_> = Attributes(&whole[..len]).collect();
            assert_eq!(read.len(), len / 12, "{len}");
        }
        for len in 0..4u16 {
            assert_eq!(
                Attributes(&[len.to_ne_bytes(), [1, 0]].concat()).count(),
                0,
                "shorter than its header"
            );
        }
        let message = message(20, 0, 1, &[0; 8]);
        assert!((0..message.len()).all(|len| Messages(&message[..len]).count() == 0));
    }
}
