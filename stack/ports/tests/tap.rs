//! TAP ports against the kernel that made them.

use std::io::{ErrorKind, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::os::fd::OwnedFd;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use ferroflow_ports::{Tap, TapBuilder, TapError, TapPort};
use ferroflow_stack::port::{Burst, Interest, Port};
use ferroflow_stack::steer::{Owner, Steer};
use ferroflow_wire::MacAddr;
use ferroflow_wire::ethernet::{EtherType, EthernetHeader, EthernetView};
use ferroflow_wire::ipv4::{self, IpProtocol, Ipv4Header, Ipv4View};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A builder with a name and a network of its own; `None` without the rights, said loudly.
fn builder() -> Option<(TapBuilder, Ipv4Addr)> {
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    let pid = std::process::id();
    let mut builder = TapBuilder::new(format!("fft{:x}x{n}", pid & 0xff_ffff));
    let host = Ipv4Addr::new(198, 18 + (pid & 1) as u8, (pid >> 1) as u8, (n * 8 + 1) as u8);
    builder.host_address = Some((host, 29));
    let probe = TapBuilder::new(format!("ffp{:x}x{n}", pid & 0xff_ffff)).open();
    match probe {
        Ok(_) => Some((builder, host)),
        Err(e @ (TapError::NoRights(_) | TapError::NoDevice)) => {
            assert!(
                std::env::var_os("FERROFLOW_NO_SKIP").is_none_or(|v| v != "1"),
                "FERROFLOW_NO_SKIP=1, and this test needs a TAP interface: {e}"
            );
            // Past the harness's capture, which takes what `eprintln!` prints.
            let test = std::thread::current().name().unwrap_or("test").to_owned();
            let _ = writeln!(std::io::stderr(), "SKIPPED: {test} needs a TAP interface: {e}");
            None
        }
        Err(e) => panic!("{e}"),
    }
}

fn wait_readable(tap: &Tap, port: usize) -> bool {
    let (fd, interest) = tap.ports[port].wait().unwrap();
    assert_eq!(interest, Interest::Readable);
    let limit = Timespec { tv_sec: 5, tv_nsec: 0 };
    poll(&mut [PollFd::from_borrowed_fd(fd, PollFlags::IN)], Some(&limit)).unwrap() == 1
}

/// Frames of IPv4 UDP to `port` that arrive within a second on any queue: the payloads.
fn udp_payloads(tap: &mut Tap, port: u16, want: usize) -> Vec<Vec<u8>> {
    let mut seen = Vec::new();
    let start = Instant::now();
    let mut burst = Burst::new(16);
    while seen.len() < want && start.elapsed() < Duration::from_secs(2) {
        for queue in &mut tap.ports {
            queue.rx(&mut burst);
            while let Some(frame) = burst.pop() {
                let eth = EthernetView::parse(queue.bytes(&frame)).unwrap();
                if eth.ethertype() == EtherType::IPV4 {
                    let ip = Ipv4View::parse(eth.payload()).unwrap();
                    if ip.protocol() == IpProtocol::UDP && ip.payload()[2..4] == port.to_be_bytes() {
                        seen.push(ip.payload()[8..].to_vec());
                    }
                }
                queue.release(frame);
            }
            queue.sync().unwrap();
        }
    }
    seen
}

/// Gives the kernel a static neighbour, so that it sends at once.
fn neighbour(tap: &Tap, address: Ipv4Addr) {
    let mac = tap.stack_mac().map(|b| format!("{b:02x}")).join(":");
    let out = Command::new("ip")
        .args(["neigh", "replace", &address.to_string(), "lladdr", &mac, "dev", &tap.name])
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

/// Sends one UDP packet, without a checksum.
fn send_udp(port: &mut TapPort, to_mac: [u8; 6], (from, to): (Ipv4Addr, SocketAddr), payload: &[u8]) {
    let len = 8 + payload.len();
    let mut frame = port.alloc(14 + ipv4::HEADER_LEN + len).unwrap();
    let SocketAddr::V4(to) = to else { panic!("IPv4 only") };
    let eth = EthernetHeader {
        dst: MacAddr(to_mac),
        src: MacAddr([2, 0x46, 0x46, 1, 2, 0x83]),
        vlan: None,
        ethertype: EtherType::IPV4,
    };
    let bytes = port.bytes_mut(&mut frame);
    bytes.fill(0);
    eth.write(bytes).unwrap();
    Ipv4Header::new(from, *to.ip(), IpProtocol::UDP, len as u16).write(&mut bytes[14..]).unwrap();
    let udp = &mut bytes[14 + ipv4::HEADER_LEN..];
    udp[..2].copy_from_slice(&4000u16.to_be_bytes());
    udp[2..4].copy_from_slice(&to.port().to_be_bytes());
    udp[4..6].copy_from_slice(&(len as u16).to_be_bytes());
    udp[8..].copy_from_slice(payload);
    let mut burst = Burst::new(1);
    burst.push(frame).unwrap();
    assert_eq!(port.tx(&mut burst), 1);
    port.sync().unwrap();
}

#[test]
fn frames_go_both_ways_and_no_buffer_is_lost() {
    let Some((mut b, host)) = builder() else { return };
    b.mtu = Some(1400);
    b.host_mac = Some([2, 0x46, 0x46, 1, 2, 3]);
    let mut tap = b.open().unwrap();
    assert!(tap.created);
    assert_eq!(tap.host_mac, [2, 0x46, 0x46, 1, 2, 3]);
    assert_ne!(tap.stack_mac(), tap.host_mac);
    assert_eq!(tap.ports[0].caps().mtu, 1400);
    let stack = Ipv4Addr::from_bits(host.to_bits() + 1);
    neighbour(&tap, stack);

    let socket = UdpSocket::bind((host, 0)).unwrap();
    let here = socket.local_addr().unwrap().port();
    for i in 0..10u8 {
        socket.send_to(&vec![i; 100 + usize::from(i)], (stack, 4000)).unwrap();
    }
    assert!(wait_readable(&tap, 0));
    let seen = udp_payloads(&mut tap, 4000, 10);
    let want: Vec<_> = (0..10u8).map(|i| vec![i; 100 + usize::from(i)]).collect();
    assert_eq!(seen, want);

    for i in 0..4u8 {
        send_udp(&mut tap.ports[0], b.host_mac.unwrap(), (stack, (host, here).into()), &[i; 32]);
    }
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    for i in 0..4u8 {
        let mut buf = [0; 64];
        let (n, from) = socket.recv_from(&mut buf).unwrap();
        assert_eq!((&buf[..n], from.ip()), (&[i; 32][..], stack.into()));
    }
    assert_eq!(tap.ports[0].held(), 0);
}

#[test]
fn frames_too_long_use_up_the_burst() {
    let Some((b, host)) = builder() else { return };
    let mut tap = b.open().unwrap();
    let stack = Ipv4Addr::from_bits(host.to_bits() + 1);
    neighbour(&tap, stack);
    // Behind the port's back: it was opened for 1500.
    assert!(Command::new("ip").args(["link", "set", &b.name, "mtu", "9000"]).status().unwrap().success());
    let socket = UdpSocket::bind((host, 0)).unwrap();
    for _ in 0..20 {
        socket.send_to(&[0; 4000], (stack, 4002)).unwrap();
    }
    socket.send_to(b"short", (stack, 4002)).unwrap();
    assert!(wait_readable(&tap, 0));
    let port = &mut tap.ports[0];
    let mut burst = Burst::new(4);
    for turn in 1..=3 {
        // The kernel's own chatter on a new interface may be among them.
        let taken = port.rx(&mut burst) as u64;
        let counters = *port.counters();
        assert_eq!(counters.rx_frames + counters.rx_too_long, 4 * turn);
        assert!(!port.prepare_wait(), "more is waiting");
        assert_eq!(burst.len() as u64, taken);
        while let Some(frame) = burst.pop() {
            port.release(frame);
        }
    }
    assert_eq!(udp_payloads(&mut tap, 4002, 1), [b"short"]);
    assert_eq!(tap.ports[0].counters().rx_too_long, 20);
    assert_eq!(tap.ports[0].held(), 0);
}

/// Has the kernel send a SYN from each of `n` sockets to the stack; on their way they are left alone.
fn syns(host: Ipv4Addr, to: Ipv4Addr, n: usize) -> Vec<OwnedFd> {
    let syn = |_| {
        let (family, kind) = (AddressFamily::INET, SocketType::STREAM);
        let socket = rustix::net::socket_with(family, kind, SocketFlags::NONBLOCK, None).unwrap();
        rustix::net::bind(&socket, &SocketAddrV4::new(host, 0)).unwrap();
        assert_eq!(rustix::net::connect(&socket, &SocketAddrV4::new(to, 4003)), Err(Errno::INPROGRESS));
        socket
    };
    (0..n).map(syn).collect()
}

/// TCP frames that have arrived, `n` at least, and the core of each.
fn arrivals(tap: &mut Tap, n: usize) -> Vec<(Vec<u8>, u16)> {
    let (mut seen, start, mut burst) = (Vec::new(), Instant::now(), Burst::new(16));
    while seen.len() < n && start.elapsed() < Duration::from_secs(2) {
        for port in &mut tap.ports {
            port.rx(&mut burst);
            while let Some(frame) = burst.pop() {
                let bytes = port.bytes(&frame);
                if bytes[12..14] == [8, 0] && bytes[23] == 6 {
                    seen.push((bytes.to_vec(), port.caps().queue));
                }
                port.release(frame);
            }
        }
    }
    seen
}

#[test]
fn the_kernel_brings_connections_to_their_cores() {
    for (queues, cores) in [(4, None), (2, Some(4)), (4, Some(2)), (3, Some(1)), (1, Some(3))] {
        let Some((mut b, host)) = builder() else { return };
        (b.queues, b.cores) = (queues, cores);
        let cores = cores.unwrap_or(queues);
        let mut tap = b.open().unwrap();
        assert_eq!(
            tap.ports.iter().map(|p| p.caps().queue).collect::<Vec<_>>(),
            (0..cores).collect::<Vec<_>>()
        );
        let stack = Ipv4Addr::from_bits(host.to_bits() + 1);
        neighbour(&tap, stack);
        let _sockets = syns(host, stack, 64);
        let seen = arrivals(&mut tap, 64);
        assert!(seen.len() >= 64, "{} of 64", seen.len());
        // Without a queue, what is theirs arrives at the core that their queue would be after as many.
        let steer: Vec<_> = (0..cores).map(|core| Steer::new(core, cores)).collect();
        let at_home = |frame: &[u8], core: u16| {
            let owner = (0..cores).find(|&c| steer[usize::from(c)].owner(frame) == Owner::Here);
            owner.unwrap() % queues == core % queues
        };
        let home = seen.iter().filter(|(frame, core)| at_home(frame, *core)).count();
        if queues > 1 && cores > 1 && !tap.steered {
            let warned = tap.warnings.iter().any(|w| w.contains("handed over"));
            assert!(warned, "{home} of {} at home, and no word: {:?}", seen.len(), tap.warnings);
        } else {
            assert_eq!(home, seen.len(), "{queues} queues, {cores} cores");
        }
        let used = tap.ports.iter().filter(|p| p.counters().rx_frames > 0).count();
        assert_eq!(used, usize::from(cores.min(queues)), "{queues} queues, {cores} cores");
    }
}

#[test]
fn every_core_sends_with_a_queue_or_without() {
    for (queues, cores) in [(4, 4), (1, 3), (3, 2)] {
        let Some((mut b, host)) = builder() else { return };
        (b.queues, b.cores) = (queues, Some(cores));
        let mut tap = b.open().unwrap();
        let socket = UdpSocket::bind((host, 0)).unwrap();
        let here = socket.local_addr().unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let (mac, own) = (tap.host_mac, Ipv4Addr::from_bits(host.to_bits() + 1));
        for port in &mut tap.ports {
            let core = port.caps().queue;
            send_udp(port, mac, (own, here), &[core as u8; 32]);
            let mut buf = [0; 64];
            assert_eq!(socket.recv(&mut buf).unwrap(), 32);
            assert_eq!(buf[0], core as u8, "{queues} queues, {cores} cores");
            // A core without a queue has nothing to read, and sleeps.
            let (fd, _) = port.wait().unwrap();
            let now = Timespec { tv_sec: 0, tv_nsec: 0 };
            let ready = poll(&mut [PollFd::from_borrowed_fd(fd, PollFlags::IN)], Some(&now)).unwrap();
            assert!(ready == 0 || core < queues);
        }
    }
}

#[test]
fn the_pools_are_bounds() {
    for offload in [false, true] {
        let Some((mut b, _)) = builder() else { return };
        b.offload = Some(offload);
        let mut tap = b.open().unwrap();
        let port = &mut tap.ports[0];
        assert_eq!(port.caps().tx_gso > 0, offload);
        assert!(port.alloc(65_535 + 19).is_none(), "longer than it can carry");
        assert!(offload || port.alloc(1500 + 19).is_none(), "longer than it can carry");
        let mut held: Vec<_> = std::iter::from_fn(|| port.alloc(1514)).collect();
        assert_eq!((held.len(), port.counters().no_buffer), (1024, 1));
        assert_eq!(port.rx(&mut Burst::new(4)), 0);
        let refused = port.counters().no_buffer;
        if offload {
            let large: Vec<_> = std::iter::from_fn(|| port.alloc(65_535 + 14)).collect();
            assert_eq!((large.len(), port.counters().no_buffer), (64, refused + 1));
            held.extend(large);
        }
        let first = held.remove(0);
        port.release(first);
        assert!(port.alloc(60).map(|f| held.push(f)).is_some());
        held.into_iter().for_each(|f| port.release(f));
        assert_eq!(port.held(), 0);
    }
}

#[test]
fn the_last_users_offloads_are_forgotten() {
    let Some((mut b, host)) = builder() else { return };
    let run = |args: &[&str]| assert!(Command::new("ip").args(args).status().unwrap().success());
    run(&["tuntap", "add", &b.name, "mode", "tap", "multi_queue"]);
    for offload in [true, false, true] {
        b.offload = Some(offload);
        let mut tap = b.open().unwrap();
        let stack = Ipv4Addr::from_bits(host.to_bits() + 1);
        neighbour(&tap, stack);
        let socket = UdpSocket::bind((host, 0)).unwrap();
        // The kernel takes its time to notice that there is a carrier again, and drops frames until then.
        let start = Instant::now();
        loop {
            socket.send_to(b"hello", (stack, 4001)).unwrap();
            if !udp_payloads(&mut tap, 4001, 1).is_empty() {
                break;
            }
            assert!(start.elapsed() < Duration::from_secs(20), "nothing arrives");
        }
        assert_eq!(
            tap.ports[0].counters().rx_csum_partial > 0,
            offload,
            "checksums are left out only if told so"
        );
    }
    run(&["link", "delete", &b.name]);
}

#[test]
fn an_interface_that_is_deleted_is_an_error_and_not_a_loop() {
    let Some((b, _)) = builder() else { return };
    let mut tap = b.open().unwrap();
    assert!(Command::new("ip").args(["link", "delete", &b.name]).status().unwrap().success());
    let port = &mut tap.ports[0];
    let mut burst = Burst::new(4);
    while port.rx(&mut burst) > 0 {
        while let Some(f) = burst.pop() {
            port.release(f);
        }
    }
    let error = port.sync().unwrap_err().to_string();
    assert!(error.contains(&b.name), "{error}");
}

#[test]
fn a_taken_interface_and_a_wrong_one_are_named() {
    let Some((mut b, _)) = builder() else { return };
    let tap = b.open().unwrap();
    assert!(matches!(b.open(), Err(TapError::Busy(name)) if name == b.name));
    b.queues = 2;
    assert!(matches!(b.open(), Err(TapError::OneQueue(_))));
    drop(tap);
    assert!(matches!(TapBuilder::new("lo").open(), Err(TapError::NotTap(_))));
}

#[test]
fn a_persistent_interface_stays() {
    let Some((mut b, host)) = builder() else { return };
    let run = |args: &[&str]| assert!(Command::new("ip").args(args).status().unwrap().success());
    run(&["tuntap", "add", &b.name, "mode", "tap", "multi_queue"]);
    b.queues = 2;
    let tap = b.open().unwrap();
    assert!(!tap.created);
    drop(tap);
    assert_eq!(UdpSocket::bind((host, 0)).map(|_| ()).map_err(|e| e.kind()), Ok::<(), ErrorKind>(()));
    run(&["link", "delete", &b.name]);
}

#[test]
fn bad_settings_are_refused_before_anything_is_opened() {
    for name in ["", "sixteen-letters-", "a b", "a/b", "..", "tap%d"] {
        assert!(matches!(TapBuilder::new(name).open(), Err(TapError::BadName(_))), "{name:?}");
    }
    let bad = [
        TapBuilder { queues: 0, ..TapBuilder::new("fftx") },
        TapBuilder { cores: Some(0), ..TapBuilder::new("fftx") },
        TapBuilder { mtu: Some(100), ..TapBuilder::new("fftx") },
        TapBuilder { host_address: Some((Ipv4Addr::new(10, 0, 0, 1), 33)), ..TapBuilder::new("fftx") },
    ];
    for b in bad {
        assert!(matches!(b.open(), Err(TapError::BadSetting(_))), "{b:?}");
    }
}
