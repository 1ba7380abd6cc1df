//! One queue of one end of a shared-memory pair, as a port.

use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ferroflow_stack::Instant;
use ferroflow_stack::port::{Burst, Caps, Csum, Frame, Interest, Meta, Port, PortError};
use ferroflow_stack::steer::Owner;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};

use super::ShmCounters;
use super::area::Shape;
use super::ring::{Broken, Slot};
use super::server::{Server, Visitors};
use super::session::{Peer, Session};

/// Private buffers of one queue.
const BUFFERS: u32 = 1024;
/// How often a core that never sleeps looks whether the other end is still there.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Where the next session comes from, if the other end leaves.
#[derive(Debug)]
enum Origin {
    /// We listen: the next program may come.
    Listening {
        visitors: Arc<Visitors>,
        /// Ends the listening with the last port.
        _server: Arc<Server>,
    },
    /// We went there: when it is gone, the port is.
    Visiting,
}

/// One queue of one end of a shared-memory pair. Frames are copied once between the shared memory and buffers of the
/// port's own, which no other process sees.
#[derive(Debug)]
pub struct ShmPort {
    path: PathBuf,
    queue: u16,
    mtu: u32,
    frame_max: usize,
    /// Room for one frame, in whole words.
    slot: usize,
    buffers: Box<[u8]>,
    free: Vec<u32>,
    session: Option<Session>,
    origin: Origin,
    /// What the core sleeps on: it stays the same while sessions come and go.
    epoll: OwnedFd,
    /// Which link is asked first in the next `rx`.
    first: usize,
    asleep: bool,
    now: Instant,
    look_at: Instant,
    counters: ShmCounters,
}

impl ShmPort {
    /// A queue of an end that listens.
    pub(super) fn listening(
        path: &Path,
        queue: u16,
        shape: &Shape,
        visitors: Arc<Visitors>,
        server: Arc<Server>,
    ) -> std::io::Result<ShmPort> {
        let port = ShmPort::new(path, queue, shape, Origin::Listening { visitors, _server: server })?;
        if let Origin::Listening { visitors, .. } = &port.origin {
            epoll::add(&port.epoll, visitors.fd(), EventData::new_u64(0), EventFlags::IN)?;
        }
        Ok(port)
    }

    /// A queue of an end that has gone to a listening one.
    pub(super) fn visiting(path: &Path, queue: u16, session: Session) -> std::io::Result<ShmPort> {
        let mut port = ShmPort::new(path, queue, session.area.shape(), Origin::Visiting)?;
        port.begin(session)?;
        Ok(port)
    }

    fn new(path: &Path, queue: u16, shape: &Shape, origin: Origin) -> std::io::Result<ShmPort> {
        let slot = shape.frame_max().next_multiple_of(64);
        Ok(ShmPort {
            path: path.to_owned(),
            queue,
            mtu: shape.mtu(),
            frame_max: shape.frame_max(),
            slot,
            buffers: vec![0; slot * BUFFERS as usize].into_boxed_slice(),
            free: (0..BUFFERS).rev().collect(),
            session: None,
            origin,
            epoll: epoll::create(CreateFlags::CLOEXEC)?,
            first: 0,
            asleep: false,
            now: Instant::ZERO,
            look_at: Instant::ZERO,
            counters: ShmCounters::default(),
        })
    }

    /// What happened so far.
    pub fn counters(&self) -> &ShmCounters {
        &self.counters
    }

    /// Whether another program is attached, as far as this queue knows, or has left frames that are still to be taken.
    pub fn is_attached(&self) -> bool {
        self.session.is_some()
    }

    /// The memory of the session: for tests that write where a peer would.
    #[cfg(test)]
    pub(super) fn area(&self) -> Arc<super::area::Area> {
        self.session.as_ref().map(|session| session.area.clone()).expect("somebody is attached")
    }

    /// Buffers that are out of the pool.
    pub fn held(&self) -> usize {
        BUFFERS as usize - self.free.len()
    }

    fn begin(&mut self, session: Session) -> std::io::Result<()> {
        epoll::add(&self.epoll, session.bell(), EventData::new_u64(1), EventFlags::IN)?;
        self.counters.sessions += 1;
        self.session = Some(session);
        Ok(())
    }

    /// Takes the next session, if there is one. Whoever had the one before is gone then; what that one sent comes first.
    fn renew(&mut self) {
        let visitors = match &self.origin {
            Origin::Listening { visitors, .. } if visitors.has_next() => visitors.clone(),
            _ => return,
        };
        self.part();
        // The old one's bell is closed with it, and so watched no more. Without a descriptor to sleep on the new one is none;
        // the other end sees that.
        if self.session.is_none()
            && let Some(session) = visitors.take()
            && self.begin(session).is_err()
        {
            self.counters.broken += 1;
        }
    }

    /// The other end is gone. What it had sent before is still taken; then the session is over.
    #[cold]
    fn part(&mut self) {
        match self.session.as_mut().map(Session::part) {
            Some(Err(Broken)) => self.break_off(),
            _ => self.end_if_over(),
        }
    }

    #[inline]
    fn end_if_over(&mut self) {
        if self.session.as_mut().is_some_and(Session::is_over) {
            self.session = None;
        }
    }

    /// The other end wrote what cannot be.
    #[cold]
    fn break_off(&mut self) {
        self.counters.broken += 1;
        if let Some(session) = self.session.take() {
            session.hang_up();
        }
    }

    fn range(&self, frame: &Frame) -> Range<usize> {
        let start = frame.idx as usize * self.slot + frame.off as usize;
        start..start + frame.len as usize
    }

    fn wake_up(&mut self) {
        if std::mem::take(&mut self.asleep)
            && let Some(session) = &self.session
        {
            self.counters.bell_reads += 1;
            if session.wake_up() == Peer::Gone {
                self.part();
            }
        }
    }

    /// Takes what link `at` has, as far as there is room.
    fn take_from(&mut self, at: usize, into: &mut Burst) -> Result<(), Broken> {
        let Some(session) = &mut self.session else { return Ok(()) };
        let (area, link) = (&session.area, &mut session.links[at]);
        let count = (link.from.look(area)? as usize).min(into.room());
        for _ in 0..count {
            let Some(idx) = self.free.pop() else {
                self.counters.no_buffer += 1;
                break;
            };
            let start = idx as usize * self.slot;
            let Slot::Frame { len, csum_skipped } =
                link.from.pop(area, &mut self.buffers[start..start + self.slot])
            else {
                self.counters.rx_too_long += 1;
                self.free.push(idx);
                continue;
            };
            self.counters.rx_frames += 1;
            self.counters.rx_bytes += u64::from(len);
            // Memory does not damage: whoever left the checksum out has vouched for the bytes.
            let csum = if csum_skipped { Csum::Verified } else { Csum::Unknown };
            let meta = Meta { csum, ..Meta::default() };
            let _ = into.push(Frame { port: 0, idx, off: 0, len, meta });
        }
        link.made_room |= link.from.tell(area);
        Ok(())
    }

    /// Sends one frame. Whether it is done with: sent, or dropped since there is nobody.
    fn send(&mut self, frame: &Frame) -> Result<bool, Broken> {
        let range = self.range(frame);
        let Some(session) = self.session.as_mut().filter(|session| !session.is_parted()) else {
            self.counters.tx_dropped += 1;
            return Ok(true);
        };
        let bytes = &self.buffers[range];
        let to = match session.steer.owner(bytes) {
            Owner::Core(core) => usize::from(core),
            Owner::Here | Owner::All => usize::from(self.queue) % session.links.len(),
        };
        let link = &mut session.links[to];
        if link.to.room(&session.area)? == 0 {
            link.full = true;
            self.counters.tx_full += 1;
            return Ok(false);
        }
        link.to.push(&session.area, bytes, frame.meta.csum != Csum::Unknown);
        self.counters.tx_frames += 1;
        self.counters.tx_bytes += bytes.len() as u64;
        Ok(true)
    }
}

impl Port for ShmPort {
    fn caps(&self) -> Caps {
        Caps { mtu: self.mtu, reply_in_place: true, tx_csum: true, tx_gso: 0, queue: self.queue }
    }

    #[inline]
    fn tick(&mut self, now: Instant) {
        self.now = now;
    }

    fn rx(&mut self, into: &mut Burst) -> usize {
        self.wake_up();
        self.renew();
        let before = into.len();
        let links = self.session.as_ref().map_or(0, |session| session.links.len());
        for i in 0..links {
            if self.take_from((self.first + i) % links, into).is_err() {
                self.break_off();
                break;
            }
        }
        self.first = self.first.wrapping_add(1);
        self.end_if_over();
        into.len() - before
    }

    #[inline]
    fn bytes(&self, frame: &Frame) -> &[u8] {
        &self.buffers[self.range(frame)]
    }

    #[inline]
    fn bytes_mut(&mut self, frame: &mut Frame) -> &mut [u8] {
        let range = self.range(frame);
        &mut self.buffers[range]
    }

    fn alloc(&mut self, len: usize) -> Option<Frame> {
        if len > self.frame_max {
            return None;
        }
        let Some(idx) = self.free.pop() else {
            self.counters.no_buffer += 1;
            return None;
        };
        Some(Frame { port: 0, idx, off: 0, len: len as u32, meta: Meta::default() })
    }

    fn tx(&mut self, from: &mut Burst) -> usize {
        let mut count = 0;
        while let Some(frame) = from.front() {
            match self.send(frame) {
                Ok(true) => {}
                Ok(false) => break,
                // Without a session the frame is dropped when it is looked at again.
                Err(Broken) => {
                    self.break_off();
                    continue;
                }
            }
            if let Some(frame) = from.pop() {
                self.release(frame);
            }
            count += 1;
        }
        if let Some(session) = &mut self.session {
            let area = &session.area;
            session.links.iter_mut().for_each(|link| link.sent |= link.to.tell(area));
        }
        count
    }

    #[inline]
    fn release(&mut self, frame: Frame) {
        debug_assert!(!self.free.contains(&frame.idx), "buffer {} came back twice", frame.idx);
        self.free.push(frame.idx);
    }

    fn sync(&mut self) -> Result<(), PortError> {
        if let Some(session) = self.session.as_mut().filter(|session| !session.is_parted()) {
            self.counters.wake_ups += session.announce();
            if self.now >= self.look_at {
                self.look_at = self.now + LOOK_EVERY;
                self.counters.bell_reads += 1;
                if session.silence() == Peer::Gone {
                    self.part();
                }
            }
        }
        match (&self.session, &self.origin) {
            (None, Origin::Visiting) => {
                Err(PortError::Gone(format!("the other end of {} has ended", self.path.display())))
            }
            _ => Ok(()),
        }
    }

    fn wait(&self) -> Option<(BorrowedFd<'_>, Interest)> {
        Some((self.epoll.as_fd(), Interest::Readable))
    }

    fn prepare_wait(&mut self) -> bool {
        // Without a session there is only the next one to wait for, and its descriptor stays readable until it is taken.
        self.asleep = self.session.as_mut().is_none_or(Session::sleep);
        self.asleep
    }

    fn kernel_entries(&self) -> u64 {
        self.counters.wake_ups + self.counters.bell_reads
    }
}
