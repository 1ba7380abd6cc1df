//! `struct tcp_info` of Linux (linux/tcp.h), in its bytes.

use std::time::Duration;

use ferroflow_stack::tcp_info::{CaState, TcpInfo, TcpState};

/// As long as any version of the structure that is known; what a version adds and the stack does not tell is zero.
const LEN: usize = 512;
/// TCP_INFINITE_SSTHRESH
const NO_SSTHRESH: u32 = 0x7fff_ffff;

/// Writes numbers one after the other, as C lays them out: no field of the structure needs padding.
struct Writer {
    bytes: [u8; LEN],
    at: usize,
}

impl Writer {
    fn put<const N: usize>(&mut self, bytes: [u8; N]) {
        debug_assert!(self.at.is_multiple_of(N), "padding at {}", self.at);
        self.bytes[self.at..self.at + N].copy_from_slice(&bytes);
        self.at += N;
    }

    fn u8s(&mut self, all: &[u8]) {
        all.iter().for_each(|n| self.put(n.to_ne_bytes()));
    }

    fn u32s(&mut self, all: &[u32]) {
        all.iter().for_each(|n| self.put(n.to_ne_bytes()));
    }

    fn u64s(&mut self, all: &[u64]) {
        all.iter().for_each(|n| self.put(n.to_ne_bytes()));
    }
}

/// The structure's bytes.
pub(super) fn bytes(info: &TcpInfo) -> [u8; LEN] {
    let mut w = Writer { bytes: [0; LEN], at: 0 };
    let small = |n: u32| n.min(255) as u8;
    let ca_state = match info.ca_state {
        CaState::Open => 0,
        CaState::Disorder => 1,
        CaState::Cwr => 2,
        CaState::Recovery => 3,
        CaState::Loss => 4,
    };
    w.u8s(&[state(info.state), ca_state]);
    w.u8s(&[small(info.retransmits), small(info.probes), small(info.backoff), options(info)]);
    w.u8s(&[info.snd_wscale & 15 | info.rcv_wscale << 4, 0]);
    w.u32s(&[micros(info.rto), micros(info.ato), info.snd_mss, info.advmss]);
    w.u32s(&[info.unacked, info.sacked, info.lost]);
    let (retrans, fackets) = (0, 0);
    w.u32s(&[retrans, fackets]);
    let last_ack_sent = 0; // "not remembered, sorry"
    w.u32s(&[millis(info.last_data_sent), last_ack_sent, millis(info.last_data_recv)]);
    w.u32s(&[millis(info.last_ack_recv), info.pmtu, info.rcv_space]);
    w.u32s(&[micros(info.rtt), micros(info.rttvar), info.snd_ssthresh.min(NO_SSTHRESH), info.snd_cwnd]);
    let reordering = 3; // RACK measures time; this is the value it starts from
    w.u32s(&[info.advmss, reordering, micros(info.rcv_rtt), info.rcv_space, info.total_retrans]);
    let (pacing_rate, max_pacing_rate) = (0, u64::MAX);
    w.u64s(&[pacing_rate, max_pacing_rate, info.bytes_acked, info.bytes_received]);
    w.u32s(&[info.segs_out, info.segs_in, info.notsent_bytes, micros(info.min_rtt)]);
    w.u32s(&[info.data_segs_in, info.data_segs_out]);
    let (busy, rwnd_limited, sndbuf_limited) = (0, 0, 0);
    w.u64s(&[info.delivery_rate, busy, rwnd_limited, sndbuf_limited]);
    let (delivered, delivered_ce) = (0, 0);
    w.u32s(&[delivered, delivered_ce]);
    w.u64s(&[info.bytes_sent, info.bytes_retrans]);
    let ooo_packets = 0;
    w.u32s(&[info.dsack_dups, info.reordering.into(), ooo_packets, info.snd_wnd, info.rcv_wnd]);
    w.bytes
}

/// The numbers of SO_MEMINFO (linux/sock_diag.h), in bytes of text: there is no other memory to speak of.
pub(super) fn memory(info: &TcpInfo) -> [u8; 36] {
    let (received, queued) = (info.unread_bytes + info.ooo_bytes, info.unacked_bytes + info.notsent_bytes);
    let (forward, options, backlog, drops) = (0, 0, 0, 0);
    let all = [
        received,
        info.rcv_space,
        info.unacked_bytes,
        info.snd_space,
        forward,
        queued,
        options,
        backlog,
        drops,
    ];
    let mut bytes = [0; 36];
    for (place, n) in bytes.chunks_exact_mut(4).zip(all) {
        place.copy_from_slice(&n.to_ne_bytes());
    }
    bytes
}

/// net/tcp_states.h
fn state(state: TcpState) -> u8 {
    match state {
        TcpState::Established => 1,
        TcpState::SynSent => 2,
        TcpState::SynReceived => 3,
        TcpState::FinWait1 => 4,
        TcpState::FinWait2 => 5,
        TcpState::TimeWait => 6,
        TcpState::Closed => 7,
        TcpState::CloseWait => 8,
        TcpState::LastAck => 9,
        TcpState::Listen => 10,
        TcpState::Closing => 11,
    }
}

/// TCPI_OPT_TIMESTAMPS, _SACK, _WSCALE, _ECN
fn options(info: &TcpInfo) -> u8 {
    u8::from(info.timestamps)
        | u8::from(info.sack) << 1
        | u8::from(info.window_scaling) << 2
        | u8::from(info.ecn) << 3
}

fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}

fn millis(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_where_linux_has_them() {
        let info = TcpInfo {
            state: TcpState::CloseWait,
            snd_wscale: 7,
            rcv_wscale: 9,
            sack: true,
            rto: Duration::from_millis(204),
            snd_cwnd: 10,
            snd_ssthresh: u32::MAX,
            total_retrans: 5,
            bytes_acked: 6,
            notsent_bytes: 8,
            delivery_rate: 9,
            bytes_sent: 11,
            dsack_dups: 12,
            snd_wnd: 13,
            ..TcpInfo::default()
        };
        let bytes = bytes(&info);
        let u32_at = |at: usize| u32::from_ne_bytes(*bytes[at..].first_chunk().unwrap());
        let u64_at = |at: usize| u64::from_ne_bytes(*bytes[at..].first_chunk().unwrap());
        assert_eq!((bytes[0], bytes[5], bytes[6]), (8, 2, 0x97));
        // Offsets from linux/tcp.h: tcpi_rto 8, tcpi_snd_ssthresh 76, tcpi_snd_cwnd 80, tcpi_total_retrans 100.
        assert_eq!([8, 76, 80, 100].map(u32_at), [204_000, NO_SSTHRESH, 10, 5]);
        // tcpi_bytes_acked 120, tcpi_delivery_rate 160, tcpi_bytes_sent 200
        assert_eq!([120, 160, 200].map(u64_at), [6, 9, 11]);
        // tcpi_notsent_bytes 144, tcpi_dsack_dups 216, tcpi_snd_wnd 228
        assert_eq!([144, 216, 228].map(u32_at), [8, 12, 13]);
    }
}
