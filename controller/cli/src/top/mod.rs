//! `ferroflow top`: what a running controller does, live in the terminal.

mod page;
mod rates;
mod screen;
mod units;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use anyhow::{Context, bail};
use ratatui::backend::TestBackend;
use ratatui::{Frame, Terminal};

use crate::args::TopArgs;
use crate::control::{self, Client};
use page::Page;

/// Shows the page until it is told to stop, or prints what is asked for.
///
/// # Errors
/// When no controller is there.
pub(crate) fn run(args: &TopArgs) -> anyhow::Result<()> {
    let path = match &args.control {
        Some(path) => path.clone(),
        None => control::default_path()
            .context("there is no XDG_RUNTIME_DIR: say where the controller is with --control PATH")?,
    };
    if args.json {
        let snapshot = Client::connect(&path)?.snapshot()?;
        return print(&format!("{}\n", serde_json::to_string(&snapshot)?));
    }
    if args.once {
        return once(args, path);
    }
    if !std::io::stdout().is_terminal() {
        bail!("stdout is no terminal: use --once for text, or --json");
    }
    // What is wrong at the beginning is better said on an ordinary screen.
    Client::connect(&path)?.snapshot()?;
    screen::show(path, args.interval)
}

/// Rows that hold every core and every reason.
fn once(args: &TopArgs, path: PathBuf) -> anyhow::Result<()> {
    let mut client = Client::connect(&path)?;
    let before = client.snapshot()?;
    std::thread::sleep(args.interval);
    let after = client.snapshot()?;
    let figures = rates::between(Some(&before), &after);
    let rows = (figures.cores.len() * 2 + figures.drops.len() + 20).min(1000) as u16;
    let page =
        Page { snapshot: Some(after), figures, interval: args.interval.as_secs_f64(), ..Page::default() };
    print(&text_of(120, rows, |frame| page::draw_still(&page, frame))?)
}

/// What `draw` draws, as text; empty lines at the end are left out.
fn text_of(width: u16, height: u16, draw: impl FnOnce(&mut Frame<'_>)) -> anyhow::Result<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height))?;
    terminal.draw(draw)?;
    let buffer = terminal.backend().buffer();
    let line = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    let lines: Vec<String> = (0..height).map(|y| line(y).trim_end().to_owned() + "\n").collect();
    let used = lines.iter().rposition(|line| line != "\n").map_or(0, |last| last + 1);
    Ok(lines[..used].concat())
}

fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write to stdout")
}
