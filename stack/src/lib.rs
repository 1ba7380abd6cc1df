//! A sans-IO TCP/IP instance, the Port and Service contracts, the pipe port and a simulator.
#![forbid(unsafe_code)]
