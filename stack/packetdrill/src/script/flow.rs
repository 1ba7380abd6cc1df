//! The connection under test: how a script's addresses, sequence numbers and timestamps become the stack's and back.
//!
//! A script counts sequence numbers from each side's SYN; in a SYN itself they are absolute. The runner chooses the
//! peer's initial sequence number (the one in the script's SYN), the stack its own.

use std::collections::HashMap;

use super::packet::{Flags, Icmp, Tcp, TcpOption};
use super::wire::{Endpoint, Seen};

/// How far the connection is, as far as the numbers depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Neither bound to listen nor to connect.
    New,
    Listening,
    /// A segment of the peer's came to the listener.
    SynReceived,
    SynAckSent,
    SynAckAcked,
    Connecting,
    SynSent,
    SynAcked,
}

/// One socket or connection of the script.
#[derive(Debug, Clone)]
pub(super) struct Flow {
    pub(super) phase: Phase,
    /// The script's descriptor, once it has one.
    pub(super) fd: Option<i64>,
    pub(super) local: Option<Endpoint>,
    pub(super) remote: Option<Endpoint>,
    /// The stack's initial sequence number in the script and in truth.
    local_isn: (u32, u32),
    /// The peer's, the same in both.
    remote_isn: u32,
    /// Our timestamps, by what the script calls them.
    timestamps: HashMap<u32, u32>,
    /// The first timestamp in the script and in truth.
    first_timestamp: Option<(u32, u32)>,
}

impl Flow {
    pub(super) fn new(fd: Option<i64>) -> Flow {
        Flow {
            phase: Phase::New,
            fd,
            local: None,
            remote: None,
            local_isn: (0, 0),
            remote_isn: 0,
            timestamps: HashMap::new(),
            first_timestamp: None,
        }
    }

    /// A connection that a segment from `remote` begins.
    pub(super) fn passive(local: Endpoint, remote: Endpoint, first: &Tcp) -> Flow {
        Flow {
            phase: Phase::SynReceived,
            local: Some(local),
            remote: Some(remote),
            remote_isn: first.seq,
            ..Flow::new(None)
        }
    }

    /// Did the stack send this for this connection?
    pub(super) fn sent(&self, seen: &Seen) -> bool {
        if self.local == Some(seen.from) && self.remote == Some(seen.to) {
            return true;
        }
        let syn = seen.tcp.flags.has(Flags::SYN) && !seen.tcp.flags.has(Flags::ACK);
        self.phase == Phase::SynSent && syn && self.remote == Some(seen.to)
    }

    /// The script injects this next.
    pub(super) fn before_injecting(&mut self, tcp: &Tcp) {
        let (syn, ack) = (tcp.flags.has(Flags::SYN), tcp.flags.has(Flags::ACK));
        if self.phase == Phase::SynAckSent && ack {
            self.phase = Phase::SynAckAcked;
        } else if self.phase == Phase::SynSent && syn && ack {
            self.phase = Phase::SynAcked;
            self.remote_isn = tcp.seq;
        }
    }

    /// The script expects this next.
    pub(super) fn before_expecting(&mut self, tcp: &Tcp) {
        let (syn, ack) = (tcp.flags.has(Flags::SYN), tcp.flags.has(Flags::ACK));
        if self.phase == Phase::Connecting && syn && !ack {
            self.phase = Phase::SynSent;
            self.local_isn.0 = tcp.seq;
        } else if self.phase == Phase::SynReceived && syn && ack {
            self.local_isn.0 = tcp.seq;
        }
    }

    /// `seen` came where the script expects `wanted`.
    pub(super) fn learn(&mut self, wanted: &Tcp, seen: &Seen) {
        let (syn, ack) = (wanted.flags.has(Flags::SYN), wanted.flags.has(Flags::ACK));
        let live_syn = seen.tcp.flags.has(Flags::SYN);
        if self.phase == Phase::SynReceived && syn && ack {
            self.phase = Phase::SynAckSent;
            self.local_isn.1 = seen.tcp.seq;
        } else if self.phase == Phase::SynSent && live_syn && !seen.tcp.flags.has(Flags::ACK) {
            self.local = Some(seen.from);
            self.local_isn.1 = seen.tcp.seq;
        }
    }

    fn local_offset(&self, syn: bool) -> u32 {
        if syn { self.local_isn.1.wrapping_sub(self.local_isn.0) } else { self.local_isn.1 }
    }

    fn remote_offset(&self, syn: bool) -> u32 {
        if syn { 0 } else { self.remote_isn }
    }

    /// The script's segment as the stack is to see it.
    ///
    /// # Errors
    /// A timestamp is echoed that the script has not seen.
    pub(super) fn live(&self, tcp: &Tcp) -> Result<Tcp, String> {
        let (syn, has_ack) = (tcp.flags.has(Flags::SYN), tcp.flags.has(Flags::ACK));
        let mut live = tcp.clone();
        live.seq = tcp.seq.wrapping_add(self.remote_offset(syn));
        let offset = self.local_offset(syn);
        if has_ack {
            live.ack = tcp.ack.wrapping_add(offset);
        }
        shift_sack(&mut live, offset);
        for option in live.options.iter_mut().flatten() {
            if let (TcpOption::Ts { ecr, .. }, true) = (option, has_ack) {
                *ecr = *self
                    .timestamps
                    .get(ecr)
                    .ok_or_else(|| format!("TS ecr {ecr} echoes no timestamp that was expected before"))?;
            }
        }
        Ok(live)
    }

    /// The quoted sequence number as the stack is to see it.
    pub(super) fn live_icmp(&self, icmp: &Icmp) -> Icmp {
        Icmp { seq: icmp.seq.wrapping_add(self.local_offset(false)), ..icmp.clone() }
    }

    /// The stack's segment as the script would write it; its timestamp becomes known as the one in `wanted`.
    pub(super) fn scripted(&mut self, wanted: &Tcp, live: &Tcp) -> Tcp {
        let syn = live.flags.has(Flags::SYN);
        let mut tcp = live.clone();
        tcp.seq = live.seq.wrapping_sub(self.local_offset(syn));
        let offset = self.remote_offset(syn).wrapping_neg();
        if live.flags.has(Flags::ACK) {
            tcp.ack = live.ack.wrapping_add(offset);
        }
        shift_sack(&mut tcp, offset);
        if let (Some((script, _)), Some((actual, _))) = (wanted.timestamps(), live.timestamps()) {
            self.timestamps.insert(script, actual);
            let (first_script, first_actual) = *self.first_timestamp.get_or_insert((script, actual));
            for option in tcp.options.iter_mut().flatten() {
                if let TcpOption::Ts { val, .. } = option {
                    *val = first_script.wrapping_add(actual.wrapping_sub(first_actual));
                }
            }
        }
        tcp
    }
}

fn shift_sack(tcp: &mut Tcp, offset: u32) {
    for option in tcp.options.iter_mut().flatten() {
        if let TcpOption::Sack(blocks) = option {
            for (left, right) in blocks {
                *left = left.wrapping_add(offset);
                *right = right.wrapping_add(offset);
            }
        }
    }
}
