//! The kernel's sockets as a backend, against plain sockets on loopback.

mod common;

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant as Wall};

use common::{Echo, Log, Mode, SharedLog, free_port};
use ferroflow_runtime::kernel::{Config, Counters, ListenGroup};
use ferroflow_runtime::{CoreReport, Kernel, Options, Runtime};
use ferroflow_stack::{CloseReason, ConnectError};

struct Server {
    runtime: Option<Runtime<Counters>>,
    addr: SocketAddr,
    log: SharedLog,
}

impl Server {
    fn start(mode: Mode, cores: usize) -> Server {
        Server::with(mode, cores, |_| (), |_| ())
    }

    fn with(mode: Mode, cores: usize, config: impl Fn(&mut Config), service: impl Fn(&mut Echo)) -> Server {
        let log: SharedLog = Arc::new(Mutex::new(Log::default()));
        let port = free_port();
        let group = ListenGroup::new();
        let runtime = Runtime::spawn(
            &Options::new(cores),
            |core| {
                let mut conf = Config::new(group.clone(), 1 + core.index as u64);
                config(&mut conf);
                let mut echo = Echo::new(mode, Some(port), log.clone());
                if core.index == 0 {
                    service(&mut echo);
                }
                let waker = core.waker.clone();
                move || Ok(Kernel::new(conf, waker, echo)?)
            },
            |kernel| *kernel.counters(),
        )
        .unwrap();
        assert_eq!(log.lock().unwrap().listen_error, None);
        Server { runtime: Some(runtime), addr: ([127, 0, 0, 1], port).into(), log }
    }

    fn connect(&self) -> TcpStream {
        let s = TcpStream::connect(self.addr).unwrap();
        s.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        s.set_nodelay(true).unwrap();
        s
    }

    fn log(&self) -> Log {
        self.log.lock().unwrap().clone()
    }

    fn wait(&self, what: &str, done: impl Fn(&Log) -> bool) -> Log {
        let start = Wall::now();
        loop {
            let log = self.log();
            if done(&log) {
                return log;
            }
            assert!(start.elapsed() < Duration::from_secs(20), "{what}: {log:?}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn stop(mut self) -> Vec<CoreReport<Counters>> {
        let runtime = self.runtime.take().unwrap();
        runtime.stop_handle().stop();
        runtime.join().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.stop_handle().stop();
            let _ = runtime.join();
        }
    }
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 31 + i / 251) as u8).collect()
}

#[test]
fn many_connections_are_echoed_on_two_cores() {
    let server = Server::start(Mode::Echo, 2);
    let mut clients: Vec<_> = (0..64).map(|_| server.connect()).collect();
    for round in 0..20u8 {
        for (i, c) in clients.iter_mut().enumerate() {
            c.write_all(&[round, i as u8, 3]).unwrap();
        }
        for (i, c) in clients.iter_mut().enumerate() {
            let mut back = [0; 3];
            c.read_exact(&mut back).unwrap();
            assert_eq!(back, [round, i as u8, 3]);
        }
    }
    drop(clients);
    server.wait("all closed", |l| l.closed_as(CloseReason::Finished) == 64);
    assert_eq!(server.log().eofs, 64);
    let reports = server.stop();
    assert!(reports.iter().all(|r| r.result.accepted > 0), "both cores had some");
    assert_eq!(reports.iter().map(|r| r.result.accepted).sum::<u64>(), 64);
}

#[test]
fn a_half_closed_client_gets_everything() {
    let server = Server::start(Mode::Echo, 1);
    let data = pattern(8 << 20);
    let mut client = server.connect();
    let mut writer = client.try_clone().unwrap();
    let sent = data.clone();
    let thread = std::thread::spawn(move || {
        writer.write_all(&sent).unwrap();
        writer.shutdown(Shutdown::Write).unwrap();
    });
    let mut back = Vec::new();
    client.read_to_end(&mut back).unwrap();
    thread.join().unwrap();
    assert!(back == data, "{} of {} bytes, or others", back.len(), data.len());
    let log = server.wait("closed", |l| l.all_closed() == 1);
    assert_eq!(log.closed_as(CloseReason::Finished), 1);
    assert_eq!(log.eofs, 1);
}

#[test]
fn what_a_service_does_not_take_stops_the_sender() {
    let server = Server::start(Mode::Late, 1);
    let client = server.connect();
    client.set_nonblocking(true).unwrap();
    let data = pattern(64 << 20);
    let mut sent = 0;
    let start = Wall::now();
    // Held back for 100 ms: the sender must stall long before 64 MiB.
    while start.elapsed() < Duration::from_millis(60) {
        match (&client).write(&data[sent..]) {
            Ok(n) => sent += n,
            Err(_) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
    assert!(sent < 32 << 20, "{sent} bytes went into a service that takes none");
    client.set_nonblocking(false).unwrap();
    let mut writer = client.try_clone().unwrap();
    let rest = data[sent..].to_vec();
    let thread = std::thread::spawn(move || {
        writer.write_all(&rest).unwrap();
        writer.shutdown(Shutdown::Write).unwrap();
    });
    let mut back = Vec::new();
    (&client).read_to_end(&mut back).unwrap();
    thread.join().unwrap();
    assert!(back == data, "{} of {}", back.len(), data.len());
    server.wait("closed", |l| l.closed_as(CloseReason::Finished) == 1);
    let counters = server.stop().remove(0).result;
    assert!(counters.kept_full > 0);
    assert!(counters.blocked > 0);
}

#[test]
fn a_slow_reader_costs_only_itself() {
    let server = Server::start(Mode::Echo, 1);
    let slow = server.connect();
    slow.set_nonblocking(true).unwrap();
    let junk = pattern(1 << 20);
    let start = Wall::now();
    while start.elapsed() < Duration::from_millis(300) {
        if (&slow).write(&junk).is_err() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    let mut quick = server.connect();
    for i in 0..100u8 {
        quick.write_all(&[i]).unwrap();
        let mut back = [0];
        quick.read_exact(&mut back).unwrap();
        assert_eq!(back, [i]);
    }
}

#[test]
fn a_closed_connection_still_delivers_its_last_words() {
    let server = Server::start(Mode::Greet, 1);
    let mut client = server.connect();
    // The client goes on talking into the closed connection: that must not turn the farewell into a reset.
    client.write_all(&pattern(10_000)).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    let mut said = String::new();
    client.read_to_string(&mut said).unwrap();
    assert_eq!(said, "good-bye");
    drop(client);
    server.wait("closed", |l| l.closed_as(CloseReason::Finished) == 1);
}

#[test]
fn a_peer_that_never_closes_is_left_after_the_linger_time() {
    let server = Server::with(Mode::Greet, 1, |c| c.linger = Duration::from_millis(200), |_| ());
    let client = server.connect();
    server.wait("closed", |l| l.closed_as(CloseReason::TimedOut) == 1);
    drop(client);
    assert_eq!(server.stop()[0].result.lingered, 1);
}

#[test]
fn abort_and_refusal_are_resets() {
    for mode in [Mode::Abort, Mode::Refuse] {
        let server = Server::start(mode, 1);
        let mut client = server.connect();
        if mode == Mode::Abort {
            client.write_all(b"x").unwrap();
        }
        let mut buf = [0; 8];
        let error = client.read(&mut buf).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{mode:?}");
        if mode == Mode::Abort {
            server.wait("aborted", |l| l.closed_as(CloseReason::Aborted) == 1);
        } else {
            assert_eq!(server.log().all_closed(), 0, "a refused connection has no callback more");
            assert_eq!(server.stop()[0].result.refused, 1);
        }
    }
}

#[test]
fn a_reset_from_the_peer_is_told() {
    let server = Server::start(Mode::Echo, 1);
    let client = server.connect();
    server.wait("accepted", |l| l.accepted == 1);
    socket2::SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
    drop(client);
    server.wait("reset", |l| l.closed_as(CloseReason::Reset) == 1);
    assert_eq!(server.log().eofs, 0);
}

#[test]
fn active_opens_succeed_or_say_why() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let to = listener.local_addr().unwrap();
    let closed: SocketAddr = ([127, 0, 0, 1], free_port()).into();
    let server = Server::with(
        Mode::Echo,
        1,
        |c| c.connect_timeout = Duration::from_millis(300),
        |e| e.connect = vec![(to, 1), (closed, 2)],
    );
    let (mut peer, from) = listener.accept().unwrap();
    let mut said = [0; 19];
    peer.read_exact(&mut said).unwrap();
    assert_eq!(&said, b"hello from the core");
    assert_eq!(from.ip().to_string(), "127.0.0.1");
    let log = server.wait("refused", |l| l.failed.len() == 1);
    assert_eq!(log.failed, [ConnectError::Refused]);
    assert_eq!(log.connected, 1);
    peer.write_all(b"and back").unwrap();
    let mut said = [0; 8];
    peer.read_exact(&mut said).unwrap();
    assert_eq!(&said, b"and back");
}

#[test]
fn a_thousand_connections_and_not_one_more() {
    let server = Server::with(Mode::Echo, 1, |c| c.max_conns = 1000, |_| ());
    let mut clients: Vec<_> = (0..1000).map(|_| server.connect()).collect();
    server.wait("accepted", |l| l.accepted == 1000);
    for c in &mut clients {
        c.write_all(b"1").unwrap();
    }
    for c in &mut clients {
        let mut back = [0];
        c.read_exact(&mut back).unwrap();
    }
    let mut extra = server.connect();
    let error = extra.read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    clients.truncate(500);
    server.wait("half of them gone", |l| l.all_closed() == 500);
    // Slots are used again, under other ids (the service tries stale ones on every accept).
    clients.extend((0..500).map(|_| server.connect()));
    server.wait("as many again", |l| l.accepted == 1500);
    let counters = server.stop().remove(0).result;
    assert_eq!((counters.accepted, counters.table_full), (1500, 1));
}

#[test]
fn connections_one_after_another_leave_nothing_behind() {
    let server = Server::start(Mode::Echo, 1);
    let files = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let before = files();
    for i in 0..500u32 {
        let mut c = server.connect();
        c.write_all(&i.to_be_bytes()).unwrap();
        let mut back = [0; 4];
        c.read_exact(&mut back).unwrap();
    }
    server.wait("closed", |l| l.closed_as(CloseReason::Finished) == 500);
    // Other tests of this process open files too: what must not be there is one for each connection.
    assert!(files() < before + 300, "{before} files, then {}", files());
}

#[test]
fn a_port_that_another_has_is_refused_by_name() {
    let taken = TcpListener::bind(("0.0.0.0", 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let first = Server::start(Mode::Echo, 2);
    for port in [port, first.addr.port()] {
        let log: SharedLog = Arc::default();
        let group = ListenGroup::new();
        let runtime = Runtime::spawn(
            &Options::new(1),
            |core| {
                let (waker, log, group) = (core.waker.clone(), log.clone(), group.clone());
                move || Ok(Kernel::new(Config::new(group, 1), waker, Echo::new(Mode::Echo, Some(port), log))?)
            },
            |_| (),
        )
        .unwrap();
        runtime.stop_handle().stop();
        runtime.join().unwrap();
        assert_eq!(log.lock().unwrap().listen_error, Some(format!("port {port} is already in use")));
    }
}

#[test]
fn an_idle_core_sleeps() {
    let server = Server::start(Mode::Echo, 1);
    let clients: Vec<_> = (0..16).map(|_| server.connect()).collect();
    server.wait("accepted", |l| l.accepted == 16);
    std::thread::sleep(Duration::from_millis(50));
    let stats = server.runtime.as_ref().unwrap().stats()[0].clone();
    let before = stats.turns();
    std::thread::sleep(Duration::from_millis(500));
    let turns = stats.turns() - before;
    assert!(turns <= 2, "{turns} turns in half an idle second");
    drop(clients);
}

#[test]
fn nodelay_is_set_on_what_is_accepted() {
    // Two small writes without a reply in between: with Nagle's algorithm and a delayed ACK this takes 40 ms each.
    let server = Server::start(Mode::Echo, 1);
    let mut c = server.connect();
    let start = Wall::now();
    for _ in 0..50 {
        for part in [b"a", b"b"] {
            c.write_all(part).unwrap();
            std::thread::sleep(Duration::from_micros(200));
        }
        c.read_exact(&mut [0; 2]).unwrap();
    }
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}
