//! What a core's sockets hold, in lines for people. The kernel's own view of them is in `ss -ti`.

use std::fmt::{self, Write};

use super::KernelNet;
use super::socket::Phase;

/// Most connections that are listed: a core that writes lines does nothing else.
const LISTED: usize = 1000;

pub(super) fn write(net: &KernelNet, out: &mut impl Write) -> fmt::Result {
    let conns = net.table.len();
    writeln!(out, "{conns} connections over the kernel's sockets (`ss -ti` has the rest)")?;
    writeln!(out, "{:<11}{:>7}{:>8} {:<22} Peer", "State", "Recv-Q", "Send-Q", "Local")?;
    for listener in net.listeners.iter().flatten() {
        let port = listener.at.port;
        match listener.at.address {
            Some(address) => writeln!(out, "{:<26} {address}:{port}", "LISTEN")?,
            None => writeln!(out, "{:<26} *:{port}", "LISTEN")?,
        }
    }
    for sock in net.table.ids().filter_map(|id| net.table.get(id)).take(LISTED) {
        let state = match sock.phase {
            Phase::Connecting => "connecting",
            Phase::Open => "open",
            Phase::Closing => "closing",
            Phase::Ending(_) => "ending",
        };
        write!(out, "{state:<11}{:>7}{:>8}", sock.kept.len(), sock.ring.len())?;
        writeln!(out, " {:<22} {}", sock.info.local, sock.info.peer)?;
    }
    if conns > LISTED {
        writeln!(out, "(and {} more)", conns - LISTED)?;
    }
    for (name, value) in net.counters.iter().filter(|(_, value)| *value > 0) {
        writeln!(out, "{name:<28}{value:>14}")?;
    }
    Ok(())
}
