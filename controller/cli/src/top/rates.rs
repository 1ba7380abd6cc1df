//! From two snapshots to figures per second. What a port or the kernel's sockets do not count is `None`.

use std::collections::BTreeMap;

use crate::control::{Core, Snapshot};

/// One line of the page: a core, or all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Rates {
    /// Share of the time without anything to do, 0 to 1.
    pub(super) idle: Option<f64>,
    pub(super) packets_in: Option<f64>,
    pub(super) packets_out: Option<f64>,
    pub(super) bytes_in: Option<f64>,
    pub(super) bytes_out: Option<f64>,
    /// Packets received in a turn that received any.
    pub(super) burst: Option<f64>,
    /// Packets, both ways, for each call of the kernel.
    pub(super) per_entry: Option<f64>,
    /// Packets copied to other cores.
    pub(super) handed_over: Option<f64>,
    /// Open connections, now.
    pub(super) conns: u64,
    pub(super) retransmits: Option<f64>,
    /// Messages that came to the controller.
    pub(super) messages: Option<f64>,
    /// flow_mods and packet_outs.
    pub(super) responses: Option<f64>,
}

/// What is dropped for one reason.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Drops {
    pub(super) reason: String,
    pub(super) per_second: f64,
    pub(super) total: u64,
}

/// What the page shows.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Figures {
    /// By core; `None` is one that did not answer twice.
    pub(super) cores: Vec<Option<Rates>>,
    pub(super) all: Rates,
    /// The busiest reasons first; reasons for which nothing was ever dropped are not there.
    pub(super) drops: Vec<Drops>,
}

/// What happened between `before` and `after`. Without `before`, or where that was another process, only what needs no
/// interval is there.
pub(super) fn between(before: Option<&Snapshot>, after: &Snapshot) -> Figures {
    let before = before.filter(|before| before.pid == after.pid);
    let mut cores = Vec::new();
    let mut sum = Change::default();
    let mut drops: BTreeMap<&str, Drops> = BTreeMap::new();
    for (index, now) in after.cores.iter().enumerate() {
        let Some(now) = now else {
            cores.push(None);
            continue;
        };
        let then = before.and_then(|before| before.cores.get(index)?.as_ref());
        let change = Change::of(then, now);
        sum.add(&change);
        cores.push(Some(change.rates()));
        for (reason, total) in dropped(now) {
            let of = drops.entry(reason).or_insert_with(|| Drops {
                reason: reason.to_owned(),
                per_second: 0.0,
                total: 0,
            });
            of.total += total;
            if change.seconds > 0.0 {
                let earlier = then.and_then(|then| value(then, reason)).unwrap_or(0);
                of.per_second += total.saturating_sub(earlier) as f64 / change.seconds;
            }
        }
    }
    let mut drops: Vec<_> = drops.into_values().collect();
    drops.sort_by(|a, b| b.per_second.total_cmp(&a.per_second).then(b.total.cmp(&a.total)));
    Figures { cores, all: sum.rates(), drops }
}

/// What changed on a core, or on several: counts, not rates, so that shares and quotients of all cores are right.
#[derive(Debug, Clone, Copy, Default)]
struct Change {
    /// How long each core was looked at.
    seconds: f64,
    cores: u32,
    idle: f64,
    busy_turns: u64,
    entries: u64,
    conns: u64,
    packets_in: Option<u64>,
    packets_out: Option<u64>,
    bytes_in: Option<u64>,
    bytes_out: Option<u64>,
    handed_over: Option<u64>,
    retransmits: Option<u64>,
    messages: Option<u64>,
    responses: Option<u64>,
}

impl Change {
    fn of(then: Option<&Core>, now: &Core) -> Change {
        let Some(then) = then.filter(|then| then.at_ns < now.at_ns) else {
            return Change { cores: 1, conns: now.conns, ..Change::default() };
        };
        let grown = |name: &str| Some(value(now, name)?.saturating_sub(value(then, name).unwrap_or(0)));
        let turns = |core: &Core| core.turns.saturating_sub(core.idle_turns);
        Change {
            seconds: (now.at_ns - then.at_ns) as f64 / 1e9,
            cores: 1,
            idle: now.idle_ns.saturating_sub(then.idle_ns) as f64 / 1e9,
            busy_turns: turns(now).saturating_sub(turns(then)),
            entries: now.kernel_entries.saturating_sub(then.kernel_entries),
            conns: now.conns,
            packets_in: grown("rx_frames"),
            packets_out: grown("tx_frames"),
            bytes_in: grown("rx_bytes").or_else(|| grown("bytes_in")),
            bytes_out: grown("tx_bytes").or_else(|| grown("bytes_out")),
            handed_over: grown("handed_over"),
            retransmits: grown("tcp_retransmitted"),
            messages: grown("messages"),
            responses: grown("flow_mods").zip(grown("packet_outs")).map(|(a, b)| a + b),
        }
    }

    fn add(&mut self, other: &Change) {
        fn sum(a: &mut Option<u64>, b: Option<u64>) {
            *a = a.map_or(b, |a| Some(a + b.unwrap_or(0)));
        }
        // The cores are asked at the same time, but for microseconds.
        self.seconds = self.seconds.max(other.seconds);
        self.cores += other.cores;
        self.idle += other.idle;
        self.busy_turns += other.busy_turns;
        self.entries += other.entries;
        self.conns += other.conns;
        sum(&mut self.packets_in, other.packets_in);
        sum(&mut self.packets_out, other.packets_out);
        sum(&mut self.bytes_in, other.bytes_in);
        sum(&mut self.bytes_out, other.bytes_out);
        sum(&mut self.handed_over, other.handed_over);
        sum(&mut self.retransmits, other.retransmits);
        sum(&mut self.messages, other.messages);
        sum(&mut self.responses, other.responses);
    }

    fn rates(&self) -> Rates {
        let timed = self.seconds > 0.0;
        let rate = |n: Option<u64>| n.filter(|_| timed).map(|n| n as f64 / self.seconds);
        let ratio = |n: Option<u64>, per: u64| n.filter(|_| per > 0).map(|n| n as f64 / per as f64);
        let both = self.packets_in.zip(self.packets_out).map(|(a, b)| a + b);
        Rates {
            idle: timed.then(|| (self.idle / (self.seconds * f64::from(self.cores))).clamp(0.0, 1.0)),
            packets_in: rate(self.packets_in),
            packets_out: rate(self.packets_out),
            bytes_in: rate(self.bytes_in),
            bytes_out: rate(self.bytes_out),
            burst: ratio(self.packets_in, self.busy_turns),
            per_entry: ratio(both, self.entries),
            handed_over: rate(self.handed_over),
            conns: self.conns,
            retransmits: rate(self.retransmits),
            messages: rate(self.messages),
            responses: rate(self.responses),
        }
    }
}

fn value(core: &Core, name: &str) -> Option<u64> {
    [&core.stack, &core.port, &core.service].into_iter().find_map(|map| map.get(name)).copied()
}

/// Counters of the stack, the sockets and the controller that say that something was thrown away or refused.
const DROPS: &[&str] = &[
    "tx_dropped",
    "other_vlan",
    "unknown_ethertype",
    "malformed_ethernet",
    "malformed_arp",
    "malformed_ipv4",
    "malformed_icmp",
    "malformed_udp",
    "malformed_tcp",
    "ipv4_bad_checksum",
    "icmp_bad_checksum",
    "udp_bad_checksum",
    "tcp_bad_checksum",
    "martian",
    "source_routed",
    "reassembly_timed_out",
    "reassembly_overlap",
    "reassembly_malformed",
    "reassembly_too_many",
    "reassembly_evicted",
    "reassembly_ecn",
    "reassembly_stranded",
    "arp_full",
    "arp_pending_full",
    "tcp_no_listener",
    "tcp_no_connection",
    "tcp_backlog_full",
    "tcp_table_full",
    "tcp_refused_by_service",
    "tcp_no_timestamp",
    "tcp_paws",
    "tcp_out_of_window",
    "tcp_memory_short",
    "tcp_too_many_gaps",
    "refused",
    "table_full",
    "accept_lost",
    "accept_exhausted",
    "bytes_discarded",
    "refused_unready",
    "refused_unready_address",
    "refused_sessions",
    "refused_backlog",
    "malformed",
    "packet_outs_dropped",
    "flow_mods_refused",
    "sends_refused",
    "truncated_dropped",
    "requests_refused",
    "commands_refused",
    "events_dropped",
    "mail_refused",
];

/// Parts of the names that ports give to such counters.
const PORTS_DROP: &[&str] =
    &["dropped", "refused", "too_long", "rx_cut", "damaged", "invalid", "ring_full", "no_buffer"];

/// What was dropped on a core, by reason; not the reasons that never applied.
fn dropped(core: &Core) -> impl Iterator<Item = (&str, u64)> {
    let ports = core.port.iter().filter(|(name, _)| PORTS_DROP.iter().any(|part| name.contains(part)));
    let rest = [&core.stack, &core.service].into_iter().flat_map(|map| map.iter());
    let rest = rest.filter(|(name, _)| DROPS.contains(&name.as_str()));
    ports.chain(rest).filter(|(_, n)| **n > 0).map(|(name, n)| (name.as_str(), *n))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn map(pairs: &[(&str, u64)]) -> BTreeMap<String, u64> {
        pairs.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect()
    }

    /// A core of the own stack that has run for `seconds`, with so much of everything per second.
    pub(in crate::top) fn core(seconds: u64, each: u64) -> Core {
        let n = seconds * each;
        Core {
            at_ns: seconds * 1_000_000_000,
            conns: 16,
            turns: 2 * n,
            idle_turns: n,
            sleeps: n,
            idle_ns: seconds * 250_000_000,
            kernel_entries: 2 * n,
            stack: map(&[
                ("rx_frames", 8 * n),
                ("tx_frames", 4 * n),
                ("rx_bytes", 800 * n),
                ("tx_bytes", 400 * n),
                ("tcp_retransmitted", seconds),
                ("tcp_bad_checksum", 3 * seconds),
                ("martian", 0),
            ]),
            port: map(&[("handed_over", n), ("tap_tx_refused", 7), ("tap_calls", 5)]),
            service: map(&[("messages", 9 * n), ("flow_mods", 5 * n), ("packet_outs", n)]),
        }
    }

    pub(in crate::top) fn snapshot(cores: Vec<Option<Core>>) -> Snapshot {
        Snapshot {
            pid: 4711,
            runs: "ferroflow 0.1.0: learning-switch on 3 cores, its own TCP/IP stack at 10.77.0.2 on the TAP interface ff0"
                .to_owned(),
            listening: vec!["10.77.0.2:6653".to_owned(), "10.77.0.2:6633".to_owned()],
            uptime_ms: 3_723_000,
            cores,
        }
    }

    #[test]
    fn rates_are_what_happened_over_the_time_that_it_took() {
        let (before, after) = (
            snapshot(vec![Some(core(10, 100)), None]),
            snapshot(vec![Some(core(12, 100)), Some(core(12, 50))]),
        );
        let figures = between(Some(&before), &after);
        let first = figures.cores[0].unwrap();
        assert_eq!(first.packets_in, Some(800.0));
        assert_eq!(first.bytes_out, Some(40_000.0));
        assert_eq!(first.burst, Some(8.0));
        assert_eq!(first.per_entry, Some(6.0));
        assert_eq!(first.idle, Some(0.25));
        assert_eq!(first.responses, Some(600.0));
        assert_eq!(first.retransmits, Some(1.0));
        // The second core has answered for the first time: no interval yet.
        let second = figures.cores[1].unwrap();
        assert_eq!((second.packets_in, second.idle, second.conns), (None, None, 16));
        assert_eq!(figures.all.conns, 32);
        assert_eq!(figures.all.packets_in, Some(800.0));
    }

    #[test]
    fn drops_are_summed_by_reason_the_busiest_first() {
        let before = snapshot(vec![Some(core(10, 1)), Some(core(10, 1))]);
        let after = snapshot(vec![Some(core(11, 1)), Some(core(11, 1))]);
        let drops = between(Some(&before), &after).drops;
        let drops: Vec<_> = drops.iter().map(|d| (d.reason.as_str(), d.per_second, d.total)).collect();
        assert_eq!(drops, [("tcp_bad_checksum", 6.0, 66), ("tap_tx_refused", 0.0, 14)]);
    }

    #[test]
    fn another_process_is_not_compared() {
        let before = snapshot(vec![Some(core(10, 1))]);
        let after = Snapshot { pid: 1, ..snapshot(vec![Some(core(11, 1))]) };
        assert_eq!(between(Some(&before), &after).all.packets_in, None);
        // Nor is a core with an answer from the future.
        let figures = between(Some(&after), &Snapshot { pid: 1, ..before });
        assert_eq!(figures.all.packets_in, None);
    }

    #[test]
    fn what_sockets_do_not_have_is_left_out() {
        let sockets = |s| Core {
            stack: map(&[("bytes_in", 10 * s), ("bytes_out", s)]),
            port: BTreeMap::new(),
            ..core(s, 1)
        };
        let all = between(Some(&snapshot(vec![Some(sockets(1))])), &snapshot(vec![Some(sockets(2))])).all;
        assert_eq!((all.bytes_in, all.bytes_out), (Some(10.0), Some(1.0)));
        assert_eq!(
            (all.packets_in, all.burst, all.per_entry, all.handed_over, all.retransmits),
            (None, None, None, None, None)
        );
    }

    /// A counter that is renamed must not vanish from the page.
    #[test]
    fn the_names_are_those_of_counters() {
        let mut service = Vec::new();
        let controller = ferroflow::Controller::builder().build_cores(1).unwrap().remove(0);
        ferroflow_stack::Service::report(&controller, &mut |name, _| service.push(name));
        let stack = ferroflow_stack::Counters::default();
        let sockets = ferroflow_runtime::kernel::Counters::default();
        let known: Vec<_> = stack.iter().chain(sockets.iter()).map(|(name, _)| name).chain(service).collect();
        let wanted = [
            "rx_frames",
            "tx_frames",
            "rx_bytes",
            "tx_bytes",
            "bytes_in",
            "bytes_out",
            "tcp_retransmitted",
            "messages",
            "flow_mods",
            "packet_outs",
        ];
        for name in DROPS.iter().chain(&wanted) {
            assert!(known.contains(name), "nothing counts {name}");
        }
    }
}
