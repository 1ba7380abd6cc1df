//! Explicit congestion notification (RFC 3168).

use ferroflow_wire::tcp::TcpFlags;

use super::input::{Cx, Segment};
use super::tcb::Tcb;

/// Whether connections use ECN.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EcnMode {
    /// Never.
    Off,
    /// When the peer asks for it (Linux's default, net.ipv4.tcp_ecn = 2).
    #[default]
    Accept,
    /// We ask for it too.
    Ask,
}

/// The codepoint "congestion experienced" of an IP header (RFC 3168 5).
pub const CE: u8 = 3;
/// The codepoint ECT(0).
pub const ECT0: u8 = 2;
const ECE_CWR: TcpFlags = TcpFlags::ECE.union(TcpFlags::CWR);

/// What one connection remembers of ECN.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ecn {
    /// Both sides agreed.
    pub on: bool,
    /// Our acknowledgements carry ECE until the peer says CWR (RFC 3168 6.1.3).
    pub echo: bool,
    /// Our next new data carries CWR (RFC 3168 6.1.2).
    pub reduced: bool,
}

/// What a SYN of ours carries beside SYN (RFC 3168 6.1.1). One that is sent again asks no more: there are
/// middleboxes that drop it (6.1.1.1).
pub fn syn_flags(mode: EcnMode, first: bool) -> TcpFlags {
    if mode == EcnMode::Ask && first { ECE_CWR } else { TcpFlags::NONE }
}

/// The peer's SYN, or SYN,ACK when `ours` was sent.
pub fn negotiate(mode: EcnMode, seg: TcpFlags, ours_asked: bool) -> bool {
    match seg.contains(TcpFlags::ACK) {
        true => ours_asked && seg.contains(TcpFlags::ECE) && !seg.contains(TcpFlags::CWR),
        false => mode != EcnMode::Off && seg.contains(ECE_CWR),
    }
}

/// A segment in the window arrives: RFC 3168 6.1.3.
#[inline]
pub fn received(tcb: &mut Tcb, seg: &Segment<'_>, cx: &mut Cx<'_>) {
    if !tcb.ecn.on {
        return;
    }
    if seg.flags.contains(TcpFlags::CWR) {
        tcb.ecn.echo = false;
    }
    if seg.ecn == CE && !seg.payload.is_empty() {
        cx.counters.tcp_ce_received += 1;
        if !tcb.ecn.echo {
            tcb.ack_now();
        }
        tcb.ecn.echo = true;
    }
}

/// Whether an acknowledgement says that a router has marked what we sent (RFC 3168 6.1.3).
#[inline]
pub(super) fn is_echo(tcb: &Tcb, seg: &Segment<'_>) -> bool {
    tcb.ecn.on && seg.flags.contains(TcpFlags::ECE) && !seg.flags.contains(TcpFlags::SYN)
}
