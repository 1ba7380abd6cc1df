//! What an app says to a switch, in words that belong to no protocol version.
//!
//! A session compiles these to the version its switch speaks. What a version cannot say is an [`Unsupported`] that
//! names it, never something less than what was asked for.

mod action;
mod entry;
mod matching;
mod packet_out;
mod port;
mod stats;

pub use action::{Action, Actions};
pub use entry::{Delete, Flow};
pub(crate) use matching::prefix_mask;
pub use matching::{Match, VlanMatch};
pub use packet_out::PacketOut;
pub use port::{Port, PortNo};
pub use stats::{Description, PortStats, StatsRequest};

use ferroflow_openflow::Version;

/// Something that the switch's version of the protocol cannot express.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("OpenFlow {} has no {what}", .version.dotted().unwrap_or("?"))]
pub struct Unsupported {
    /// The version that the session speaks.
    pub version: Version,
    /// The part of the flow or request that it lacks.
    pub what: &'static str,
}
