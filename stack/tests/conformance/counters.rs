//! Every counter moves where its event happens: a table of events and what they count.

mod network;

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use ferroflow_stack::Counters;
use ferroflow_stack::steer::Steer;
use ferroflow_stack::tcp::Keepalive;
use ferroflow_stack::tcp::mtu::MtuProbing;
use ferroflow_wire::MacAddr;
use ferroflow_wire::arp::ArpPacket;
use ferroflow_wire::ethernet::EtherType;
use ferroflow_wire::icmpv4::{IcmpMessage, unreachable};
use ferroflow_wire::ipv4::{IpProtocol, Ipv4Header};

use crate::fragments::fragments;
use crate::icmp::{echo, from_peer, udp_frame};
use crate::ipv4_udp::with_options;
use crate::mtu::too_large;
use crate::peer::{
    LISTEN, PEER_IP, PEER_MAC, STACK_IP, STACK_MAC, arp_frame, eth_frame, ip_frame, ip_frame_of,
};
use crate::prelude::*;

use network::*;

/// What happens, what it counts, and how it is made to happen.
type Case = (&'static str, &'static [&'static str], fn() -> Counters);

/// Counters that no event here moves, and why.
const EXCEPTIONS: [(&str, &str); 0] = [];

const CASES: &[Case] = &[
    ("frames", &["rx_frames", "rx_bytes", "tx_frames", "tx_bytes"], open_and_talk),
    ("a connection", &["tcp_segments_in", "tcp_segments_out", "tcp_bytes_in", "tcp_accepted"], open_and_talk),
    ("its end by a reset", &["tcp_closed", "tcp_reset_received"], open_and_talk),
    ("a little data now and then", &["tcp_delayed_acks"], open_and_talk),
    ("an open", &["tcp_connected", "arp_requests"], connect),
    ("an open that is refused", &["tcp_connect_failed"], refused),
    ("a flood of SYNs", &["tcp_no_listener", "tcp_resets_sent", "tx_dropped"], flood),
    ("a flood of SYNs, replies limited", &["tcp_resets_limited"], limited_flood),
    ("frames of others", &["not_for_us", "other_vlan", "unknown_ethertype"], frames_of_others),
    ("rubbish in Ethernet and IP", &["malformed_ethernet", "malformed_arp", "malformed_ipv4"], rubbish),
    ("rubbish in IP packets", &["malformed_icmp", "malformed_udp", "malformed_tcp"], rubbish),
    ("damage in headers", &["ipv4_bad_checksum", "icmp_bad_checksum"], damage),
    ("damage in text", &["udp_bad_checksum", "tcp_bad_checksum"], damage),
    ("odd packets", &["martian", "source_routed", "fragments", "not_our_address"], odd_packets),
    ("a datagram in fragments", &["reassembled", "reassembly_duplicate"], in_fragments),
    ("fragments that do not fit", &["reassembly_overlap", "reassembly_late"], odd_fragments),
    ("fragments that cannot be", &["reassembly_malformed", "reassembly_too_many"], odd_fragments),
    ("fragments beyond the limit", &["reassembly_evicted", "reassembly_timed_out"], odd_fragments),
    ("a mark that would be lost", &["reassembly_ecn"], odd_fragments),
    ("a datagram of another core", &["reassembly_stranded"], fragments_of_another_core),
    ("a question for our address", &["arp_replies"], arp),
    ("claims", &["arp_conflicts", "arp_refused"], arp),
    ("a neighbour that is not there", &["arp_unreachable"], nobody_there),
    ("many neighbours", &["arp_evicted"], many_neighbors),
    ("many neighbours that do not answer", &["arp_full"], many_unanswered),
    ("many that wait for one neighbour", &["arp_pending_full"], many_waiting),
    ("a ping and a datagram", &["icmp_echoes", "udp_no_port", "icmp_errors_sent"], ping_and_datagram),
    ("many datagrams", &["icmp_errors_limited"], many_datagrams),
    ("an ICMP error of nothing", &["icmp_errors_received", "icmp_errors_ignored"], icmp_error),
    ("a segment of no connection", &["tcp_no_connection"], no_connection),
    ("a full backlog", &["tcp_backlog_full"], full_backlog),
    ("a full backlog with cookies", &["tcp_syncookies_sent", "tcp_syncookies_recv"], cookies),
    ("a wrong cookie", &["tcp_syncookies_failed"], cookies),
    ("a full table", &["tcp_table_full"], full_table),
    ("a service that does not want", &["tcp_refused_by_service"], unwanted),
    ("too many in TIME_WAIT", &["tcp_time_wait_evicted"], time_wait),
    ("a SYN for one in TIME_WAIT", &["tcp_time_wait_reused"], time_wait),
    ("an acknowledgement of nothing", &["tcp_bad_ack"], odd_segments),
    ("a segment beside the window", &["tcp_out_of_window", "tcp_ack_skipped_seq"], odd_segments),
    ("segments behind a gap", &["tcp_out_of_order", "tcp_ofo_merge"], twice),
    ("data that comes twice", &["tcp_dsack_old_sent", "tcp_dsack_ofo_sent"], twice),
    ("gaps beyond the limit", &["tcp_too_many_gaps"], many_gaps),
    ("gaps beyond the core's memory", &["tcp_memory_short"], much_behind_gaps),
    ("silence", &["tcp_trimmed"], silence),
    ("no timestamp", &["tcp_no_timestamp"], timestamps),
    ("an old timestamp", &["tcp_paws", "tcp_ack_skipped_paws"], timestamps),
    ("a blind reset", &["tcp_challenge_ack", "tcp_challenge_skipped"], blind),
    ("a blind SYN", &["tcp_syn_challenge"], blind),
    ("a SYN,ACK that is lost", &["tcp_syn_retrans", "tcp_timeouts", "tcp_retransmitted"], lost_syn_ack),
    ("a gap that SACK tells of", &["tcp_sack_recovery", "tcp_fast_retrans"], sack_recovery),
    ("a retransmission that is lost", &["tcp_lost_retransmit"], lost_again),
    ("a time-out in recovery", &["tcp_sack_failures", "tcp_slow_start_retrans"], sack_recovery_times_out),
    ("three duplicates", &["tcp_reno_recovery", "tcp_partial_ack"], reno_recovery),
    ("a time-out in recovery without SACK", &["tcp_reno_failures"], reno_recovery),
    ("time-out after time-out", &["tcp_loss_failures"], loss_times_out),
    ("a segment that was overtaken", &["tcp_reordered"], overtaken),
    ("a lost tail", &["tcp_loss_probes", "tcp_loss_probe_recovery"], lost_tail),
    ("a late ACK after a time-out", &["tcp_loss_undo", "tcp_spurious_by_timestamp"], eifel_after_time_out),
    ("a late ACK of everything", &["tcp_full_undo", "tcp_undone"], eifel_in_recovery),
    ("a late ACK of a part", &["tcp_partial_undo"], eifel_of_a_part),
    ("D-SACK", &["tcp_dsack_received", "tcp_spurious_by_dsack", "tcp_dsack_ignored"], dsack),
    ("originals after a time-out", &["tcp_spurious_by_f_rto"], f_rto),
    ("a peer that forgets", &["tcp_sack_reneging"], reneging),
    ("SACK of what was never sent", &["tcp_sack_ignored"], lying),
    ("congestion by ECN", &["tcp_ce_received", "tcp_ecn_reductions"], ecn),
    ("a smaller path", &["tcp_mtu_reduced"], smaller_path),
    ("a smaller path, it is said", &["tcp_mtu_pending"], doubtful_path),
    ("a search for a larger path", &["tcp_mtu_probe_success"], larger_path),
    ("a search in vain", &["tcp_mtu_probe_fail"], no_larger_path),
    ("a closed window", &["tcp_window_probes"], closed_window),
    ("a peer that is gone", &["tcp_keepalive_probes", "tcp_given_up"], gone),
    ("data for nobody", &["tcp_data_after_close"], data_after_close),
    ("a close with unread data", &["tcp_closed_unread"], closed_unread),
    ("data behind a FIN", &["tcp_data_after_fin"], data_after_fin),
];

#[test]
fn every_counter_moves_where_its_event_happens() {
    let mut unmoved: BTreeSet<&str> = Counters::default().iter().map(|(name, _)| name).collect();
    let mut wrong = Vec::new();
    for &(what, moves, run) in CASES {
        let counters = run();
        for &name in moves {
            let value =
                counters.iter().find(|c| c.0 == name).unwrap_or_else(|| panic!("no counter {name}")).1;
            if value == 0 {
                wrong.push(format!("{what}: {name} has not moved"));
            }
            unmoved.remove(name);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(unmoved.iter().copied().eq(EXCEPTIONS.map(|(name, _)| name)), "no event for {unmoved:?}");
}

#[test]
fn a_quiet_connection_counts_nothing_odd() {
    let c = connect();
    let usual = ["rx_", "tx_", "arp_re", "tcp_segments", "tcp_connected"];
    let odd = c.iter().filter(|&(name, n)| n > 0 && !usual.iter().any(|u| name.starts_with(u)));
    assert_eq!(odd.collect::<Vec<_>>(), []);
}

const MSS: u32 = 1460;

fn seg(n: u32) -> u32 {
    1 + n * MSS
}

fn counted(mut p: Peer) -> Counters {
    p.out.clear();
    *p.counters()
}

/// A round trip of 50 ms was measured, and `n` bytes are written, of which ten segments are out.
fn writing(syn: Seg, n: usize, change: impl FnOnce(&mut ferroflow_stack::Config)) -> Peer {
    let mut p = Peer::with(change);
    let (win, timestamps) = (syn.win, syn.options.timestamps);
    p.send(syn);
    p.expect(SYN_ACK, 0, 1, 0);
    if let Some((value, _)) = timestamps {
        p.flow.ts = Some(value.wrapping_sub(p.now.as_millis() as u32));
    }
    p.advance(50);
    p.send(ack(1, 1).win(win));
    p.adopt();
    p.write(&bytes(n));
    p.drain();
    p
}

fn sacking(n: usize) -> Peer {
    writing(syn().wscale(7).sack(), n, |c| c.tcp.mtu_probing = MtuProbing::Off)
}

/// The peer has segments 1 to 3 and not the first one.
fn sack_first_gap(p: &mut Peer) {
    p.advance(50);
    p.send(ack(1, 1).sacks(&[(seg(1), seg(4))]));
}

fn open_and_talk() -> Counters {
    let mut p = Peer::established();
    for n in 0..40 {
        p.send(data(1 + n, 1, b"x"));
        p.advance(300);
    }
    p.send(rst(41));
    counted(p)
}

fn connect() -> Counters {
    let mut p = Peer::new();
    p.connect();
    p.send(syn_ack(1));
    p.adopt();
    counted(p)
}

fn refused() -> Counters {
    let mut p = Peer::new();
    p.connect();
    p.send(rst(0).flags(RST_ACK).ack_of(1));
    counted(p)
}

fn syns(mut p: Peer) -> Counters {
    p.flow.stack_port = 80;
    for _ in 0..4000 {
        p.inject(syn());
    }
    p.run();
    counted(p)
}

fn flood() -> Counters {
    syns(Peer::with(|c| {
        c.tcp.replies_per_second = 1_000_000;
        c.burst = 8192;
    }))
}

fn limited_flood() -> Counters {
    syns(Peer::new())
}

fn no_connection() -> Counters {
    let mut p = Peer::new();
    p.flow.stack_port = 80;
    p.send(ack(1, 1));
    counted(p)
}

fn full_backlog() -> Counters {
    let mut p = Peer::with_app(|c| c.tcp.syn_cookies = false, |app| app.listen[0].backlog = 1);
    for port in [1, 2] {
        p.switch(Flow::new(port));
        p.send(syn());
    }
    counted(p)
}

fn cookies() -> Counters {
    let mut p = Peer::with_app(|_| {}, |app| app.listen[0].backlog = 1);
    p.switch(Flow::new(1));
    p.send(syn());
    p.switch(Flow::new(2));
    p.out.clear();
    p.open(syn());
    p.switch(Flow::new(3));
    p.send(syn());
    p.recv();
    p.send(ack(1, 100));
    counted(p)
}

fn full_table() -> Counters {
    let mut p = Peer::with(|c| c.tcp.max_conns = 1);
    p.open(syn());
    p.switch(Flow::new(2));
    p.send(syn());
    counted(p)
}

fn unwanted() -> Counters {
    let mut p = Peer::new();
    p.on(On::Accepted, Act::Refuse);
    p.send(syn());
    p.expect(SYN_ACK, 0, 1, 0);
    p.send(ack(1, 1));
    counted(p)
}

fn time_wait() -> Counters {
    let mut p = Peer::with(|c| c.tcp.max_time_wait = 1);
    for port in [1, 2] {
        p.switch(Flow::new(port));
        p.open(syn());
        p.close();
        p.recv();
        p.send(fin(1, 2));
        p.recv();
    }
    p.send(syn().seq(70_000));
    counted(p)
}

fn odd_segments() -> Counters {
    let mut p = Peer::established();
    p.send(ack(1, 1000));
    p.send(ack(100_000, 1));
    p.send(ack(100_000, 1));
    counted(p)
}

fn twice() -> Counters {
    let mut p = Peer::new();
    p.open(syn().sack());
    for _ in 0..2 {
        p.send(data(1, 1, &bytes(100)));
        p.send(data(201, 1, &bytes(100)));
    }
    counted(p)
}

fn many_gaps() -> Counters {
    let mut p = Peer::established_with(|c| c.tcp.max_gaps = 2);
    for n in 0..4 {
        p.send(data(101 + n * 200, 1, &bytes(100)));
    }
    counted(p)
}

fn much_behind_gaps() -> Counters {
    let mut p = Peer::established_with(|c| c.tcp.memory = 20_000);
    for n in 0..40 {
        p.send(data(1001 + n * 1000, 1, &bytes(1000)));
    }
    counted(p)
}

fn silence() -> Counters {
    let mut p = Peer::established();
    p.write(b"x");
    p.send(ack(1, 2));
    p.advance(10_000);
    counted(p)
}

fn timestamps() -> Counters {
    let mut p = Peer::new();
    p.open(syn().ts(1_000_000, 0));
    p.send(data(1, 1, b"x").bare());
    for _ in 0..2 {
        p.send(ack(1, 1).ts(1, 0));
    }
    counted(p)
}

fn blind() -> Counters {
    let mut p = Peer::established();
    p.send(rst(100));
    p.send(rst(100));
    p.send(syn().seq(100));
    counted(p)
}

fn lost_syn_ack() -> Counters {
    let mut p = Peer::new();
    p.send(syn());
    p.advance(2000);
    counted(p)
}

fn sack_recovery() -> Counters {
    let mut p = sacking(14_600);
    sack_first_gap(&mut p);
    counted(p)
}

fn lost_again() -> Counters {
    let mut p = sacking(100_000);
    sack_first_gap(&mut p); // the first segment goes again
    p.drain();
    p.advance(10);
    p.send(ack(1, 1).sacks(&[(seg(1), seg(10))])); // and new ones after it
    let new = p.drain().into_iter().map(|got| got.seq).find(|&seq| seq >= seg(10)).expect("new segments");
    p.advance(60);
    p.send(ack(1, 1).sacks(&[(new, new + MSS), (seg(1), seg(10))]));
    counted(p)
}

fn sack_recovery_times_out() -> Counters {
    let mut p = sacking(14_600);
    sack_first_gap(&mut p);
    p.advance(5000);
    counted(p)
}

fn reno_recovery() -> Counters {
    let mut p = writing(syn().wscale(7), 14_600, |_| {});
    for _ in 0..3 {
        p.send(ack(1, 1));
    }
    p.send(ack(1, seg(4)));
    p.advance(5000);
    counted(p)
}

fn loss_times_out() -> Counters {
    let mut p = writing(syn().wscale(7), 14_600, |_| {});
    p.until_sent(2000);
    p.drain();
    p.send(ack(1, seg(1)));
    p.drain();
    p.advance(5000);
    counted(p)
}

fn overtaken() -> Counters {
    let mut p = sacking(14_600);
    p.advance(50);
    p.send(ack(1, 1).sacks(&[(seg(1), seg(2))]));
    p.advance(1);
    p.send(ack(1, seg(2)));
    counted(p)
}

fn lost_tail() -> Counters {
    let mut p = sacking(2920);
    p.until_sent(1000);
    p.recv();
    p.send(ack(1, seg(2)));
    p.write(b"more");
    p.drain();
    p.send(ack(1, seg(2) + 4));
    counted(p)
}

fn eifel_after_time_out() -> Counters {
    let mut p = writing(syn().wscale(7).ts(1_000_000, 0), 2000, |_| {});
    p.until_sent(2000); // its timestamp is not read: the echo is of the first transmission
    p.send(ack(1, 1449));
    counted(p)
}

/// The first segment has gone again, and its timestamp is not read.
fn needless_recovery() -> Peer {
    let mut p = writing(syn().wscale(7).sack().ts(1_000_000, 0), 14_480, |c| {
        c.tcp.mtu_probing = MtuProbing::Off;
    });
    p.advance(50);
    p.send(ack(1, 1).sacks(&[(1449, 1 + 4 * 1448)]));
    p
}

fn eifel_in_recovery() -> Counters {
    let mut p = needless_recovery();
    p.send(ack(1, 1).sacks(&[(0, 1), (1449, 1 + 4 * 1448)])); // it knows D-SACK, and would tell (RFC 3522 3.2 step 5)
    p.send(ack(1, 14_481));
    counted(p)
}

fn eifel_of_a_part() -> Counters {
    let mut p = needless_recovery();
    p.send(ack(1, 1 + 4 * 1448));
    counted(p)
}

fn dsack() -> Counters {
    let mut p = sacking(14_600);
    sack_first_gap(&mut p);
    p.send(ack(1, seg(10)).sacks(&[(1, seg(1))]));
    p.send(ack(1, seg(10)).sacks(&[(0xf000_0000, 0xf000_0100)]));
    counted(p)
}

fn f_rto() -> Counters {
    let mut p = writing(syn().wscale(7).sack(), 100_000, |c| {
        c.tcp.tail_loss_probe = false;
        c.tcp.mtu_probing = MtuProbing::Off;
    });
    p.until_sent(2000);
    p.drain();
    p.send(ack(1, seg(1)));
    p.send(ack(1, seg(2)));
    counted(p)
}

fn reneging() -> Counters {
    let mut p = sacking(14_600);
    p.advance(50);
    p.send(ack(1, 1).sacks(&[(1, seg(1))]));
    p.advance(5000);
    counted(p)
}

fn lying() -> Counters {
    let mut p = sacking(14_600);
    p.send(ack(1, 1).sacks(&[(seg(100), seg(101))]));
    counted(p)
}

fn ecn() -> Counters {
    const ECE: TcpFlags = TcpFlags::ECE;
    let mut p = Peer::new();
    p.send(syn().flags(SYN | ECE | TcpFlags::CWR));
    p.expect(SYN_ACK | ECE, 0, 1, 0);
    p.send(ack(1, 1));
    p.adopt();
    let mut marked = p.frame(&data(1, 1, b"x"));
    marked[15] |= 3; // RFC 3168 5: congestion experienced
    marked[24..26].fill(0);
    let sum = ferroflow_wire::checksum::checksum(&marked[14..34]);
    marked[24..26].copy_from_slice(&sum.to_be_bytes());
    p.inject_frame(marked);
    p.write(&bytes(14_600));
    p.send(ack(2, seg(1)).flags(ACK | ECE));
    counted(p)
}

fn smaller_path() -> Counters {
    let mut p = writing(syn().wscale(7), 100_000, |_| {});
    too_large(&mut p, 1, 1500, 1400);
    counted(p)
}

fn doubtful_path() -> Counters {
    let mut p = writing(syn().wscale(7), 100_000, |_| {});
    p.send(ack(1, seg(10)));
    too_large(&mut p, seg(10), 1500, 600);
    counted(p)
}

/// The first segment is a probe for 1500 bytes; its end, and that of all that was sent.
fn probing() -> (Peer, u32, u32) {
    let mut p = Peer::with(|c| c.tcp.mtu_probing = MtuProbing::Always);
    p.open(syn().wscale(7).sack());
    p.write(&bytes(200_000));
    let sent = p.drain();
    let end = |got: &Got| got.seq + got.text.len() as u32;
    let (first, last) = (end(&sent[0]), end(sent.last().expect("segments")));
    (p, first, last)
}

fn larger_path() -> Counters {
    let (mut p, first, _) = probing();
    p.send(ack(1, first));
    counted(p)
}

fn no_larger_path() -> Counters {
    let (mut p, first, last) = probing();
    p.send(ack(1, 1).sacks(&[(first, last)]));
    counted(p)
}

fn closed_window() -> Counters {
    let mut p = Peer::established();
    p.send(ack(1, 1).win(0));
    p.write(b"x");
    p.advance(5000);
    counted(p)
}

fn gone() -> Counters {
    let (idle, interval) = (Duration::from_secs(60), Duration::from_secs(10));
    let mut p = Peer::established_with(|c| c.tcp.keepalive = Some(Keepalive { idle, interval, probes: 3 }));
    p.advance(100_000);
    counted(p)
}

fn data_after_close() -> Counters {
    let mut p = Peer::established();
    p.close();
    p.send(data(1, 1, b"x"));
    counted(p)
}

fn closed_unread() -> Counters {
    let mut p = Peer::established();
    p.take(Take::Nothing);
    p.send(data(1, 1, b"x"));
    p.close();
    counted(p)
}

fn data_after_fin() -> Counters {
    let mut p = Peer::established();
    p.send(fin(101, 1));
    p.send(data(150, 1, b"x"));
    counted(p)
}
