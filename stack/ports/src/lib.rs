//! Packet I/O for the Ferroflow stack: TAP.
#![forbid(unsafe_code)]
