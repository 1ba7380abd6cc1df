//! Checked views and writers for the packet headers Ferroflow speaks.
#![forbid(unsafe_code)]
