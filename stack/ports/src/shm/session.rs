//! What one queue of one end has of a pair: its rings, and how it wakes and is woken.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use ferroflow_stack::handshake::{News, SleepFlag};
use ferroflow_stack::steer::{Key, Steer};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, Shutdown};

use super::area::Area;
use super::ring::{Broken, Reader, Writer};

/// Both directions between one of our queues and one of the other end's.
#[derive(Debug)]
pub(super) struct Link {
    pub to: Writer,
    pub from: Reader,
    /// Which queue of the other end it is, and what wakes it.
    peer: u16,
    bell: Arc<OwnedFd>,
    /// Since the last [`Session::announce`]: frames were sent to it / room was made for it.
    pub sent: bool,
    pub made_room: bool,
    /// Since the last sleep: there was no room for a frame.
    pub full: bool,
}

/// One queue's part in a pair.
#[derive(Debug)]
pub(super) struct Session {
    pub area: Arc<Area>,
    /// Which end we are: 0 made the memory, 1 was given it.
    end: usize,
    queue: u16,
    /// Readable when the other end has woken us, and when it is gone. Not an eventfd: both processes would hold the same
    /// one, and a peer could make it blocking and fill it, so that whoever rings would sleep in the kernel. A socket is
    /// told with each call not to block.
    bell: OwnedFd,
    /// The other end's queues, in order.
    pub links: Vec<Link>,
    /// Which of them a frame goes to, as that end's card would choose it.
    pub steer: Steer,
    /// The socket over which the two ends met.
    meeting: Arc<OwnedFd>,
    /// The other end is gone: what it has sent is still to be taken, and nobody is there to send to.
    parted: bool,
}

/// What the sessions of one end are made of.
pub(super) struct Parts {
    pub area: Area,
    /// Which end we are.
    pub end: usize,
    /// What each of our queues sleeps on.
    pub bells: Vec<OwnedFd>,
    /// What wakes each of the other end's queues.
    pub peers: Vec<OwnedFd>,
    pub key: Key,
    pub meeting: OwnedFd,
}

impl Parts {
    /// One session for each of our queues, in order.
    pub fn sessions(self) -> Vec<Session> {
        let Parts { area, end, bells, peers, key, meeting } = self;
        let (area, meeting) = (Arc::new(area), Arc::new(meeting));
        let peers: Vec<_> = peers.into_iter().map(Arc::new).collect();
        let count = peers.len() as u16;
        let session = |(queue, bell): (u16, OwnedFd)| Session {
            area: area.clone(),
            end,
            queue,
            bell,
            links: (0..count).zip(&peers).map(|(peer, bell)| link(&area, end, queue, peer, bell)).collect(),
            steer: Steer::with_key(queue % count, count, &key),
            meeting: meeting.clone(),
            parted: false,
        };
        (0..).zip(bells).map(session).collect()
    }
}

fn link(area: &Area, end: usize, queue: u16, peer: u16, bell: &Arc<OwnedFd>) -> Link {
    let shape = area.shape();
    Link {
        to: Writer::new(shape.ring(end, queue, peer)),
        from: Reader::new(shape.ring(1 - end, peer, queue)),
        peer,
        bell: bell.clone(),
        sent: false,
        made_room: false,
        full: false,
    }
}

/// Whether the other end is still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Peer {
    There,
    Gone,
}

impl Session {
    /// What to sleep on.
    pub fn bell(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }

    /// The other end is gone: what it had told of is what there is to take.
    pub fn part(&mut self) -> Result<(), Broken> {
        self.parted = true;
        self.links.iter_mut().try_for_each(|link| link.from.close(&self.area))
    }

    /// Whether the other end is gone, as far as we know.
    #[inline]
    pub fn is_parted(&self) -> bool {
        self.parted
    }

    /// Whether the other end is gone and all that it has sent is taken.
    pub fn is_over(&mut self) -> bool {
        self.parted && self.links.iter_mut().all(|link| link.from.look(&self.area) == Ok(0))
    }

    fn flag(&self) -> SleepFlag<&AtomicU32> {
        self.area.flag(self.end, self.queue)
    }

    /// Says that we sleep, unless something has arrived or what was wanting is there. Whether we may.
    pub fn sleep(&mut self) -> bool {
        self.flag().sleep(self.links.iter().any(|link| link.full));
        let area = &self.area;
        // A broken ring is news as well: the next turn finds it.
        let news = self
            .links
            .iter_mut()
            .any(|link| link.from.look(area) != Ok(0) || (link.full && link.to.look(area) != Ok(0)));
        for link in &mut self.links {
            link.full = false;
        }
        if news {
            self.flag().wake_up();
        }
        !news
    }

    /// Says that we are awake, and makes the bell silent.
    pub fn wake_up(&self) -> Peer {
        self.flag().wake_up();
        self.silence()
    }

    /// Reads what has been rung. A bell that nobody can ring any more says that the other end is gone.
    pub fn silence(&self) -> Peer {
        if self.area.given_up.load(Ordering::Relaxed) {
            return Peer::Gone;
        }
        // Each ring is one byte; who rings without end is silenced the next time.
        match rustix::net::recv(&self.bell, &mut [0; 4096], RecvFlags::DONTWAIT) {
            Ok((_, 0)) => Peer::Gone,
            Ok(_) | Err(Errno::AGAIN | Errno::INTR) => Peer::There,
            Err(_) => Peer::Gone,
        }
    }

    /// Wakes the queues for which something was left, if they sleep. How many were woken.
    pub fn announce(&mut self) -> u64 {
        if !self.links.iter().any(|link| link.sent || link.made_room) {
            return 0;
        }
        SleepFlag::<AtomicU32>::before_news();
        let mut rung = 0;
        for link in &mut self.links {
            let flag = self.area.flag(1 - self.end, link.peer);
            let frames = std::mem::take(&mut link.sent);
            let room = std::mem::take(&mut link.made_room);
            if (frames && flag.news(News::Frames)) || (room && flag.news(News::Room)) {
                rung += 1;
                // Where it cannot be heard there is nobody any more, or a full bell that is rung already.
                let _ = rustix::net::send(&link.bell, &[1], SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
            }
        }
        rung
    }

    /// Ends the pair for both: the other end finds out by the socket.
    pub fn hang_up(&self) {
        self.area.given_up.store(true, Ordering::Relaxed);
        // It fails where the other end has done so.
        let _ = rustix::net::shutdown(&self.meeting, Shutdown::Both);
    }
}
