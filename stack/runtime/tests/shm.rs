//! TCP over memory that two stacks share: bytes both ways, with as many queues at one end as at the other, or not.

#[path = "common/bulk.rs"]
mod bulk;
#[path = "common/lab.rs"]
mod lab;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant as Wall};

use bulk::{Bulk, Outcome, block};
use ferroflow_ports::AnyPort;
use ferroflow_ports::shm::{self, ShmConfig, ShmPort};
use ferroflow_runtime::steer;
use ferroflow_stack::steer::Steer;
use lab::{HOST, STACK, Stack, full};

const PORT: u16 = 6653;
const CONNS: usize = 8;

fn total() -> u64 {
    if full() { 128 << 20 } else { 8 << 20 }
}

fn stack(ports: Vec<ShmPort>, address: std::net::Ipv4Addr, service: impl Fn() -> Bulk) -> Stack {
    let [a, b, c, d] = address.octets();
    let ports = steer::join(ports.into_iter().map(AnyPort::from).collect(), 256, Steer::new);
    Stack::start(ports, [2, 0, a, b, c, d], |_| service(), |config| config.address = address)
}

fn exchange(socket: &Path, queues: u16, visitors: u16) {
    let (near, far) = (Arc::<Mutex<Outcome>>::default(), Arc::<Mutex<Outcome>>::default());
    let bytes = block();
    let ports = shm::listen(socket, &ShmConfig::new(queues)).unwrap();
    let server = stack(ports, STACK, || Bulk {
        listen: Some(PORT),
        connect: None,
        total: total(),
        block: bytes.clone(),
        outcome: near.clone(),
    });
    let each = CONNS / usize::from(visitors);
    let client = stack(shm::visit(socket, visitors).unwrap(), HOST, || Bulk {
        listen: None,
        connect: Some((SocketAddr::from((STACK, PORT)), each)),
        total: total(),
        block: bytes.clone(),
        outcome: far.clone(),
    });
    let start = Wall::now();
    loop {
        let (near, far) = (near.lock().unwrap().clone(), far.lock().unwrap().clone());
        assert!(near.bad.is_empty() && far.bad.is_empty(), "{:?} {:?}", near.bad, far.bad);
        if near.good == CONNS && far.good == CONNS {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(120), "{} and {} ended well", near.good, far.good);
        std::thread::sleep(Duration::from_millis(5));
    }
    for end in [client.stop(), server.stop()] {
        for core in end {
            assert_eq!((core.result.conns, core.result.frames_held), (0, 0), "core {}", core.core);
        }
    }
}

#[test]
fn every_byte_arrives_with_one_two_and_four_cores() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("ff");
    for (queues, visitors) in [(1, 1), (2, 1), (4, 1), (1, 2), (2, 4)] {
        exchange(&socket, queues, visitors);
    }
}
