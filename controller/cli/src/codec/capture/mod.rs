//! Captures: from the packets of a pcap or pcapng file to the messages of their TCP conversations.
//!
//! | file | what |
//! |---|---|
//! | `file.rs` | blocks of the file: packets and their link types |
//! | `segment.rs` | a packet's TCP segment, from below whatever link and IP it has |
//! | `order.rs` | one direction of a conversation put in order |
//! | `stream.rs` | its messages, also behind gaps |
//! | `table.rs` | all conversations |
//!
//! What is kept is bounded: so many conversations (the one that has been silent longest makes room), so many bytes that
//! wait for what is missing before them, one unfinished message per direction, one packet.

mod file;
mod order;
mod segment;
mod stream;
mod table;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io::{self, Read};
use std::net::SocketAddr;

use super::cut::Piece;
pub(crate) use file::{CaptureError, MAGIC_LEN, is_magic};
use segment::Outside;

/// Where in a capture a message is: its last packet, and which way it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Counted from 1, as Wireshark does.
    pub(crate) packet: u64,
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {} (packet {})", self.from, self.to, self.packet)
    }
}

/// What a capture had.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) packets: u64,
    /// Fragments of TCP segments: they are not put together.
    fragments: u64,
    /// Packets of link types that are not known here, and the first of these types.
    unknown_link: Option<(u64, i32)>,
}

impl Seen {
    /// What was left out, and may have had messages in it.
    pub(crate) fn left_out(&self) -> impl Iterator<Item = String> {
        let links = self.unknown_link.map(|(packets, ty)| {
            format!(
                "{packets} packets passed over: link type {ty} is not known here (Ethernet, raw IP, Linux cooked \
                 and loopback are)"
            )
        });
        let fragments = (self.fragments > 0).then(|| {
            format!("{} IP fragments of TCP passed over: they are not put together here", self.fragments)
        });
        links.into_iter().chain(fragments)
    }

    fn outside(&mut self, why: Outside) {
        match why {
            Outside::Fragment => self.fragments += 1,
            Outside::Link(ty) => self.unknown_link.get_or_insert((0, ty)).0 += 1,
            Outside::NotTcp => {}
        }
    }
}

/// Hands the messages of all conversations with a port that `is_ours` to `sink`, in the order of the packets that
/// complete them.
///
/// # Errors
/// When the file ends within a block or is none, and when `sink` fails.
pub(crate) fn read(
    input: impl Read,
    is_ours: impl Fn(u16) -> bool,
    mut sink: impl FnMut(&Place, Piece<'_>) -> io::Result<()>,
) -> Result<Seen, CaptureError> {
    let mut seen = Seen::default();
    let mut table = table::Table::default();
    let read = file::packets(input, |link_type, bytes| {
        seen.packets += 1;
        match segment::find(link_type, bytes) {
            Ok(segment) if is_ours(segment.from.port()) || is_ours(segment.to.port()) => {
                table.receive(seen.packets, &segment, &mut sink)
            }
            Ok(_) => Ok(()),
            Err(why) => {
                seen.outside(why);
                Ok(())
            }
        }
    });
    // Also what came before a bad end is told to its end.
    table.end(&mut sink)?;
    read.map(|()| seen)
}
