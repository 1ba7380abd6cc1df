//! The original's options and defaults, and its banner.

use std::fmt;
use std::time::Duration;

use clap::Args;

/// How a run goes. The names, letters and defaults are the original's.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Options {
    /// Hostname of the controller to connect to (IPv4)
    #[arg(short = 'c', long, default_value = "localhost", value_name = "HOST")]
    pub controller: String,
    /// Controller port
    #[arg(short = 'p', long, default_value_t = 6633, value_parser = clap::value_parser!(u16).range(1..))]
    pub port: u16,
    /// Fake this many switches
    #[arg(short = 's', long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..), value_name = "N")]
    pub switches: u32,
    /// Loops per test
    #[arg(short = 'l', long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..), value_name = "N")]
    pub loops: u32,
    /// Length of a loop in milliseconds
    #[arg(short = 'm', long = "ms-per-test", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..), value_name = "MS")]
    pub ms_per_test: u32,
    /// Unique source MAC addresses per switch
    #[arg(short = 'M', long = "mac-addresses", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..), value_name = "N")]
    pub macs: u32,
    /// Test throughput instead of latency
    #[arg(short = 't', long)]
    pub throughput: bool,
    /// Loops to be disregarded at the start
    #[arg(short = 'w', long, default_value_t = 1, value_name = "N")]
    pub warmup: u32,
    /// Loops to be disregarded at the end
    #[arg(short = 'C', long, default_value_t = 0, value_name = "N")]
    pub cooldown: u32,
    /// Milliseconds between features_reply and the first packet_in
    #[arg(short = 'D', long = "delay", default_value_t = 0, value_name = "MS")]
    pub delay_ms: u32,
    /// Milliseconds between groups of switches connecting
    #[arg(short = 'i', long = "connect-delay", default_value_t = 0, value_name = "MS")]
    pub connect_delay_ms: u32,
    /// Number of switches that connect without a delay between them
    #[arg(short = 'I', long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..), value_name = "N")]
    pub connect_group_size: u32,
    /// Send gratuitous ARP replies first, so that the destination MACs are learned (=0 turns it off)
    #[arg(short = 'L', long, default_value = "1", default_missing_value = "1", num_args = 0..=1, require_equals = true,
        action = clap::ArgAction::Set, value_parser = switch_value, value_name = "0|1")]
    pub learn_dst_macs: bool,
    /// Datapath id of the first switch
    #[arg(short = 'o', long, default_value_t = 1, value_name = "DPID")]
    pub dpid_offset: u32,
    /// Test 1, 2, ... up to the number of switches
    #[arg(short = 'r', long = "ranged-test")]
    pub ranged: bool,
    /// Print debugging information
    #[arg(short = 'd', long)]
    pub debug: bool,
}

/// `1`, `on` and `true` turn a switch on; anything else turns it off, as in the original.
fn switch_value(s: &str) -> Result<bool, std::convert::Infallible> {
    Ok(["1", "on", "true"].iter().any(|v| v.eq_ignore_ascii_case(s)))
}

impl Default for Options {
    /// What the command line gives without a flag.
    fn default() -> Options {
        Options {
            controller: "localhost".to_owned(),
            port: 6633,
            switches: 16,
            loops: 16,
            ms_per_test: 1000,
            macs: 100_000,
            throughput: false,
            warmup: 1,
            cooldown: 0,
            delay_ms: 0,
            connect_delay_ms: 0,
            connect_group_size: 1,
            learn_dst_macs: true,
            dpid_offset: 1,
            ranged: false,
            debug: false,
        }
    }
}

/// Options that contradict each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Error warmup({warmup}) + cooldown({cooldown}) >= number of tests ({loops})")]
pub struct NothingToCount {
    warmup: u32,
    cooldown: u32,
    loops: u32,
}

impl Options {
    /// # Errors
    /// When no loop is left to count.
    pub fn check(&self) -> Result<(), NothingToCount> {
        let Options { warmup, cooldown, loops, .. } = *self;
        match warmup.checked_add(cooldown) {
            Some(n) if n < loops => Ok(()),
            _ => Err(NothingToCount { warmup, cooldown, loops }),
        }
    }

    /// Length of a loop.
    pub fn loop_time(&self) -> Duration {
        Duration::from_millis(self.ms_per_test.into())
    }

    /// Time between FEATURES_REPLY and the first question.
    pub fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms.into())
    }

    /// Time between groups of connections.
    pub fn connect_delay(&self) -> Duration {
        Duration::from_millis(self.connect_delay_ms.into())
    }

    /// What the original prints on stderr before it starts.
    pub fn banner(&self) -> impl fmt::Display + '_ {
        Banner(self)
    }
}

struct Banner<'a>(&'a Options);

impl fmt::Display for Banner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let o = self.0;
        writeln!(f, "cbench: controller benchmarking tool")?;
        writeln!(f, "   running in mode {}", if o.throughput { "'throughput'" } else { "'latency'" })?;
        writeln!(f, "   connecting to controller at {}:{} ", o.controller, o.port)?;
        writeln!(
            f,
            "   faking{} {} switches offset {} :: {} tests each; {} ms per test",
            if o.ranged { " from 1 to" } else { "" },
            o.switches,
            o.dpid_offset,
            o.loops,
            o.ms_per_test
        )?;
        writeln!(f, "   with {} unique source MACs per switch", o.macs)?;
        let learning = if o.learn_dst_macs { "learning" } else { "NOT learning" };
        writeln!(f, "   {learning} destination mac addresses before the test")?;
        writeln!(f, "   starting test with {} ms delay after features_reply", o.delay_ms)?;
        writeln!(f, "   ignoring first {} \"warmup\" and last {} \"cooldown\" loops", o.warmup, o.cooldown)?;
        writeln!(
            f,
            "   connection delay of {}ms per {} switch(es)",
            o.connect_delay_ms, o.connect_group_size
        )?;
        writeln!(f, "   debugging info is {}", if o.debug { "on" } else { "off" })
    }
}

#[cfg(test)]
mod tests;
