//! A server written as callbacks and one written for sockets and epoll: both give the same bytes, on the own stack and on the
//! kernel's sockets.

#[path = "../examples/shout/callbacks.rs"]
mod callbacks;
mod common;
#[path = "../examples/shout/sockets.rs"]
mod sockets;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant as Wall};

use ferroflow_runtime::kernel::{Config, ListenGroup};
use ferroflow_runtime::{Kernel, Options, Runtime};
use ferroflow_stack::port::pipe::{PipeConfig, PipePort, pair};
use ferroflow_stack::sockets::{Clock, Driven, Errno, Event, Family, Hosted, How, Interest, Ready, Sockets};
use ferroflow_stack::{Instance, Instant, Service};

const PORT: u16 = 7007;

/// What clients say: nothing, a little, and more than all buffers hold.
fn words() -> Vec<Vec<u8>> {
    let long = (0..3_000_000u32).map(|n| b"the quick brown fox "[n as usize % 20]).collect();
    vec![Vec::new(), b"hello".to_vec(), long]
}

fn shouted(word: &[u8]) -> Vec<u8> {
    let mut all = word.to_ascii_uppercase();
    all.extend(format!("\n{} bytes\n", word.len()).bytes());
    all
}

/// A server on the kernel's sockets, and kernel clients.
fn over_the_kernel<S: Service + 'static>(service: impl FnOnce(u16) -> S + Send + 'static) {
    let port = common::free_port();
    let mut service = Some(service);
    let runtime = Runtime::spawn(
        &Options::new(1),
        |core| {
            let (config, waker) = (Config::new(ListenGroup::new(), 1), core.waker.clone());
            let service = service.take().unwrap();
            move || Ok(Kernel::new(config, waker, service(port))?)
        },
        |_| (),
    )
    .unwrap();
    for word in words() {
        let mut stream = connect(port);
        let mut writer = stream.try_clone().unwrap();
        let expected = shouted(&word);
        let writing = std::thread::spawn(move || {
            writer.write_all(&word).unwrap();
            writer.shutdown(std::net::Shutdown::Write).unwrap();
        });
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        writing.join().unwrap();
        assert!(answer == expected, "{} bytes of {}", answer.len(), expected.len());
    }
    runtime.stop_handle().stop();
    runtime.join().unwrap();
}

fn connect(port: u16) -> TcpStream {
    let begin = Wall::now();
    loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(stream) => {
                stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
                return stream;
            }
            Err(error) => assert!(begin.elapsed() < Duration::from_secs(10), "{error}"),
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The client's clock: while the client sleeps, the server has its turns. So both run on one thread, in virtual time.
struct Together<'a, S: Service> {
    now: Instant,
    server: &'a mut Instance<PipePort, S>,
    next: Option<Instant>,
}

impl<S: Service> Clock<PipePort> for Together<'_, S> {
    fn now(&mut self) -> Instant {
        let turn = self.server.turn(self.now).unwrap();
        self.next = if turn.more { Some(self.now) } else { turn.next };
        self.now
    }

    fn sleep(&mut self, port: &mut PipePort, until: Option<Instant>) {
        use ferroflow_stack::port::Port;
        // Frames on the way come first; only when there are none, time goes to the next thing to happen.
        if !port.prepare_wait() || !self.server.port_mut().prepare_wait() {
            return;
        }
        let next = [until, self.next].into_iter().flatten().min().expect("somebody waits for something");
        self.now = self.now.max(next);
    }
}

/// A server on the own stack at one end of a pipe, a client whose waiting drives its own instance at the other.
fn over_a_pipe<S: Service>(service: S) {
    let (mut near, mut far) = pair(PipeConfig::new(1));
    let config = |n: u8| {
        ferroflow_stack::Config::new([2, 0, 0, 0, 0, n].into(), [10, 0, 0, n].into(), 24, u64::from(n))
    };
    let mut server = Instance::new(config(1), near.pop().unwrap(), service);
    server.start(Instant::ZERO);
    let mut client = Driven::new(config(2), far.pop().unwrap(), Sockets::default(), Instant::ZERO);
    let mut clock = Together { now: Instant::ZERO, server: &mut server, next: None };
    for word in words() {
        let answer = talk(&mut client, &mut clock, &word);
        assert!(answer == shouted(&word), "{} bytes to {}", answer.len(), word.len());
    }
}

/// Says `word`, closes its side, and listens to the end.
fn talk<S: Service>(client: &mut Driven<PipePort>, clock: &mut Together<'_, S>, word: &[u8]) -> Vec<u8> {
    let (fd, epoll) = client.with(clock.now, |sockets, net| {
        let (fd, epoll) = (sockets.socket(Family::V4).unwrap(), sockets.epoll_create().unwrap());
        assert_eq!(sockets.connect(net, fd, ([10, 0, 0, 1], PORT).into()), Err(Errno::EINPROGRESS));
        sockets.epoll_add(net, epoll, fd, Interest::edge(Ready::IN | Ready::OUT), 0).unwrap();
        (fd, epoll)
    });
    let (mut answer, mut written, mut ended) = (Vec::new(), 0, false);
    let mut buf = vec![0; 50_000];
    while !ended {
        let patience = clock.now + Duration::from_secs(60);
        let n = client.wait(epoll, &mut [Event::default()], Some(patience), clock).unwrap();
        assert_eq!(n, 1, "silence after {} bytes", answer.len());
        client.with(clock.now, |sockets, net| {
            while written <= word.len() {
                match sockets.write(net, fd, &word[written..]) {
                    Ok(_) if written == word.len() => {
                        sockets.shutdown(net, fd, How::Write).unwrap();
                        written += 1;
                    }
                    Ok(n) => written += n,
                    Err(error) => {
                        assert_eq!(error, Errno::EAGAIN);
                        break;
                    }
                }
            }
            loop {
                match sockets.read(net, fd, &mut buf) {
                    Ok(0) => break ended = true,
                    Ok(n) => answer.extend_from_slice(&buf[..n]),
                    Err(error) => break assert_eq!(error, Errno::EAGAIN),
                }
            }
        });
    }
    client.with(clock.now, |sockets, net| {
        sockets.close(net, epoll).unwrap();
        sockets.close(net, fd).unwrap();
    });
    answer
}

#[test]
fn callbacks_on_the_kernel() {
    over_the_kernel(|port| callbacks::Shout { port });
}

#[test]
fn sockets_on_the_kernel() {
    over_the_kernel(|port| Hosted::new(sockets::Shout::new(port), Sockets::default()));
}

#[test]
fn callbacks_on_the_stack() {
    over_a_pipe(callbacks::Shout { port: PORT });
}

#[test]
fn sockets_on_the_stack() {
    over_a_pipe(Hosted::new(sockets::Shout::new(PORT), Sockets::default()));
}
