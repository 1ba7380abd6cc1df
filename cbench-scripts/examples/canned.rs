//! What the kernel backend can do: answers each packet_in with a canned flow_mod of 80 bytes and learns nothing.
//!
//! `cargo run --release -p cbench --example canned -- 6653`, then cbench against it. The yardstick for controllers:
//! whatever they answer less per core-second than this is their own.
#![forbid(unsafe_code)]

use std::io::Write;

use cbench::drive;
use cbench::switch::canned::Canned;

fn main() -> anyhow::Result<()> {
    let port = std::env::args().nth(1).map_or(Ok(6653), |a| a.parse())?;
    writeln!(std::io::stderr(), "answering on port {port}, process {}", std::process::id())?;
    let canned = Canned::new(port);
    let (canned, _) = drive::until(canned, |c| c.failure().is_some())?;
    match canned.failure() {
        Some(why) => anyhow::bail!("{why}"),
        None => Ok(()),
    }
}
