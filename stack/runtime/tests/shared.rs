//! AF_XDP on an interface whose address the kernel keeps: our TCP ports are the stack's, clients of the same host are served
//! by the same service, and everything else is the kernel's as before.
//!
//! ff0 has 10.77.0.2 here, and host0, in another namespace, 10.77.0.1.

#[path = "common/bulk.rs"]
mod bulk;
#[path = "common/checks.rs"]
mod checks;
#[path = "common/lab.rs"]
mod lab;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant as Wall};

use bulk::{Bulk, Outcome, block, exchange, expect};
use checks::{PORT, opens_bulk, serves_a_thousand, serves_bulk, thousand};
use ferroflow_runtime::CoreReport;
use lab::{Cell, Elsewhere, End, HOST, STACK, connect, has_program, in_namespace, ip, run, total};

/// The kernel's own server.
const OTHER: u16 = 8080;

const CELLS: &[Cell] = &[
    Cell { port: "xdp:ff0,shared", cores: 1, queues: 1 },
    Cell { port: "xdp:ff0", cores: 2, queues: 2 },
    Cell { port: "xdp:ff0,shared", cores: 4, queues: 4 },
    Cell { port: "xdp:ff0,shared", cores: 1, queues: 4 },
    Cell { port: "xdp:ff0,shared,busy=20", cores: 2, queues: 4 },
    Cell { port: "xdp:ff0,shared", cores: 4, queues: 2 },
];

/// Runs a test in each cell, in a namespace of its own, with the other end in another.
fn each_cell(test: fn(Cell, &Elsewhere)) {
    in_cells(CELLS, test);
}

fn in_cells(cells: &'static [Cell], test: fn(Cell, &Elsewhere)) {
    let programs = [("ip", "iproute2"), ("ethtool", "ethtool"), ("ping", "iputils-ping")];
    if !programs.iter().all(|(program, package)| has_program(program, package)) {
        return;
    }
    for &cell in cells {
        in_namespace(move || {
            let q = format!("numtxqueues {0} numrxqueues {0}", cell.queues);
            ip(&format!("link add ff0 {q} type veth peer name host0 {q}"));
            ip("link set lo up");
            ip("addr add 10.77.0.2/24 dev ff0");
            ip("link set ff0 up");
            lab::ethtool("host0", "tx off");
            test(cell, &Elsewhere::with("host0", "10.77.0.1/24"));
        });
    }
}

/// Nothing is left over, nothing was sent or received that should not have been, and the stack has sent no reset.
fn all_is_well(cell: Cell, reports: &[CoreReport<End>]) {
    for r in reports {
        assert_eq!((r.result.conns, r.result.frames_held), (0, 0), "core {} of {cell:?}", r.core);
    }
    let bad = ["tcp_no_connection", "tcp_no_listener", "tcp_resets_sent", "not_for_us", "not_our_address"];
    for name in bad.into_iter().chain(["xdp_rx_csum_partial", "xdp_tx_refused", "neighbors_failed"]) {
        assert_eq!(total(reports, name), 0, "{name}: {cell:?}");
    }
}

/// The kernel's server on another port of the same address: sends back what it gets, until its listener is gone.
fn kernels_own_server() -> TcpListener {
    let listener = TcpListener::bind((STACK, OTHER)).unwrap();
    let ours = listener.try_clone().unwrap();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = ours.accept() {
            std::thread::spawn(move || {
                let mut buf = [0; 4096];
                while let Ok(n @ 1..) = stream.read(&mut buf) {
                    if stream.write_all(&buf[..n]).is_err() {
                        return;
                    }
                }
            });
        }
    });
    listener
}

fn echoes(stream: &mut TcpStream, text: &[u8]) {
    stream.write_all(text).unwrap();
    let mut back = vec![0; text.len()];
    stream.read_exact(&mut back).unwrap();
    assert_eq!(back, text);
}

#[test]
fn bulk_both_ways_as_server() {
    each_cell(|cell, host| {
        let reports = serves_bulk(cell, |clients| host.enter(clients));
        all_is_well(cell, &reports);
        assert_eq!(total(&reports, "kernel_accepted"), 0, "{cell:?}");
    });
}

/// Active opens come from ports that are held; the kernel says where the peer is, also if it has to ask itself.
#[test]
fn bulk_both_ways_as_client() {
    each_cell(|cell, host| {
        let listener = host.enter(|| TcpListener::bind((HOST, PORT)).unwrap());
        ip("neigh flush dev ff0");
        let reports = opens_bulk(cell, (HOST, PORT).into(), &listener, |peer| {
            assert_eq!(peer.ip(), STACK);
            // Held by a socket: nobody here gets it.
            assert!(TcpListener::bind(peer).is_err(), "{peer}: {cell:?}");
        });
        all_is_well(cell, &reports);
        assert_eq!(total(&reports, "kernel_connects"), 0, "{cell:?}");
        let asked = (total(&reports, "neighbors_asked"), total(&reports, "neighbors_answered"));
        assert!(asked.0 >= 1 && asked.1 >= 1, "{asked:?}: {cell:?}");
    });
}

#[test]
fn a_thousand_connections_at_once() {
    each_cell(|cell, host| all_is_well(cell, &serves_a_thousand(cell, || host.enter(thousand))));
}

/// While we serve both kinds of clients at once, the kernel's own server is undisturbed, and it answers pings.
#[test]
fn the_kernel_keeps_what_is_its_own_and_serves_its_host() {
    each_cell(|cell, host| {
        let _server = kernels_own_server();
        let mut before = host.enter(|| TcpStream::connect((STACK, OTHER)).unwrap());
        echoes(&mut before, b"before");
        let (outcome, each) = (Arc::default(), 1 << 20);
        let stack = cell.start(|_| Bulk::server(PORT, each, &outcome));
        std::thread::scope(|s| {
            s.spawn(|| host.enter(|| exchange(connect(PORT), each, &block())));
            s.spawn(|| exchange(connect(PORT), each, &block()));
            s.spawn(|| exchange(TcpStream::connect((Ipv4Addr::LOCALHOST, PORT)).unwrap(), each, &block()));
            s.spawn(|| exchange(TcpStream::connect(("::1", PORT)).unwrap(), each, &block()));
            let mut text = vec![0; 4096];
            for n in 0..100u8 {
                text.fill(n);
                echoes(&mut before, &text);
            }
            host.enter(|| {
                let mut meanwhile = TcpStream::connect((STACK, OTHER)).unwrap();
                echoes(&mut meanwhile, b"meanwhile");
                let ping = run("ping", "-c 3 -i 0.05 -W 5 10.77.0.2");
                assert!(ping.contains(" 3 received"), "{ping}");
                let refused = TcpStream::connect((STACK, 81)).unwrap_err();
                assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
            });
        });
        expect(cell, &outcome, 4);
        stack.wait_idle();
        let reports = stack.stop();
        all_is_well(cell, &reports);
        assert_eq!((total(&reports, "tcp_accepted"), total(&reports, "kernel_accepted")), (1, 3), "{cell:?}");
        // Nothing but our port's packets has come to the stack.
        let (in_all, tcp) = (total(&reports, "rx_frames"), total(&reports, "tcp_segments_in"));
        assert_eq!(in_all, tcp, "{cell:?}");
        echoes(&mut before, b"after");
    });
}

/// A port that somebody has is not taken from him, and one that is ours nobody gets, until we end.
#[test]
fn a_port_has_one_owner() {
    each_cell(|cell, host| {
        let taken = TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT)).unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let stack = cell.start(|_| Listening { log: log.clone() });
        let said = log.lock().unwrap().clone();
        assert_eq!(said.len(), cell.cores);
        assert!(said.iter().all(|said| said == "port 6653 is already in use"), "{said:?}");
        // It goes on as before.
        host.enter(|| drop(TcpStream::connect((STACK, PORT)).unwrap()));
        drop(stack);
        drop(taken);
        let start = Wall::now();
        let stack = loop {
            log.lock().unwrap().clear();
            let stack = cell.start(|_| Listening { log: log.clone() });
            let said = log.lock().unwrap().clone();
            if said.is_empty() {
                break stack;
            }
            // As in `bind_soon`.
            assert!(start.elapsed() < Duration::from_secs(5), "{said:?}");
        };
        assert!(TcpListener::bind((STACK, PORT)).is_err() && TcpListener::bind(("::", PORT)).is_err());
        drop(stack);
        let again = bind_soon();
        host.enter(|| drop(TcpStream::connect((STACK, PORT)).unwrap()));
        drop(again);
    });
}

/// Binds what our stack has just closed: a program that another test is about to start may have it a moment longer.
fn bind_soon() -> TcpListener {
    let start = Wall::now();
    loop {
        match TcpListener::bind((STACK, PORT)) {
            Ok(listener) => return listener,
            Err(e) => assert!(start.elapsed() < Duration::from_secs(5), "{e}"),
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// What comes by a queue that is not ours is lost to the stack; the kernel's socket does not answer it, or there would be two
/// stacks with one address.
#[test]
fn the_socket_that_holds_the_port_is_deaf_to_the_interface() {
    const CELLS: &[Cell] = &[Cell { port: "xdp:ff0,shared,queues=1", cores: 1, queues: 4 }];
    in_cells(CELLS, |cell, host| {
        let stack = cell.start(|_| Bulk::server(PORT, 0, &Arc::default()));
        let outcomes: Vec<_> = std::thread::scope(|s| {
            let attempt = || {
                let to = SocketAddr::from((STACK, PORT));
                TcpStream::connect_timeout(&to, Duration::from_millis(500)).map(drop).map_err(|e| e.kind())
            };
            let all: Vec<_> = (0..32).map(|_| s.spawn(move || host.enter(attempt))).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let lost = |o: &&Result<(), std::io::ErrorKind>| **o == Err(std::io::ErrorKind::TimedOut);
        let (lost, served) =
            (outcomes.iter().filter(lost).count(), outcomes.iter().filter(|o| o.is_ok()).count());
        assert_eq!(lost + served, outcomes.len(), "none is refused: {outcomes:?}");
        assert!(lost > 0 && served > 0, "{outcomes:?}");
        let reports = stack.stop();
        assert_eq!((total(&reports, "tcp_accepted"), total(&reports, "kernel_accepted")), (served as u64, 0));
    });
}

/// A host that refuses us by ICMP: the error is led to the stack, and the open has failed at once.
#[test]
fn an_icmp_error_about_an_open_ends_it() {
    if !has_program("nft", "nftables") {
        return;
    }
    each_cell(|cell, host| {
        host.enter(|| {
            // Every SYN is refused, not six of them and one a second.
            std::fs::write("/proc/sys/net/ipv4/icmp_ratelimit", "0").unwrap();
            run("nft", "add table ip t");
            run("nft", "add chain ip t in { type filter hook input priority 0 ; }");
            run("nft", "add rule ip t in tcp dport 7777 reject with icmp type port-unreachable");
        });
        let outcome = Arc::<Mutex<Outcome>>::default();
        let stack = cell.start(|_| Bulk::client((HOST, 7777).into(), 2, 0, &outcome));
        let start = Wall::now();
        while outcome.lock().unwrap().bad.len() < 2 * cell.cores {
            assert!(start.elapsed() < Duration::from_secs(10), "{:?}: {cell:?}", outcome.lock().unwrap());
            std::thread::sleep(Duration::from_millis(5));
        }
        let said = outcome.lock().unwrap().bad.clone();
        assert!(said.iter().all(|said| said == "connect: connection refused"), "{said:?}: {cell:?}");
        let reports = stack.stop();
        assert!(total(&reports, "icmp_errors_received") >= 2 * cell.cores as u64, "{cell:?}");
    });
}

/// Listens, and tells why it cannot.
struct Listening {
    log: Arc<Mutex<Vec<String>>>,
}

impl ferroflow_stack::Service for Listening {
    type Conn = ();

    fn start(&mut self, net: &mut impl ferroflow_stack::Net) {
        if let Err(e) = net.listen(ferroflow_stack::Listen::on(PORT)) {
            self.log.lock().unwrap().push(e.to_string());
        }
    }

    fn accepted(
        &mut self,
        _: &mut impl ferroflow_stack::Net,
        _: ferroflow_stack::ConnId,
        _: &ferroflow_stack::ConnInfo,
    ) -> Option<()> {
        None
    }

    fn connected(
        &mut self,
        _: &mut impl ferroflow_stack::Net,
        _: ferroflow_stack::ConnId,
        _: Result<&ferroflow_stack::ConnInfo, ferroflow_stack::ConnectError>,
    ) -> Option<()> {
        None
    }

    fn data(
        &mut self,
        _: &mut impl ferroflow_stack::Net,
        _: ferroflow_stack::ConnId,
        _: &mut (),
        _: &mut ferroflow_stack::Rx<'_>,
    ) {
    }

    fn eof(&mut self, _: &mut impl ferroflow_stack::Net, _: ferroflow_stack::ConnId, _: &mut ()) {}

    fn closed(
        &mut self,
        _: &mut impl ferroflow_stack::Net,
        _: ferroflow_stack::ConnId,
        _: (),
        _: ferroflow_stack::CloseReason,
    ) {
    }
}
