//! Messages between cores: a bounded single-producer, single-consumer ring for every pair.

use std::sync::atomic::{Ordering, fence};
use std::sync::{Arc, OnceLock};

use rtrb::{Consumer, Producer, RingBuffer};

use crate::wake::Waker;

/// One mailbox for each of `cores` participants, with room for `capacity` messages from each of them to each of
/// them (oneself included). A participant need not be a core: a control thread may hold the last one.
///
/// # Panics
/// If `capacity` is 0.
pub fn mesh<M: Send>(cores: usize, capacity: usize) -> Vec<Mailbox<M>> {
    assert!(capacity > 0, "a mailbox without room");
    let wakers: Arc<[OnceLock<Waker>]> = (0..cores).map(|_| OnceLock::new()).collect();
    let mut boxes: Vec<Mailbox<M>> = (0..cores)
        .map(|core| Mailbox {
            core,
            to: Vec::with_capacity(cores),
            from: Vec::with_capacity(cores),
            wakers: wakers.clone(),
            next: 0,
            stats: MailStats::default(),
        })
        .collect();
    for from in 0..cores {
        for to in 0..cores {
            let (producer, consumer) = RingBuffer::new(capacity);
            boxes[from].to.push(producer);
            boxes[to].from.push(consumer);
        }
    }
    boxes
}

/// One participant's end of a [`mesh`]. It belongs to one thread; it can be moved there.
#[derive(Debug)]
pub struct Mailbox<M> {
    core: usize,
    to: Vec<Producer<M>>,
    from: Vec<Consumer<M>>,
    wakers: Arc<[OnceLock<Waker>]>,
    /// Whose ring [`Mailbox::recv`] looks at first.
    next: usize,
    stats: MailStats,
}

/// What went through a mailbox.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MailStats {
    /// Messages sent.
    pub sent: u64,
    /// Messages given back because the receiver's ring was full or there is no such receiver.
    pub refused: u64,
    /// Messages received.
    pub received: u64,
}

impl<M: Send> Mailbox<M> {
    /// Whose mailbox this is.
    #[inline]
    pub fn core(&self) -> usize {
        self.core
    }

    /// How many participants the mesh has.
    #[inline]
    pub fn cores(&self) -> usize {
        self.to.len()
    }

    /// Tells the others how to wake the owner of this mailbox. Once; a second call is ignored.
    pub fn attach(&self, waker: Waker) {
        let _ = self.wakers[self.core].set(waker);
        // Whoever sent before it could see the waker has its message in the ring by now.
        fence(Ordering::SeqCst);
    }

    /// Whether [`Mailbox::attach`] has been called.
    pub fn is_attached(&self) -> bool {
        self.wakers[self.core].get().is_some()
    }

    /// Leaves a message for `to` and wakes it.
    ///
    /// # Errors
    /// Gives the message back when the ring is full or there is no such participant; both are counted.
    #[inline]
    pub fn send(&mut self, to: usize, message: M) -> Result<(), M> {
        self.post(to, message)?;
        self.wake(to);
        Ok(())
    }

    /// Leaves a message for `to`, who will find it by chance or after [`Mailbox::wake`]: one wake-up for many messages.
    ///
    /// # Errors
    /// As [`Mailbox::send`].
    #[inline]
    pub fn post(&mut self, to: usize, message: M) -> Result<(), M> {
        let Some(producer) = self.to.get_mut(to) else {
            self.stats.refused += 1;
            return Err(message);
        };
        if let Err(rtrb::PushError::Full(message)) = producer.push(message) {
            self.stats.refused += 1;
            return Err(message);
        }
        self.stats.sent += 1;
        Ok(())
    }

    /// Wakes `to`, if it sleeps.
    #[inline]
    pub fn wake(&self, to: usize) {
        // Pairs with the fence in `attach`.
        fence(Ordering::SeqCst);
        if let Some(waker) = self.wakers.get(to).and_then(OnceLock::get) {
            waker.wake();
        }
    }

    /// Whether nothing has arrived.
    pub fn is_empty(&self) -> bool {
        self.from.iter().all(Consumer::is_empty)
    }

    /// Free places in the ring to `to`; 0 if there is no such participant.
    pub fn room(&self, to: usize) -> usize {
        self.to.get(to).map_or(0, Producer::slots)
    }

    /// Hands over every message that has arrived, in order for each sender, and no more than were there when it
    /// came to that sender. Returns how many.
    pub fn drain(&mut self, mut each: impl FnMut(usize, M)) -> usize {
        let mut count = 0;
        for (from, consumer) in self.from.iter_mut().enumerate() {
            let n = consumer.slots();
            if n == 0 {
                continue;
            }
            if let Ok(chunk) = consumer.read_chunk(n) {
                chunk.into_iter().for_each(|m| each(from, m));
                count += n;
            }
        }
        self.stats.received += count as u64;
        count
    }

    /// Takes one message, the senders in turn: for a receiver that answers while it reads.
    pub fn recv(&mut self) -> Option<(usize, M)> {
        let cores = self.from.len();
        for i in 0..cores {
            let from = (self.next + i) % cores;
            if let Ok(message) = self.from[from].pop() {
                self.next = (from + 1) % cores;
                self.stats.received += 1;
                return Some((from, message));
            }
        }
        None
    }

    /// What went through so far.
    pub fn stats(&self) -> MailStats {
        self.stats
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyone_reaches_everyone_in_order() {
        let mut mesh = mesh::<(usize, u32)>(3, 8);
        for (from, mailbox) in mesh.iter_mut().enumerate() {
            for to in 0..3 {
                for i in 0..4 {
                    mailbox.send(to, (from, i)).unwrap();
                }
            }
        }
        for mailbox in &mut mesh {
            let mut seen = Vec::new();
            assert_eq!(mailbox.drain(|from, m| seen.push((from, m))), 12);
            let want: Vec<_> = (0..3).flat_map(|f| (0..4).map(move |i| (f, (f, i)))).collect();
            assert_eq!(seen, want);
        }
    }

    #[test]
    fn a_full_ring_gives_the_message_back() {
        let mut mesh = mesh::<u32>(2, 2);
        assert_eq!(mesh[0].send(1, 1), Ok(()));
        assert_eq!(mesh[0].send(1, 2), Ok(()));
        assert_eq!(mesh[0].room(1), 0);
        assert_eq!(mesh[0].send(1, 3), Err(3));
        assert_eq!(mesh[0].send(7, 4), Err(4), "no such participant");
        assert_eq!(mesh[0].stats(), MailStats { sent: 2, refused: 2, received: 0 });
        assert_eq!(mesh[1].recv(), Some((0, 1)));
        assert_eq!(mesh[0].send(1, 3), Ok(()));
        assert_eq!(mesh[1].drain(|_, _| ()), 2);
        assert_eq!(mesh[1].stats().received, 3);
    }

    #[test]
    fn recv_takes_the_senders_in_turn() {
        let mut mesh = mesh::<char>(3, 4);
        for m in ['a', 'b'] {
            mesh[0].send(2, m).unwrap();
            mesh[1].send(2, m.to_ascii_uppercase()).unwrap();
        }
        let got: Vec<_> = std::iter::from_fn(|| mesh[2].recv()).map(|(_, m)| m).collect();
        assert_eq!(got, ['a', 'A', 'b', 'B']);
    }

    #[test]
    fn mail_wakes_a_sleeping_receiver() {
        let mut mesh = mesh::<u32>(2, 4);
        let (mut b, mut a) = (mesh.pop().unwrap(), mesh.pop().unwrap());
        let waker = Waker::noop();
        b.attach(waker.clone());
        waker.begin_turn();
        assert!(waker.try_sleep());
        a.send(1, 5).unwrap();
        assert!(!waker.try_sleep());
        waker.begin_turn();
        assert_eq!(b.drain(|from, m| assert_eq!((from, m), (0, 5))), 1);
        assert!(waker.try_sleep());
    }

    #[test]
    fn a_million_messages_between_two_threads_arrive_in_order() {
        const N: u64 = 1_000_000;
        let mut mesh = mesh::<u64>(2, 256);
        let (mut b, mut a) = (mesh.pop().unwrap(), mesh.pop().unwrap());
        let sender = std::thread::spawn(move || {
            for i in 0..N {
                while a.send(1, i).is_err() {
                    std::thread::yield_now();
                }
            }
        });
        let mut next = 0;
        while next < N {
            if b.drain(|_, m| {
                assert_eq!(m, next);
                next += 1;
            }) == 0
            {
                std::thread::yield_now();
            }
        }
        sender.join().unwrap();
    }
}
