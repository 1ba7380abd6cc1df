//! A controller of one's own: a small app in front of the learning switch that comes with Ferroflow.
//!
//! Run it with `cargo run --release --example my_app -p ferroflow` and point a switch at port 6653.

use ferroflow::flow::{Flow, Match};
use ferroflow::{App, Controller, Cx, Dp, Event, spawn_kernel};
use ferroflow_apps::LearningSwitch;

/// Lets no telnet pass, anywhere.
struct NoTelnet;

impl App for NoTelnet {
    fn datapath_up(&mut self, dp: &mut Dp<'_>) {
        // A flow without actions drops. It is in this app's band of priorities, above the learning switch's.
        dp.add(&Flow::new(1).matching(Match::new().tcp_dst(23)));
    }

    fn event(&mut self, dp: &mut Dp<'_>, event: &Event) {
        tracing::warn!(dpid = %dp.id(), "telnet may pass: {event:?}");
    }

    fn tick(&mut self, cx: &mut Cx<'_>) {
        tracing::debug!(core = cx.core(), datapaths = cx.directory().len(), "guarding");
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().init();
    let controllers = Controller::builder()
        .app("no-telnet", |_core| NoTelnet)
        .app("learning-switch", |_core| LearningSwitch::default())
        .build_cores(2)?;
    spawn_kernel(controllers)?.join()?;
    Ok(())
}
