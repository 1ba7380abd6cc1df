//! What can be known of a connection from outside: the fields of Linux's `struct tcp_info`, and a line as `ss -ti` prints it.

use std::fmt;
use std::time::Duration;

use crate::tcp::Algorithm;

/// State of a connection (RFC 9293 3.3.2), as far as there is a connection to ask.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the RFC's names")]
pub enum TcpState {
    Established,
    SynSent,
    SynReceived,
    FinWait1,
    FinWait2,
    TimeWait,
    #[default]
    Closed,
    CloseWait,
    LastAck,
    Listen,
    Closing,
}

impl fmt::Display for TcpState {
    /// As `ss` writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            TcpState::Established => "ESTAB",
            TcpState::SynSent => "SYN-SENT",
            TcpState::SynReceived => "SYN-RECV",
            TcpState::FinWait1 => "FIN-WAIT-1",
            TcpState::FinWait2 => "FIN-WAIT-2",
            TcpState::TimeWait => "TIME-WAIT",
            TcpState::Closed => "UNCONN",
            TcpState::CloseWait => "CLOSE-WAIT",
            TcpState::LastAck => "LAST-ACK",
            TcpState::Listen => "LISTEN",
            TcpState::Closing => "CLOSING",
        })
    }
}

/// What a connection is doing about losses (Linux: `tcpi_ca_state`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum CaState {
    /// Nothing unusual.
    #[default]
    Open,
    /// Something is missing, or seems to be.
    Disorder,
    /// The window comes down because of ECN.
    Cwr,
    /// Fast recovery.
    Recovery,
    /// After a time-out.
    Loss,
}

/// What is known of one connection. Counts of segments are of the sender's current segment size where the stack counts bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TcpInfo {
    /// RFC 9293 3.3.2
    pub state: TcpState,
    /// Open, recovering, ...
    pub ca_state: CaState,
    /// Time-outs in a row without progress.
    pub retransmits: u32,
    /// Unanswered keepalive or window probes.
    pub probes: u32,
    /// How often the time-out has been doubled.
    pub backoff: u32,
    /// ICMP has said that the peer cannot be reached, and nothing was acknowledged since: the soft errors of RFC 9293
    /// 3.9.2.2. Linux keeps it in `sk_err_soft` and does not tell.
    pub unreachable: bool,
    /// Timestamps are used (RFC 7323).
    pub timestamps: bool,
    /// SACK is used (RFC 2018).
    pub sack: bool,
    /// Windows are scaled (RFC 7323).
    pub window_scaling: bool,
    /// ECN is used (RFC 3168).
    pub ecn: bool,
    /// Shift of the peer's windows.
    pub snd_wscale: u8,
    /// Shift of ours.
    pub rcv_wscale: u8,
    /// Congestion control.
    pub congestion: Algorithm,
    /// Retransmission time-out.
    pub rto: Duration,
    /// How long an acknowledgement is delayed.
    pub ato: Duration,
    /// Most text of a segment sent, in bytes.
    pub snd_mss: u32,
    /// Most text of a segment received, in bytes: what we announced.
    pub advmss: u32,
    /// Path MTU in bytes.
    pub pmtu: u32,
    /// Segments sent and not acknowledged.
    pub unacked: u32,
    /// Of these: the peer has them, beyond a gap.
    pub sacked: u32,
    /// Of these: taken for lost.
    pub lost: u32,
    /// Since the last data was sent.
    pub last_data_sent: Duration,
    /// Since the last data was received.
    pub last_data_recv: Duration,
    /// Since the last segment with an acknowledgement was received.
    pub last_ack_recv: Duration,
    /// Smoothed round trip; zero before the first measurement.
    pub rtt: Duration,
    /// Its variation.
    pub rttvar: Duration,
    /// Least round trip of the last minutes.
    pub min_rtt: Duration,
    /// Round trip as the receiver sees it.
    pub rcv_rtt: Duration,
    /// Slow start threshold in segments; `u32::MAX` = none yet.
    pub snd_ssthresh: u32,
    /// Congestion window in segments.
    pub snd_cwnd: u32,
    /// The peer's window in bytes.
    pub snd_wnd: u32,
    /// Our window in bytes.
    pub rcv_wnd: u32,
    /// Most bytes that may wait to be read.
    pub rcv_space: u32,
    /// Most bytes that may wait to be sent and acknowledged.
    pub snd_space: u32,
    /// Whether segments were seen to overtake each other.
    pub reordering: bool,
    /// Segments sent again.
    pub total_retrans: u32,
    /// Bytes sent, those sent again included.
    pub bytes_sent: u64,
    /// Bytes sent again.
    pub bytes_retrans: u64,
    /// Bytes that were acknowledged.
    pub bytes_acked: u64,
    /// Bytes received in order.
    pub bytes_received: u64,
    /// Segments sent.
    pub segs_out: u32,
    /// Segments received.
    pub segs_in: u32,
    /// Segments with data sent.
    pub data_segs_out: u32,
    /// Segments with data received.
    pub data_segs_in: u32,
    /// Bytes written and not sent.
    pub notsent_bytes: u32,
    /// Bytes sent and not acknowledged.
    pub unacked_bytes: u32,
    /// Bytes received in order and not read.
    pub unread_bytes: u32,
    /// Bytes received beyond a gap.
    pub ooo_bytes: u32,
    /// Reports of the peer that something came twice (D-SACK).
    pub dsack_dups: u32,
    /// Bytes a second that arrived at the peer in the last round trip.
    pub delivery_rate: u64,
}

impl fmt::Display for TcpInfo {
    /// As `ss -ti` prints it, in its order.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (on, name) in [(self.timestamps, "ts "), (self.sack, "sack "), (self.ecn, "ecn ")] {
            f.write_str(if on { name } else { "" })?;
        }
        write!(f, "{}", self.congestion)?;
        if self.window_scaling {
            write!(f, " wscale:{},{}", self.snd_wscale, self.rcv_wscale)?;
        }
        write!(f, " rto:{}", millis(self.rto))?;
        if self.backoff > 0 {
            write!(f, " backoff:{}", self.backoff)?;
        }
        if self.rtt > Duration::ZERO {
            write!(f, " rtt:{}/{}", millis(self.rtt), millis(self.rttvar))?;
        }
        write!(f, " ato:{} mss:{} pmtu:{}", millis(self.ato), self.snd_mss, self.pmtu)?;
        write!(f, " advmss:{} cwnd:{}", self.advmss, self.snd_cwnd)?;
        if self.snd_ssthresh != u32::MAX {
            write!(f, " ssthresh:{}", self.snd_ssthresh)?;
        }
        let counts = [
            ("bytes_sent", self.bytes_sent),
            ("bytes_retrans", self.bytes_retrans),
            ("bytes_acked", self.bytes_acked),
            ("bytes_received", self.bytes_received),
            ("segs_out", self.segs_out.into()),
            ("segs_in", self.segs_in.into()),
            ("data_segs_out", self.data_segs_out.into()),
            ("data_segs_in", self.data_segs_in.into()),
        ];
        for (name, n) in counts.into_iter().filter(|&(_, n)| n > 0) {
            write!(f, " {name}:{n}")?;
        }
        if self.delivery_rate > 0 {
            write!(f, " delivery_rate {}bps", self.delivery_rate.saturating_mul(8))?;
        }
        let counts = [
            ("unacked", self.unacked),
            ("retrans", self.total_retrans),
            ("lost", self.lost),
            ("sacked", self.sacked),
            ("dsack_dups", self.dsack_dups),
            ("reord_seen", self.reordering.into()),
        ];
        for (name, n) in counts.into_iter().filter(|&(_, n)| n > 0) {
            write!(f, " {name}:{n}")?;
        }
        write!(
            f,
            " lastsnd:{} lastrcv:{}",
            self.last_data_sent.as_millis(),
            self.last_data_recv.as_millis()
        )?;
        write!(f, " lastack:{}", self.last_ack_recv.as_millis())?;
        if self.rcv_rtt > Duration::ZERO {
            write!(f, " rcv_rtt:{}", millis(self.rcv_rtt))?;
        }
        write!(f, " rcv_space:{} snd_wnd:{}", self.rcv_space, self.snd_wnd)?;
        if self.notsent_bytes > 0 {
            write!(f, " notsent:{}", self.notsent_bytes)?;
        }
        if self.min_rtt > Duration::ZERO {
            write!(f, " minrtt:{}", millis(self.min_rtt))?;
        }
        Ok(())
    }
}

/// Milliseconds with as many digits as they have, three at most.
fn millis(d: Duration) -> impl fmt::Display {
    let us = d.as_micros();
    let mut text = format!("{}.{:03}", us / 1000, us % 1000);
    text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_like_ss() {
        let info = TcpInfo {
            state: TcpState::Established,
            timestamps: true,
            sack: true,
            window_scaling: true,
            snd_wscale: 7,
            rcv_wscale: 8,
            rto: Duration::from_millis(204),
            rtt: Duration::from_micros(3500),
            rttvar: Duration::from_micros(120),
            snd_mss: 1448,
            advmss: 1460,
            pmtu: 1500,
            snd_cwnd: 10,
            snd_ssthresh: u32::MAX,
            bytes_sent: 77,
            snd_wnd: 65_535,
            ..TcpInfo::default()
        };
        assert_eq!(
            info.to_string(),
            "ts sack cubic wscale:7,8 rto:204 rtt:3.5/0.12 ato:0 mss:1448 pmtu:1500 advmss:1460 cwnd:10 bytes_sent:77 \
             lastsnd:0 lastrcv:0 lastack:0 rcv_space:0 snd_wnd:65535"
        );
    }
}
