//! The stack on a real interface, one end of a veth pair, against the kernel's TCP at the other end: the same checks for
//! every kind of port and number of cores.
//!
//! Sizes are for every day; `FERROFLOW_TEST_SIZE=full` runs 1 GiB each way.

#[path = "common/bulk.rs"]
mod bulk;
#[path = "common/checks.rs"]
mod checks;
#[path = "common/lab.rs"]
mod lab;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant as Wall};

use bulk::{Bulk, block, exchange, expect};
use checks::{PORT, opens_bulk, serves_a_thousand, serves_bulk, thousand};
use ferroflow_ports::{AnyPort, Opened, PortSpec, RssKey, Wanted};
use ferroflow_runtime::CoreReport;
use ferroflow_stack::port::{Burst, Port};
use lab::{Cell, End, HOST, KEY, connect, has_program, in_namespace, ip, total};
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};

/// Every kind of port with every number of cores.
const CELLS: &[Cell] = &[
    Cell { port: "packet:ff0", cores: 1, queues: 1 },
    Cell { port: "packet:ff0", cores: 2, queues: 2 },
    Cell { port: "packet:ff0", cores: 4, queues: 1 },
    Cell { port: "xdp:ff0,own", cores: 1, queues: 1 },
    Cell { port: "xdp:ff0,own", cores: 2, queues: 2 },
    Cell { port: "xdp:ff0,own", cores: 4, queues: 4 },
    Cell { port: "xdp:ff0,own", cores: 1, queues: 4 },
    Cell { port: "xdp:ff0,own", cores: 2, queues: 4 },
    Cell { port: "xdp:ff0,own", cores: 4, queues: 2 },
    Cell { port: "xdp:ff0,own,busy=20", cores: 1, queues: 2 },
];

/// Runs a test in each cell, in a namespace of its own.
fn each_cell(test: fn(Cell)) {
    if !has_program("ip", "iproute2") || !has_program("ethtool", "ethtool") {
        return;
    }
    for &cell in CELLS {
        in_namespace(move || {
            lab::veth(cell.queues);
            if cell.port.starts_with("xdp") {
                // XDP cannot tell that a checksum is left out.
                lab::ethtool("host0", "tx off");
            }
            test(cell);
        });
    }
}

/// Bytes of all connections of a cell together.
/// No connection and no frame is left, and nothing went wrong on the way.
fn all_is_well(cell: Cell, reports: &[CoreReport<End>]) {
    for r in reports {
        assert_eq!((r.result.conns, r.result.frames_held), (0, 0), "core {} of {cell:?}", r.core);
        for (name, n) in &r.result.port_counters {
            let bad = ["cut", "damaged", "refused", "went_down", "invalid"].iter().any(|b| name.ends_with(b));
            assert!(!bad || *n == 0, "{name} is {n}: {cell:?}");
        }
    }
}

/// Clients of the kernel, one after another.
fn exchange_all(conns: usize, each: u64) {
    let block = block();
    (0..conns).for_each(|_| exchange(connect(PORT), each, &block));
}

/// A listener for as many connections as may come at once: the standard library's backlog is 128.
fn listener() -> TcpListener {
    let listener = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    listener.bind(&SocketAddr::from((HOST, PORT)).into()).unwrap();
    listener.listen(4096).unwrap();
    listener.into()
}

#[test]
fn bulk_both_ways_as_server() {
    each_cell(|cell| all_is_well(cell, &serves_bulk(cell, |clients| clients())));
}

#[test]
fn bulk_both_ways_as_client() {
    each_cell(|cell| {
        let listener = listener();
        let to = listener.local_addr().unwrap();
        all_is_well(cell, &opens_bulk(cell, to, &listener, |_| ()));
    });
}

#[test]
fn a_thousand_connections_at_once() {
    each_cell(|cell| all_is_well(cell, &serves_a_thousand(cell, thousand)));
}

/// The owner of a connection is where its frames arrive: only what is for all cores goes from one to another.
#[test]
fn frames_arrive_at_the_core_that_owns_them() {
    each_cell(|cell| {
        let outcome = Arc::default();
        let stack = cell.start(|_| Bulk::server(PORT, 10_000, &outcome));
        exchange_all(64, 10_000);
        expect(cell, &outcome, 64);
        stack.wait_idle();
        let reports = stack.stop();
        all_is_well(cell, &reports);
        let accepted: Vec<_> = reports.iter().map(|r| r.result.counter("tcp_accepted")).collect();
        assert!(accepted.iter().all(|&n| n > 0), "{accepted:?}: {cell:?}");
        assert_eq!(total(&reports, "handing_over_dropped"), 0);
        if cell.steers() {
            let handed_over = total(&reports, "handed_over");
            assert!(handed_over <= 16, "{handed_over} frames were handed over: {cell:?}");
        }
    });
}

/// The cable is pulled in mid-transfer, and put back.
#[test]
fn the_link_goes_down_and_up() {
    each_cell(|cell| {
        let outcome = Arc::default();
        let each = 16 << 20;
        let stack = cell.start(|_| Bulk::server(PORT, each, &outcome));
        std::thread::scope(|s| {
            s.spawn(|| exchange(connect(PORT), each, &block()));
            for end in ["host0", "ff0"] {
                std::thread::sleep(Duration::from_millis(30));
                ip(&format!("link set {end} down"));
                std::thread::sleep(Duration::from_millis(300));
                ip(&format!("link set {end} up"));
            }
        });
        expect(cell, &outcome, 1);
        stack.wait_idle();
        drop(stack);
    });
}

/// A stack comes to its end, and another takes its place on the same interface; so does the peer.
#[test]
fn either_side_starts_again() {
    each_cell(|cell| {
        for _ in 0..3 {
            let outcome = Arc::default();
            let stack = cell.start(|_| Bulk::server(PORT, 100_000, &outcome));
            exchange_all(8, 100_000);
            expect(cell, &outcome, 8);
            // The peer is gone with its interface: other MAC address, nothing known.
            ip("link set host0 down");
            ip("link set host0 address 02:00:00:00:77:01");
            ip("link set host0 up");
            exchange_all(8, 100_000);
            expect(cell, &outcome, 16);
            stack.wait_idle();
            drop(stack);
            ip("link set host0 address 02:00:00:00:77:02");
        }
    });
}

/// Checksums are complete, and no frame is larger than the MTU: what comes from a real wire.
#[test]
fn a_peer_without_offloads() {
    each_cell(|cell| {
        lab::ethtool("host0", "tx off tso off gso off");
        let outcome = Arc::default();
        let stack = cell.start(|_| Bulk::server(PORT, 8 << 20, &outcome));
        exchange_all(2, 8 << 20);
        expect(cell, &outcome, 2);
        stack.wait_idle();
        let reports = stack.stop();
        all_is_well(cell, &reports);
        for r in &reports {
            for (name, n) in &r.result.port_counters {
                assert!(
                    *n == 0 || !name.ends_with("csum_partial") && !name.ends_with("super_frames"),
                    "{name} {n}"
                );
            }
        }
    });
}

#[test]
fn an_idle_stack_with_sixteen_connections_costs_nothing() {
    each_cell(|cell| {
        let outcome = Arc::default();
        let stack = cell.start(|_| Bulk::server(PORT, 4, &outcome));
        let mut clients: Vec<_> = (0..16).map(|_| connect(PORT)).collect();
        for c in &mut clients {
            c.read_exact(&mut [0; 4]).unwrap();
            c.write_all(&block()[..1]).unwrap();
        }
        let idle = Duration::from_secs(2);
        std::thread::sleep(idle);
        let cpu: Duration = stack.stop().iter().map(|r| r.cpu_time).sum();
        // 1% of a core each, what starting and stopping cost included.
        assert!(cpu < idle / 100 * cell.cores as u32, "{cpu:?} of processor time in {idle:?}: {cell:?}");
    });
}

/// A veth sender leaves checksums out and sends 64 KiB at once: packet sockets see both.
#[test]
fn packet_sockets_take_super_frames_and_partial_checksums() {
    each_cell(|cell| {
        if !cell.port.starts_with("packet") {
            return;
        }
        let outcome = Arc::default();
        let stack = cell.start(|_| Bulk::server(PORT, 8 << 20, &outcome));
        exchange_all(1, 8 << 20);
        expect(cell, &outcome, 1);
        stack.wait_idle();
        let reports = stack.stop();
        assert!(total(&reports, "packet_rx_super_frames") > 10);
        assert!(total(&reports, "packet_rx_csum_partial") > 10);
        assert!(total(&reports, "packet_tx_calls") < total(&reports, "packet_tx_frames"));
    });
}

/// Who has 10.77.0.2? In a VLAN; 0 is a priority tag, which belongs to no VLAN (IEEE 802.1Q 6.9.1).
fn tagged_arp(mac: [u8; 6], vid: u8) -> Vec<u8> {
    let mut frame = vec![0xff; 6];
    frame.extend(mac);
    frame.extend([0x81, 0, 0, vid, 8, 6]);
    // RFC 826: Ethernet, IPv4, request.
    frame.extend([0, 1, 8, 0, 6, 4, 0, 1]);
    frame.extend(mac);
    frame.extend([10, 77, 0, 77, 0, 0, 0, 0, 0, 0, 10, 77, 0, 2]);
    frame.resize(64, 0);
    frame
}

/// Another VLAN's frames are not ours, although the kernel takes their tags out.
#[test]
fn a_vlan_is_another_network() {
    each_cell(|cell| {
        let stack = cell.start(|_| Bulk::server(PORT, 0, &Arc::default()));
        let mut host = open_host();
        let (port, mac) = (&mut host.ports[0], host.mac);
        let mut burst = Burst::new(2);
        for vid in [5, 0] {
            let bytes = tagged_arp(mac, vid);
            let mut frame = port.alloc(bytes.len()).unwrap();
            port.bytes_mut(&mut frame).copy_from_slice(&bytes);
            burst.push(frame).unwrap();
        }
        assert_eq!(port.tx(&mut burst), 2);
        let start = Wall::now();
        let mut answers = 0;
        while answers == 0 {
            assert!(start.elapsed() < Duration::from_secs(5), "no answer: {cell:?}");
            port.sync().unwrap();
            port.rx(&mut burst);
            while let Some(frame) = burst.pop() {
                answers += usize::from(port.bytes(&frame).get(12..14) == Some(&[8, 6]));
                port.release(frame);
            }
        }
        let reports = stack.stop();
        // Every core sees what is for all, and one answers.
        assert_eq!((answers, total(&reports, "other_vlan")), (1, cell.cores as u64), "{cell:?}");
    });
}

/// A packet socket at the kernel's end.
fn open_host() -> Opened {
    let spec: PortSpec = "packet:host0".parse().unwrap();
    spec.open(&Wanted { rss: RssKey::Is(KEY), ..Wanted::new(1) }).unwrap()
}

/// A frame of no protocol, to everyone, with a number.
fn numbered(number: u8) -> Vec<u8> {
    let mut frame = vec![0xff; 6];
    frame.extend([2, 0, 0, 0, 0, 9]);
    frame.extend(LOCAL_EXPERIMENT);
    frame.resize(60, number);
    frame
}

/// IEEE 802: an Ethernet type for experiments.
const LOCAL_EXPERIMENT: [u8; 2] = [0x88, 0xb5];

/// Sends frames of these numbers as one burst.
fn send_numbered(port: &mut AnyPort, numbers: Range<u8>) {
    let mut burst = Burst::new(numbers.len());
    for number in numbers.clone() {
        let bytes = numbered(number);
        let mut frame = port.alloc(bytes.len()).unwrap();
        port.bytes_mut(&mut frame).copy_from_slice(&bytes);
        burst.push(frame).unwrap();
    }
    assert_eq!(port.tx(&mut burst), numbers.len());
    port.sync().unwrap();
}

/// Receives so many numbered frames.
fn receive_numbered(port: &mut AnyPort, count: usize, cell: Cell) -> Vec<u8> {
    let (start, mut numbers, mut burst) = (Wall::now(), Vec::new(), Burst::new(64));
    while numbers.len() < count {
        assert!(start.elapsed() < Duration::from_secs(5), "{numbers:?} came: {cell:?}");
        port.rx(&mut burst);
        while let Some(frame) = burst.pop() {
            let bytes = port.bytes(&frame);
            numbers.extend((bytes[12..14] == LOCAL_EXPERIMENT).then_some(bytes[59]));
            port.release(frame);
        }
    }
    numbers
}

/// A burst leaves in order, whatever the number of queues; without a carrier it is lost as on any cable, and neither kept
/// for later nor in the way of what comes later.
#[test]
fn a_burst_leaves_in_order_and_is_lost_without_a_carrier() {
    each_cell(|cell| {
        let mut host = open_host();
        let (mut opened, host) = (cell.open(), &mut host.ports[0]);
        for port in &mut opened.ports {
            send_numbered(port, 0..64);
            assert_eq!(receive_numbered(host, 64, cell), (0..64).collect::<Vec<_>>(), "{cell:?}");
            ip("link set host0 down");
            send_numbered(port, 64..128);
            let counters = port.counters();
            let refused = counters.iter().find(|(name, _)| *name == "xdp_tx_refused").map(|(_, n)| *n);
            // A packet socket is not told.
            assert!(refused.is_none_or(|n| n == 64), "{refused:?}: {cell:?}");
            assert_eq!(port.held(), 0, "{cell:?}");
            ip("link set host0 up");
            lab::wait_until_up("ff0");
            send_numbered(port, 128..192);
            assert_eq!(receive_numbered(host, 64, cell), (128..192).collect::<Vec<_>>(), "{cell:?}");
        }
    });
}

/// A veth has no receive hash that could be given a key, and the kernel says so.
#[test]
fn a_card_without_a_hash_cannot_be_given_a_key() {
    each_cell(|cell| {
        if !cell.port.starts_with("xdp") {
            return;
        }
        let spec: PortSpec = cell.port.parse().unwrap();
        let error = spec.open(&Wanted { rss: RssKey::Set(KEY), ..Wanted::new(cell.cores) }).unwrap_err();
        assert!(error.to_string().contains("set the key of the receive hash on interface ff0"), "{error}");
        // And nothing is left of the attempt.
        drop(cell.open());
    });
}

/// Also where others have the link's descriptor, as a process has that was forked and does not run its program yet.
#[test]
fn the_program_goes_with_the_ports() {
    each_cell(|cell| {
        if !cell.port.starts_with("xdp") {
            return;
        }
        let opened = cell.open();
        let kept = links();
        assert!(!kept.is_empty());
        drop(opened);
        drop(cell.open());
        drop(kept);
    });
}

/// Every BPF link of this process, by one more descriptor.
fn links() -> Vec<OwnedFd> {
    let this = pidfd_open(getpid(), PidfdFlags::empty()).unwrap();
    let ours = std::fs::read_dir("/proc/self/fd").unwrap().map(|entry| entry.unwrap());
    ours.filter(|fd| std::fs::read_link(fd.path()).is_ok_and(|to| to.as_os_str() == "anon_inode:bpf_link"))
        .filter_map(|fd| {
            let number = fd.file_name().to_str().unwrap().parse().unwrap();
            pidfd_getfd(&this, number, PidfdGetfdFlags::empty()).ok()
        })
        .collect()
}

/// Also by a core that never sleeps and has nothing to send; a link that is only down is none of these.
#[test]
fn a_deleted_interface_is_noticed_without_a_sleep() {
    each_cell(|cell| {
        if cell.port.starts_with("tap") {
            return;
        }
        let mut opened = cell.open();
        let start = Wall::now();
        let turn = |port: &mut AnyPort| {
            port.tick(ferroflow_stack::Instant::ZERO + start.elapsed());
            port.sync()
        };
        ip("link set ff0 down");
        ip("link set ff0 up");
        let until = Wall::now() + Duration::from_millis(250);
        while Wall::now() < until {
            opened.ports.iter_mut().for_each(|port| turn(port).unwrap());
        }
        ip("link delete ff0");
        for port in &mut opened.ports {
            let deleted = Wall::now();
            let error = loop {
                match turn(port) {
                    Err(error) => break error.to_string(),
                    Ok(()) => assert!(deleted.elapsed() < Duration::from_secs(5), "{cell:?}"),
                }
            };
            assert!(error.contains("ff0 was deleted"), "{error}: {cell:?}");
        }
    });
}

/// What a veth leaves out of its frames is named at the start, and such frames are counted and dropped.
#[test]
fn xdp_names_a_peer_that_leaves_checksums_out() {
    each_cell(|cell| {
        if !cell.port.starts_with("xdp") {
            return;
        }
        let warnings = |what: &str| {
            let opened = cell.open();
            assert_eq!(
                opened.warnings.iter().any(|w| w.contains("ethtool -K host0 tx off")),
                what == "on",
                "{what}"
            );
        };
        warnings("off");
        lab::ethtool("host0", "tx on");
        warnings("on");
        let stack = cell.start(|_| Bulk::server(PORT, 0, &Arc::default()));
        let to = SocketAddr::from((lab::STACK, PORT));
        assert!(std::net::TcpStream::connect_timeout(&to, Duration::from_millis(300)).is_err(), "{cell:?}");
        let reports = stack.stop();
        assert!(total(&reports, "xdp_rx_csum_partial") > 0, "{cell:?}");
        assert_eq!(total(&reports, "tcp_accepted"), 0);
    });
}
