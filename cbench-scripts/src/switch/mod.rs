//! Switches that exist only as bytes on a connection.
//!
//! [`fake`] is the original cbench's: it asks and counts, and understands nothing. [`emulated`] has a flow table and
//! does what it is told. [`canned`] is the other side: the least that satisfies either as a controller.

pub mod canned;
pub mod dialect;
pub mod emulated;
pub mod fake;
pub mod messages;
pub mod table;
