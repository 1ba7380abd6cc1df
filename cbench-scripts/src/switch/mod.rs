//! Switches that exist only as bytes on a connection.

pub mod canned;
pub mod fake;
pub mod messages;
