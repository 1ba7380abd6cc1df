//! The messages of one direction of a conversation.

use std::io;

use super::Place;
use super::order::{Next, Order};
use crate::codec::cut::{Cutter, Fault, Piece};

/// Where the pieces of all streams go.
pub(super) trait Sink: FnMut(&Place, Piece<'_>) -> io::Result<()> {}
impl<F: FnMut(&Place, Piece<'_>) -> io::Result<()>> Sink for F {}

/// One direction of a conversation.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// None before its first segment.
    order: Option<Order>,
    cutter: Cutter,
    /// Where the next message begins is not known: it is looked for a segment that begins with one.
    lost: bool,
    /// Bytes passed over, looking for one.
    passed_over: u64,
}

impl Stream {
    /// A SYN: the direction begins with the byte after it. One that comes again changes nothing.
    pub(super) fn begin(&mut self, seq: u32) {
        if self.order.is_none() {
            self.order = Some(Order::new(seq.wrapping_add(1)));
        }
    }

    /// Whether a SYN with this sequence number is of another connection than what was seen.
    pub(super) fn is_other(&self, seq: u32) -> bool {
        self.order.as_ref().is_some_and(|order| !order.began_with(seq.wrapping_add(1)))
    }

    pub(super) fn receive(
        &mut self,
        seq: u32,
        payload: &[u8],
        all: &mut usize,
        place: &Place,
        sink: &mut impl Sink,
    ) -> io::Result<()> {
        if payload.is_empty() {
            return Ok(());
        }
        let order = self.order.get_or_insert_with(|| {
            // The capture began later than the connection.
            self.lost = true;
            Order::new(seq)
        });
        if let Some(bytes) = order.receive(seq, payload, all) {
            self.bytes(bytes, place, sink)?;
        }
        self.take(false, all, place, sink)
    }

    /// The direction has ended.
    pub(super) fn end(&mut self, all: &mut usize, place: &Place, sink: &mut impl Sink) -> io::Result<()> {
        self.take(true, all, place, sink)?;
        self.tell_passed_over(place, sink)?;
        self.cutter.end(&mut |piece: Piece<'_>| sink(place, piece))
    }

    fn take(&mut self, at_end: bool, all: &mut usize, place: &Place, sink: &mut impl Sink) -> io::Result<()> {
        while let Some(next) = self.order.as_mut().and_then(|order| order.take(at_end, all)) {
            match next {
                Next::Bytes(bytes) => self.bytes(&bytes, place, sink)?,
                Next::Gap(missing) => self.gap(missing, place, sink)?,
            }
        }
        Ok(())
    }

    /// Bytes in order, those of one segment.
    fn bytes(&mut self, bytes: &[u8], place: &Place, sink: &mut impl Sink) -> io::Result<()> {
        if self.lost {
            let end = self.order.as_ref().map_or(0, Order::position);
            if !begins_with_message(bytes) {
                self.passed_over += bytes.len() as u64;
                self.cutter.restart(end);
                return Ok(());
            }
            self.tell_passed_over(place, sink)?;
            self.lost = false;
            self.cutter.restart(end - bytes.len() as u64);
        }
        self.cutter.feed(bytes, &mut |piece: Piece<'_>| sink(place, piece))?;
        self.lost = self.cutter.is_broken();
        Ok(())
    }

    fn gap(&mut self, missing: u64, place: &Place, sink: &mut impl Sink) -> io::Result<()> {
        self.tell_passed_over(place, sink)?;
        let end = self.order.as_ref().map_or(0, Order::position);
        let fault = Fault::Gap { missing, cut: self.cutter.pending() };
        self.lost = true;
        self.cutter.restart(end);
        sink(place, Piece { at: end - missing, what: Err(fault) })
    }

    fn tell_passed_over(&mut self, place: &Place, sink: &mut impl Sink) -> io::Result<()> {
        let bytes = std::mem::take(&mut self.passed_over);
        if bytes == 0 {
            return Ok(());
        }
        let at = self.cutter.at() - bytes;
        sink(place, Piece { at, what: Err(Fault::PassedOver { bytes }) })
    }
}

/// Whether these bytes may be messages from their first byte on: a whole header at least, and every header in them has a
/// version and a length that there may be.
fn begins_with_message(mut bytes: &[u8]) -> bool {
    if bytes.len() < HEADER_LEN {
        // The end of a message looks like the beginning of one all too often.
        return false;
    }
    loop {
        match *bytes {
            [] => return true,
            [version, ty, high, low, ..] => {
                let len = usize::from(u16::from_be_bytes([high, low]));
                if !(1..=6).contains(&version) || ty > MAX_TYPE || len < 8 {
                    return false;
                }
                bytes = bytes.get(len..).unwrap_or_default();
            }
            // A header that is cut: its version at least.
            [version, ..] => return (1..=6).contains(&version),
        }
    }
}

/// Bytes of a header, OpenFlow's and POF's.
const HEADER_LEN: usize = 8;

/// The greatest type of a message: POF's SLOT_STATUS. OpenFlow's are below 40.
const MAX_TYPE: u8 = 102;
