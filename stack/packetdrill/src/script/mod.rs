//! A runner for packet scripts in packetdrill's language, in virtual time.
//!
//! It reads the part of the language that our scripts use: timed injected and expected packets, socket calls and simple
//! assertions on `TCP_INFO`; no shell and no Python. It gives the same verdict as packetdrill, and is stricter where
//! packetdrill does not look: checksums of TCP, echoed timestamps (TSecr), and packets that the script does not expect
//! within the tolerance after its last step.

mod assertion;
mod ast;
mod calls;
mod check;
mod flow;
mod packet;
mod parse;
mod parse_packet;
mod run;
mod settings;
mod symbols;
mod token;
mod wire;

pub use run::run;

/// Why a script cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}: {what}")]
struct ParseError {
    /// The line, from 1.
    line: u32,
    /// What is wrong there.
    what: String,
}

impl From<ParseError> for Failure {
    fn from(e: ParseError) -> Failure {
        Failure { line: e.line, what: e.what }
    }
}

/// Where a run went otherwise than its script says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}: {what}")]
pub struct Failure {
    /// The step's line, from 1.
    pub line: u32,
    /// Expected and actual, in packetdrill's syntax.
    pub what: String,
}

/// A run that went as its script says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// Packets, results of calls and assertions that were compared; never 0.
    pub checked: usize,
    /// Virtual time that passed, in microseconds.
    pub took: i64,
}
