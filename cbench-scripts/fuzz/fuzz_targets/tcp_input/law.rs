//! The rules of RFC 9293 that the simulator's police knows, for connections whose peer contradicts itself only so far
//! that it is clear what the instance has to go by.

use std::collections::{HashMap, HashSet};
use std::net::{Ipv4Addr, SocketAddr};

use ferroflow_stack::sim::police::Police;
use ferroflow_wire::ethernet::EthernetView;
use ferroflow_wire::ipv4::Ipv4View;
use ferroflow_wire::tcp::TcpView;

/// The peer's address and port, the instance's port.
type Key = (Ipv4Addr, u16, u16);

#[derive(Default)]
pub struct Law {
    police: Police,
    /// What each peer's SYN said: its number, ACK, options.
    syns: HashMap<Key, (u32, bool, Vec<u8>)>,
    /// Not to be judged: frames were forged, or the peer has begun in two ways.
    blurred: HashSet<Key>,
    /// Connections of which the instance has sent more than a SYN.
    talked: HashSet<Key>,
    /// Those whose handshake's last ACK has been sent, perhaps not for the first time, and perhaps not taken at once.
    finals: HashSet<Key>,
}

impl Law {
    /// A frame is on its way to the instance. Returns whether it is a valid segment.
    pub fn receives(&mut self, frame: &[u8], forged: bool) -> bool {
        let Some((key, tcp)) = segment(frame, true) else { return false };
        self.police.receives(frame, forged);
        if forged {
            self.blurred.insert(key);
        } else if tcp.flags().syn() {
            let syn = (tcp.seq().0, tcp.flags().ack(), tcp.option_bytes().to_vec());
            let tiny = tcp.options().is_ok_and(|options| options.mss.is_some_and(|mss| mss < 64));
            if *self.syns.entry(key).or_insert_with(|| syn.clone()) != syn || tiny {
                self.blurred.insert(key);
            }
        } else if self.syns.get(&key).is_some_and(|syn| tcp.seq().0 == syn.0.wrapping_add(1)) {
            self.finals.insert(key);
        }
        true
    }

    /// A turn was made, in which so many cookies came back. One is as good a second time, when the connection that it made
    /// is over: what the instance sends then contradicts what it sent on the first.
    pub fn turned(&mut self, cookies: u64) {
        if cookies > 0 {
            self.blurred.extend(self.finals.intersection(&self.talked));
        }
    }

    /// The instance has sent a frame.
    pub fn sends(&mut self, frame: &[u8]) {
        let Some((key, tcp)) = segment(frame, false) else { return };
        if self.blurred.contains(&key) {
            return;
        }
        if !tcp.flags().syn() && !tcp.flags().rst() {
            self.talked.insert(key);
        }
        self.police.sends(frame);
        // A connection that begins anew by the same SYN, or by a cookie, looks from here as if numbers went back: a breach is
        // to be looked at, and ends the run only where that is asked for.
        let broken = self.police.broken();
        assert!(broken.is_empty() || std::env::var_os("FUZZ_LAW").is_none(), "{broken:?}");
    }

    /// Whether the connection's peer has been consistent.
    pub fn is_clear(&self, peer: SocketAddr, local: SocketAddr) -> bool {
        match peer.ip() {
            std::net::IpAddr::V4(ip) => !self.blurred.contains(&(ip, peer.port(), local.port())),
            std::net::IpAddr::V6(_) => false,
        }
    }
}

fn segment(frame: &[u8], received: bool) -> Option<(Key, TcpView<'_>)> {
    let ip = Ipv4View::parse(EthernetView::parse(frame).ok()?.payload()).ok()?;
    let tcp = TcpView::parse(ip.payload()).ok()?;
    if received && tcp.verify_checksum(ip.src(), ip.dst()).is_err() {
        return None;
    }
    let (src, dst) = ((ip.src(), tcp.src_port()), (ip.dst(), tcp.dst_port()));
    Some(if received { ((src.0, src.1, dst.1), tcp) } else { ((dst.0, dst.1, src.1), tcp) })
}
