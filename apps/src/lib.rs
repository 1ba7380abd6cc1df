//! The controller apps that come with Ferroflow, one module each. Each is a tutorial: read it from the top.
#![forbid(unsafe_code)]

mod hub;
mod learning_switch;

pub use hub::Hub;
pub use learning_switch::{LearningSwitch, Settings};

use ferroflow::AppRegistry;

/// All apps of this crate, by the names that `ferroflow run --app` takes.
pub fn registry() -> AppRegistry {
    let mut apps = AppRegistry::new();
    apps.register("learning-switch", "forwards by learnt MAC addresses, per VLAN", |_| {
        LearningSwitch::default()
    });
    apps.register("hub", "sends every packet out of every other port", |_| Hub);
    apps
}
