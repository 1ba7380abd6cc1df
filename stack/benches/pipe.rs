//! Two instances joined by a pipe, turned by one thread: what a segment costs both ends together, without any kernel.

use std::net::{Ipv4Addr, SocketAddr};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ferroflow_stack::port::pipe::{self, PipeConfig, PipePort};
use ferroflow_stack::{
    CloseReason, Config, ConnId, ConnInfo, ConnectError, ConnectOptions, Instance, Instant, Listen, Net, Rx,
    Service,
};
use ferroflow_wire::MacAddr;

const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

/// Sends back what comes, or swallows it.
struct Server {
    echo: bool,
    received: u64,
}

impl Service for Server {
    type Conn = ();

    fn start(&mut self, net: &mut impl Net) {
        net.listen(Listen::on(7)).expect("a free port");
    }

    fn accepted(&mut self, _: &mut impl Net, _: ConnId, _: &ConnInfo) -> Option<()> {
        Some(())
    }

    fn connected(&mut self, _: &mut impl Net, _: ConnId, _: Result<&ConnInfo, ConnectError>) -> Option<()> {
        None
    }

    fn data(&mut self, net: &mut impl Net, id: ConnId, (): &mut (), rx: &mut Rx<'_>) {
        while rx.remaining() > 0 {
            let chunk = rx.chunk();
            if self.echo {
                net.send(id, chunk).expect("an open connection");
            }
            self.received += chunk.len() as u64;
            rx.advance(chunk.len());
        }
    }

    fn eof(&mut self, net: &mut impl Net, id: ConnId, (): &mut ()) {
        net.close(id);
    }

    fn closed(&mut self, _: &mut impl Net, _: ConnId, (): (), _: CloseReason) {}
}

/// Opens `conns` connections and counts what comes back.
struct Client {
    conns: usize,
    ids: Vec<ConnId>,
    received: u64,
}

impl Service for Client {
    type Conn = ();

    fn start(&mut self, net: &mut impl Net) {
        for _ in 0..self.conns {
            net.connect(SocketAddr::from((SERVER, 7)), ConnectOptions::default()).expect("a free port");
        }
    }

    fn accepted(&mut self, _: &mut impl Net, _: ConnId, _: &ConnInfo) -> Option<()> {
        None
    }

    fn connected(
        &mut self,
        _: &mut impl Net,
        id: ConnId,
        result: Result<&ConnInfo, ConnectError>,
    ) -> Option<()> {
        result.expect("a connection");
        self.ids.push(id);
        Some(())
    }

    fn data(&mut self, _: &mut impl Net, _: ConnId, (): &mut (), rx: &mut Rx<'_>) {
        while rx.remaining() > 0 {
            let n = rx.chunk().len();
            rx.advance(n);
            self.received += n as u64;
        }
    }

    fn eof(&mut self, net: &mut impl Net, id: ConnId, (): &mut ()) {
        net.close(id);
    }

    fn closed(&mut self, _: &mut impl Net, _: ConnId, (): (), _: CloseReason) {}
}

struct Pair {
    server: Instance<PipePort, Server>,
    client: Instance<PipePort, Client>,
    now: Instant,
}

impl Pair {
    fn new(conns: usize, echo: bool) -> Pair {
        let (mut a, mut b) = pipe::pair(PipeConfig::new(1));
        let config = |mac, ip| Config::new(MacAddr([2, 0, 0, 0, 0, mac]), ip, 24, u64::from(mac));
        let server = Instance::new(config(1, SERVER), a.remove(0), Server { echo, received: 0 });
        let client =
            Instance::new(config(2, CLIENT), b.remove(0), Client { conns, ids: Vec::new(), received: 0 });
        let mut pair = Pair { server, client, now: Instant::from_secs(1) };
        pair.server.start(pair.now);
        pair.client.start(pair.now);
        while pair.client.service().ids.len() < conns {
            pair.turn();
        }
        pair
    }

    fn turn(&mut self) {
        self.now += std::time::Duration::from_micros(10);
        self.client.turn(self.now).expect("a pipe that works");
        self.server.turn(self.now).expect("a pipe that works");
    }

    /// Every connection sends 64 bytes and waits for them to come back.
    fn ping_pong(&mut self) {
        let want = self.client.service().received + 64 * self.client.service().ids.len() as u64;
        self.client.with(|service, net| {
            for &id in &service.ids {
                net.send(id, &[7; 64]).expect("an open connection");
            }
        });
        while self.client.service().received < want {
            self.turn();
        }
    }

    /// The client sends a MiB over one connection.
    fn bulk(&mut self, data: &[u8]) {
        let want = self.server.service().received + data.len() as u64;
        let mut sent = 0;
        while self.server.service().received < want {
            self.client.with(|service, net| {
                sent += net.send(service.ids[0], &data[sent..]).expect("an open connection");
            });
            self.turn();
        }
    }
}

fn benches(c: &mut Criterion) {
    let mut group = c.benchmark_group("pipe");
    for conns in [1, 64, 10_000] {
        let mut pair = Pair::new(conns, true);
        group.throughput(Throughput::Elements(conns as u64));
        group.bench_function(format!("echo of 64 bytes, {conns} connections"), |b| {
            b.iter(|| pair.ping_pong());
        });
    }
    let data = vec![7; 1 << 20];
    let mut pair = Pair::new(1, false);
    group.throughput(Throughput::Bytes(data.len() as u64));
    group.bench_function("bulk", |b| b.iter(|| pair.bulk(&data)));
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
