//! Asking running cores what they hold: for people, not on the data path.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::engine::Engine;
use crate::wake::Waker;

/// What one core is asked. It costs the core a load in each turn.
#[derive(Debug, Default)]
pub(crate) struct Question {
    asked: AtomicBool,
    askers: Mutex<Vec<Sender<String>>>,
}

impl Question {
    fn ask(&self, asker: Sender<String>) {
        self.askers.lock().unwrap_or_else(PoisonError::into_inner).push(asker);
        self.asked.store(true, Ordering::Release);
    }

    /// Called by the core after a turn.
    #[inline]
    pub fn answer(&self, engine: &impl Engine) {
        if self.asked.load(Ordering::Relaxed) {
            self.answer_now(engine);
        }
    }

    #[cold]
    fn answer_now(&self, engine: &impl Engine) {
        self.asked.store(false, Ordering::Relaxed);
        let mut text = String::new();
        engine.describe(&mut text);
        for asker in self.askers.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            // Whoever asked may have lost patience.
            let _ = asker.send(text.clone());
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
        let until = Instant::now() + patience;
        let ask = |(question, waker): (&Question, &Waker)| {
            let (asker, answer) = channel();
            question.ask(asker);
            waker.wake();
            answer
        };
        let answers: Vec<_> = self.questions.iter().zip(self.wakers.iter()).map(ask).collect();
        let wait = || until.saturating_duration_since(Instant::now());
        answers.into_iter().map(|answer| answer.recv_timeout(wait()).ok()).collect()
    }
}
