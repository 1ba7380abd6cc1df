//! Structures in the form that 1.4 gave them and 1.5 kept. Many end with a list of properties, to which a later version or
//! an experimenter can add (OF 1.4.1 7.2): each is a type, a length, a body, and padding to a multiple of 8 bytes that the
//! length does not count.

mod async_config;
mod bundle;
mod flow;
mod flow_monitor;
mod packet;
mod port;
mod port_stats;
mod property;
mod queue;
mod status;
mod table;

pub use async_config::*;
pub use bundle::*;
pub use flow::*;
pub use flow_monitor::*;
pub use packet::*;
pub use port::*;
pub use port_stats::*;
pub use property::*;
pub use queue::*;
pub use status::*;
pub use table::*;
