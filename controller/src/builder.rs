//! Putting a controller together.

use std::sync::Arc;

use ferroflow_runtime::mail::mesh;

use crate::app::{App, AppFactory};
use crate::config::Config;
use crate::core::{AppMeta, Chain, Controller, OnStart, Started};
use crate::session::{SESSION_APP_ID, check_config};

/// The most apps of one chain: an app's slot is 8 bits of an xid, and the session has one.
const MAX_APPS: usize = 128;

/// Why a controller cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// Two apps of one name.
    #[error("app `{0}` is given twice")]
    Twice(&'static str),
    /// More apps than slots.
    #[error("more than {MAX_APPS} apps")]
    TooManyApps,
    /// A band of priorities that is empty, or beyond 65535.
    #[error("app `{0}` has an impossible band of priorities")]
    Band(&'static str),
    /// No core to run on.
    #[error("a controller needs at least one core")]
    NoCores,
    /// A setting that cannot be.
    #[error("{0}")]
    Config(&'static str),
}

struct Spec {
    name: &'static str,
    make: AppFactory,
    band: Option<(u16, u16)>,
}

/// Collects apps and settings; see [`Controller::builder`].
#[derive(Default)]
pub struct Builder {
    config: Config,
    apps: Vec<Spec>,
    on_start: Option<OnStart>,
}

impl Controller {
    /// Starts a controller without apps and with the default settings.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

impl Builder {
    /// Replaces the settings.
    #[must_use]
    pub fn config(mut self, config: Config) -> Builder {
        self.config = config;
        self
    }

    /// Has every core call `tell` once, on its own thread, when it has tried to listen: for whoever has to report
    /// where switches can connect.
    #[must_use]
    pub fn on_start(mut self, tell: impl Fn(Started) + Send + Sync + 'static) -> Builder {
        self.on_start = Some(OnStart(Arc::new(tell)));
        self
    }

    /// Appends an app to the chain. `make` is called once per core, with the core's number; `name` is what logs say and
    /// what the app's id in cookies is made of.
    #[must_use]
    pub fn app<A: App + 'static>(
        self,
        name: &'static str,
        make: impl Fn(usize) -> A + Send + Sync + 'static,
    ) -> Builder {
        self.factory(name, Box::new(move |core| Box::new(make(core))))
    }

    /// Appends an app from a registry ([`crate::AppRegistry::take`]).
    #[must_use]
    pub fn factory(mut self, name: &'static str, make: AppFactory) -> Builder {
        self.apps.push(Spec { name, make, band: None });
        self
    }

    /// Gives the app added last a band of priorities of its own choice: `base + 1` to `base + top` on the wire, `1` to
    /// `top` in its flows. Otherwise the apps share 1 to 65535 evenly, the first in the chain on top. Where bands
    /// overlap, the same flow is refused to the second app that asks for it.
    #[must_use]
    pub fn band(mut self, base: u16, top: u16) -> Builder {
        if let Some(app) = self.apps.last_mut() {
            app.band = Some((base, top));
        }
        self
    }

    /// One controller per core, connected by mail.
    ///
    /// # Errors
    /// When names, bands or settings are impossible.
    pub fn build_cores(self, cores: usize) -> Result<Vec<Controller>, BuildError> {
        if cores == 0 {
            return Err(BuildError::NoCores);
        }
        check_config(&self.config).map_err(BuildError::Config)?;
        let metas: Arc<[AppMeta]> = metas(&self.apps)?.into();
        let config = Arc::new(self.config);
        let mailboxes = mesh(cores, config.mail_capacity.max(1));
        Ok(mailboxes
            .into_iter()
            .enumerate()
            .map(|(core, mailbox)| {
                let apps = self.apps.iter().map(|spec| (spec.name, (spec.make)(core))).collect();
                Controller::new(
                    config.clone(),
                    metas.clone(),
                    Chain::new(apps),
                    mailbox,
                    self.on_start.clone(),
                )
            })
            .collect())
    }
}

fn metas(apps: &[Spec]) -> Result<Vec<AppMeta>, BuildError> {
    if apps.len() > MAX_APPS {
        return Err(BuildError::TooManyApps);
    }
    let share = u16::MAX / apps.len().max(1) as u16;
    let mut metas: Vec<AppMeta> = Vec::new();
    for (i, spec) in apps.iter().enumerate() {
        if metas.iter().any(|m| m.name == spec.name) {
            return Err(BuildError::Twice(spec.name));
        }
        let even = ((apps.len() - 1 - i) as u16 * share, share);
        let (base, top) = spec.band.unwrap_or(even);
        if top == 0 || base.checked_add(top).is_none() {
            return Err(BuildError::Band(spec.name));
        }
        let id = app_id(spec.name, |id| metas.iter().any(|m| m.id == id));
        metas.push(AppMeta { name: spec.name, id, base, top });
    }
    Ok(metas)
}

/// An app's id in cookies: made of its name, so that it is the same after a restart whatever the other apps are. Never 0,
/// the cookie of flows that other tools install, and never the session's own.
fn app_id(name: &str, taken: impl Fn(u16) -> bool) -> u16 {
    // FNV-1a, folded to 16 bits.
    let hash = name.bytes().fold(0x811c_9dc5_u32, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193));
    let mut id = (hash >> 16) as u16 ^ hash as u16;
    while id == 0 || id == SESSION_APP_ID || taken(id) {
        id = id.wrapping_add(1);
    }
    id
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.apps.iter().map(|a| a.name)).finish()
    }
}
