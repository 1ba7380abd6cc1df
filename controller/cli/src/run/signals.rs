//! SIGINT and SIGTERM, as messages.

use std::sync::mpsc::Sender;

use anyhow::Context;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};

use super::Wake;

/// Sends a [`Wake::Signal`] for each signal that asks us to stop.
///
/// # Errors
/// When the operating system does not let us handle them.
pub(super) fn watch(wake: Sender<Wake>) -> anyhow::Result<Handle> {
    let mut signals = Signals::new([SIGINT, SIGTERM]).context("cannot handle SIGINT and SIGTERM")?;
    let handle = signals.handle();
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            let mut count = 0;
            for signal in signals.forever() {
                count += 1;
                if count > 2 {
                    // Three times: whoever asks does not want to wait.
                    std::process::exit(130);
                }
                let _ = wake.send(Wake::Signal(if signal == SIGINT { "SIGINT" } else { "SIGTERM" }));
            }
        })
        .context("cannot start the thread that waits for signals")?;
    Ok(handle)
}
