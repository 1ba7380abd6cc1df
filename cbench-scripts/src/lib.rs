//! A load generator that behaves like cbench, emulated switches and labs.
#![forbid(unsafe_code)]
