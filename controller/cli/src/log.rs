//! Where the log goes: lines on stderr, `info` and above unless asked otherwise.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Sets the log up. `filter` comes from `--log`, else from the environment variable `FERROFLOW_LOG`, else it is
/// `default`.
pub(crate) fn init(filter: Option<&str>, default: &str) {
    let from_env = std::env::var("FERROFLOW_LOG").ok();
    let wanted = filter.map(str::to_owned).or(from_env).unwrap_or_else(|| default.to_owned());
    let (filter, complaint) = match EnvFilter::try_new(&wanted) {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new("info"), Some(error)),
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
    if let Some(error) = complaint {
        tracing::warn!("the log filter {wanted:?} is not understood ({error}); using info");
    }
}
