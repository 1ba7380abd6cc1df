//! Switches that exist only as bytes on a connection.

pub mod fake;
pub mod messages;
