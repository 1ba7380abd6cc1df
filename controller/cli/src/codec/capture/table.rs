//! All conversations of a capture.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;

use super::Place;
use super::segment::Segment;
use super::stream::{Sink, Stream};

/// Most conversations that are followed at once.
const MAX_CONVERSATIONS: usize = 1024;

/// The two ends, the lesser one first.
type Key = (SocketAddr, SocketAddr);

/// The conversations that are followed.
#[derive(Debug, Default)]
pub(super) struct Table {
    conversations: HashMap<Key, Conversation>,
    /// What the directions of all of them keep out of order.
    waiting: usize,
}

/// A connection's two directions: that of the lesser address first.
#[derive(Debug, Default)]
struct Conversation {
    streams: [Stream; 2],
    /// The last packet.
    packet: u64,
}

impl Table {
    pub(super) fn receive(
        &mut self,
        packet: u64,
        segment: &Segment<'_>,
        sink: &mut impl Sink,
    ) -> io::Result<()> {
        let (from, to) = (segment.from, segment.to);
        let (key, way) = if from <= to { ((from, to), 0) } else { ((to, from), 1) };
        let known = self.conversations.get(&key);
        if segment.syn && known.is_some_and(|known| known.streams[way].is_other(segment.seq)) {
            // The ports of a connection before are used again.
            self.remove(key, sink)?;
        } else if known.is_none() {
            if segment.payload.is_empty() && !segment.syn {
                return Ok(());
            }
            self.make_room(sink)?;
        }
        let conversation = self.conversations.entry(key).or_default();
        conversation.packet = packet;
        let stream = &mut conversation.streams[way];
        let mut seq = segment.seq;
        if segment.syn {
            stream.begin(seq);
            // RFC 9293 3.4: a SYN takes one sequence number.
            seq = seq.wrapping_add(1);
        }
        // RFC 9293 3.5.2: what comes with a RST is no data of the stream.
        if segment.rst {
            return Ok(());
        }
        stream.receive(seq, segment.payload, &mut self.waiting, &Place { packet, from, to }, sink)
    }

    /// The capture has ended. A connection that has ended before is followed as long, since segments that were captured
    /// out of order may come behind its last one.
    pub(super) fn end(&mut self, sink: &mut impl Sink) -> io::Result<()> {
        let mut keys: Vec<_> = self.conversations.iter().map(|(&key, known)| (known.packet, key)).collect();
        keys.sort_unstable();
        keys.into_iter().try_for_each(|(_, key)| self.remove(key, sink))
    }

    fn make_room(&mut self, sink: &mut impl Sink) -> io::Result<()> {
        if self.conversations.len() < MAX_CONVERSATIONS {
            return Ok(());
        }
        let silent = self.conversations.iter().min_by_key(|(_, known)| known.packet).map(|(&key, _)| key);
        silent.map_or(Ok(()), |key| self.remove(key, sink))
    }

    fn remove(&mut self, key: Key, sink: &mut impl Sink) -> io::Result<()> {
        let Some(Conversation { streams: [mut first, mut second], packet }) = self.conversations.remove(&key)
        else {
            return Ok(());
        };
        let (a, b) = key;
        first.end(&mut self.waiting, &Place { packet, from: a, to: b }, sink)?;
        second.end(&mut self.waiting, &Place { packet, from: b, to: a }, sink)
    }
}
