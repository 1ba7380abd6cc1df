//! `ferroflow run`: a controller until it is told to stop.

mod banner;
mod control;
mod dump;
mod place;
mod privileges;
mod signals;
mod user;

use std::sync::mpsc;

use anyhow::{Context, bail};
use ferroflow::{AppRegistry, Config, Controller, Started};

use crate::args::RunArgs;
use crate::control::About;
use control::Control;

/// What the main thread waits for.
enum Wake {
    /// A signal, by name.
    Signal(&'static str),
    /// Somebody wants to know what the cores hold.
    Dump,
    /// The cores have ended by themselves.
    CoresEnded,
}

/// Runs the controller.
///
/// # Errors
/// What keeps it from starting, or has ended it.
pub(crate) fn run(args: &RunArgs) -> anyhow::Result<()> {
    let names = app_names(args);
    let mut registry = ferroflow_apps::registry();
    let (starts, started) = mpsc::channel();
    let controllers = controllers(args, &names, &mut registry, starts)?;
    let control = Control::prepare(args);
    let place = place::choose(args)?;
    let control = control.open()?;
    let options = args.cores.options();
    let (wake, wakes) = mpsc::channel();
    let signals = signals::watch(wake.clone())?;
    let runtime = place.spawn(&options, controllers)?;
    let stop = runtime.stop_handle();
    let inspector = runtime.inspector();
    let listening = wait_for_start(args, &started);
    let listening = match listening {
        Ok(ports) => ports,
        Err(error) => {
            stop.stop();
            let _ = runtime.join();
            return Err(error);
        }
    };
    if let Err(error) = banner::print(args, &place, &names, &listening) {
        // Whoever read it has gone (`| head`): that is no reason to stop.
        tracing::debug!("the start-up lines could not be printed: {error}");
    }
    let about =
        About { runs: banner::runs(args, &place, &names), listening: banner::listening(&place, &listening) };
    let _control = control.serve(about, inspector.clone())?;
    let joiner = std::thread::spawn(move || {
        let result = runtime.join();
        let _ = wake.send(Wake::CoresEnded);
        result
    });
    loop {
        match wakes.recv() {
            Ok(Wake::Dump) => dump::print(&inspector),
            Ok(Wake::Signal(name)) => {
                tracing::info!("{name}: stopping");
                break;
            }
            Ok(Wake::CoresEnded) | Err(_) => break,
        }
    }
    stop.stop();
    let result = joiner.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    signals.close();
    let reports = result?;
    place.finish_capture();
    banner::farewell(&reports);
    Ok(())
}

fn app_names(args: &RunArgs) -> Vec<String> {
    if args.apps.is_empty() { vec!["learning-switch".to_owned()] } else { args.apps.clone() }
}

fn controllers(
    args: &RunArgs,
    names: &[String],
    registry: &mut AppRegistry,
    starts: mpsc::Sender<Started>,
) -> anyhow::Result<Vec<Controller>> {
    let mut config = Config::default();
    if !args.listen.is_empty() {
        config.listen.clone_from(&args.listen);
        config.listen.sort_unstable();
        config.listen.dedup();
    }
    config.echo_timeout = args.echo_timeout;
    config.echo_interval = args.echo_timeout / 3;
    let mut builder = Controller::builder().config(config).on_start(move |report| {
        let _ = starts.send(report);
    });
    let all: Vec<_> = registry.list().collect();
    for name in names {
        if names.iter().filter(|n| *n == name).count() > 1 {
            bail!("--app {name} is given twice");
        }
        let (name, make) = registry.take(name).map_err(|_| {
            let list = all.iter().map(|(n, about)| format!("\n  {n:<18}{about}")).collect::<String>();
            anyhow::anyhow!("there is no app {name:?}; there are:{list}")
        })?;
        builder = builder.factory(name, make);
    }
    builder.build_cores(args.cores.count()).context("the controller cannot be put together")
}

/// The ports that every core listens on. A default port that is taken is a warning if the other works.
fn wait_for_start(args: &RunArgs, started: &mpsc::Receiver<Started>) -> anyhow::Result<Vec<u16>> {
    let mut ports: Option<Vec<u16>> = None;
    let mut errors: Vec<String> = Vec::new();
    for _ in 0..args.cores.count() {
        let Ok(report) = started.recv_timeout(std::time::Duration::from_secs(10)) else { break };
        for error in report.errors {
            if !errors.contains(&error) {
                errors.push(error);
            }
        }
        let ok = report.listening;
        ports = Some(ports.map_or(ok.clone(), |p| p.into_iter().filter(|port| ok.contains(port)).collect()));
    }
    let ports = ports.unwrap_or_default();
    let asked_for = !args.listen.is_empty();
    if ports.is_empty() || (asked_for && !errors.is_empty()) {
        bail!(
            "{}; stop the other program (`ss -ltnp` shows it), or choose another port with --listen",
            if errors.is_empty() { "no core could listen".to_owned() } else { errors.join("; ") }
        );
    }
    Ok(ports)
}

pub(crate) use user::User;
