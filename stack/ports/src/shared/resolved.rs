//! A port on an interface where the kernel answers for the neighbours: the stack's ARP ends here.
//!
//! A request is not sent but put to the kernel's table ([`Neighbors`]), and the kernel's answer comes back as the ARP reply
//! that the stack waits for. All other frames go straight through.

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use ferroflow_stack::Instant;
use ferroflow_stack::port::{Burst, Caps, Frame, Interest, Meta, Port, PortError};
use ferroflow_wire::MacAddr;
use ferroflow_wire::arp::{self, ArpOperation, ArpPacket, ArpView};
use ferroflow_wire::ethernet::{EtherType, EthernetHeader, EthernetView, HEADER_LEN};
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};

use super::neighbors::{Neighbor, Neighbors};
use crate::packet::PacketPort;
use crate::xdp::XdpPort;

/// Marks frames that are made here. The ports below number their queues from 0, the runtime's steering uses the last but one.
const ANSWER: u8 = u8::MAX - 2;
/// Answers that the stack may hold at once; more wait.
const ANSWERS: usize = 16;
/// Questions that may wait for the next call of the kernel; whoever asked asks again.
const QUESTIONS_MAX: usize = 64;
/// The kernel gives up on a neighbour after three requests, a second each (net.ipv4.neigh.*.mcast_solicit, retrans_time_ms).
const PATIENCE: Duration = Duration::from_secs(4);

const ANSWER_LEN: usize = HEADER_LEN + arp::LEN;

/// A port whose stack needs no ARP on the wire.
#[derive(Debug)]
pub struct Resolved<P> {
    inner: P,
    mac: MacAddr,
    neighbors: Neighbors,
    questions: Vec<Ipv4Addr>,
    answers: Box<[[u8; ANSWER_LEN]; ANSWERS]>,
    free: Vec<u32>,
    now: Instant,
    /// Until then an answer may come.
    until: Instant,
    watch: OwnedFd,
    /// What the port below is watched for.
    interest: Interest,
    asked: u64,
    answered: u64,
    not_asked: u64,
    failed: u64,
}

impl Resolved<XdpPort> {
    /// Frames that are with the stack.
    pub fn held(&self) -> usize {
        self.inner.held() + self.held_answers()
    }
}

impl Resolved<PacketPort> {
    /// Frames that are with the stack, or wait to be sent.
    pub fn held(&self) -> usize {
        self.inner.held() + self.held_answers()
    }
}

impl<P: Port> Resolved<P> {
    /// A port whose neighbours are those of the kernel on this interface, whose MAC address is `mac`.
    ///
    /// # Errors
    /// When the kernel refuses a socket.
    pub(crate) fn new(inner: P, index: u32, interface: &str, mac: [u8; 6]) -> io::Result<Resolved<P>> {
        let neighbors = Neighbors::new(index, interface)?;
        let watch = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&watch, neighbors.fd(), EventData::new_u64(0), EventFlags::IN)?;
        if let Some((fd, interest)) = inner.wait() {
            epoll::add(&watch, fd, EventData::new_u64(1), flags(interest))?;
        }
        Ok(Resolved {
            interest: inner.wait().map_or(Interest::Readable, |(_, interest)| interest),
            inner,
            mac: MacAddr(mac),
            neighbors,
            questions: Vec::new(),
            answers: Box::new([[0; ANSWER_LEN]; ANSWERS]),
            free: (0..ANSWERS as u32).collect(),
            now: Instant::ZERO,
            until: Instant::ZERO,
            watch,
            asked: 0,
            answered: 0,
            not_asked: 0,
            failed: 0,
        })
    }

    /// The port below.
    pub fn inner(&self) -> &P {
        &self.inner
    }

    /// What was asked and answered, by name.
    pub fn counters(&self) -> impl Iterator<Item = (&'static str, u64)> + use<P> {
        [
            ("neighbors_asked", self.asked),
            ("neighbors_answered", self.answered),
            ("neighbors_not_asked", self.not_asked),
            ("neighbors_failed", self.failed),
            ("neighbors_dropped", self.neighbors.dropped()),
        ]
        .into_iter()
    }

    /// Answers that are with the stack.
    fn held_answers(&self) -> usize {
        ANSWERS - self.free.len()
    }

    /// Takes a request for later; everything else that is said by ARP has no reader.
    fn hear(&mut self, frame: &Frame) {
        let asked = EthernetView::parse(self.inner.bytes(frame))
            .ok()
            .and_then(|eth| ArpView::parse(eth.payload()).ok())
            .map(|view| view.packet())
            // An announcement is a request for oneself (RFC 5227 3).
            .filter(|p| p.operation == ArpOperation::REQUEST && p.target_ip != p.sender_ip);
        match asked {
            Some(_) if self.questions.len() == QUESTIONS_MAX => self.not_asked += 1,
            Some(packet) => self.questions.push(packet.target_ip),
            None => {}
        }
    }

    /// The kernel's answer as an ARP reply. It is not to us, so that the stack learns it only of whom it has asked for or
    /// knows (RFC 826, the merge flag).
    fn answer(&mut self, neighbor: Neighbor) -> Option<Frame> {
        let idx = self.free.pop()?;
        let mac = MacAddr(neighbor.mac);
        let bytes = &mut self.answers[idx as usize];
        let header = EthernetHeader { dst: self.mac, src: mac, vlan: None, ethertype: EtherType::ARP };
        let packet = ArpPacket {
            operation: ArpOperation::REPLY,
            ..ArpPacket::request(mac, neighbor.address, neighbor.address)
        };
        // There is room for both.
        let at = header.write(bytes).unwrap_or(0);
        let _ = packet.write(&mut bytes[at..]);
        self.answered += 1;
        Some(Frame { port: ANSWER, idx, off: 0, len: ANSWER_LEN as u32, meta: Meta::default() })
    }

    fn take_answers(&mut self, into: &mut Burst) -> usize {
        let mut count = 0;
        while !self.neighbors.is_empty() && into.room() > 0 && !self.free.is_empty() {
            let Some(neighbor) = self.neighbors.next() else { break };
            let Some(frame) = self.answer(neighbor) else { break };
            match into.push(frame) {
                Ok(()) => count += 1,
                Err(frame) => self.release(frame),
            }
        }
        count
    }

    /// Puts the questions to the kernel, and hears what it has to say to earlier ones. What it refuses is as good as no answer:
    /// whoever asked asks again.
    fn ask(&mut self) {
        for address in self.questions.drain(..) {
            self.asked += 1;
            self.until = self.now + PATIENCE;
            self.failed += u64::from(self.neighbors.ask(address).is_err());
        }
        if self.neighbors.listens() {
            self.neighbors.read();
            if self.now >= self.until {
                self.failed += u64::from(self.neighbors.listen(false).is_err());
            }
        }
    }

    /// Watches the port below for what it wants now.
    fn watch_inner(&mut self) -> io::Result<()> {
        if let Some((fd, interest)) = self.inner.wait()
            && interest != self.interest
        {
            epoll::modify(&self.watch, fd, EventData::new_u64(1), flags(interest))?;
            self.interest = interest;
        }
        Ok(())
    }
}

fn flags(interest: Interest) -> EventFlags {
    match interest {
        Interest::Readable => EventFlags::IN,
        Interest::Both => EventFlags::IN | EventFlags::OUT,
    }
}

fn is_arp(frame: &[u8]) -> bool {
    frame.get(12..HEADER_LEN) == Some(&EtherType::ARP.0.to_be_bytes())
}

impl<P: Port> Port for Resolved<P> {
    fn caps(&self) -> Caps {
        self.inner.caps()
    }

    #[inline]
    fn tick(&mut self, now: Instant) {
        self.now = now;
        self.inner.tick(now);
    }

    #[inline]
    fn rx(&mut self, into: &mut Burst) -> usize {
        let count = if self.neighbors.is_empty() { 0 } else { self.take_answers(into) };
        count + self.inner.rx(into)
    }

    #[inline]
    fn bytes(&self, frame: &Frame) -> &[u8] {
        match frame.port {
            ANSWER => &self.answers[frame.idx as usize],
            _ => self.inner.bytes(frame),
        }
    }

    #[inline]
    fn bytes_mut(&mut self, frame: &mut Frame) -> &mut [u8] {
        match frame.port {
            ANSWER => &mut self.answers[frame.idx as usize],
            _ => self.inner.bytes_mut(frame),
        }
    }

    #[inline]
    fn alloc(&mut self, len: usize) -> Option<Frame> {
        self.inner.alloc(len)
    }

    fn tx(&mut self, from: &mut Burst) -> usize {
        let mut heard = 0;
        if from.iter().any(|frame| is_arp(self.inner.bytes(frame))) {
            for _ in 0..from.len() {
                let Some(frame) = from.pop() else { break };
                if is_arp(self.inner.bytes(&frame)) {
                    self.hear(&frame);
                    self.inner.release(frame);
                    heard += 1;
                } else if let Err(frame) = from.push(frame) {
                    // It came from there, so there is room.
                    self.inner.release(frame);
                }
            }
        }
        heard + self.inner.tx(from)
    }

    #[inline]
    fn release(&mut self, frame: Frame) {
        match frame.port {
            ANSWER => self.free.push(frame.idx),
            _ => self.inner.release(frame),
        }
    }

    fn sync(&mut self) -> Result<(), PortError> {
        if !self.questions.is_empty() || self.neighbors.listens() {
            self.ask();
        }
        self.inner.sync()
    }

    fn wait(&self) -> Option<(BorrowedFd<'_>, Interest)> {
        Some((self.watch.as_fd(), Interest::Readable))
    }

    fn prepare_wait(&mut self) -> bool {
        if self.neighbors.listens() {
            self.neighbors.read();
        }
        self.inner.prepare_wait() && self.neighbors.is_empty() && self.watch_inner().is_ok()
    }

    fn kernel_entries(&self) -> u64 {
        self.inner.kernel_entries() + self.neighbors.calls()
    }

    fn report(&self, each: &mut dyn FnMut(&'static str, u64)) {
        self.inner.report(each);
        self.counters().for_each(|(name, value)| each(name, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ferroflow_stack::port::pipe::{self, PipeConfig, PipePort};

    const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];

    /// A port with the loopback's neighbours, of which there are none, and its other end.
    fn port() -> (Resolved<PipePort>, PipePort) {
        let (mut near, mut far) = pipe::pair(PipeConfig::new(1));
        (Resolved::new(near.remove(0), 1, "lo", MAC).unwrap(), far.remove(0))
    }

    fn counter(port: &Resolved<PipePort>, name: &str) -> u64 {
        port.counters().find(|(n, _)| *n == name).unwrap().1
    }

    fn request(target: Ipv4Addr) -> Vec<u8> {
        let mut bytes = vec![0; ANSWER_LEN];
        let header = EthernetHeader {
            dst: MacAddr::BROADCAST,
            src: MacAddr(MAC),
            vlan: None,
            ethertype: EtherType::ARP,
        };
        let at = header.write(&mut bytes).unwrap();
        ArpPacket::request(MacAddr(MAC), Ipv4Addr::LOCALHOST, target).write(&mut bytes[at..]).unwrap();
        bytes
    }

    fn send(port: &mut impl Port, bytes: &[u8]) {
        let mut frame = port.alloc(bytes.len()).unwrap();
        port.bytes_mut(&mut frame).copy_from_slice(bytes);
        let mut burst = Burst::new(1);
        burst.push(frame).unwrap();
        assert_eq!(port.tx(&mut burst), 1);
    }

    #[test]
    fn arp_ends_here_and_all_else_goes_on() {
        let (mut port, mut far) = port();
        let target = Ipv4Addr::new(192, 0, 2, 1);
        send(&mut port, &request(target));
        // An announcement.
        send(&mut port, &request(Ipv4Addr::LOCALHOST));
        send(&mut port, &[0x55; 60]);
        port.sync().unwrap();
        let mut burst = Burst::new(8);
        assert_eq!(far.rx(&mut burst), 1);
        assert_eq!(far.bytes(burst.front().unwrap()), [0x55; 60]);
        assert_eq!(counter(&port, "neighbors_asked"), 1);
    }

    #[test]
    fn the_kernels_answer_is_an_arp_reply_to_nobody() {
        let (mut port, _far) = port();
        let neighbor =
            Neighbor { address: Ipv4Addr::new(10, 0, 0, 9), mac: [2, 0, 0, 0, 0, 9], certain: true };
        let frame = port.answer(neighbor).unwrap();
        let eth = EthernetView::parse(port.bytes(&frame)).unwrap();
        let packet = ArpView::parse(eth.payload()).unwrap().packet();
        assert_eq!((eth.dst(), packet.operation), (MacAddr(MAC), ArpOperation::REPLY));
        assert_eq!((packet.sender_ip, packet.sender_mac), (neighbor.address, MacAddr(neighbor.mac)));
        assert_eq!(packet.target_ip, neighbor.address);
        // As many as there are; the rest waits.
        let more: Vec<_> = (1..ANSWERS).map(|_| port.answer(neighbor).unwrap()).collect();
        assert!(port.answer(neighbor).is_none() && port.held_answers() == ANSWERS);
        more.into_iter().chain([frame]).for_each(|frame| port.release(frame));
        assert_eq!(port.held_answers(), 0);
    }

    #[test]
    fn too_many_questions_are_counted_and_dropped() {
        let (mut port, _far) = port();
        for n in 0..QUESTIONS_MAX as u32 + 3 {
            send(&mut port, &request(Ipv4Addr::from_bits(0xc000_0200 + n)));
        }
        assert_eq!(counter(&port, "neighbors_not_asked"), 3);
    }
}
