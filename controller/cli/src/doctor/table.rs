//! The report for people: ports, interfaces, the machine.

use std::io::{self, Write};

use comfy_table::{ContentArrangement, Table, presets};

use super::advice::{Report, key_name};
use super::facts::Interface;

/// What matters of a card's offloads to us, and the kernel's names for it.
const OFFLOADS: [(&str, &str); 6] = [
    ("rx-checksum", "rx-csum"),
    ("tx-checksum-ip-generic", "tx-csum"),
    ("tx-checksum-ipv4", "tx-csum"),
    ("tx-tcp-segmentation", "tso"),
    ("rx-gro", "gro"),
    ("rx-lro", "lro"),
];

/// Writes the tables.
pub(super) fn print(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let mut ports = table(&["port", "usable", "", "what mends it"]);
    for port in &report.ports {
        let mend = port.mend.as_deref().unwrap_or_default();
        let usable = if port.usable { "yes" } else { "no" };
        ports.add_row([port.port.as_str(), usable, &port.why, mend]);
    }
    let mut interfaces =
        table(&["interface", "driver", "state", "queues", "XDP", "receive hash", "offloads", "node"]);
    for interface in &report.facts.interfaces {
        interfaces.add_row(row(interface));
    }
    let mut machine = table(&["this machine", "", "what mends it"]);
    for advice in &report.advice {
        machine.add_row([advice.about, &advice.here, advice.mend.as_deref().unwrap_or_default()]);
    }
    writeln!(out, "{ports}\n{interfaces}\n{machine}")
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header.to_vec());
    table
}

fn row(interface: &Interface) -> [String; 8] {
    let none = || "–".to_owned();
    let state = match (interface.up, interface.carrier) {
        (false, _) => "down",
        (true, false) => "no link",
        (true, true) => "up",
    };
    let queues = match interface.max_queues {
        Some(max) => format!("{}/{} of {max}", interface.rx_queues, interface.tx_queues),
        None => format!("{}/{}", interface.rx_queues, interface.tx_queues),
    };
    let hash = interface.rss.as_ref().map(|rss| match (rss.toeplitz, key_name(rss)) {
        (false, _) => "not Toeplitz".to_owned(),
        (true, Some(name)) => name.to_owned(),
        (true, None) => format!("{}...", rss.key.get(..11).unwrap_or(&rss.key)),
    });
    [
        interface.name.clone(),
        interface.driver.clone().unwrap_or_else(none),
        state.to_owned(),
        queues,
        interface.xdp.map_or_else(none, str::to_owned),
        hash.unwrap_or_else(none),
        offloads(&interface.offloads).unwrap_or_else(none),
        interface.node.map_or_else(none, |node| node.to_string()),
    ]
}

fn offloads(on: &[String]) -> Option<String> {
    let mut short: Vec<_> =
        OFFLOADS.iter().filter(|(name, _)| on.iter().any(|n| n == name)).map(|(_, short)| *short).collect();
    short.dedup();
    (!short.is_empty()).then(|| short.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offloads_that_matter_are_named_once() {
        let on =
            ["tx-checksum-ipv4", "tx-checksum-ip-generic", "rx-gro", "tx-nocache-copy"].map(str::to_owned);
        assert_eq!(offloads(&on).as_deref(), Some("tx-csum gro"));
        assert_eq!(offloads(&[]), None);
    }
}
