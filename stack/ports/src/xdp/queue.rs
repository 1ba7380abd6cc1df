//! One AF_XDP socket: a queue of the interface, with its rings and memory.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{Ordering, fence};

use ferroflow_stack::port::{Burst, Frame, Meta};
use rustix::io::Errno;

use super::chunks::{Chunks, DESCRIPTOR_LEN, Descriptor, Place};
use super::ring::{Consumer, Producer};
use super::{FILL, XdpCounters, partial};
use crate::sockopt;

/// A queue, and what of it is with the kernel.
#[derive(Debug)]
pub(super) struct Queue {
    fd: OwnedFd,
    chunks: Chunks,
    fill: Producer<8>,
    completion: Consumer<8>,
    rx: Consumer<DESCRIPTOR_LEN>,
    tx: Producer<DESCRIPTOR_LEN>,
    /// The kernel polls the card when it is called, and only then.
    busy_poll: bool,
    /// The kernel has not taken all that was to be sent.
    stuck: bool,
}

impl Queue {
    pub fn new(
        fd: OwnedFd,
        mut chunks: Chunks,
        mut fill: Producer<8>,
        completion: Consumer<8>,
        rx: Consumer<DESCRIPTOR_LEN>,
        tx: Producer<DESCRIPTOR_LEN>,
        busy_poll: bool,
    ) -> Queue {
        chunks.fill(&mut fill, FILL);
        fill.publish();
        Queue { fd, chunks, fill, completion, rx, tx, busy_poll, stuck: false }
    }

    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Whether frames wait for room with the kernel.
    pub fn is_stuck(&self) -> bool {
        self.stuck
    }

    /// Frames that are with the stack.
    pub fn held(&self) -> usize {
        self.chunks.held()
    }

    pub fn has_news(&mut self) -> bool {
        self.rx.has_news()
    }

    /// Takes received frames; `port` goes into them. `veth`: the sender may have left checksums out.
    pub fn receive(&mut self, into: &mut Burst, port: u8, veth: bool, counters: &mut XdpCounters) -> usize {
        let mut count = 0;
        // What is dropped counts as well, or a peer that sends nothing else would hold the core here.
        for _ in 0..into.room() {
            let Some(entry) = self.rx.pop() else { break };
            let Ok(place) = self.chunks.received(Descriptor::parse(entry)) else {
                counters.rx_invalid += 1;
                continue;
            };
            counters.rx_frames += 1;
            if veth && partial::has_partial_checksum(self.chunks.bytes(place)) {
                counters.rx_csum_partial += 1;
            }
            let frame =
                Frame { port, idx: place.chunk, off: place.off, len: place.len, meta: Meta::default() };
            if let Err(frame) = into.push(frame) {
                self.release(frame);
                break;
            }
            count += 1;
        }
        self.rx.publish();
        count
    }

    #[inline]
    pub fn bytes(&self, f: &Frame) -> &[u8] {
        self.chunks.bytes(place(f))
    }

    #[inline]
    pub fn bytes_mut(&mut self, f: &Frame) -> &mut [u8] {
        self.chunks.bytes_mut(place(f))
    }

    /// A chunk to write a frame into.
    pub fn alloc(&mut self, counters: &mut XdpCounters) -> Option<u32> {
        if let Some(chunk) = self.chunks.alloc(FILL) {
            return Some(chunk);
        }
        counters.tx_invalid += self.chunks.sent(&mut self.completion);
        self.chunks.alloc(FILL)
    }

    pub fn release(&mut self, frame: Frame) {
        self.chunks.release(frame.idx);
    }

    /// Sends a frame with the next [`Queue::sync`].
    pub fn send(&mut self, frame: &Frame) {
        let descriptor = self.chunks.sending(place(frame));
        // The ring has as many places as there are chunks.
        let pushed = self.tx.push(descriptor.to_bytes());
        debug_assert!(pushed, "the transmit ring is full");
    }

    /// Shows the kernel what is new, and calls it if it wants that.
    ///
    /// # Errors
    /// Why the kernel does not send now. Nothing is lost by that: it is tried again the next time.
    pub fn sync(&mut self, counters: &mut XdpCounters) -> Result<(), Errno> {
        counters.tx_invalid += self.chunks.sent(&mut self.completion);
        self.chunks.fill(&mut self.fill, FILL);
        self.fill.publish();
        self.tx.publish();
        // The kernel sees what is new before we see whether it still looks by itself.
        fence(Ordering::SeqCst);
        let sent = self.kick(counters);
        if self.fill.wants_a_call() || self.busy_poll {
            counters.rx_calls += 1;
            self.call_for_frames();
        }
        sent
    }

    /// Has the kernel send.
    fn kick(&mut self, counters: &mut XdpCounters) -> Result<(), Errno> {
        self.stuck = false;
        let mut waiting = self.tx.under_way();
        while waiting > 0 && self.tx.wants_a_call() {
            counters.tx_calls += 1;
            match call_to_send(self.fd.as_fd()) {
                // The driver does the rest by itself.
                Ok(()) => break,
                // It has dropped a frame, for want of a carrier for example, and left those behind it
                // (net/xdp/xsk.c: `NET_XMIT_DROP`). Its index need not show that yet.
                Err(Errno::BUSY) => {
                    counters.tx_refused += 1;
                    waiting = self.tx.under_way().min(waiting - 1);
                }
                // It sends a number of frames at a time, or has no room.
                Err(Errno::AGAIN | Errno::NOBUFS | Errno::INTR) => {
                    let left = self.tx.under_way();
                    if left == waiting {
                        counters.tx_full += 1;
                        self.stuck = true;
                        break;
                    }
                    waiting = left;
                }
                // It waits until the interface is up again.
                Err(Errno::NETDOWN) => break,
                // A driver that is being reset, for example; or the socket has lost its interface.
                Err(e) => {
                    counters.tx_errors += 1;
                    return Err(e);
                }
            }
        }
        Ok(())
    }

    /// Has the kernel look for frames.
    fn call_for_frames(&self) {
        // SAFETY: no memory is passed; an AF_XDP socket takes this as a request to look, and nothing else.
        let _ = unsafe {
            libc::recvfrom(
                self.fd.as_raw_fd(),
                std::ptr::null_mut(),
                0,
                libc::MSG_DONTWAIT,
                std::ptr::null_mut(),
                std::ptr::null_mut(),
            )
        };
    }

    /// The kernel tells by an error that the interface went down or away; it does so once.
    pub fn has_error(&self) -> bool {
        sockopt::get::<i32>(&self.fd, libc::SOL_SOCKET, libc::SO_ERROR).is_ok_and(|error| error != 0)
    }

    /// Adds what the kernel has counted.
    pub fn add_kernels(&self, to: &mut XdpCounters) {
        let stats = sockopt::get::<libc::xdp_statistics>(&self.fd, libc::SOL_XDP, libc::XDP_STATISTICS);
        let Ok(s) = stats else { return };
        to.rx_dropped += s.rx_dropped;
        to.rx_ring_full += s.rx_ring_full;
        to.rx_no_buffer += s.rx_fill_ring_empty_descs;
        to.kernel_invalid += s.rx_invalid_descs + s.tx_invalid_descs;
        to.insane += self.fill.insane() + self.completion.insane() + self.rx.insane() + self.tx.insane();
    }
}

fn call_to_send(fd: BorrowedFd<'_>) -> Result<(), Errno> {
    // SAFETY: no memory is passed; an AF_XDP socket takes this as a request to send what is in its ring.
    let sent =
        unsafe { libc::sendto(fd.as_raw_fd(), std::ptr::null(), 0, libc::MSG_DONTWAIT, std::ptr::null(), 0) };
    match sent {
        0.. => Ok(()),
        _ => Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)),
    }
}

fn place(f: &Frame) -> Place {
    Place { chunk: f.idx, off: f.off, len: f.len }
}
