//! The rules of RFC 9293 that the simulator's police knows, for connections whose peer contradicts itself only so far
//! that it is clear what the instance has to go by.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ferroflow_stack::sim::police::Police;
use ferroflow_stack::{ConnId, ConnInfo};
use ferroflow_wire::ethernet::EthernetView;
use ferroflow_wire::ipv4::Ipv4View;
use ferroflow_wire::tcp::{TcpOptions, TcpView};

/// The peer's address and port, the instance's port.
type Key = (Ipv4Addr, u16, u16);

#[derive(Default)]
pub struct Law {
    police: Police,
    /// What each peer's SYN said: its number, ACK, options.
    syns: HashMap<Key, (u32, bool, Vec<u8>)>,
    /// The instance's initial sequence numbers.
    isns: HashMap<Key, u32>,
    /// The instance's names for its connections.
    ids: HashMap<Key, ConnId>,
    /// Not to be judged: frames were forged; or one of the two has begun in two ways, or once more. A connection that a
    /// cookie makes a second time has the numbers of the first, and frames of both may have waited for the card.
    blurred: HashSet<Key>,
}

impl Law {
    /// A frame is on its way to the instance. Returns whether it is a valid segment.
    pub fn receives(&mut self, frame: &[u8], forged: bool) -> bool {
        trace(if forged { "in, forged" } else { "in" }, frame);
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
        } else if !self.ids.contains_key(&key) && self.has_forgotten(key, &tcp) {
            self.blurred.insert(key);
        }
        true
    }

    /// Whether a handshake's last ACK lacks the timestamp that the SYN had: in it is what a cookie knows of the options.
    fn has_forgotten(&self, key: Key, tcp: &TcpView<'_>) -> bool {
        let stamped = |bytes: &[u8]| TcpOptions::parse(bytes).is_ok_and(|options| options.timestamps.is_some());
        self.syns.get(&key).is_some_and(|(_, _, options)| stamped(options)) && !stamped(tcp.option_bytes())
    }

    /// A turn was made, after which these are the instance's connections.
    pub fn knows(&mut self, conns: impl Iterator<Item = (ConnId, ConnInfo)>) {
        for (id, info) in conns {
            let Some(key) = key(info.peer, info.local) else { continue };
            if *self.ids.entry(key).or_insert(id) != id {
                self.blurred.insert(key);
            }
        }
    }

    /// The instance has sent a frame.
    pub fn sends(&mut self, frame: &[u8]) {
        trace("out", frame);
        let Some((key, tcp)) = segment(frame, false) else { return };
        if tcp.flags().syn() && *self.isns.entry(key).or_insert(tcp.seq().0) != tcp.seq().0 {
            self.blurred.insert(key);
        }
        if self.blurred.contains(&key) {
            return;
        }
        self.police.sends(frame);
        let broken = self.police.broken();
        assert!(broken.is_empty(), "{broken:?}");
    }

    /// Whether both ends of the connection have been consistent.
    pub fn is_clear(&self, peer: SocketAddr, local: SocketAddr) -> bool {
        key(peer, local).is_some_and(|key| !self.blurred.contains(&key))
    }
}

fn key(peer: SocketAddr, local: SocketAddr) -> Option<Key> {
    match peer.ip() {
        IpAddr::V4(ip) => Some((ip, peer.port(), local.port())),
        IpAddr::V6(_) => None,
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

/// With FUZZ_TRACE in the environment, a finding is looked at frame by frame.
fn trace(way: &str, frame: &[u8]) {
    if std::env::var_os("FUZZ_TRACE").is_some() {
        eprintln!("{way}: {}", ferroflow_stack::sim::trace::line(frame));
    }
}
