//! The source of `ferroflow decode`, which is a program and no library.

#[path = "../../../../controller/cli/src/codec/capture/mod.rs"]
pub mod capture;
#[path = "../../../../controller/cli/src/codec/cut.rs"]
pub mod cut;
