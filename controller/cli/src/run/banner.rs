//! What a person sees at start and at the end.

use std::io::Write;

use ferroflow_runtime::{CoreReport, Figures};

use super::place::Place;
use crate::args::RunArgs;

/// Says where the controller listens, and what to copy into Open vSwitch and Mininet.
///
/// # Errors
/// When stdout is closed.
pub(super) fn print(args: &RunArgs, place: &Place, apps: &[String], ports: &[u16]) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", runs(args, place, apps))?;
    let address = place.address();
    writeln!(out, "listening on {}", listening(place, ports).join(" and "))?;
    let port = ports.first().copied().unwrap_or(6653);
    if let Place::Stack { socket: Some(socket), .. } = place {
        writeln!(out, "\nTo load it from another process, copy this:")?;
        writeln!(out, "  cbench --via shm:{} -c {address} -p {port} -t\n", socket.display())?;
        return out.flush();
    }
    writeln!(out, "\nTo connect a switch, copy one of these:")?;
    writeln!(out, "  ovs-vsctl set-controller br0 tcp:{address}:{port}")?;
    let mininet_port = if ports.contains(&6653) { String::new() } else { format!(",port={port}") };
    writeln!(out, "  mn --controller remote,ip={address}{mininet_port} --switch ovs,datapath=user")?;
    if matches!(place, Place::Kernel { .. }) {
        writeln!(out, "(from another machine, with this machine's address in place of {address})")?;
    }
    writeln!(out)?;
    out.flush()
}

/// What runs where, in one line.
pub(super) fn runs(args: &RunArgs, place: &Place, apps: &[String]) -> String {
    let cores = match args.cores.count() {
        1 => "1 core".to_owned(),
        n => format!("{n} cores"),
    };
    let runs = format!("ferroflow {}: {} on {cores}", env!("CARGO_PKG_VERSION"), apps.join(", "));
    match place {
        Place::Stack { what, address, shared: Some(_), .. } => {
            format!("{runs}, its own TCP/IP stack at {}, beside the kernel's, on {what}", address.address)
        }
        Place::Stack { what, address, host, .. } => {
            let host = host.map_or_else(String::new, |host| format!(" (this host is {})", host.address));
            format!("{runs}, its own TCP/IP stack at {} on {what}{host}", address.address)
        }
        Place::Kernel { why: None } => format!("{runs}, the kernel's sockets"),
        Place::Kernel { why: Some(why) } => format!("{runs}, the kernel's sockets, since: {why}"),
    }
}

/// Where it listens.
pub(super) fn listening(place: &Place, ports: &[u16]) -> Vec<String> {
    let at = match place {
        Place::Stack { address, .. } => address.address.to_string(),
        Place::Kernel { .. } => "*".to_owned(),
    };
    ports.iter().map(|port| format!("{at}:{port}")).collect()
}

/// A line for each core, and what went wrong by name.
pub(super) fn farewell(reports: &[CoreReport<Figures>]) {
    for report in reports {
        let cpu = report.cpu_time.as_secs_f64();
        let Figures { service, stack, port, .. } = &report.result;
        let all = service.iter().chain(stack).chain(port);
        let counted: Vec<_> = all.filter(|(_, n)| *n > 0).map(|(name, n)| format!("{name}={n}")).collect();
        tracing::info!(
            "core {} stopped after {cpu:.2} s of processor time: {}",
            report.core,
            counted.join(" ")
        );
    }
}
