//! What the demo shows at its end.

use std::io::Write;
use std::time::Duration;

use cbench::load::{Latency, Snapshot};
use comfy_table::{Cell, CellAlignment, Table, presets};

use super::Findings;
use super::stage::Totals;

/// Prints the table on stdout.
pub(super) fn print(f: &Findings) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(vec!["", "pings", "cbench, latency", "cbench, throughput"]);
    let p = &f.pings;
    let (l, t) = (&f.latency, &f.throughput);
    let mut row = |name: &str, cells: [String; 3]| {
        let cells = cells.into_iter().map(|c| Cell::new(c).set_alignment(CellAlignment::Right));
        table.add_row(std::iter::once(Cell::new(name)).chain(cells).collect::<Vec<_>>());
    };
    row("switches", [p.switches.len().to_string(), switches(l), switches(t)]);
    row("pings answered", [format!("{} of {}", p.pings_answered, p.pings_wanted), none(), none()]);
    let all = [&f.ping_totals, &f.latency_totals, &f.throughput_totals];
    row("packet_ins received", all.map(|totals| group(totals.packet_ins)));
    row("flows installed", all.map(|totals| group(totals.flow_mods)));
    row("responses per second", [none(), rate(l), rate(t)]);
    row("  per core-second", [none(), per_core(l, &f.latency_totals), per_core(t, &f.throughput_totals)]);
    // Most pings meet flows that are installed by then, and take no time in an emulated switch: only the slow ones, which
    // went through the controller, say something.
    let slow = percentile(&p.round_trips, 0.99);
    row("round trip, half within", [none(), time(l, |x| x.p50_ns), time(t, |x| x.p50_ns)]);
    row("            99% within", [slow, time(l, |x| x.p99_ns), time(t, |x| x.p99_ns)]);
    row("TCP retransmissions", all.map(|totals| group(totals.stack.tcp_retransmitted)));
    row("controller cores used", all.map(|totals| format!("{} of {}", totals.cores_used, f.cores)));
    row("  their processor time", all.map(cpu));
    writeln!(out, "{table}")?;
    writeln!(
        out,
        "Controller, learning switch and TCP/IP ran on our own stack over pipes in memory; so did the switches.\n\
         Round trips under full load (throughput) include the queue that the load itself builds up."
    )?;
    out.flush()
}

fn none() -> String {
    "–".to_owned()
}

fn switches(s: &Snapshot) -> String {
    s.connected.to_string()
}

fn rate(s: &Snapshot) -> String {
    s.summaries.first().map_or_else(none, |s| group(s.avg as u64))
}

/// All answers of the run, warm-up included, by all the processor time it took.
fn per_core(s: &Snapshot, totals: &Totals) -> String {
    let seconds = totals.cpu_time.as_secs_f64();
    if seconds > 0.0 { group((s.responses as f64 / seconds) as u64) } else { none() }
}

fn time(s: &Snapshot, of: impl Fn(&Latency) -> u64) -> String {
    s.latency.as_ref().map_or_else(none, |l| span(of(l)))
}

fn percentile(histogram: &hdrhistogram::Histogram<u64>, quantile: f64) -> String {
    if histogram.is_empty() { none() } else { span(histogram.value_at_quantile(quantile)) }
}

fn span(ns: u64) -> String {
    match ns {
        0..10_000_000 => format!("{:.1} us", ns as f64 / 1e3),
        _ => format!("{:.1} ms", ns as f64 / 1e6),
    }
}

fn cpu(totals: &Totals) -> String {
    format!("{:.2} s", totals.cpu_time.max(Duration::ZERO).as_secs_f64())
}

/// A number with its thousands apart.
fn group(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_times_have_units() {
        assert_eq!(group(0), "0");
        assert_eq!(group(1_234_567), "1 234 567");
        assert_eq!(span(1_500), "1.5 us");
        assert_eq!(span(25_000_000), "25.0 ms");
    }
}
