//! SYNs from everywhere: a generator with a port of its own at the relay.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context;
use ferroflow_ports::AnyPort;
use ferroflow_runtime::EventBell;
use ferroflow_stack::port::pipe::{PipeConfig, PipePort, pair};
use ferroflow_stack::port::{Burst, Port};
use ferroflow_wire::ethernet::{EtherType, EthernetHeader};
use ferroflow_wire::ipv4::{IpProtocol, Ipv4Header};
use ferroflow_wire::{MacAddr, SeqNumber};

use ferroflow_wire::tcp::{TcpFlags, TcpHeader, TcpOptions, fill_checksum};

use super::ours::mac_of;

/// Where all the sources are, for Ethernet: a router's address.
const ROUTER: MacAddr = MacAddr([2, 0xff, 0, 0, 0, 0xfe]);
const FRAMES: usize = 4096;
/// SYNs sent at once.
const BURST: usize = 64;
/// Between two bursts: 10 SYNs at 100,000 a second.
const PAUSE: Duration = Duration::from_micros(100);

/// What a flood was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FloodReport {
    /// SYNs sent.
    pub sent: u64,
    /// SYNs for which the port had no room.
    pub refused: u64,
    /// Frames that came back.
    pub answers: u64,
    /// How long it lasted.
    pub time: Duration,
}

/// A flood that has not begun.
pub struct Flood {
    port: PipePort,
    rng: fastrand::Rng,
    rate: u64,
    to: SocketAddrV4,
}

/// A flood that runs.
pub struct Flooding {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<FloodReport>,
}

impl Flood {
    /// `rate` SYNs a second to `to`, and the port where they come out.
    ///
    /// # Errors
    /// When a descriptor is refused.
    pub fn new(rate: u64, seed: u64, to: SocketAddrV4) -> anyhow::Result<(Flood, AnyPort)> {
        let pipe = PipeConfig { frames: FRAMES, spread: None, tx_csum: false, ..PipeConfig::new(1) };
        let (mut near, mut far) = pair(pipe);
        let (port, mut far) = near.pop().zip(far.pop()).context("a pipe has two ends")?;
        far.set_doorbell(Arc::new(EventBell::new()?));
        Ok((Flood { port, rng: fastrand::Rng::with_seed(seed), rate, to }, far.into()))
    }

    /// Begins.
    ///
    /// # Errors
    /// When there is no thread left.
    pub fn start(mut self) -> anyhow::Result<Flooding> {
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name("flood".to_owned()).spawn(move || self.run(&seen))?;
        Ok(Flooding { stop, thread })
    }

    fn run(&mut self, stop: &AtomicBool) -> FloodReport {
        let mut report = FloodReport::default();
        let (mut out, mut back) = (Burst::new(BURST), Burst::new(BURST));
        let start = Instant::now();
        while !stop.load(Ordering::Relaxed) {
            let due = (start.elapsed().as_secs_f64() * self.rate as f64) as u64;
            while report.sent + report.refused < due {
                self.burst(due, &mut out, &mut report);
            }
            while self.port.rx(&mut back) > 0 {
                while let Some(frame) = back.pop() {
                    report.answers += 1;
                    self.port.release(frame);
                }
            }
            // A pipe has nothing that can fail.
            let _ = self.port.sync();
            std::thread::sleep(PAUSE);
        }
        report.time = start.elapsed();
        report
    }

    fn burst(&mut self, due: u64, out: &mut Burst, report: &mut FloodReport) {
        let wanted = (due - report.sent - report.refused).min(BURST as u64);
        let mut syn = [0; 128];
        for _ in 0..wanted {
            let len = write_syn(&mut self.rng, self.to, &mut syn);
            let Some(mut frame) = self.port.alloc(len) else {
                report.refused += 1;
                continue;
            };
            self.port.bytes_mut(&mut frame).copy_from_slice(&syn[..len]);
            let _ = out.push(frame).map_err(|frame| self.port.release(frame));
        }
        report.sent += self.port.tx(out) as u64;
        while let Some(frame) = out.pop() {
            report.refused += 1;
            self.port.release(frame);
        }
        let _ = self.port.sync();
    }
}

impl Flooding {
    /// Ends it.
    ///
    /// # Panics
    /// When its thread has panicked.
    pub fn stop(self) -> FloodReport {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

/// A SYN as a usual client sends it, from anywhere; returns its length.
fn write_syn(rng: &mut fastrand::Rng, to: SocketAddrV4, buf: &mut [u8; 128]) -> usize {
    let source = anywhere(rng);
    let options = TcpOptions {
        mss: Some(1460),
        window_scale: Some(7),
        sack_permitted: true,
        timestamps: Some((rng.u32(..), 0)),
        ..TcpOptions::NONE
    };
    let tcp = TcpHeader {
        src_port: rng.u16(1024..),
        dst_port: to.port(),
        seq: SeqNumber(rng.u32(..)),
        flags: TcpFlags::SYN,
        window: 64_240,
        options,
        ..TcpHeader::default()
    };
    let ip = Ipv4Header::new(source, *to.ip(), IpProtocol::TCP, tcp.len() as u16);
    let ethernet =
        EthernetHeader { dst: mac_of(*to.ip()), src: ROUTER, vlan: None, ethertype: EtherType::IPV4 };
    let mut at = ethernet.write(buf).expect("128 bytes hold all three headers");
    at += ip.write(&mut buf[at..]).expect("128 bytes hold all three headers");
    let len = tcp.write(&mut buf[at..]).expect("128 bytes hold all three headers");
    fill_checksum(&mut buf[at..at + len], source, *to.ip()).expect("it is a whole header");
    at + len
}

/// An address that could be a host's on the Internet: not of this network, private, loopback or multicast.
fn anywhere(rng: &mut fastrand::Rng) -> Ipv4Addr {
    loop {
        let address = Ipv4Addr::from_bits(rng.u32(..));
        let odd = address.is_private()
            || address.is_loopback()
            || address.is_link_local()
            || matches!(address.octets()[0], 0 | 224..);
        if !odd {
            return address;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ferroflow_wire::ethernet::EthernetView;
    use ferroflow_wire::ipv4::Ipv4View;
    use ferroflow_wire::tcp::TcpView;

    #[test]
    fn every_syn_is_well_formed_and_from_somewhere_else() {
        let mut rng = fastrand::Rng::with_seed(3);
        let to = SocketAddrV4::new(Ipv4Addr::new(10, 78, 0, 2), 80);
        let mut sources = std::collections::BTreeSet::new();
        for _ in 0..1000 {
            let mut buf = [0; 128];
            let len = write_syn(&mut rng, to, &mut buf);
            let ethernet = EthernetView::parse(&buf[..len]).unwrap();
            let ip = Ipv4View::parse(ethernet.payload()).unwrap();
            ip.verify_checksum().unwrap();
            let tcp = TcpView::parse(ip.payload()).unwrap();
            tcp.verify_checksum(ip.src(), ip.dst()).unwrap();
            assert!(tcp.flags() == TcpFlags::SYN && tcp.dst_port() == 80 && ip.dst() == *to.ip());
            sources.insert(ip.src());
        }
        assert!(sources.len() > 990);
    }
}
