//! The live page: keys, the clock, and a thread that asks the controller.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::Context;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::page::{self, Page};
use super::rates;
use crate::control::{Client, Snapshot};

/// How long to wait for a key before looking for news.
const KEYS: Duration = Duration::from_millis(50);
/// Looks that are remembered.
const HISTORY: usize = 512;

/// Shows the page until somebody has seen enough. The terminal is as before then, also after a panic or a signal.
///
/// # Errors
/// When the terminal cannot be used.
pub(super) fn show(path: PathBuf, interval: Duration) -> anyhow::Result<()> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, stop.clone()).context("cannot handle signals")?;
    }
    let (sender, news) = channel();
    std::thread::Builder::new()
        .name("asker".to_owned())
        .spawn(move || ask(&path, interval, &sender))
        .context("cannot start a thread")?;
    let mut terminal = ratatui::try_init().context("cannot use the terminal")?;
    let page = Page { interval: interval.as_secs_f64(), ..Page::default() };
    let result = live(&mut terminal, page, &news, &stop);
    ratatui::restore();
    result
}

/// Asks again and again, and looks for the controller again where it has gone. Ends when nobody listens.
fn ask(path: &Path, interval: Duration, to: &Sender<Result<Snapshot, String>>) {
    let mut client = None;
    let mut next = Instant::now();
    loop {
        let answer = match client.take().map_or_else(|| Client::connect(path), Ok) {
            Ok(mut open) => open.snapshot().inspect(|_| client = Some(open)),
            Err(error) => Err(error),
        };
        if to.send(answer.map_err(|error| format!("{error:#}"))).is_err() {
            return;
        }
        next = (next + interval).max(Instant::now());
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
}

fn live(
    terminal: &mut DefaultTerminal,
    mut page: Page,
    news: &Receiver<Result<Snapshot, String>>,
    stop: &AtomicBool,
) -> anyhow::Result<()> {
    let mut changed = true;
    while !stop.load(Ordering::Relaxed) {
        for answer in news.try_iter() {
            changed |= page.take(answer);
        }
        if std::mem::take(&mut changed) {
            terminal.draw(|frame| page::draw(&page, frame)).context("cannot draw")?;
        }
        if event::poll(KEYS).context("cannot read keys")? {
            match event::read().context("cannot read keys")? {
                Event::Key(key) if key.kind != KeyEventKind::Release => {
                    if page.key(key) == After::End {
                        return Ok(());
                    }
                    changed = true;
                }
                Event::Resize(..) => changed = true,
                _ => {}
            }
        }
    }
    Ok(())
}

/// What comes after a key.
#[derive(Debug, PartialEq, Eq)]
enum After {
    More,
    End,
}

impl Page {
    /// Takes what the controller said. Whether that changes the page.
    fn take(&mut self, answer: Result<Snapshot, String>) -> bool {
        if self.held {
            return false;
        }
        match answer {
            Ok(snapshot) => {
                self.trouble = None;
                self.figures = rates::between(self.snapshot.as_ref(), &snapshot);
                if let Some(responses) = self.figures.all.responses {
                    self.history.push(responses as u64);
                    let old = self.history.len().saturating_sub(HISTORY);
                    self.history.drain(..old);
                }
                self.snapshot = Some(snapshot);
            }
            Err(error) => self.trouble = Some(error),
        }
        true
    }

    fn key(&mut self, key: KeyEvent) -> After {
        let cores = self.figures.cores.len();
        match key.code {
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return After::End,
            KeyCode::Char('q') | KeyCode::Esc => return After::End,
            KeyCode::Char(' ') => self.held = !self.held,
            KeyCode::Up => self.scroll = self.scroll.saturating_sub(1),
            KeyCode::Down => self.scroll = (self.scroll + 1).min(cores.saturating_sub(1)),
            KeyCode::PageUp => self.scroll = self.scroll.saturating_sub(10),
            KeyCode::PageDown => self.scroll = (self.scroll + 10).min(cores.saturating_sub(1)),
            _ => {}
        }
        After::More
    }
}

#[cfg(test)]
mod tests {
    use super::super::rates::tests::{core, snapshot};
    use super::*;

    #[test]
    fn keys_end_hold_and_scroll() {
        let mut page = Page::default();
        let key = |code| KeyEvent::new(code, KeyModifiers::NONE);
        assert_eq!(page.key(key(KeyCode::Char('q'))), After::End);
        assert_eq!(page.key(key(KeyCode::Esc)), After::End);
        assert_eq!(page.key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)), After::End);
        assert_eq!(page.key(key(KeyCode::Char('c'))), After::More);
        assert!(page.take(Ok(snapshot(vec![Some(core(1, 1)), Some(core(1, 1))]))));
        for (code, scroll) in [
            (KeyCode::Down, 1),
            (KeyCode::Down, 1),
            (KeyCode::Up, 0),
            (KeyCode::Up, 0),
            (KeyCode::PageDown, 1),
        ] {
            assert_eq!(page.key(key(code)), After::More);
            assert_eq!(page.scroll, scroll);
        }
        page.key(key(KeyCode::Char(' ')));
        assert!(!page.take(Ok(snapshot(vec![]))), "it is held");
        assert_eq!(page.figures.cores.len(), 2);
    }

    #[test]
    fn a_controller_that_goes_leaves_its_page_and_a_word() {
        let mut page = Page::default();
        page.take(Ok(snapshot(vec![Some(core(1, 1))])));
        page.take(Ok(snapshot(vec![Some(core(2, 1))])));
        assert_eq!(page.history, [6]);
        page.take(Err("it has hung up".to_owned()));
        assert_eq!((page.figures.cores.len(), page.trouble.as_deref()), (1, Some("it has hung up")));
        page.take(Ok(snapshot(vec![Some(core(3, 1))])));
        assert_eq!(page.trouble, None);
    }
}
