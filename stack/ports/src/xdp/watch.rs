//! What a core sleeps on: all sockets of a port at once, for frames, and for room where there was none.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};

/// Events looked at in one go; what is more is looked at the next time.
const EVENTS: usize = 16;
const AT_ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

/// An epoll descriptor with the sockets in it.
#[derive(Debug)]
pub(super) struct Watch {
    epoll: OwnedFd,
    /// Which are watched for room as well.
    for_room: Vec<bool>,
}

impl Watch {
    /// Watches sockets for frames.
    pub fn new<'a>(sockets: impl Iterator<Item = BorrowedFd<'a>>) -> io::Result<Watch> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let mut for_room = Vec::new();
        for socket in sockets {
            epoll::add(&epoll, socket, EventData::new_u64(for_room.len() as u64), EventFlags::IN)?;
            for_room.push(false);
        }
        Ok(Watch { epoll, for_room })
    }

    /// Readable when one of them has something.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }

    /// Before a sleep: `sockets`, as they were given, and which of them have frames that the kernel would not take. `true` =
    /// one of those may have room now: try again, do not sleep.
    ///
    /// The kernel calls a socket writable while half of its ring is free, whatever else is in the way (net/xdp/xsk.c,
    /// `xsk_tx_writeable`). So a socket without room is watched for changes only, or the core would be woken for ever.
    pub fn may_go_on<'a>(
        &mut self,
        sockets: impl Iterator<Item = (BorrowedFd<'a>, bool)>,
    ) -> io::Result<bool> {
        let mut stuck = false;
        for ((n, (socket, is_stuck)), for_room) in (0..).zip(sockets).zip(&mut self.for_room) {
            if *for_room != is_stuck {
                let changes = EventFlags::IN | EventFlags::OUT | EventFlags::ET;
                let flags = if is_stuck { changes } else { EventFlags::IN };
                epoll::modify(&self.epoll, socket, EventData::new_u64(n), flags)?;
                *for_room = is_stuck;
            }
            stuck |= is_stuck;
        }
        if !stuck {
            return Ok(false);
        }
        // It takes the changes out that it tells of; frames that it tells of are looked for by whoever sleeps.
        let mut events: Vec<Event> = Vec::with_capacity(EVENTS);
        epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), Some(&AT_ONCE))?;
        let room = EventFlags::OUT | EventFlags::ERR | EventFlags::HUP;
        // Copied: the kernel's structure is packed.
        Ok(events.iter().any(|event| { event.flags }.intersects(room)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::event::{PollFd, PollFlags, poll};
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    fn is_readable(watch: &Watch) -> bool {
        let fd = watch.fd();
        poll(&mut [PollFd::from_borrowed_fd(fd, PollFlags::IN)], Some(&AT_ONCE)).unwrap() > 0
    }

    #[test]
    fn a_stuck_socket_that_seems_writable_wakes_once_and_then_by_a_change() {
        let (near, mut far) = UnixStream::pair().unwrap();
        let mut watch = Watch::new([near.as_fd()].into_iter()).unwrap();
        let mut may_go_on = |stuck| watch.may_go_on([(near.as_fd(), stuck)].into_iter()).unwrap();
        assert!(!may_go_on(false));
        // It is writable all the time.
        assert!(may_go_on(true));
        assert!(!may_go_on(true) && !may_go_on(true));
        assert!(!is_readable(&watch), "the core would not sleep");
        // Something changes: here, that bytes come.
        far.write_all(b"x").unwrap();
        assert!(is_readable(&watch));
        let mut may_go_on = |stuck| watch.may_go_on([(near.as_fd(), stuck)].into_iter()).unwrap();
        assert!(may_go_on(true));
        (&near).read_exact(&mut [0]).unwrap();
        assert!(!may_go_on(true));
        assert!(!may_go_on(false));
        assert!(!is_readable(&watch));
        far.write_all(b"x").unwrap();
        assert!(is_readable(&watch), "it is watched for what comes, as before");
    }

    #[test]
    fn a_full_socket_wakes_when_it_has_room() {
        let (near, mut far) = UnixStream::pair().unwrap();
        near.set_nonblocking(true).unwrap();
        let mut written = 0;
        while let Ok(n) = (&near).write(&[0; 4096]) {
            written += n;
        }
        let mut watch = Watch::new([near.as_fd()].into_iter()).unwrap();
        assert!(!watch.may_go_on([(near.as_fd(), true)].into_iter()).unwrap());
        assert!(!is_readable(&watch));
        far.read_exact(&mut vec![0; written]).unwrap();
        assert!(is_readable(&watch));
        assert!(watch.may_go_on([(near.as_fd(), true)].into_iter()).unwrap());
    }
}
