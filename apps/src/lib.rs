//! The controller apps that come with Ferroflow, one module each.
#![forbid(unsafe_code)]
