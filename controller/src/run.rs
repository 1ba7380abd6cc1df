//! The shortest way from an app to a running controller.

use ferroflow_runtime::kernel::{self, ListenGroup};
use ferroflow_runtime::{Kernel, Options, Runtime, RuntimeError};

use crate::core::Controller;

/// Why a controller does not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The operating system has no random numbers to give.
    #[error("no entropy: {0}")]
    Entropy(#[from] getrandom::Error),
    /// A core could not start, or gave up.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
}

/// Starts controllers on the kernel's sockets, one pinned thread each, and returns: [`Runtime::join`] waits for their
/// end and gives them back, [`Runtime::stop_handle`] ends them. Needs no rights.
///
/// # Errors
/// When a core cannot start.
pub fn spawn_kernel(controllers: Vec<Controller>) -> Result<Runtime<Controller>, RunError> {
    let seed = getrandom::u64()?;
    let group = ListenGroup::new();
    let options = Options::new(controllers.len());
    let mut controllers = controllers.into_iter();
    let runtime = Runtime::spawn(
        &options,
        |core| {
            let controller = controllers.next();
            if let Some(controller) = &controller {
                controller.mailbox().attach(core.waker.clone());
            }
            let config = kernel::Config::new(group.clone(), seed.wrapping_add(core.index as u64));
            let waker = core.waker.clone();
            move || {
                let controller = controller.ok_or("there are more cores than controllers")?;
                Ok(Kernel::new(config, waker, controller)?)
            }
        },
        |engine| engine.into_parts().0,
    )?;
    Ok(runtime)
}
