//! `ferroflow doctor`: which ports this machine has for us, what keeps the others from being used, and what mends that.

mod advice;
mod facts;
mod table;

use std::io::Write;

use anyhow::Context;

use crate::args::DoctorArgs;

/// Looks at the machine and says what it found.
///
/// # Errors
/// When the kernel does not tell what interfaces there are, or stdout is closed.
pub(crate) fn run(args: &DoctorArgs) -> anyhow::Result<()> {
    let facts = facts::gather().context("the kernel does not say what interfaces there are")?;
    let report = advice::about(facts);
    let mut out = std::io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &report)?;
        writeln!(out)?;
    } else {
        table::print(&mut out, &report)?;
    }
    out.flush()?;
    Ok(())
}
