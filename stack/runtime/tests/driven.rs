//! Instances without the runtime's threads: waiting drives them, in real time.

use std::sync::Arc;
use std::time::{Duration, Instant as Wall};

use ferroflow_runtime::{EventBell, WallClock, clock};
use ferroflow_stack::Config;
use ferroflow_stack::port::pipe::{PipeConfig, PipePort, pair};
use ferroflow_stack::sockets::{Driven, Errno, Event, Family, Fd, Interest, Ready, Sockets};

fn driven(mut port: PipePort, n: u8) -> (Driven<PipePort>, Fd) {
    port.set_doorbell(Arc::new(EventBell::new().unwrap()));
    let config = Config::new([2, 0, 0, 0, 0, n].into(), [10, 0, 0, n].into(), 24, u64::from(n));
    let mut driven = Driven::new(config, port, Sockets::default(), clock::now());
    let epoll = driven.with(clock::now(), |sockets, _| sockets.epoll_create()).unwrap();
    (driven, epoll)
}

fn watch(driven: &mut Driven<PipePort>, epoll: Fd, fd: Fd) {
    let interest = Interest::edge(Ready::IN | Ready::OUT);
    driven.with(clock::now(), |s, net| s.epoll_add(net, epoll, fd, interest, fd as u64)).unwrap();
}

/// Echoes on one connection until its end; returns how many bytes that were.
fn echo(port: PipePort) -> usize {
    let (mut driven, epoll) = driven(port, 1);
    let listener = driven.with(clock::now(), |sockets, net| {
        let fd = sockets.socket(Family::V4).unwrap();
        sockets.bind(net, fd, ([0, 0, 0, 0], 7).into()).unwrap();
        sockets.listen(net, fd, 1).unwrap();
        fd
    });
    watch(&mut driven, epoll, listener);
    let (mut events, mut buf, mut total) = ([Event::default(); 8], [0; 4096], 0);
    loop {
        let patience = clock::now() + Duration::from_secs(20);
        let n = driven.wait(epoll, &mut events, Some(patience), &mut WallClock).unwrap();
        assert!(n > 0, "silence");
        for event in &events[..n] {
            let fd = event.data as Fd;
            if fd == listener {
                let (fd, _) = driven.with(clock::now(), |s, net| s.accept(net, listener)).unwrap();
                watch(&mut driven, epoll, fd);
                continue;
            }
            match driven.with(clock::now(), |s, net| s.read(net, fd, &mut buf)) {
                Ok(0) => return total,
                Ok(n) => {
                    total += n;
                    assert_eq!(driven.with(clock::now(), |s, net| s.write(net, fd, &buf[..n])), Ok(n));
                }
                Err(error) => assert_eq!(error, Errno::EAGAIN),
            }
        }
    }
}

#[test]
fn two_threads_that_sleep_on_a_pipe() {
    const ROUNDS: usize = 500;
    let (mut near, mut far) = pair(PipeConfig::new(1));
    let server = near.pop().unwrap();
    let server = std::thread::spawn(move || echo(server));
    let (mut driven, epoll) = driven(far.pop().unwrap(), 2);
    let fd = driven.with(clock::now(), |sockets, net| {
        let fd = sockets.socket(Family::V4).unwrap();
        assert_eq!(sockets.connect(net, fd, ([10, 0, 0, 1], 7).into()), Err(Errno::EINPROGRESS));
        fd
    });
    watch(&mut driven, epoll, fd);
    let (mut events, mut buf) = ([Event::default(); 8], [0; 4096]);
    let (mut said, mut heard) = (0, 0);
    let begin = Wall::now();
    while heard < ROUNDS {
        let patience = clock::now() + Duration::from_secs(20);
        assert_eq!(driven.wait(epoll, &mut events, Some(patience), &mut WallClock).unwrap(), 1);
        if let Ok(n) = driven.with(clock::now(), |s, net| s.read(net, fd, &mut buf)) {
            assert_eq!(buf[..n], [heard as u8; 100]);
            heard += 1;
        }
        if said == heard && said < ROUNDS {
            assert_eq!(driven.with(clock::now(), |s, net| s.write(net, fd, &[said as u8; 100])), Ok(100));
            said += 1;
        }
    }
    assert!(begin.elapsed() < Duration::from_secs(20));
    driven.with(clock::now(), |s, net| s.close(net, fd)).unwrap();
    driven.turn(clock::now()).unwrap();
    assert_eq!(server.join().unwrap(), ROUNDS * 100);
}

#[test]
fn a_wait_in_vain_ends_in_time() {
    let (_near, mut far) = pair(PipeConfig::new(1));
    let (mut driven, epoll) = driven(far.pop().unwrap(), 2);
    let begin = Wall::now();
    let until = clock::now() + Duration::from_millis(50);
    assert_eq!(driven.wait(epoll, &mut [Event::default()], Some(until), &mut WallClock).unwrap(), 0);
    assert!((Duration::from_millis(50)..Duration::from_secs(10)).contains(&begin.elapsed()));
}
