//! A look at a burst before it is worked on, so that memory is waited for once per burst and not once per frame.
//!
//! With many connections hardly anything of the next one is in the cache, and what a segment needs is spread over the
//! table, the connection's state and the service's. Read one after the other, frame by frame, each of them is waited for;
//! read for all frames of a burst in a row, with nothing that depends on the values, the processor fetches them
//! together. What is found here is only a hint: nothing of it is used later.

use std::net::Ipv4Addr;

use ferroflow_wire::ethernet::EtherType;
use ferroflow_wire::ipv4::IpProtocol;

use super::inner::Inner;
use crate::port::{Burst, Port};
use crate::tcp::table::Key;

/// So few connections stay in the cache by themselves.
const FEW: usize = 64;

/// Reads what the frames of a burst will need. `found` is scratch memory, `conns` the service's state.
pub(super) fn touch<P: Port, C>(
    inner: &Inner,
    conns: &[Option<C>],
    port: &P,
    burst: &Burst,
    found: &mut Vec<u32>,
) {
    if burst.len() < 2 || inner.table.len() < FEW {
        return;
    }
    found.clear();
    found.extend(burst.iter().filter_map(|frame| Some(inner.table.hash(&key(port.bytes(frame))?))));
    let mut all = 0;
    for &hash in found.iter() {
        all ^= inner.table.touch_index(hash);
    }
    found.retain_mut(|at| match inner.table.guess(*at) {
        Some(index) => {
            *at = index;
            true
        }
        None => false,
    });
    for &index in found.iter() {
        all ^= u64::from(inner.table.id(index).generation());
    }
    for &index in found.iter() {
        all ^= inner.table.touch(index) ^ u64::from(conns.get(index as usize).is_some_and(Option::is_some));
    }
    // Somebody must want the values, or nothing is read.
    std::hint::black_box(all);
}

/// The connection that a frame seems to belong to: TCP over IPv4 without options.
fn key(frame: &[u8]) -> Option<Key> {
    let head = frame.first_chunk::<38>()?;
    let word = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
    let address = |at: usize| Ipv4Addr::new(head[at], head[at + 1], head[at + 2], head[at + 3]);
    let plain = word(12) == EtherType::IPV4.0 && head[14] == 0x45 && head[23] == IpProtocol::TCP.0;
    plain.then(|| Key::new(address(30), word(36), address(26), word(34)))
}
