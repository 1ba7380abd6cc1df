//! Once a connection is warm, waiting, reading and writing allocate nothing, whatever is reported.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ferroflow_stack::port::pipe::{PipeConfig, PipePort, pair};
use ferroflow_stack::sockets::{Clock, Driven, Errno, Event, Family, Fd, Interest, Ready, Sockets};
use ferroflow_stack::{Config, Instant};

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: everything is the system's allocator's; only a counter is added.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc`, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(ptr, layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(ptr, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A host at one end of a pipe, with an epoll set.
struct End {
    driven: Driven<PipePort>,
    epoll: Fd,
}

/// Time goes on by a millisecond whenever somebody waits in vain.
struct Ticks(Instant);

impl Clock<PipePort> for Ticks {
    fn now(&mut self) -> Instant {
        self.0
    }

    fn sleep(&mut self, _: &mut PipePort, _: Option<Instant>) {
        self.0 += Duration::from_millis(1);
    }
}

impl End {
    fn new(port: PipePort, n: u8) -> End {
        let config = Config::new([2, 0, 0, 0, 0, n].into(), [10, 0, 0, n].into(), 24, u64::from(n));
        let mut driven = Driven::new(config, port, Sockets::default(), Instant::ZERO);
        let epoll = driven.with(Instant::ZERO, |sockets, _| sockets.epoll_create()).unwrap();
        End { driven, epoll }
    }

    fn watch(&mut self, fd: Fd) {
        let (epoll, interest) = (self.epoll, Interest::edge(Ready::IN | Ready::OUT));
        self.driven.with(Instant::ZERO, |s, net| s.epoll_add(net, epoll, fd, interest, fd as u64)).unwrap();
    }

    /// Waits a moment; returns what is reported.
    fn wait(&mut self, clock: &mut Ticks, events: &mut [Event]) -> usize {
        let until = clock.0;
        self.driven.wait(self.epoll, events, Some(until), clock).unwrap()
    }

    /// Reads all there is and sends as much back.
    fn echo(&mut self, now: Instant, fd: Fd, buf: &mut [u8]) -> usize {
        self.driven.with(now, |sockets, net| match sockets.read(net, fd, buf) {
            Ok(n) => sockets.write(net, fd, &buf[..n]).unwrap(),
            Err(error) => {
                assert_eq!(error, Errno::EAGAIN);
                0
            }
        })
    }
}

#[test]
fn a_warm_connection() {
    let (mut near, mut far) = pair(PipeConfig::new(1));
    let (mut server, mut client) = (End::new(near.pop().unwrap(), 1), End::new(far.pop().unwrap(), 2));
    let mut clock = Ticks(Instant::ZERO);
    let listener = server.driven.with(clock.0, |sockets, net| {
        let fd = sockets.socket(Family::V4).unwrap();
        sockets.bind(net, fd, ([0, 0, 0, 0], 7).into()).unwrap();
        sockets.listen(net, fd, 8).unwrap();
        fd
    });
    let fd = client.driven.with(clock.0, |sockets, net| {
        let fd = sockets.socket(Family::V4).unwrap();
        assert_eq!(sockets.connect(net, fd, ([10, 0, 0, 1], 7).into()), Err(Errno::EINPROGRESS));
        fd
    });
    client.watch(fd);
    server.watch(listener);
    let mut events = [Event::default(); 8];
    let mut accepted = None;
    for _ in 0..20 {
        client.wait(&mut clock, &mut events);
        server.wait(&mut clock, &mut events);
        clock.0 += Duration::from_millis(1);
        accepted = accepted.or(server.driven.with(clock.0, |s, net| s.accept(net, listener)).ok());
    }
    let (accepted, _) = accepted.expect("connected");
    server.watch(accepted);
    client.driven.with(clock.0, |s, net| s.write(net, fd, &[7; 600])).unwrap();

    let mut buf = [0; 4096];
    let (mut reports, mut echoed) = (0, 0);
    for round in 0..2_000 {
        if round == 1_000 {
            ALLOCATIONS.store(0, Ordering::Relaxed);
            (reports, echoed) = (0, 0);
        }
        for (end, fd) in [(&mut client, fd), (&mut server, accepted)] {
            let n = end.wait(&mut clock, &mut events);
            for _ in 0..n {
                echoed += end.echo(clock.0, fd, &mut buf);
            }
            reports += n;
        }
        clock.0 += Duration::from_micros(100);
    }
    let allocations = ALLOCATIONS.load(Ordering::Relaxed);
    assert!(reports >= 500 && echoed >= 500 * 600, "{reports} reports, {echoed} bytes");
    assert_eq!(allocations, 0, "in {reports} reports");
}
