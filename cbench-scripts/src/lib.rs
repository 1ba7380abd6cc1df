//! A load generator that behaves like cbench, and emulated switches with hosts behind them.
//!
//! * [`load::Load`] opens many connections to a controller, plays one [`switch::fake::FakeSwitch`] on each, asks with
//!   packet_ins and counts the answers as the original does, so that figures can be compared with published ones.
//! * [`network::Emulated`] connects [`switch::emulated::EmulatedSwitch`]es, which have a real flow table, and
//!   [`hosts::Host`]s on their ports that resolve and ping each other through whatever flows the controller installs.
//! * [`lab`] sets up namespaces with Open vSwitch and hosts for end-to-end tests.
//!
//! The first two are a [`ferroflow_stack::Service`]: they run over the kernel's sockets ([`drive`]) and over the
//! user-space stack alike, and take time from [`ferroflow_stack::Net::now`] alone.
#![forbid(unsafe_code)]

pub mod cpu;
pub mod drive;
pub mod hosts;
pub mod lab;
pub mod load;
pub mod network;
pub mod options;
pub mod report;
pub mod switch;
pub mod wan;
