//! What SIGUSR1 shows.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

use ferroflow_runtime::Inspector;

/// A core that does not answer for so long is stuck, and the others' answers are worth having.
const PATIENCE: Duration = Duration::from_secs(2);

/// Writes what every core holds to stderr, all at once.
pub(super) fn print(inspector: &Inspector) {
    let mut text = String::new();
    for (core, answer) in inspector.describe(PATIENCE).into_iter().enumerate() {
        let answer = answer.unwrap_or_else(|| "no answer\n".to_owned());
        let _ = write!(text, "core {core}: {answer}");
    }
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}
