//! The grid's results as a table.

use std::fmt::Write;

use super::grid::{Plan, Results, Series};
use super::transfer::{Outcome, Roles, Tcp};

/// One comparison: the stack in one role over one way, and the kernel over the same way.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// The cell's number in the plan.
    pub cell: usize,
    /// The stack's role.
    pub roles: Roles,
    /// The kernel's results.
    pub kernel: &'a Series,
    /// The stack's results.
    pub ours: &'a Series,
}

impl Row<'_> {
    /// The stack's goodput by the kernel's.
    pub fn ratio(&self) -> f64 {
        self.ours.median() / self.kernel.median().max(1e-3)
    }

    /// Segments that the sender sent again, and its retransmission time-outs.
    fn resent(&self) -> (u64, u64) {
        resent(self.ours, self.roles.sender)
    }
}

fn resent(series: &Series, sender: Tcp) -> (u64, u64) {
    let names = match sender {
        Tcp::Kernel => ("TcpRetransSegs", "TcpExtTCPTimeouts"),
        Tcp::Ours => ("tcp_retransmitted", "tcp_timeouts"),
    };
    (series.of_sender(names.0), series.of_sender(names.1))
}

/// All comparisons, by cell and role.
pub fn rows<'a>(plan: &Plan, results: &'a Results) -> Vec<Row<'a>> {
    let mut rows = Vec::new();
    for cell in 0..plan.cells.len() {
        for &roles in &plan.roles {
            let [kernel, ours] = [roles.baseline(), roles].map(|roles| results.get(&(cell, roles)));
            if let (Some(kernel), Some(ours)) = (kernel, ours) {
                rows.push(Row { cell, roles, kernel, ours });
            }
        }
    }
    rows
}

/// What the whole grid comes to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// Geometric mean of the ratios.
    pub mean: f64,
    /// The smallest ratio.
    pub min: f64,
}

impl Verdict {
    /// Of all rows. Without rows there is nothing to be content with: both are 0.
    pub fn of(rows: &[Row<'_>]) -> Verdict {
        Verdict::of_ratios(&rows.iter().map(Row::ratio).collect::<Vec<_>>())
    }

    fn of_ratios(ratios: &[f64]) -> Verdict {
        if ratios.is_empty() {
            return Verdict { mean: 0.0, min: 0.0 };
        }
        let logs: f64 = ratios.iter().map(|r| r.max(1e-3).ln()).sum();
        let min = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        Verdict { mean: (logs / ratios.len() as f64).exp(), min }
    }
}

const HEAD: [&str; 12] = [
    "loss %",
    "RTT ms",
    "reorder %",
    "stack is",
    "kernel Mbit/s",
    "stack Mbit/s",
    "ratio",
    "kernel spread",
    "stack spread",
    "resent k",
    "resent",
    "RTO k/stack",
];

/// One line per comparison, aligned for reading.
pub fn markdown(plan: &Plan, rows: &[Row<'_>]) -> String {
    let mut text = format!("| {} |\n|{}\n", HEAD.join(" | "), "---:|".repeat(HEAD.len()));
    for row in rows {
        let _ = writeln!(text, "| {} |", fields(plan, row).join(" | "));
    }
    text
}

/// The same for programs, with all counters of both ends at the end of each line.
pub fn tsv(plan: &Plan, rows: &[Row<'_>]) -> String {
    let mut text = format!("{}\truns\tsender\treceiver\n", HEAD.join("\t"));
    for row in rows {
        let runs: Vec<String> =
            row.ours.outcomes.iter().map(|o| format!("{:.2}", o.received.goodput())).collect();
        let counters = |side: fn(&Outcome) -> &Vec<(String, u64)>| {
            let of = |o: &Outcome| {
                side(o).iter().map(|(name, n)| format!("{name}={n}")).collect::<Vec<_>>().join(" ")
            };
            row.ours.outcomes.first().map(of).unwrap_or_default()
        };
        let _ = writeln!(
            text,
            "{}\t{}\t{}\t{}",
            fields(plan, row).join("\t"),
            runs.join(" "),
            counters(|o| &o.sender),
            counters(|o| &o.receiver)
        );
    }
    text
}

fn fields(plan: &Plan, row: &Row<'_>) -> [String; 12] {
    let cell = &plan.cells[row.cell];
    let (kernel_again, kernel_timeouts) = resent(row.kernel, Tcp::Kernel);
    let (again, timeouts) = row.resent();
    let failed = match row.ours.failures.len() {
        0 => String::new(),
        n => format!(" ({n} failed)"),
    };
    [
        format!("{}", cell.loss),
        format!("{}", cell.rtt),
        format!("{}", cell.reorder),
        row.roles.to_string(),
        format!("{:.2}", row.kernel.median()),
        format!("{:.2}{failed}", row.ours.median()),
        format!("{:.2}", row.ratio()),
        format!("{:.2}", row.kernel.spread()),
        format!("{:.2}", row.ours.spread()),
        kernel_again.to_string(),
        again.to_string(),
        format!("{kernel_timeouts}/{timeouts}"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_geometric_and_nothing_is_no_success() {
        let v = Verdict::of_ratios(&[0.5, 2.0, 1.0]);
        assert!((v.mean - 1.0).abs() < 1e-9);
        assert_eq!(v.min, 0.5);
        assert_eq!(Verdict::of_ratios(&[]), Verdict { mean: 0.0, min: 0.0 });
        assert!(Verdict::of_ratios(&[0.0, 1.0]).mean < 0.04);
    }
}
