//! One stack instance in virtual time behind packetdrill's shared-object interface.
//!
//! [packetdrill](https://github.com/google/packetdrill) tests a TCP by a script of timed packets and socket calls. Given
//! `--so_filename=libferroflow_packetdrill.so` it loads this crate and plays the script against the stack, through the stack's
//! readiness interface ([`ferroflow_stack::sockets`]): no root, no device, no real time. [`Host`] is that stack for callers
//! in Rust; [`settings`] says what `--so_flags` understands.

mod address;
mod blocking;
pub mod c_abi;
pub mod host;
pub mod preload;
pub mod script;
pub mod settings;

pub use host::Host;
pub use settings::Settings;
