//! One core's queues of a TAP interface.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use ferroflow_stack::port::{Burst, Caps, Csum, Frame, Interest, Meta, Port, PortError};
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::io::Errno;

use super::pool::{IN_LARGE, IN_SMALL, Pool};
use crate::vnet::{VNET_LEN, VnetHeader};

/// Ethernet's header and one VLAN tag.
const LINK_BYTES: usize = 18;
/// Longest IPv4 packet (RFC 791 3.1).
const PACKET_MAX: usize = 65_535;
/// Bytes that are received at once at most, but for the last frame: what is read shall still be in the processor's cache when
/// it is looked at.
const RX_BYTES: usize = 128 << 10;

/// What happened on a core's queues.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TapCounters {
    /// Frames read.
    pub rx_frames: u64,
    /// Of these, several segments in one (large receive).
    pub rx_super_frames: u64,
    /// Of these, with a transport checksum that nobody has completed: the sender is on this machine.
    pub rx_csum_partial: u64,
    /// Frames written.
    pub tx_frames: u64,
    /// Of these, segments that the kernel cuts.
    pub tx_super_frames: u64,
    /// Calls of the kernel: reads and writes.
    pub calls: u64,
    /// Frames dropped because they were longer than the MTU allows.
    pub rx_too_long: u64,
    /// Frames that the kernel refused (its side is down, or short of memory), dropped.
    pub tx_refused: u64,
    /// Times that the kernel's queue was full.
    pub tx_full: u64,
    /// Times that no buffer was free.
    pub no_buffer: u64,
}

impl TapCounters {
    /// Those that tell more than the stack's own, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
        [
            ("tap_rx_super_frames", self.rx_super_frames),
            ("tap_rx_csum_partial", self.rx_csum_partial),
            ("tap_tx_super_frames", self.tx_super_frames),
            ("tap_calls", self.calls),
            ("tap_rx_too_long", self.rx_too_long),
            ("tap_tx_refused", self.tx_refused),
            ("tap_tx_full", self.tx_full),
            ("tap_no_buffer", self.no_buffer),
        ]
        .into_iter()
    }
}

/// Queues of a TAP interface that one core reads; it writes to the first of them, or, having none, to another core's.
#[derive(Debug)]
pub struct TapPort {
    /// Those that are read.
    queues: Vec<Arc<OwnedFd>>,
    /// The one that is written to.
    out: Arc<OwnedFd>,
    /// Watches the queues if they are not one.
    watch: Option<OwnedFd>,
    name: String,
    core: u16,
    mtu: u32,
    /// Checksums and segmentation are left to the kernel: a header before each frame tells of them.
    offload: bool,
    pool: Pool,
    /// Which queue is read first next time.
    first: usize,
    /// The last reads found nothing.
    dry: bool,
    /// The last write was refused for want of room.
    full: bool,
    gone: Option<Errno>,
    counters: TapCounters,
}

impl TapPort {
    pub(super) fn new(
        queues: Vec<Arc<OwnedFd>>,
        out: Arc<OwnedFd>,
        name: &str,
        core: u16,
        mtu: u32,
        offload: bool,
    ) -> io::Result<TapPort> {
        let watch = if queues.len() == 1 { None } else { Some(watch(&queues)?) };
        let head = if offload { VNET_LEN } else { 0 };
        // With a byte more than the longest frame, to tell a longer one.
        let small = head + mtu as usize + LINK_BYTES + 1;
        let large = if offload { head + PACKET_MAX + LINK_BYTES + 1 } else { 0 };
        Ok(TapPort {
            queues,
            out,
            watch,
            name: name.to_owned(),
            core,
            mtu,
            offload,
            pool: Pool::new(small, large),
            first: 0,
            dry: true,
            full: false,
            gone: None,
            counters: TapCounters::default(),
        })
    }

    /// What happened so far.
    pub fn counters(&self) -> &TapCounters {
        &self.counters
    }

    /// Buffers that are out of the pool.
    pub fn held(&self) -> usize {
        self.pool.held()
    }

    fn frame_max(&self) -> usize {
        self.mtu as usize + LINK_BYTES
    }

    /// Bytes before each frame.
    fn head(&self) -> usize {
        if self.offload { VNET_LEN } else { 0 }
    }

    /// Reads one frame.
    fn read(&mut self, queue: usize) -> Read {
        let Some(small) = self.pool.take(IN_SMALL) else {
            self.counters.no_buffer += 1;
            return Read::NoBuffer;
        };
        self.counters.calls += 1;
        let read = if self.offload { self.read_any(queue, small) } else { self.read_small(queue, small) };
        if !matches!(&read, Read::Frame(frame) if frame.port == IN_SMALL) {
            self.pool.give_back(IN_SMALL, small);
        }
        read
    }

    fn read_small(&mut self, queue: usize, small: u32) -> Read {
        match rustix::io::read(&self.queues[queue], self.pool.small(small)) {
            Ok(n) if n > self.frame_max() => self.too_long(),
            Ok(n) => {
                self.counters.rx_frames += 1;
                Read::Frame(Frame {
                    port: IN_SMALL,
                    idx: small,
                    off: 0,
                    len: n as u32,
                    meta: Meta::default(),
                })
            }
            Err(e) => self.nothing(e),
        }
    }

    /// With one call, whatever its length: it goes to the small buffer, and to a large one what does not fit there.
    fn read_any(&mut self, queue: usize, small: u32) -> Read {
        let Some(large) = self.pool.take(IN_LARGE) else {
            self.counters.no_buffer += 1;
            return Read::NoBuffer;
        };
        let read = match rustix::io::readv(&self.queues[queue], &mut self.pool.landing(small, large)) {
            Ok(n) if n > self.pool.small_slot() => {
                self.pool.complete(small, large);
                self.take(IN_LARGE, large, n)
            }
            Ok(n) => self.take(IN_SMALL, small, n),
            Err(e) => self.nothing(e),
        };
        if !matches!(&read, Read::Frame(frame) if frame.port == IN_LARGE) {
            self.pool.give_back(IN_LARGE, large);
        }
        read
    }

    /// What was read, `n` bytes with the header.
    fn take(&mut self, port: u8, idx: u32, n: usize) -> Read {
        let Some(len) = n.checked_sub(VNET_LEN) else { return Read::Nothing };
        let mut frame = Frame { port, idx, off: VNET_LEN as u32, len: len as u32, meta: Meta::default() };
        let header = self.pool.bytes(&frame, VNET_LEN).first_chunk();
        let header = header.map_or_else(VnetHeader::default, VnetHeader::parse);
        let gso_size = header.gso_size();
        if len > if gso_size > 0 { PACKET_MAX + LINK_BYTES } else { self.frame_max() } {
            return self.too_long();
        }
        let csum = header.csum();
        frame.meta = Meta { csum, gso_size, ..Meta::default() };
        self.counters.rx_frames += 1;
        self.counters.rx_super_frames += u64::from(gso_size > 0);
        self.counters.rx_csum_partial += u64::from(matches!(csum, Csum::Partial { .. }));
        Read::Frame(frame)
    }

    fn too_long(&mut self) -> Read {
        self.counters.rx_too_long += 1;
        Read::Nothing
    }

    fn nothing(&mut self, error: Errno) -> Read {
        match error {
            Errno::INTR => Read::Nothing,
            Errno::AGAIN => Read::Dry,
            e => {
                // The interface was deleted or taken from us: `sync` says so.
                self.gone = Some(e);
                Read::Dry
            }
        }
    }

    /// Reads one queue until it has no more, `into` is full or `bytes` are used up. Whether it has no more.
    fn drain(&mut self, queue: usize, into: &mut Burst, bytes: &mut usize) -> bool {
        // Frames too long to be kept count as well, or a peer that sends nothing else would hold the core here.
        for _ in 0..into.room() {
            if self.gone.is_some() || *bytes >= RX_BYTES {
                return false;
            }
            let frame = match self.read(queue) {
                Read::Frame(frame) => frame,
                Read::Nothing => continue,
                Read::Dry => return true,
                Read::NoBuffer => return false,
            };
            *bytes += frame.len as usize;
            if let Err(frame) = into.push(frame) {
                self.release(frame);
                return false;
            }
        }
        false
    }

    /// Writes one frame, with its header if there is one.
    fn write(&mut self, frame: &Frame) -> Result<(), Errno> {
        let head = self.head();
        let bytes = self.pool.bytes_mut(frame, head);
        if let Some((before, packet)) = bytes.split_first_chunk_mut().filter(|_| head > 0) {
            VnetHeader::of(&frame.meta, packet).write(before);
        }
        rustix::io::write(&self.out, bytes).map(|_| ())
    }
}

/// Something that is ready when one of the queues is; if there are none, never.
fn watch(queues: &[Arc<OwnedFd>]) -> io::Result<OwnedFd> {
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    for queue in queues {
        epoll::add(&epoll, queue, EventData::new_u64(0), EventFlags::IN)?;
    }
    Ok(epoll)
}

/// What one read brought.
enum Read {
    Frame(Frame),
    /// Nothing to keep, but there may be more.
    Nothing,
    /// Nothing more.
    Dry,
    /// There was no room for it.
    NoBuffer,
}

impl Port for TapPort {
    fn caps(&self) -> Caps {
        let tx_gso = if self.offload { PACKET_MAX as u32 } else { 0 };
        Caps { mtu: self.mtu, reply_in_place: true, tx_csum: self.offload, tx_gso, queue: self.core }
    }

    fn rx(&mut self, into: &mut Burst) -> usize {
        let before = into.len();
        let mut bytes = 0;
        self.dry = true;
        for n in 0..self.queues.len() {
            let queue = (self.first + n) % self.queues.len();
            self.dry &= self.drain(queue, into, &mut bytes);
        }
        self.first = (self.first + 1) % self.queues.len().max(1);
        into.len() - before
    }

    #[inline]
    fn bytes(&self, frame: &Frame) -> &[u8] {
        self.pool.bytes(frame, 0)
    }

    #[inline]
    fn bytes_mut(&mut self, frame: &mut Frame) -> &mut [u8] {
        self.pool.bytes_mut(frame, 0)
    }

    fn alloc(&mut self, len: usize) -> Option<Frame> {
        let port = match len {
            _ if len <= self.frame_max() => IN_SMALL,
            _ if self.offload && len <= PACKET_MAX + LINK_BYTES => IN_LARGE,
            _ => return None,
        };
        let Some(idx) = self.pool.take(port) else {
            self.counters.no_buffer += 1;
            return None;
        };
        Some(Frame { port, idx, off: self.head() as u32, len: len as u32, meta: Meta::default() })
    }

    fn tx(&mut self, from: &mut Burst) -> usize {
        let mut count = 0;
        self.full = false;
        while let Some(frame) = from.front() {
            self.counters.calls += 1;
            match self.write(frame) {
                Ok(()) => {
                    self.counters.tx_frames += 1;
                    self.counters.tx_super_frames += u64::from(frame.meta.gso_size > 0);
                }
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => {
                    self.counters.tx_full += 1;
                    self.full = true;
                    break;
                }
                Err(e) => {
                    // Its side being down or short of memory is a loss, as on any cable; a detached queue is the end.
                    self.counters.tx_refused += 1;
                    if e == Errno::BADFD {
                        self.gone = Some(e);
                    }
                }
            }
            if let Some(frame) = from.pop() {
                self.release(frame);
            }
            count += 1;
        }
        count
    }

    #[inline]
    fn release(&mut self, frame: Frame) {
        self.pool.give_back(frame.port, frame.idx);
    }

    fn sync(&mut self) -> Result<(), PortError> {
        match self.gone {
            None => Ok(()),
            Some(e) => {
                Err(PortError::Gone(format!("TAP interface {} was deleted or detached ({e})", self.name)))
            }
        }
    }

    /// Several queues are not watched for room: what could not be sent is tried again after a millisecond.
    fn wait(&self) -> Option<(BorrowedFd<'_>, Interest)> {
        match &self.watch {
            Some(watch) => Some((watch.as_fd(), Interest::Readable)),
            None if self.full => Some((self.out.as_fd(), Interest::Both)),
            None => Some((self.out.as_fd(), Interest::Readable)),
        }
    }

    fn prepare_wait(&mut self) -> bool {
        self.dry
    }

    fn kernel_entries(&self) -> u64 {
        self.counters.calls
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_without_queues_sleeps_for_ever() {
        let never = watch(&[]).unwrap();
        let mut event = [rustix::event::PollFd::new(&never, rustix::event::PollFlags::IN)];
        let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
        assert_eq!(rustix::event::poll(&mut event, Some(&now)), Ok(0));
    }
}
