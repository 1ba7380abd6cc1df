//! TIME_WAIT (RFC 9293 3.6.1, 3.10.7.4; RFC 6191; RFC 1337): what is remembered of a connection after its end.

use std::collections::VecDeque;
use std::net::Ipv4Addr;

use ferroflow_wire::{MacAddr, SeqNumber};

use super::input::Segment;
use super::table::Key;
use super::tcb::Tcb;
use crate::time::Instant;

/// One connection in TIME_WAIT.
#[derive(Debug, Clone, Copy)]
pub struct TimeWait {
    /// Its place in the table.
    pub key: Key,
    /// Our address.
    pub local: Ipv4Addr,
    /// The peer's.
    pub remote: Ipv4Addr,
    /// Where frames to the peer go.
    pub next_hop: Option<MacAddr>,
    /// Next sequence number of ours.
    pub snd_nxt: SeqNumber,
    /// Next expected of the peer.
    pub rcv_nxt: SeqNumber,
    /// Our last window, as on the wire.
    pub window: u16,
    /// TS.Recent, if timestamps were used.
    pub ts_recent: Option<u32>,
    /// Offset of our timestamps.
    pub ts_offset: u32,
    /// When it ends.
    pub until: Instant,
}

/// What a segment that arrives in TIME_WAIT asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Nothing.
    Ignore,
    /// The last ACK again.
    Ack,
    /// A SYN that is certainly new: the entry makes room for a new connection, whose first sequence number must be
    /// beyond the old one's last (RFC 9293 3.6.1, MAY-2).
    Reopen,
}

impl TimeWait {
    /// What is kept of `tcb`.
    pub fn of(tcb: &Tcb, until: Instant) -> TimeWait {
        TimeWait {
            key: tcb.key,
            local: tcb.local,
            remote: tcb.remote,
            next_hop: tcb.next_hop,
            snd_nxt: tcb.snd.max,
            rcv_nxt: tcb.rcv.nxt,
            window: u16::try_from(tcb.rcv_wnd() >> tcb.rcv.wscale).unwrap_or(u16::MAX),
            ts_recent: tcb.ts.map(|ts| ts.recent),
            ts_offset: tcb.ts_offset,
            until,
        }
    }

    /// RFC 9293 3.10.7.4 for the state TIME_WAIT. `timestamps`: whether a new connection would use them.
    pub fn input(&self, seg: &Segment<'_>, timestamps: bool) -> Answer {
        if seg.flags.rst() {
            return Answer::Ignore; // RFC 1337: a reset must not cut TIME_WAIT short
        }
        if seg.flags.syn() && !seg.flags.ack() {
            return if self.is_new(seg, timestamps) { Answer::Reopen } else { Answer::Ack };
        }
        if seg.seq_len() == 0 && seg.seq == self.rcv_nxt { Answer::Ignore } else { Answer::Ack }
    }

    /// RFC 6191 2: by timestamp where both connections have them, else by sequence number.
    fn is_new(&self, seg: &Segment<'_>, timestamps: bool) -> bool {
        match (self.ts_recent, seg.options.timestamps.filter(|_| timestamps)) {
            (Some(old), Some((new, _))) if new != old => (new.wrapping_sub(old) as i32) > 0,
            // What is left of the old connection has no timestamps, and the new one will not take it.
            (None, Some(_)) => true,
            _ => seg.seq.gt(self.rcv_nxt),
        }
    }
}

/// All connections in TIME_WAIT of one instance: bounded; at the bound the oldest makes room.
#[derive(Debug)]
pub struct TimeWaits {
    slots: Vec<Option<(u64, TimeWait)>>,
    free: Vec<u32>,
    /// Slots by age, each with the serial number of its entry: all entries last equally long.
    queue: VecDeque<(u32, u64)>,
    serial: u64,
    len: usize,
    max: usize,
}

impl TimeWaits {
    /// At most `max` entries.
    pub fn new(max: usize) -> TimeWaits {
        TimeWaits {
            slots: Vec::new(),
            free: Vec::new(),
            queue: VecDeque::new(),
            serial: 0,
            len: 0,
            max: max.max(1),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds an entry; returns its slot, and the oldest entry if it had to make room.
    pub fn insert(&mut self, entry: TimeWait) -> (u32, Option<TimeWait>) {
        let evicted = if self.len >= self.max { self.remove_oldest() } else { None };
        self.tidy();
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() as u32 - 1
        });
        self.serial += 1;
        self.slots[slot as usize] = Some((self.serial, entry));
        self.queue.push_back((slot, self.serial));
        self.len += 1;
        (slot, evicted)
    }

    /// Looks at an entry.
    pub fn get(&self, slot: u32) -> Option<&TimeWait> {
        Some(&self.slots.get(slot as usize)?.as_ref()?.1)
    }

    /// The peer's FIN came again: the time starts anew (RFC 9293 3.10.7.4 eighth step).
    pub fn restart(&mut self, slot: u32, until: Instant) {
        // With a new serial number it stands at the back of the queue, and its old place there is void.
        self.serial += 1;
        if let Some(Some((serial, entry))) = self.slots.get_mut(slot as usize) {
            *serial = self.serial;
            entry.until = until;
            self.queue.push_back((slot, self.serial));
        }
        self.tidy();
    }

    /// Void places in the queue are bounded too.
    fn tidy(&mut self) {
        if self.queue.len() > 2 * self.max {
            let slots = &self.slots;
            self.queue.retain(|&(slot, serial)| live(slots, slot, serial).is_some());
        }
    }

    /// Removes an entry before its time.
    pub fn remove(&mut self, slot: u32) -> Option<TimeWait> {
        let (_, entry) = self.slots.get_mut(slot as usize)?.take()?;
        self.free.push(slot);
        self.len -= 1;
        Some(entry)
    }

    fn remove_oldest(&mut self) -> Option<TimeWait> {
        while let Some((slot, serial)) = self.queue.pop_front() {
            if live(&self.slots, slot, serial).is_some() {
                return self.remove(slot);
            }
        }
        None
    }

    /// Removes one entry whose time is over; `None` when there is none.
    pub fn expire(&mut self, now: Instant) -> Option<TimeWait> {
        while let Some(&(slot, serial)) = self.queue.front() {
            let Some(entry) = live(&self.slots, slot, serial) else {
                self.queue.pop_front();
                continue;
            };
            if entry.until > now {
                return None;
            }
            self.queue.pop_front();
            return self.remove(slot);
        }
        None
    }

    /// When the next entry may end.
    pub fn next(&self) -> Option<Instant> {
        self.queue.iter().find_map(|&(slot, serial)| live(&self.slots, slot, serial)).map(|e| e.until)
    }
}

fn live(slots: &[Option<(u64, TimeWait)>], slot: u32, serial: u64) -> Option<&TimeWait> {
    match slots.get(slot as usize)? {
        Some((s, entry)) if *s == serial => Some(entry),
        _ => None,
    }
}
