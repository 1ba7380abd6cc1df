//! The same checks over what needs no interface: pipes in memory, memory shared as between processes, and the kernel's
//! sockets; with one, two and four cores. `tap.rs` and `veth.rs` have the interfaces.
//!
//! Sizes are for every day; `FERROFLOW_TEST_SIZE=full` moves 1 GiB each way in each cell.

#[path = "common/bulk.rs"]
mod bulk;
#[path = "common/lab.rs"]
mod lab;

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant as Wall};

use bulk::{Bulk, Outcome, block, exchange};
use ferroflow_ports::AnyPort;
use ferroflow_ports::shm::{self, ShmConfig};
use ferroflow_runtime::kernel::{self, ListenGroup};
use ferroflow_runtime::{EventBell, Kernel, Options, Runtime, steer};
use ferroflow_stack::port::pipe::{self, PipeConfig, PipePort};
use ferroflow_stack::steer::Steer;
use lab::{HOST, STACK, Stack, full};

const PORT: u16 = 6653;
const CORES: [usize; 3] = [1, 2, 4];
const PATIENCE: Duration = Duration::from_secs(240);

/// Bytes of all connections of a cell together, each way.
fn bulk_bytes() -> u64 {
    if full() { 1 << 30 } else { 64 << 20 }
}

/// A service, and what came of its connections.
fn service(
    listen: Option<u16>,
    connect: Option<(SocketAddr, usize)>,
    total: u64,
) -> (Bulk, Arc<Mutex<Outcome>>) {
    let outcome = Arc::<Mutex<Outcome>>::default();
    (Bulk { listen, connect, total, block: block(), outcome: outcome.clone() }, outcome)
}

fn copy(of: &Bulk) -> Bulk {
    Bulk {
        listen: of.listen,
        connect: of.connect,
        total: of.total,
        block: of.block.clone(),
        outcome: of.outcome.clone(),
    }
}

fn wait_for(outcomes: &[&Arc<Mutex<Outcome>>], good: usize, cell: &str) {
    let start = Wall::now();
    for outcome in outcomes {
        loop {
            let now = outcome.lock().unwrap().clone();
            assert!(now.bad.is_empty(), "{cell}: {:?} (and {} good)", now.bad, now.good);
            if now.good == good {
                break;
            }
            assert!(start.elapsed() < PATIENCE, "{cell}: {} of {good} ended well", now.good);
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Two ends, each with so many queues, one for each of its cores.
type Ends = (Vec<AnyPort>, Vec<AnyPort>);

fn over_pipe(cores: usize) -> Ends {
    let bell = |mut port: PipePort| {
        port.set_doorbell(Arc::new(EventBell::new().unwrap()));
        AnyPort::from(port)
    };
    let (near, far) = pipe::pair(PipeConfig::new(cores as u16));
    (near.into_iter().map(bell).collect(), far.into_iter().map(bell).collect())
}

fn stack(ports: Vec<AnyPort>, address: Ipv4Addr, service: &Bulk) -> Stack {
    let [a, b, c, d] = address.octets();
    let ports = steer::join(ports, 256, Steer::new);
    Stack::start(ports, [2, 0, a, b, c, d], |_| copy(service), |config| config.address = address)
}

fn nothing_leaks(stack: Stack, cell: &str) {
    for core in stack.stop() {
        assert_eq!((core.result.conns, core.result.frames_held), (0, 0), "{cell}: core {}", core.core);
    }
}

/// `conns` connections of each core of one end to the other: our stack opens them, and our stack accepts them.
fn between_stacks((near, far): Ends, conns: usize, each: u64, cell: &str) {
    let cores = far.len();
    let (server, accepted) = service(Some(PORT), None, each);
    let (client, opened) = service(None, Some(((STACK, PORT).into(), conns)), each);
    let server = stack(near, STACK, &server);
    let client = stack(far, HOST, &client);
    wait_for(&[&opened, &accepted], conns * cores, cell);
    nothing_leaks(client, cell);
    nothing_leaks(server, cell);
}

#[test]
fn bulk_over_pipes() {
    for cores in CORES {
        let each = bulk_bytes() / (4 * cores) as u64;
        between_stacks(over_pipe(cores), 4, each, &format!("pipe, {cores} cores"));
    }
}

#[test]
fn a_thousand_connections_over_pipes() {
    for cores in CORES {
        between_stacks(over_pipe(cores), 1000 / cores, 4096, &format!("pipe, {cores} cores"));
    }
}

#[test]
fn a_thousand_connections_over_shared_memory() {
    let folder = tempfile::tempdir().unwrap();
    for cores in CORES {
        let cell = format!("shared memory, {cores} cores");
        let socket = folder.path().join(cores.to_string());
        let near = shm::listen(&socket, &ShmConfig::new(cores as u16)).unwrap();
        let far = shm::visit(&socket, cores as u16).unwrap();
        let ends =
            (near.into_iter().map(AnyPort::from).collect(), far.into_iter().map(AnyPort::from).collect());
        between_stacks(ends, 1000 / cores, 4096, &cell);
    }
}

/// The peer goes in the middle of its streams and comes back as another program: it is served, and the old connections, whose
/// addresses and ports it may use again, are no obstacle.
#[test]
fn a_peer_over_shared_memory_starts_again() {
    let folder = tempfile::tempdir().unwrap();
    for cores in CORES {
        let cell = format!("shared memory, {cores} cores");
        let socket = folder.path().join(cores.to_string());
        let near = shm::listen(&socket, &ShmConfig::new(cores as u16)).unwrap();
        let (server, accepted) = service(Some(PORT), None, 1 << 20);
        let server = stack(near.into_iter().map(AnyPort::from).collect(), STACK, &server);
        // It has more to send than anybody wants to have, and is stopped: its connections are reset, or just forgotten: what is
        // in the memory when it goes is lost.
        let (endless, _) = service(None, Some(((STACK, PORT).into(), 2)), 1 << 40);
        let visitor = || shm::visit(&socket, cores as u16).unwrap().into_iter().map(AnyPort::from).collect();
        let first = stack(visitor(), HOST, &endless);
        let start = Wall::now();
        while server.conns() < 2 * cores as u64 {
            assert!(start.elapsed() < PATIENCE, "{cell}: {} connections", server.conns());
            std::thread::sleep(Duration::from_millis(1));
        }
        drop(first);
        let (client, opened) = service(None, Some(((STACK, PORT).into(), 2)), 1 << 20);
        // The place is free when the first one's end has been noticed.
        let second = loop {
            match shm::visit(&socket, cores as u16) {
                Ok(ports) => break stack(ports.into_iter().map(AnyPort::from).collect(), HOST, &client),
                Err(error) => assert!(start.elapsed() < PATIENCE, "{cell}: {error}"),
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        wait_for(&[&opened], 2 * cores, &cell);
        nothing_leaks(second, &cell);
        while accepted.lock().unwrap().good < 2 * cores {
            assert!(start.elapsed() < PATIENCE, "{cell}: {:?}", accepted.lock().unwrap());
            std::thread::sleep(Duration::from_millis(2));
        }
        // What the first one's resets did not reach when it went is left over, and no more.
        let left: usize = server
            .stop()
            .iter()
            .map(|core| {
                assert_eq!(core.result.frames_held, 0, "{cell}: core {}", core.core);
                core.result.conns
            })
            .sum();
        let ended = accepted.lock().unwrap().bad.len();
        assert!(left + ended <= 2 * cores, "{cell}: {left} are left, {ended} of the first one's ended");
    }
}

/// The service over the kernel's sockets.
fn sockets(cores: usize, service: &Bulk) -> Runtime<usize> {
    let group = ListenGroup::new();
    Runtime::spawn(
        &Options::new(cores),
        |core| {
            let config = kernel::Config::new(group.clone(), core.index as u64);
            let (waker, service) = (core.waker.clone(), copy(service));
            move || Ok(Kernel::new(config, waker, service)?)
        },
        |engine| ferroflow_runtime::Engine::conns(&engine),
    )
    .unwrap()
}

fn end(runtime: Runtime<usize>, cell: &str) {
    runtime.stop_handle().stop();
    for core in runtime.join().unwrap() {
        assert_eq!(core.result, 0, "{cell}: core {}", core.core);
    }
}

/// A port that nobody listens on now.
fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

fn dial(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

#[test]
fn bulk_over_the_kernels_sockets_as_server() {
    for cores in CORES {
        let cell = format!("kernel, {cores} cores");
        let (port, conns) = (free_port(), 4 * cores);
        let each = bulk_bytes() / conns as u64;
        let (server, outcome) = service(Some(port), None, each);
        let runtime = sockets(cores, &server);
        std::thread::scope(|s| {
            (0..conns).for_each(|_| {
                s.spawn(|| exchange(dial(port), each, &server.block));
            });
        });
        wait_for(&[&outcome], conns, &cell);
        end(runtime, &cell);
    }
}

#[test]
fn bulk_over_the_kernels_sockets_as_client() {
    for cores in CORES {
        let cell = format!("kernel, {cores} cores");
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let each = bulk_bytes() / (2 * cores) as u64;
        let (client, outcome) = service(None, Some((listener.local_addr().unwrap(), 2)), each);
        let runtime = sockets(cores, &client);
        std::thread::scope(|s| {
            (0..2 * cores).for_each(|_| {
                let stream = listener.accept().unwrap().0;
                s.spawn(|| exchange(stream, each, &client.block));
            });
        });
        wait_for(&[&outcome], 2 * cores, &cell);
        end(runtime, &cell);
    }
}

#[test]
fn a_thousand_connections_over_the_kernels_sockets() {
    for cores in CORES {
        let cell = format!("kernel, {cores} cores");
        let port = free_port();
        let (server, outcome) = service(Some(port), None, 4096);
        let runtime = sockets(cores, &server);
        let clients: Vec<_> = (0..1000).map(|_| dial(port)).collect();
        let start = Wall::now();
        while runtime.stats().iter().map(|stats| stats.conns()).sum::<u64>() < 1000 {
            assert!(start.elapsed() < PATIENCE, "{cell}: not all are there");
            std::thread::sleep(Duration::from_millis(1));
        }
        clients.into_iter().for_each(|client| exchange(client, 4096, &server.block));
        wait_for(&[&outcome], 1000, &cell);
        end(runtime, &cell);
    }
}

/// Either side starts again, on the same port.
#[test]
fn the_kernels_sockets_start_again() {
    for cores in CORES {
        let cell = format!("kernel, {cores} cores");
        let port = free_port();
        for _ in 0..2 {
            let (server, outcome) = service(Some(port), None, 100_000);
            let runtime = sockets(cores, &server);
            // One that goes in the middle is an end, and not a good one; the next is served.
            drop(dial(port));
            let start = Wall::now();
            while outcome.lock().unwrap().bad.is_empty() {
                assert!(start.elapsed() < PATIENCE, "{cell}: nobody noticed");
                std::thread::sleep(Duration::from_millis(1));
            }
            outcome.lock().unwrap().bad.clear();
            exchange(dial(port), 100_000, &server.block);
            wait_for(&[&outcome], 1, &cell);
            end(runtime, &cell);
        }
    }
}
