//! What the two ends say to each other over the socket before they use memory: one message each way.
//!
//! Both run on one machine, so numbers are in its byte order. The listening end's answer carries the descriptors: the
//! memory, then for each of its own queues what wakes it, then for each of the other end's queues what it sleeps on.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use ferroflow_stack::steer::{KEY_LEN, Key};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};

use super::area::{QUEUES_MAX, Shape};

/// Tells this protocol, and its version, from others.
const MAGIC: [u8; 8] = *b"ffshm\0\0\x01";
/// Descriptors of the largest pair; the kernel passes up to 253 at once (`SCM_MAX_FD`).
const FDS_MAX: usize = 1 + 2 * QUEUES_MAX as usize;
const ANSWER_LEN: usize = MAGIC.len() + 1 + 2 + 2 + 4 + 4 + KEY_LEN;
const REFUSAL_MAX: usize = 256;

/// What the end that comes wants: so many queues.
pub(super) fn ask(socket: &OwnedFd, queues: u16) -> io::Result<()> {
    let [a, b] = queues.to_ne_bytes();
    let message = [&MAGIC[..], &[a, b]].concat();
    rustix::net::send(socket, &message, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// What the end that has come wants; `None` = it speaks something else.
pub(super) fn asked(socket: &OwnedFd) -> io::Result<Option<u16>> {
    let mut message = [0; MAGIC.len() + 2];
    let (_, len) = rustix::net::recv(socket, &mut message[..], RecvFlags::empty())?;
    let [rest @ .., a, b] = message;
    Ok((len == message.len() && rest == MAGIC).then_some(u16::from_ne_bytes([a, b])))
}

/// The listening end's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answer {
    pub shape: Shape,
    pub key: Key,
}

impl Answer {
    fn encode(&self) -> [u8; ANSWER_LEN] {
        let [a, b] = self.shape.queues();
        let (slots, mtu) = (self.shape.slots(), self.shape.mtu());
        let parts: [&[u8]; 7] = [
            &MAGIC,
            &[1],
            &a.to_ne_bytes(),
            &b.to_ne_bytes(),
            &slots.to_ne_bytes(),
            &mtu.to_ne_bytes(),
            &self.key,
        ];
        let mut out = [0; ANSWER_LEN];
        parts.concat().iter().zip(&mut out).for_each(|(byte, out)| *out = *byte);
        out
    }

    fn decode(bytes: &[u8; ANSWER_LEN]) -> Option<Answer> {
        let rest = bytes.strip_prefix(&MAGIC)?.strip_prefix(&[1])?;
        let (first, rest) = rest.split_first_chunk()?;
        let (second, rest) = rest.split_first_chunk()?;
        let (slots, rest) = rest.split_first_chunk()?;
        let (mtu, rest) = rest.split_first_chunk()?;
        let queues = [first, second].map(|bytes| u16::from_ne_bytes(*bytes));
        let shape = Shape::new(queues, u32::from_ne_bytes(*slots), u32::from_ne_bytes(*mtu))?;
        Some(Answer { shape, key: rest.try_into().ok()? })
    }
}

/// Sends the answer with its descriptors.
pub(super) fn welcome(socket: &OwnedFd, answer: &Answer, fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS_MAX))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(io::Error::other("too many queues for one message"));
    }
    sendmsg(socket, &[IoSlice::new(&answer.encode())], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Sends a reason instead.
pub(super) fn refuse(socket: &OwnedFd, why: &str) -> io::Result<()> {
    let why = why.as_bytes();
    let message = [&MAGIC[..], &[0], &why[..why.len().min(REFUSAL_MAX)]].concat();
    rustix::net::send(socket, &message, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// What the listening end has said.
#[derive(Debug)]
pub(super) enum Said {
    Welcome(Answer, Vec<OwnedFd>),
    Refused(String),
    /// It speaks something else, or not as it should.
    Nonsense,
}

/// Reads the answer.
pub(super) fn answered(socket: &OwnedFd) -> io::Result<Said> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS_MAX))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut bytes = [0; MAGIC.len() + 1 + REFUSAL_MAX];
    let iov = &mut [IoSliceMut::new(&mut bytes)];
    let len = recvmsg(socket.as_fd(), iov, &mut control, RecvFlags::CMSG_CLOEXEC)?.bytes;
    let mut fds = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(all) = message {
            fds.extend(all);
        }
    }
    let bytes = &bytes[..len];
    if let Some([0, why @ ..]) = bytes.strip_prefix(&MAGIC) {
        return Ok(Said::Refused(String::from_utf8_lossy(why).into_owned()));
    }
    let answer = <&[u8; ANSWER_LEN]>::try_from(bytes).ok().and_then(Answer::decode);
    Ok(match answer {
        Some(answer) if fds.len() == fds_of(&answer.shape) => Said::Welcome(answer, fds),
        _ => Said::Nonsense,
    })
}

/// How many descriptors come with an answer.
fn fds_of(shape: &Shape) -> usize {
    1 + shape.queues().iter().map(|&n| usize::from(n)).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_as_it_was_written_and_checked() {
        let answer = Answer { shape: Shape::new([3, 2], 64, 1500).unwrap(), key: [7; KEY_LEN] };
        let bytes = answer.encode();
        assert_eq!(Answer::decode(&bytes), Some(answer));
        // Any MTU up to 65535 is good, so that the lower two of its bytes may be anything.
        let mtu = MAGIC.len() + 9;
        for at in (0..mtu).chain(mtu + 2..mtu + 4) {
            let mut broken = bytes;
            broken[at] = 0xff;
            assert_eq!(Answer::decode(&broken), None, "byte {at}");
        }
    }
}
