//! SIGINT, SIGTERM and SIGUSR1, as messages.

use std::sync::mpsc::Sender;

use anyhow::Context;
use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator::{Handle, Signals};

use super::Wake;

/// Sends a [`Wake::Signal`] for each signal that asks us to stop, a [`Wake::Dump`] for each SIGUSR1.
///
/// # Errors
/// When the operating system does not let us handle them.
pub(super) fn watch(wake: Sender<Wake>) -> anyhow::Result<Handle> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGUSR1]).context("cannot handle signals")?;
    let handle = signals.handle();
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            let mut count = 0;
            for signal in signals.forever() {
                if signal == SIGUSR1 {
                    let _ = wake.send(Wake::Dump);
                    continue;
                }
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
