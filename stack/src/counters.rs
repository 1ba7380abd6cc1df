//! What one instance counts: plain numbers of its own core, by name.
//!
//! Where Linux counts the same, its name (`nstat -a`) follows ours. Several of ours may be one of Linux's, which
//! distinguishes fewer reasons.

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident $(= $linux:literal)?,)*) => {
        /// Counters of one instance. They only grow.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct Counters {
            $($(#[$doc])* $(#[doc = concat!("\n\nLinux: `", $linux, "`.")])? pub $name: u64,)*
        }

        impl Counters {
            /// Name and value of each.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name),)*].into_iter()
            }

            /// Name of each, and what Linux calls it if it counts the same; in the order of [`Counters::iter`].
            pub fn linux_names() -> impl Iterator<Item = (&'static str, Option<&'static str>)> {
                [$((stringify!($name), None::<&str>$(.or(Some($linux)))?),)*].into_iter()
            }

            /// Adds another core's.
            pub fn add(&mut self, other: &Counters) {
                $(self.$name += other.$name;)*
            }
        }
    };
}

counters! {
    /// Frames received.
    rx_frames,
    /// Bytes of frames received.
    rx_bytes,
    /// Frames sent.
    tx_frames,
    /// Bytes of frames sent.
    tx_bytes,
    /// Frames that could not be sent because the port had no room, and were not TCP's (which sends again).
    tx_dropped,
    /// Frames not addressed to us.
    not_for_us,
    /// Frames of a VLAN; we are in none.
    other_vlan,
    /// Frames that no protocol of ours takes (IPv6, LLDP).
    unknown_ethertype,
    /// Malformed Ethernet, ARP, IPv4, ICMP, UDP or TCP headers.
    malformed_ethernet,
    /// Malformed ARP packets.
    malformed_arp,
    /// Malformed IPv4 headers.
    malformed_ipv4 = "IpInHdrErrors",
    /// Malformed ICMP messages.
    malformed_icmp = "IcmpInErrors",
    /// Malformed UDP headers.
    malformed_udp = "UdpInErrors",
    /// Malformed TCP headers or options.
    malformed_tcp = "TcpInErrs",
    /// Wrong IPv4 header checksums.
    ipv4_bad_checksum = "IpInHdrErrors",
    /// Wrong ICMP checksums.
    icmp_bad_checksum = "IcmpInCsumErrors",
    /// Wrong UDP checksums.
    udp_bad_checksum = "UdpInCsumErrors",
    /// Wrong TCP checksums.
    tcp_bad_checksum = "TcpInCsumErrors",
    /// IPv4 packets from impossible addresses (RFC 1122 3.2.1.3).
    martian = "IpInAddrErrors",
    /// IPv4 packets with a source route (RFC 7126 4.3.5, 4.4.5).
    source_routed,
    /// IPv4 fragments received.
    fragments = "IpReasmReqds",
    /// Datagrams put together from fragments.
    reassembled = "IpReasmOKs",
    /// Datagrams that waited for a fragment in vain.
    reassembly_timed_out = "IpReasmTimeout",
    /// Datagrams dropped because fragments overlapped or contradicted each other (RFC 5722).
    reassembly_overlap = "IpExtReasmOverlaps",
    /// Fragments of datagrams that were dropped already.
    reassembly_late = "IpReasmFails",
    /// Fragments that were there already.
    reassembly_duplicate,
    /// Fragments that are empty or not a multiple of 8 bytes, or make a datagram longer than any can be.
    reassembly_malformed = "IpReasmFails",
    /// Datagrams dropped because of too many fragments ([`crate::fragments::MAX_FRAGMENTS`]).
    reassembly_too_many = "IpReasmFails",
    /// Datagrams that made room for newer ones, or were too large alone ([`crate::fragments::FragmentConfig`]).
    reassembly_evicted = "IpReasmFails",
    /// Datagrams dropped because a mark of one fragment would have been lost (RFC 3168 5.3).
    reassembly_ecn = "IpReasmFails",
    /// Whole datagrams that could not be handed to the core whose they are.
    reassembly_stranded,
    /// IPv4 packets to other hosts.
    not_our_address = "IpInAddrErrors",
    /// ARP requests answered.
    arp_replies,
    /// ARP requests sent.
    arp_requests,
    /// ARP packets from another host that claims our address.
    arp_conflicts,
    /// Neighbours that did not answer.
    arp_unreachable,
    /// ARP claims not believed: group, zero or foreign addresses.
    arp_refused,
    /// ARP entries that made room for others.
    arp_evicted,
    /// Neighbours not entered: the table was full of unanswered requests.
    arp_full,
    /// Connections that could not wait for ARP: too many waited.
    arp_pending_full,
    /// ICMP echo requests answered.
    icmp_echoes = "IcmpInEchos",
    /// ICMP errors sent.
    icmp_errors_sent = "IcmpOutDestUnreachs",
    /// ICMP errors not sent: the rate limit.
    icmp_errors_limited = "IcmpOutRateLimitGlobal",
    /// ICMP errors received.
    icmp_errors_received,
    /// ICMP errors received that quote nothing of ours.
    icmp_errors_ignored = "TcpExtOutOfWindowIcmps",
    /// UDP datagrams nobody listens for.
    udp_no_port = "UdpNoPorts",
    /// TCP segments received.
    tcp_segments_in = "TcpInSegs",
    /// TCP segments sent.
    tcp_segments_out = "TcpOutSegs",
    /// TCP segments sent again.
    tcp_retransmitted = "TcpRetransSegs",
    /// Payload bytes received in order.
    tcp_bytes_in,
    /// Connections accepted.
    tcp_accepted = "TcpPassiveOpens",
    /// Connections opened by us and established.
    tcp_connected,
    /// Active opens that failed.
    tcp_connect_failed = "TcpAttemptFails",
    /// Connections ended, in order or not.
    tcp_closed,
    /// Segments for ports nobody listens on.
    tcp_no_listener,
    /// Segments that belong to no connection.
    tcp_no_connection,
    /// Resets sent.
    tcp_resets_sent = "TcpOutRsts",
    /// Resets not sent: the rate limit.
    tcp_resets_limited,
    /// SYNs dropped: the listener's backlog was full.
    tcp_backlog_full = "TcpExtTCPReqQFullDrop",
    /// SYNs answered by a cookie: the listener's backlog was full.
    tcp_syncookies_sent = "TcpExtSyncookiesSent",
    /// Valid cookies that came back.
    tcp_syncookies_recv = "TcpExtSyncookiesRecv",
    /// ACKs that brought no valid cookie where one could be expected.
    tcp_syncookies_failed = "TcpExtSyncookiesFailed",
    /// Connections not begun: the table was full.
    tcp_table_full = "TcpExtListenOverflows",
    /// Connections accepted that the service refused.
    tcp_refused_by_service,
    /// TIME_WAIT entries that made room for newer ones.
    tcp_time_wait_evicted = "TcpExtTCPTimeWaitOverflow",
    /// TIME_WAIT entries that a new SYN ended (RFC 6191).
    tcp_time_wait_reused = "TcpExtTWRecycled",
    /// Acknowledgements of something never sent.
    tcp_bad_ack,
    /// Segments without the timestamps that were negotiated.
    tcp_no_timestamp,
    /// Segments dropped by PAWS (RFC 7323 5).
    tcp_paws = "TcpExtPAWSEstab",
    /// Of these: not answered, since one was a moment before.
    tcp_ack_skipped_paws = "TcpExtTCPACKSkippedPAWS",
    /// Segments outside the window.
    tcp_out_of_window,
    /// Of these: not answered, since one was a moment before.
    tcp_ack_skipped_seq = "TcpExtTCPACKSkippedSeq",
    /// Segments that left a gap and were kept.
    tcp_out_of_order = "TcpExtTCPOFOQueue",
    /// Segments with bytes that waited behind a gap already.
    tcp_ofo_merge = "TcpExtTCPOFOMerge",
    /// Out-of-order segments dropped: the core's buffers hold as much as they may ([`crate::tcp::TcpConfig::memory`]).
    tcp_memory_short = "TcpExtTCPOFODrop",
    /// Buffers of silent connections given back.
    tcp_trimmed,
    /// Segments dropped: too many gaps.
    tcp_too_many_gaps = "TcpExtTCPOFODrop",
    /// Resets that ended a connection.
    tcp_reset_received = "TcpEstabResets",
    /// Challenge ACKs sent (RFC 5961).
    tcp_challenge_ack = "TcpExtTCPChallengeACK",
    /// SYNs in the window or out of it, each reason for a challenge ACK (RFC 5961 4).
    tcp_syn_challenge = "TcpExtTCPSYNChallenge",
    /// Challenge ACKs not sent: the rate limit.
    tcp_challenge_skipped = "TcpExtTCPACKSkippedChallenge",
    /// Fast recoveries with SACK (RFC 6675 5).
    tcp_sack_recovery = "TcpExtTCPSackRecovery",
    /// Fast recoveries without SACK (RFC 6582).
    tcp_reno_recovery = "TcpExtTCPRenoRecovery",
    /// Segments sent again in fast recovery.
    tcp_fast_retrans = "TcpExtTCPFastRetrans",
    /// Segments sent again after a time-out.
    tcp_slow_start_retrans = "TcpExtTCPSlowStartRetrans",
    /// SYNs and SYN,ACKs sent again.
    tcp_syn_retrans = "TcpExtTCPSynRetrans",
    /// Segments lost again after they had been sent again.
    tcp_lost_retransmit = "TcpExtTCPLostRetransmit",
    /// Time-outs that ended a fast recovery with SACK, or came while the peer had reported gaps.
    tcp_sack_failures = "TcpExtTCPSackFailures",
    /// Time-outs that ended a fast recovery without SACK, or came after duplicate acknowledgements.
    tcp_reno_failures = "TcpExtTCPRenoFailures",
    /// Time-outs while the losses of an earlier one were repaired.
    tcp_loss_failures = "TcpExtTCPLossFailures",
    /// Segments that turned out to be overtaken by later ones (RFC 8985 6.2 step 3).
    tcp_reordered = "TcpExtTCPSACKReorder",
    /// Acknowledgements that moved on while losses were being repaired (RFC 6582's partial ones, and the last).
    tcp_partial_ack,
    /// Retransmission time-outs.
    tcp_timeouts = "TcpExtTCPTimeouts",
    /// Tail loss probes sent (RFC 8985 7).
    tcp_loss_probes = "TcpExtTCPLossProbes",
    /// Losses that a tail loss probe repaired.
    tcp_loss_probe_recovery = "TcpExtTCPLossProbeRecovery",
    /// Reductions that were taken back, for one of the reasons that follow.
    tcp_undone,
    /// Of these: a time-out's.
    tcp_loss_undo = "TcpExtTCPLossUndo",
    /// Of these: a fast recovery's, when everything sent before it had arrived.
    tcp_full_undo = "TcpExtTCPFullUndo",
    /// Of these: a fast recovery's, in its course.
    tcp_partial_undo = "TcpExtTCPPartialUndo",
    /// Spurious by timestamp: Eifel detection (RFC 3522).
    tcp_spurious_by_timestamp,
    /// Spurious by D-SACK (RFC 3708).
    tcp_spurious_by_dsack = "TcpExtTCPDSACKUndo",
    /// Time-outs found spurious by F-RTO (RFC 5682).
    tcp_spurious_by_f_rto = "TcpExtTCPSpuriousRTOs",
    /// Peers that dropped what they had said to have (RFC 2018 8).
    tcp_sack_reneging = "TcpExtTCPSACKReneging",
    /// SACK blocks of what was never sent.
    tcp_sack_ignored = "TcpExtTCPSACKDiscard",
    /// D-SACK blocks received.
    tcp_dsack_received = "TcpExtTCPDSACKRecv",
    /// D-SACK blocks received of what is too old or was never sent (RFC 2883 5).
    tcp_dsack_ignored = "TcpExtTCPDSACKIgnoredOld",
    /// D-SACK blocks for what had been read already (RFC 2883 4.1).
    tcp_dsack_old_sent = "TcpExtTCPDSACKOldSent",
    /// D-SACK blocks for what waited behind a gap already (RFC 2883 4.2).
    tcp_dsack_ofo_sent = "TcpExtTCPDSACKOfoSent",
    /// Packets received that a router had marked (RFC 3168).
    tcp_ce_received = "IpExtInCEPkts",
    /// Reductions because the peer reported such a mark.
    tcp_ecn_reductions,
    /// Segments made smaller: by ICMP (RFC 1191), or because large ones vanished (RFC 4821).
    tcp_mtu_reduced,
    /// ICMP messages that are believed only if the segment they quote times out (RFC 5927 7.2).
    tcp_mtu_pending,
    /// Larger segments that arrived (RFC 4821).
    tcp_mtu_probe_success = "TcpExtTCPMTUPSuccess",
    /// Larger segments that were lost (RFC 4821).
    tcp_mtu_probe_fail = "TcpExtTCPMTUPFail",
    /// Probes of a closed window.
    tcp_window_probes = "TcpExtTCPWinProbe",
    /// Probes of a silent peer (RFC 9293 3.8.4).
    tcp_keepalive_probes = "TcpExtTCPKeepAlive",
    /// Acknowledgements that waited for the timer.
    tcp_delayed_acks = "TcpExtDelayedACKs",
    /// Connections given up: no acknowledgement, or no answer to keepalive.
    tcp_given_up = "TcpExtTCPAbortOnTimeout",
    /// Data that arrived after the service had closed.
    tcp_data_after_close = "TcpExtTCPAbortOnData",
    /// Connections reset because the service closed before it had read everything (RFC 2525 2.17).
    tcp_closed_unread = "TcpExtTCPAbortOnClose",
    /// Data behind the peer's FIN.
    tcp_data_after_fin,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linux_names_are_well_formed_and_in_order() {
        let ours: Vec<_> = Counters::default().iter().map(|(name, _)| name).collect();
        assert!(Counters::linux_names().map(|(name, _)| name).eq(ours));
        let groups = ["IpExt", "TcpExt", "Ip", "Icmp", "Udp", "Tcp"];
        for (name, linux) in Counters::linux_names().filter_map(|(name, linux)| Some((name, linux?))) {
            let rest = groups.iter().find_map(|group| linux.strip_prefix(group));
            assert!(rest.is_some_and(|r| r.starts_with(char::is_uppercase)), "{name} = {linux}");
        }
    }
}
