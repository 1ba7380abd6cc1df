//! The kernel's table of neighbours on one interface (rtnetlink(7), RTM_GETNEIGH).

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

use crate::interfaces::netlink::{Attributes, Messages, NLM_F_REQUEST, attribute, message};
use crate::sockopt;

// linux/rtnetlink.h, linux/neighbour.h
const RTM_NEWNEIGH: u16 = 28;
const RTM_GETNEIGH: u16 = 30;
const RTNLGRP_NEIGH: i32 = 3;
const NDA_DST: u16 = 1;
const NDA_LLADDR: u16 = 2;
const NUD_REACHABLE: u16 = 0x02;
const NUD_NOARP: u16 = 0x40;
const NUD_PERMANENT: u16 = 0x80;
/// As far as the kernel knows these are right now.
const CERTAIN: u16 = NUD_REACHABLE | NUD_NOARP | NUD_PERMANENT;
/// And these were so, and are used until they turn out to be wrong: stale, delay, probe.
const USABLE: u16 = CERTAIN | 0x04 | 0x08 | 0x10;
/// `struct ndmsg`
const NEIGHBOR_LEN: usize = 12;

// linux/netlink.h
const SOL_NETLINK: i32 = 270;
const NETLINK_ADD_MEMBERSHIP: i32 = 1;
const NETLINK_DROP_MEMBERSHIP: i32 = 2;

/// A port at which a host throws away what it gets (RFC 863).
pub(super) const DISCARD: u16 = 9;

/// Longer than any message about a neighbour; the kernel puts several into one read.
const READ_MAX: usize = 16 << 10;
/// Answers that wait to be taken; the oldest make room, since whoever asked asks again.
const ANSWERS_MAX: usize = 64;

/// A neighbour, as the kernel knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Neighbor {
    pub address: Ipv4Addr,
    pub mac: [u8; 6],
    /// Not only as it once was.
    pub certain: bool,
}

/// Asks the kernel, without waiting for it.
#[derive(Debug)]
pub(super) struct Neighbors {
    netlink: OwnedFd,
    /// Sends by the interface alone.
    datagrams: UdpSocket,
    index: u32,
    /// Whether news come without a question.
    listens: bool,
    buffer: Box<[u8]>,
    answers: VecDeque<Neighbor>,
    dropped: u64,
    calls: u64,
}

impl Neighbors {
    pub fn new(index: u32, interface: &str) -> io::Result<Neighbors> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let netlink = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)?;
        rustix::net::bind(&netlink, &SocketAddrNetlink::new(0, 0))?;
        let datagrams = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        datagrams.set_nonblocking(true)?;
        // It is for neighbours, and goes no further.
        datagrams.set_ttl(1)?;
        sockopt::bind_to_device(&datagrams, interface)?;
        Ok(Neighbors {
            netlink,
            datagrams,
            index,
            listens: false,
            buffer: vec![0; READ_MAX].into(),
            answers: VecDeque::new(),
            dropped: 0,
            calls: 0,
        })
    }

    /// Readable when there are news.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.netlink.as_fd()
    }

    /// Asks for a neighbour. If the kernel does not know it for certain, it is made to ask in turn; from then on its news are
    /// listened to.
    pub fn ask(&mut self, address: Ipv4Addr) -> io::Result<()> {
        self.calls += 1;
        // The answer is there when the call returns.
        rustix::net::send(&self.netlink, &question(self.index, address), SendFlags::DONTWAIT)?;
        self.read();
        if !self.answers.iter().any(|answer| answer.address == address && answer.certain) {
            self.listen(true)?;
            // A packet that the kernel has to send: it resolves the address for it, and needs no rights of us. It has no
            // bytes, and is for nobody. If it cannot be sent there is no answer, which is an answer, too.
            self.calls += 1;
            let _ = self.datagrams.send_to(&[], (address, DISCARD));
        }
        Ok(())
    }

    /// Whether news are listened to.
    pub fn listens(&self) -> bool {
        self.listens
    }

    /// Begins or ends to listen to the kernel's news of all its neighbours.
    pub fn listen(&mut self, on: bool) -> io::Result<()> {
        if self.listens != on {
            let what = if on { NETLINK_ADD_MEMBERSHIP } else { NETLINK_DROP_MEMBERSHIP };
            self.calls += 1;
            sockopt::set(&self.netlink, SOL_NETLINK, what, &RTNLGRP_NEIGH)?;
            self.listens = on;
            self.read();
        }
        Ok(())
    }

    /// Takes what the kernel has said.
    pub fn read(&mut self) {
        loop {
            self.calls += 1;
            let len = match rustix::net::recv(&self.netlink, &mut self.buffer[..], RecvFlags::empty()) {
                Ok((_, len)) => len,
                // There was more to say than it had memory for. What was asked for is asked for again.
                Err(Errno::NOBUFS | Errno::INTR) => continue,
                Err(_) => return,
            };
            let messages = Messages(&self.buffer[..len]).filter(|message| message.kind == RTM_NEWNEIGH);
            for neighbor in messages.filter_map(|message| neighbor(message.payload, self.index)) {
                keep(&mut self.answers, &mut self.dropped, neighbor);
            }
        }
    }

    /// Calls of the kernel.
    pub fn calls(&self) -> u64 {
        self.calls
    }

    /// Answers that made room for later ones.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The next answer.
    pub fn next(&mut self) -> Option<Neighbor> {
        self.answers.pop_front()
    }

    /// Whether there is no answer to be taken.
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }
}

fn keep(answers: &mut VecDeque<Neighbor>, dropped: &mut u64, neighbor: Neighbor) {
    if answers.len() == ANSWERS_MAX {
        answers.pop_front();
        *dropped += 1;
    }
    answers.push_back(neighbor);
}

fn question(index: u32, address: Ipv4Addr) -> Vec<u8> {
    let mut ask = [0; NEIGHBOR_LEN];
    ask[0] = libc::AF_INET as u8;
    ask[4..8].copy_from_slice(&index.to_ne_bytes());
    let asked = [&ask[..], &attribute(NDA_DST, &address.octets())].concat();
    message(RTM_GETNEIGH, NLM_F_REQUEST, 0, &asked)
}

/// `struct ndmsg` and its attributes: a neighbour on the interface that has a MAC address.
fn neighbor(payload: &[u8], index: u32) -> Option<Neighbor> {
    let (info, rest) = payload.split_first_chunk::<NEIGHBOR_LEN>()?;
    let [family, _, _, _, a, b, c, d, e, f, ..] = *info;
    let state = u16::from_ne_bytes([e, f]);
    let usable = i32::from(family) == libc::AF_INET
        && u32::from_ne_bytes([a, b, c, d]) == index
        && state & USABLE != 0;
    let attributes = Attributes(rest);
    let (address, mac) = (attributes.ipv4(NDA_DST)?, attributes.get(NDA_LLADDR)?.try_into().ok()?);
    usable.then_some(Neighbor { address, mac, certain: state & CERTAIN != 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(index: u32, state: u16, attributes: &[Vec<u8>]) -> Vec<u8> {
        let mut info = [0; NEIGHBOR_LEN];
        info[0] = libc::AF_INET as u8;
        info[4..8].copy_from_slice(&index.to_ne_bytes());
        info[8..10].copy_from_slice(&state.to_ne_bytes());
        [&info[..], &attributes.concat()].concat()
    }

    #[test]
    fn a_neighbor_is_read() {
        let address = attribute(NDA_DST, &[10, 0, 0, 9]);
        let mac = attribute(NDA_LLADDR, &[2, 0, 0, 0, 0, 9]);
        let both = [address.clone(), mac];
        let expected = |certain| {
            Some(Neighbor { address: Ipv4Addr::new(10, 0, 0, 9), mac: [2, 0, 0, 0, 0, 9], certain })
        };
        assert_eq!(neighbor(&answer(7, NUD_REACHABLE, &both), 7), expected(true));
        assert_eq!(neighbor(&answer(7, 0x04, &both), 7), expected(false), "stale");
        for (index, state) in [(8, NUD_REACHABLE), (7, 0x01), (7, 0x20), (7, 0)] {
            assert_eq!(neighbor(&answer(index, state, &both), 7), None, "{index} {state}");
        }
        assert_eq!(neighbor(&answer(7, NUD_REACHABLE, &[address]), 7), None);
        let whole = answer(7, NUD_REACHABLE, &both);
        // The MAC address is padded by two bytes.
        assert!((0..whole.len() - 2).all(|len| neighbor(&whole[..len], 7).is_none()));
    }

    /// The loopback has no neighbours: the kernel says so, and nothing comes of it.
    #[test]
    fn who_is_not_there_is_no_answer() {
        let mut neighbors = Neighbors::new(1, "lo").unwrap();
        neighbors.ask(Ipv4Addr::new(192, 0, 2, 1)).unwrap();
        assert!(neighbors.is_empty() && neighbors.listens());
        neighbors.listen(false).unwrap();
        assert_eq!(neighbors.next(), None);
    }

    #[test]
    fn of_too_many_answers_the_last_are_kept() {
        let (mut answers, mut dropped) = (VecDeque::new(), 0);
        for n in 0..ANSWERS_MAX as u32 + 2 {
            let neighbor = Neighbor { address: Ipv4Addr::from_bits(n), mac: [2; 6], certain: true };
            keep(&mut answers, &mut dropped, neighbor);
        }
        assert_eq!((answers.len(), dropped), (ANSWERS_MAX, 2));
        assert_eq!(answers.front().unwrap().address, Ipv4Addr::from_bits(2));
    }
}
