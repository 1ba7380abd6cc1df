//! A core's apps, in order.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::app::App;

use super::shared::Shared;

struct Entry {
    name: &'static str,
    /// `None` once it has panicked.
    app: Option<Box<dyn App>>,
}

/// The apps of one core. A panic in a callback takes the app out and nothing else.
pub(crate) struct Chain {
    apps: Vec<Entry>,
}

impl Chain {
    pub(crate) fn new(apps: Vec<(&'static str, Box<dyn App>)>) -> Chain {
        Chain { apps: apps.into_iter().map(|(name, app)| Entry { name, app: Some(app) }).collect() }
    }

    /// How many apps there are, disabled ones included: slots are 0 to this.
    #[inline]
    pub(crate) fn len(&self) -> u8 {
        self.apps.len() as u8
    }

    /// Names of the apps that have panicked.
    pub(crate) fn disabled(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.apps.iter().filter(|e| e.app.is_none()).map(|e| e.name)
    }

    /// Calls one app; `None` if it is disabled, or is now.
    #[inline]
    pub(crate) fn call<R>(
        &mut self,
        slot: u8,
        shared: &mut Shared,
        f: impl FnOnce(&mut dyn App, &mut Shared) -> R,
    ) -> Option<R> {
        let entry = self.apps.get_mut(usize::from(slot))?;
        let app = entry.app.as_deref_mut()?;
        // What a callback can leave half done is its own app, which goes, and bytes beyond the end of a ring.
        match catch_unwind(AssertUnwindSafe(|| f(app, shared))) {
            Ok(r) => Some(r),
            Err(payload) => {
                entry.disable(shared, payload.as_ref());
                // Neither may a payload's own drop end the process.
                let _ = catch_unwind(AssertUnwindSafe(|| drop(payload)));
                None
            }
        }
    }
}

impl Entry {
    #[cold]
    fn disable(&mut self, shared: &mut Shared, payload: &(dyn std::any::Any + Send)) {
        let text = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("no message");
        shared.counters.app_panics += 1;
        tracing::error!(app = self.name, core = shared.core, panic = text, "app disabled: it panicked");
        let app = self.app.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(app)));
    }
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.apps.iter().map(|e| e.name)).finish()
    }
}
