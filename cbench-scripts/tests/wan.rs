//! Small transfers between the stack and the kernel over a lossy way, in real time.

use std::time::Duration;

use cbench::lab::{Need, require};
use cbench::wan::bulk::Bulk;
use cbench::wan::path::Way;
use cbench::wan::task::Role;
use cbench::wan::transfer::{Outcome, Roles, Transfer, Tuning};

const BYTES: u64 = 512 * 1024;

fn transfer(roles: Roles) -> Outcome {
    let way = Way {
        loss: 0.02,
        reorder: 0.03,
        duplicate: 0.02,
        ..Way::clean(50_000_000, Duration::from_millis(4))
    };
    let limit = Duration::from_secs(60);
    let transfer =
        Transfer { roles, way, seed: 11, bytes: BYTES, limit, tuning: Tuning::default(), capture: None };
    transfer.run().unwrap_or_else(|e| panic!("{roles}: {e:#}"))
}

/// Everything arrives, and is compared on the way by the receiver; the way was as bad as it was said to be.
fn arrives(roles: Roles) {
    if !require(&[Need::Root, Need::Tun, Need::Command("ip"), Need::Command("ethtool")]) {
        return;
    }
    let outcome = transfer(roles);
    assert_eq!(outcome.received.bytes, BYTES, "{roles}");
    let [there, back] = outcome.relay.paths[..] else { panic!("two directions") };
    assert!(there.frames > BYTES / 1500 && back.frames > 10, "{there:?} {back:?}");
    assert!(there.lost > 0 && there.late > 0 && there.duplicated > 0, "{there:?}");
    assert_eq!((there.no_room, back.no_room), (0, 0));
    assert_eq!((outcome.relay.refused, outcome.relay.no_route), (vec![0, 0], 0));
    let resent = ["tcp_retransmitted", "TcpRetransSegs"];
    let found = outcome.sender.iter().find(|(name, _)| resent.contains(&name.as_str()));
    assert!(found.is_some_and(|(_, n)| *n > 0), "what was lost was sent again: {:?}", outcome.sender);
}

#[test]
fn the_stack_sends_to_the_kernel_as_client() {
    arrives(Roles::OURS[0]);
}

#[test]
fn the_stack_sends_to_the_kernel_as_server() {
    arrives(Roles::OURS[1]);
}

#[test]
fn the_kernel_sends_to_the_stack_as_client() {
    arrives(Roles::OURS[2]);
}

#[test]
fn the_kernel_sends_to_the_stack_as_server() {
    arrives(Roles::OURS[3]);
}

#[test]
fn the_kernel_sends_to_the_kernel() {
    arrives(Roles::OURS[0].baseline());
    arrives(Roles::OURS[1].baseline());
}

/// Over TAP every byte arrives as it was sent, with offloads and without, in both directions; between kernels too.
#[test]
fn bulk_is_whole_on_every_way() {
    if !require(&[Need::Root, Need::Tun, Need::Command("ip")]) {
        return;
    }
    let bytes = 32 << 20;
    let time = Duration::from_secs(60);
    let bulk = Bulk { time, bytes, check: true, pin: false, offload: true, seed: 3 };
    assert_eq!(bulk.kernels().unwrap().bytes, bytes);
    for offload in [true, false] {
        for (role, counter) in [(Role::Send, "tcp_segments_out"), (Role::Receive, "tcp_segments_in")] {
            let (received, left) = Bulk { offload, ..bulk }.stack(role).unwrap();
            assert_eq!(received.bytes, bytes, "{role:?}, offload {offload}");
            let n = left.counters.iter().find(|(name, _)| name == counter).map_or(0, |(_, n)| *n);
            // Large receive is counted as it comes, and what is sent as it is on the wire.
            let large = offload && role == Role::Receive;
            assert_eq!(n < bytes / 1448, large, "{n} segments: {role:?}, offload {offload}");
        }
    }
}
