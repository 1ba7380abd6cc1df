//! What an instance holds, in lines for people.

use std::fmt::{self, Write as _};

use super::Instance;
use crate::counters::Counters;
use crate::port::Port;
use crate::service::Service;

/// Most connections that are listed: a core that writes lines does nothing else.
const LISTED: usize = 1000;

/// Connections as `ss -ti` shows them, listeners, and the counters that have counted: see [`Instance::dump`].
pub struct Dump<'a, P: Port, S: Service>(&'a Instance<P, S>);

impl<P: Port, S: Service> Instance<P, S> {
    /// What it holds and has counted, in lines for people. At most 1000 connections are listed.
    pub fn dump(&self) -> Dump<'_, P, S> {
        Dump(self)
    }
}

impl<P: Port, S: Service> fmt::Display for Dump<'_, P, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instance = self.0;
        let (conns, waiting) = (instance.conns(), instance.time_waits());
        writeln!(f, "{conns} connections, {waiting} in TIME_WAIT, {} bytes in buffers", instance.memory())?;
        writeln!(f, "{:<11}{:>7}{:>8} {:<22} Peer", "State", "Recv-Q", "Send-Q", "Local")?;
        let mut listening: Vec<_> = instance.listening().collect();
        listening.sort_unstable();
        for (port, half_open) in listening {
            writeln!(f, "{:<11}{half_open:>7}{:>8} *:{port}", "LISTEN", "")?;
        }
        for (_, who, info) in instance.connections().take(LISTED) {
            let unsent = info.notsent_bytes + info.unacked_bytes;
            write!(f, "{:<11}{:>7}{unsent:>8}", info.state, info.unread_bytes)?;
            writeln!(f, " {:<22} {}", who.local, who.peer)?;
            writeln!(f, "\t {info}")?;
        }
        if conns > LISTED {
            writeln!(f, "(and {} more)", conns - LISTED)?;
        }
        counted(f, instance.counters())
    }
}

/// Ours and Linux's name of everything that was counted.
fn counted(f: &mut fmt::Formatter<'_>, counters: &Counters) -> fmt::Result {
    for ((name, value), (_, linux)) in counters.iter().zip(Counters::linux_names()).filter(|c| c.0.1 > 0) {
        write!(f, "{name:<28}{value:>14}")?;
        match linux {
            Some(linux) => writeln!(f, "  {linux}")?,
            None => f.write_char('\n')?,
        }
    }
    Ok(())
}
