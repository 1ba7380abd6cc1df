//! Asking running cores what they hold and have counted: for people and for metrics, not on the data path.
//!
//! A core publishes nothing by itself. It is asked, and answers after its turn with a message: where nobody asks it
//! costs a load in each turn, of a word that nobody writes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ferroflow_stack::Instant;

use crate::engine::Engine;
use crate::wake::Waker;

/// What a core has done and counted, between two of its turns. Counters only grow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// When.
    pub at: Instant,
    /// Open connections.
    pub conns: u64,
    /// Turns run.
    pub turns: u64,
    /// Turns that found nothing to do.
    pub idle_turns: u64,
    /// Times the core slept in the kernel.
    pub sleeps: u64,
    /// Time without anything to do: asleep, or in turns that found nothing.
    pub idle: Duration,
    /// Calls of the kernel on the data path: to wait, to receive and to send.
    pub kernel_entries: u64,
    /// What its stack instance has counted, or what happened on its sockets.
    pub stack: Vec<(&'static str, u64)>,
    /// What its port has counted; empty over the kernel's sockets.
    pub port: Vec<(&'static str, u64)>,
    /// What its service has counted.
    pub service: Vec<(&'static str, u64)>,
}

/// Who has asked, and for what.
#[derive(Debug)]
enum Asker {
    Lines(Sender<String>),
    Figures(Sender<Figures>),
}

/// What one core is asked, in cache lines of its own: whoever asks another core does not disturb this one.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Question {
    asked: AtomicBool,
    askers: Mutex<Vec<Asker>>,
}

impl Question {
    fn ask(&self, asker: Asker) {
        self.askers.lock().unwrap_or_else(PoisonError::into_inner).push(asker);
        self.asked.store(true, Ordering::Release);
    }

    /// Called by the core after a turn; `begin` gives what its loop knows.
    #[inline]
    pub fn answer(&self, engine: &impl Engine, begin: impl Fn() -> Figures) {
        if self.asked.load(Ordering::Relaxed) {
            self.answer_now(engine, begin);
        }
    }

    #[cold]
    fn answer_now(&self, engine: &impl Engine, begin: impl Fn() -> Figures) {
        self.asked.store(false, Ordering::Relaxed);
        let askers = std::mem::take(&mut *self.askers.lock().unwrap_or_else(PoisonError::into_inner));
        for asker in askers {
            // Whoever asked may have lost patience.
            let _ = match asker {
                Asker::Lines(asker) => {
                    let mut text = String::new();
                    engine.describe(&mut text);
                    asker.send(text).is_ok()
                }
                Asker::Figures(asker) => {
                    let mut figures = begin();
                    engine.report(&mut figures);
                    asker.send(figures).is_ok()
                }
            };
        }
    }
}

/// Asks the cores of a [`crate::Runtime`], from any thread.
#[derive(Debug, Clone)]
pub struct Inspector {
    pub(crate) questions: Arc<[Question]>,
    pub(crate) wakers: Arc<[Waker]>,
}

impl Inspector {
    /// What [`Engine::describe`] says on each core, in their order; `None` from a core that has ended, or does not
    /// answer within `patience`.
    pub fn describe(&self, patience: Duration) -> Vec<Option<String>> {
        self.ask(Asker::Lines, patience)
    }

    /// What each core has counted, in their order; `None` from a core that has ended, or does not answer within
    /// `patience`.
    pub fn figures(&self, patience: Duration) -> Vec<Option<Figures>> {
        self.ask(Asker::Figures, patience)
    }

    fn ask<T>(&self, asker: impl Fn(Sender<T>) -> Asker, patience: Duration) -> Vec<Option<T>> {
        let until = std::time::Instant::now() + patience;
        let ask = |(question, waker): (&Question, &Waker)| -> Receiver<T> {
            let (sender, answer) = channel();
            question.ask(asker(sender));
            waker.wake();
            answer
        };
        let answers: Vec<_> = self.questions.iter().zip(self.wakers.iter()).map(ask).collect();
        let wait = || until.saturating_duration_since(std::time::Instant::now());
        answers.into_iter().map(|answer| answer.recv_timeout(wait()).ok()).collect()
    }
}
