//! What one instance counts: plain numbers of its own core, by name.

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Counters of one instance. They only grow.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct Counters {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Counters {
            /// Name and value of each.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name),)*].into_iter()
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
    malformed_ipv4,
    /// Malformed ICMP messages.
    malformed_icmp,
    /// Malformed UDP headers.
    malformed_udp,
    /// Malformed TCP headers or options.
    malformed_tcp,
    /// Wrong IPv4 header, ICMP, UDP or TCP checksums.
    bad_checksum,
    /// IPv4 packets from impossible addresses (RFC 1122 3.2.1.3).
    martian,
    /// IPv4 packets with a source route (RFC 7126 4.3, 4.4).
    source_routed,
    /// IPv4 fragments; not reassembled yet.
    fragments,
    /// IPv4 packets to other hosts.
    not_our_address,
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
    icmp_echoes,
    /// ICMP errors sent.
    icmp_errors_sent,
    /// ICMP errors not sent: the rate limit.
    icmp_errors_limited,
    /// ICMP errors received.
    icmp_errors_received,
    /// ICMP errors received that quote nothing of ours.
    icmp_errors_ignored,
    /// UDP datagrams nobody listens for.
    udp_no_port,
    /// TCP segments received.
    tcp_segments_in,
    /// TCP segments sent.
    tcp_segments_out,
    /// TCP segments sent again.
    tcp_retransmitted,
    /// Payload bytes received in order.
    tcp_bytes_in,
    /// Connections accepted.
    tcp_accepted,
    /// Connections opened by us and established.
    tcp_connected,
    /// Active opens that failed.
    tcp_connect_failed,
    /// Connections ended, in order or not.
    tcp_closed,
    /// Segments for ports nobody listens on.
    tcp_no_listener,
    /// Segments that belong to no connection.
    tcp_no_connection,
    /// Resets sent.
    tcp_resets_sent,
    /// Resets not sent: the rate limit.
    tcp_resets_limited,
    /// SYNs dropped: the listener's backlog was full (Linux: TcpExtTCPReqQFullDrop).
    tcp_backlog_full,
    /// SYNs answered by a cookie: the listener's backlog was full (Linux: TcpExtSyncookiesSent).
    tcp_syncookies_sent,
    /// Valid cookies that came back (Linux: TcpExtSyncookiesRecv).
    tcp_syncookies_recv,
    /// ACKs that brought no valid cookie where one could be expected (Linux: TcpExtSyncookiesFailed).
    tcp_syncookies_failed,
    /// Connections not begun: the table was full (Linux: TcpExtListenOverflows).
    tcp_table_full,
    /// Connections accepted that the service refused.
    tcp_refused_by_service,
    /// TIME_WAIT entries that made room for newer ones.
    tcp_time_wait_evicted,
    /// TIME_WAIT entries that a new SYN ended (RFC 6191).
    tcp_time_wait_reused,
    /// Acknowledgements of something never sent.
    tcp_bad_ack,
    /// Segments without the timestamps that were negotiated.
    tcp_no_timestamp,
    /// Segments dropped by PAWS (RFC 7323 5).
    tcp_paws,
    /// Segments outside the window.
    tcp_out_of_window,
    /// Segments that left a gap.
    tcp_out_of_order,
    /// Out-of-order segments dropped: the core's buffers hold as much as they may ([`crate::tcp::TcpConfig::memory`]).
    tcp_memory_short,
    /// Buffers of silent connections given back.
    tcp_trimmed,
    /// Segments dropped: too many gaps.
    tcp_too_many_gaps,
    /// Resets that ended a connection.
    tcp_reset_received,
    /// Challenge ACKs sent (RFC 5961).
    tcp_challenge_ack,
    /// Challenge ACKs not sent: the rate limit.
    tcp_challenge_skipped,
    /// Fast recoveries (RFC 6675 5; Linux: TcpExtTCPSackRecovery, TcpExtTCPRenoRecovery).
    tcp_fast_retransmit,
    /// Acknowledgements that moved on while losses were being repaired (RFC 6582's partial ones, and the last).
    tcp_partial_ack,
    /// Retransmission time-outs (Linux: TcpExtTCPTimeouts).
    tcp_timeouts,
    /// Tail loss probes sent (RFC 8985 7; Linux: TcpExtTCPLossProbes).
    tcp_loss_probes,
    /// Losses that a tail loss probe repaired (Linux: TcpExtTCPLossProbeRecovery).
    tcp_loss_probe_recovery,
    /// Reductions that were taken back, for one of the three reasons that follow.
    tcp_undone,
    /// Spurious by timestamp: Eifel detection (RFC 3522; Linux: TcpExtTCPFullUndo, TcpExtTCPPartialUndo).
    tcp_spurious_by_timestamp,
    /// Spurious by D-SACK (RFC 3708; Linux: TcpExtTCPDSACKUndo).
    tcp_spurious_by_dsack,
    /// Time-outs found spurious by F-RTO (RFC 5682; Linux: TcpExtTCPSpuriousRTOs).
    tcp_spurious_by_f_rto,
    /// Peers that dropped what they had said to have (RFC 2018 8; Linux: TcpExtTCPSACKReneging).
    tcp_sack_reneging,
    /// SACK blocks of what was never sent (Linux: TcpExtTCPSACKDiscard).
    tcp_sack_ignored,
    /// D-SACK blocks received (Linux: TcpExtTCPDSACKRecv).
    tcp_dsack_received,
    /// D-SACK blocks sent (RFC 2883; Linux: TcpExtTCPDSACKOldSent).
    tcp_dsack_sent,
    /// Packets received that a router had marked (RFC 3168; Linux: IpExtInCEPkts).
    tcp_ce_received,
    /// Reductions because the peer reported such a mark.
    tcp_ecn_reductions,
    /// Segments made smaller: by ICMP (RFC 1191), or because large ones vanished (RFC 4821).
    tcp_mtu_reduced,
    /// ICMP messages that are believed only if the segment they quote times out (RFC 5927 7.2).
    tcp_mtu_pending,
    /// Larger segments that arrived (RFC 4821; Linux: TcpExtTCPMTUPSuccess).
    tcp_mtu_probe_success,
    /// Larger segments that were lost (RFC 4821; Linux: TcpExtTCPMTUPFail).
    tcp_mtu_probe_fail,
    /// Probes of a closed window.
    tcp_window_probes,
    /// Acknowledgements that waited for the timer.
    tcp_delayed_acks,
    /// Connections given up: no acknowledgement, or no answer to keepalive.
    tcp_given_up,
    /// Data that arrived after the service had closed.
    tcp_data_after_close,
    /// Data behind the peer's FIN.
    tcp_data_after_fin,
}
