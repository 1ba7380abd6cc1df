//! A packet that the controller sends.

use super::{Actions, PortNo};

/// A packet for the switch to send, for [`crate::Cx::send`]; within a callback [`crate::Dp::packet_out`] needs no copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PacketOut {
    /// Where it is said to have come in ([`PortNo::CONTROLLER`] for a packet of our own).
    pub in_port: PortNo,
    /// What is done with it.
    pub actions: Actions,
    /// The frame.
    pub data: Box<[u8]>,
}

impl PacketOut {
    /// `data` out of `port`.
    pub fn new(port: PortNo, data: impl Into<Box<[u8]>>) -> PacketOut {
        PacketOut { in_port: PortNo::CONTROLLER, actions: Actions::output(port), data: data.into() }
    }
}
