//! A service that leaves bytes unread, over the kernel's sockets: the peer's end comes behind them, and ends the
//! connection only once they are taken.

mod common;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant as Wall};

use common::free_port;
use ferroflow_runtime::kernel::{Config, ListenGroup};
use ferroflow_runtime::{Engine, Kernel, Waker};
use ferroflow_stack::{CloseReason, ConnId, ConnInfo, ConnectError, Instant, Listen, Net, Rx, Service};

#[derive(Debug, Clone, Copy)]
enum Order {
    /// Take up to so many bytes when they are offered, and have them offered now.
    Take(usize),
    Shutdown,
    Close,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Event {
    Data(Vec<u8>),
    Eof,
    Closed(CloseReason),
}

/// Takes nothing but what it is ordered to.
struct Holder {
    port: u16,
    id: Option<ConnId>,
    offered: usize,
    take: usize,
    orders: Vec<Order>,
    events: Vec<Event>,
}

impl Service for Holder {
    type Conn = ();

    fn start(&mut self, net: &mut impl Net) {
        net.listen(Listen::on(self.port)).unwrap();
    }

    fn accepted(&mut self, _: &mut impl Net, id: ConnId, _: &ConnInfo) -> Option<()> {
        self.id = Some(id);
        Some(())
    }

    fn connected(&mut self, _: &mut impl Net, _: ConnId, _: Result<&ConnInfo, ConnectError>) -> Option<()> {
        None
    }

    fn data(&mut self, _: &mut impl Net, _: ConnId, (): &mut (), rx: &mut Rx<'_>) {
        self.offered = rx.remaining();
        let n = self.take.min(rx.chunk().len());
        if n > 0 {
            self.events.push(Event::Data(rx.chunk()[..n].to_vec()));
            rx.advance(n);
            self.take -= n;
        }
    }

    fn eof(&mut self, _: &mut impl Net, _: ConnId, (): &mut ()) {
        self.events.push(Event::Eof);
    }

    fn closed(&mut self, _: &mut impl Net, _: ConnId, (): (), why: CloseReason) {
        self.events.push(Event::Closed(why));
    }

    fn turn(&mut self, net: &mut impl Net) {
        let Some(id) = self.id else { return };
        for order in self.orders.drain(..) {
            match order {
                Order::Take(n) => {
                    self.take = n;
                    net.resume(id);
                }
                Order::Shutdown => net.shutdown(id),
                Order::Close => net.close(id),
            }
        }
    }
}

const WORDS: &[u8] = b"last words";

/// The engine on the test's own thread, and its one peer.
struct Bench {
    kernel: Kernel<Holder>,
    peer: TcpStream,
    began: Wall,
}

impl Bench {
    fn new() -> Bench {
        let port = free_port();
        let service = Holder { port, id: None, offered: 0, take: 0, orders: Vec::new(), events: Vec::new() };
        let config = Config::new(ListenGroup::new(), 1);
        let mut kernel = Kernel::new(config, Waker::new().unwrap(), service).unwrap();
        kernel.start(Instant::ZERO);
        let peer = TcpStream::connect(("127.0.0.1", port)).unwrap();
        peer.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut bench = Bench { kernel, peer, began: Wall::now() };
        bench.until("accepted", |s| s.id.is_some());
        bench
    }

    fn turn(&mut self) {
        self.kernel.turn(Instant::ZERO + self.began.elapsed()).unwrap();
        std::thread::sleep(Duration::from_millis(1));
    }

    fn until(&mut self, what: &str, done: impl Fn(&Holder) -> bool) {
        let start = Wall::now();
        while !done(self.kernel.service()) {
            assert!(start.elapsed() < Duration::from_secs(10), "{what}: {:?}", self.events());
            self.turn();
        }
    }

    /// Turns enough for everything that can happen by itself.
    fn rest(&mut self) {
        (0..30).for_each(|_| self.turn());
    }

    fn order(&mut self, order: Order) {
        self.kernel.service_mut().orders.push(order);
        self.rest();
    }

    /// The peer sends its words and its FIN; the service is offered the words and takes none.
    fn last_words(&mut self) {
        self.peer.write_all(WORDS).unwrap();
        self.peer.shutdown(Shutdown::Write).unwrap();
        self.until("offered", |s| s.offered == WORDS.len());
        self.rest();
        assert_eq!(self.events(), []);
    }

    fn events(&self) -> &[Event] {
        &self.kernel.service().events
    }

    fn ends_with(mut self, events: &[Event]) {
        self.rest();
        assert_eq!(self.events(), events);
        assert_eq!(self.kernel.conns(), 0, "the connection is left");
        assert_eq!(self.peer.read(&mut [0]).unwrap(), 0, "our side's end");
    }
}

fn all_then_end() -> [Event; 3] {
    [Event::Data(WORDS.to_vec()), Event::Eof, Event::Closed(CloseReason::Finished)]
}

#[test]
fn the_end_comes_behind_what_was_held() {
    for last in [Order::Shutdown, Order::Close] {
        let mut bench = Bench::new();
        bench.last_words();
        bench.order(Order::Take(usize::MAX));
        assert_eq!(bench.events(), &all_then_end()[..2]);
        assert_eq!(bench.kernel.conns(), 1, "our side is open still");
        bench.order(last);
        bench.ends_with(&all_then_end());
    }
}

#[test]
fn our_side_shut_down_before_the_peer_speaks() {
    let mut bench = Bench::new();
    bench.order(Order::Shutdown);
    bench.last_words();
    bench.order(Order::Take(usize::MAX));
    bench.ends_with(&all_then_end());
}

#[test]
fn our_side_shut_down_while_bytes_are_held() {
    let mut bench = Bench::new();
    bench.last_words();
    bench.order(Order::Shutdown);
    assert_eq!(bench.events(), []);
    bench.order(Order::Take(usize::MAX));
    bench.ends_with(&all_then_end());
}

#[test]
fn a_part_taken_is_not_the_end() {
    let mut bench = Bench::new();
    bench.last_words();
    let (first, second) = WORDS.split_at(4);
    bench.order(Order::Take(4));
    assert_eq!(bench.events(), [Event::Data(first.to_vec())]);
    bench.order(Order::Take(usize::MAX));
    let seen = [Event::Data(first.to_vec()), Event::Data(second.to_vec()), Event::Eof];
    assert_eq!(bench.events(), seen);
    bench.order(Order::Take(usize::MAX));
    assert_eq!(bench.events(), seen, "the end is told once");
    bench.order(Order::Close);
    let [a, b, c] = seen;
    bench.ends_with(&[a, b, c, Event::Closed(CloseReason::Finished)]);
}

#[test]
fn closing_gives_up_what_was_held() {
    let mut bench = Bench::new();
    bench.last_words();
    bench.order(Order::Close);
    assert_eq!(bench.kernel.counters().bytes_discarded, WORDS.len() as u64);
    bench.ends_with(&[Event::Closed(CloseReason::Finished)]);
}
