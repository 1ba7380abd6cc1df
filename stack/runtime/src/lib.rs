//! One pinned thread per core: runs stack instances over ports, or the same service over kernel sockets.
#![forbid(unsafe_code)]
