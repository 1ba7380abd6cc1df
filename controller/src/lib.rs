//! An OpenFlow controller library: sessions, a version-neutral flow model and the app contract.
#![forbid(unsafe_code)]
