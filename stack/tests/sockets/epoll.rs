//! Which events are reported, and how often.

use ferroflow_stack::sockets::{Errno, Event, How, Interest, Ready};

use crate::lab::Lab;

#[test]
fn an_edge_is_reported_once_per_change() {
    let mut lab = Lab::new(1);
    let (fd, accepted) = lab.pair();
    let epoll = lab.watch(lab.server, accepted, Interest::edge(Ready::IN | Ready::RDHUP));
    assert_eq!(lab.reports(lab.server, epoll), []);
    for _ in 0..3 {
        // New data is a change, whether what came before was read or not.
        lab.write(lab.client, fd, b"abc").unwrap();
        lab.pass(10);
        assert_eq!(lab.reports(lab.server, epoll), [(accepted, Ready::IN)]);
        assert_eq!(lab.reports(lab.server, epoll), []);
    }
    assert_eq!(lab.read(lab.server, accepted, 100).unwrap().len(), 9);
    assert_eq!(lab.reports(lab.server, epoll), []);
    lab.write(lab.client, fd, b"abc").unwrap();
    lab.pass(10);
    lab.read(lab.server, accepted, 100).unwrap();
    assert_eq!(lab.reports(lab.server, epoll), [], "read before anybody waited");
    lab.at(lab.client, |s, net| s.shutdown(net, fd, How::Write)).unwrap();
    lab.pass(10);
    assert_eq!(lab.reports(lab.server, epoll), [(accepted, Ready::IN | Ready::RDHUP)]);
    lab.pass(100);
    assert_eq!(lab.reports(lab.server, epoll), []);
}

#[test]
fn a_level_is_reported_for_as_long_as_it_lasts() {
    let mut lab = Lab::new(2);
    let (fd, accepted) = lab.pair();
    let epoll = lab.watch(lab.server, accepted, Interest::level(Ready::IN));
    lab.write(lab.client, fd, b"abc").unwrap();
    lab.pass(10);
    for _ in 0..3 {
        assert_eq!(lab.reports(lab.server, epoll), [(accepted, Ready::IN)]);
    }
    assert_eq!(lab.ready(lab.server, epoll), Ready::IN, "an epoll set can be polled");
    lab.read(lab.server, accepted, 100).unwrap();
    assert_eq!(lab.ready(lab.server, epoll), Ready::NONE);
    assert_eq!(lab.reports(lab.server, epoll), []);
}

#[test]
fn once_is_once_until_changed() {
    let mut lab = Lab::new(3);
    let (fd, accepted) = lab.pair();
    let once = Interest { once: true, ..Interest::level(Ready::IN) };
    let epoll = lab.watch(lab.server, accepted, once);
    lab.write(lab.client, fd, b"abc").unwrap();
    lab.pass(10);
    assert_eq!(lab.reports(lab.server, epoll), [(accepted, Ready::IN)]);
    lab.write(lab.client, fd, b"abc").unwrap();
    lab.pass(10);
    assert_eq!(lab.reports(lab.server, epoll), []);
    lab.at(lab.server, |s, net| s.epoll_modify(net, epoll, accepted, once, 99)).unwrap();
    assert_eq!(lab.reports(lab.server, epoll), [(99, Ready::IN)]);
    assert_eq!(lab.reports(lab.server, epoll), []);
}

#[test]
fn room_to_write_is_reported_after_there_was_none() {
    let mut lab = Lab::with_buffers(4, 64 << 10);
    let (fd, accepted) = lab.pair();
    let epoll = lab.watch(lab.client, fd, Interest::edge(Ready::OUT));
    assert_eq!(lab.reports(lab.client, epoll), [(fd, Ready::OUT)], "ready when it is added");
    let mut written = 0;
    // Until both buffers are full.
    for _ in 0..100 {
        while let Ok(n) = lab.write(lab.client, fd, &[7; 50_000]) {
            written += n;
        }
        lab.pass(100);
        if lab.reports(lab.client, epoll).is_empty() {
            break;
        }
    }
    // The buffer may have grown by a little since, which is not worth a report.
    while let Ok(n) = lab.write(lab.client, fd, &[7; 50_000]) {
        written += n;
    }
    assert_eq!(lab.ready(lab.client, fd), Ready::NONE);
    lab.pass(100);
    assert_eq!(lab.reports(lab.client, epoll), []);
    let mut read = 0;
    while read < written {
        read += lab.read(lab.server, accepted, 100_000).map_or(0, |data| data.len());
        lab.pass(1000);
    }
    assert_eq!(lab.reports(lab.client, epoll), [(fd, Ready::OUT)]);
    assert_eq!(lab.reports(lab.client, epoll), []);
    assert!(lab.write(lab.client, fd, b"x").is_ok());
}

#[test]
fn listeners_and_connects_are_watched_too() {
    let mut lab = Lab::new(5);
    let listener = lab.listen(8);
    let incoming = lab.watch(lab.server, listener, Interest::edge(Ready::IN));
    let fd = lab.socket(lab.client);
    assert_eq!(lab.connect(fd), Err(Errno::EINPROGRESS));
    let outgoing = lab.watch(lab.client, fd, Interest::edge(Ready::OUT));
    assert_eq!(lab.reports(lab.client, outgoing), []);
    lab.pass(10);
    assert_eq!(lab.reports(lab.client, outgoing), [(fd, Ready::OUT)]);
    assert_eq!(lab.reports(lab.server, incoming), [(listener, Ready::IN)]);
    let refused = lab.socket(lab.client);
    let nobody = lab.net.socket(lab.server, 1);
    assert_eq!(lab.at(lab.client, |s, net| s.connect(net, refused, nobody)), Err(Errno::EINPROGRESS));
    let failed = lab.watch(lab.client, refused, Interest::edge(Ready::NONE));
    lab.pass(10);
    let asked_or_not = Ready::ERR | Ready::HUP;
    assert_eq!(lab.reports(lab.client, failed), [(refused, asked_or_not)]);
}

#[test]
fn mistakes_are_named() {
    let mut lab = Lab::new(6);
    let (fd, _) = lab.pair();
    let epoll = lab.watch(lab.client, fd, Interest::level(Ready::IN));
    let other = lab.socket(lab.client);
    lab.at(lab.client, |s, net| {
        let interest = Interest::level(Ready::OUT);
        assert_eq!(s.epoll_add(net, epoll, fd, interest, 0), Err(Errno::EEXIST));
        assert_eq!(s.epoll_add(net, epoll, 77, interest, 0), Err(Errno::EBADF));
        assert_eq!(s.epoll_add(net, fd, other, interest, 0), Err(Errno::EINVAL));
        assert_eq!(s.epoll_add(net, epoll, epoll, interest, 0), Err(Errno::EINVAL));
        assert_eq!(s.epoll_modify(net, epoll, other, interest, 0), Err(Errno::ENOENT));
        assert_eq!(s.epoll_remove(epoll, other), Err(Errno::ENOENT));
        assert_eq!(s.epoll_wait(net, epoll, &mut []), Err(Errno::EINVAL));
        assert_eq!(s.epoll_wait(net, fd, &mut [Event::default()]), Err(Errno::EINVAL));
        assert_eq!(s.epoll_remove(epoll, fd), Ok(()));
        assert_eq!(s.epoll_remove(epoll, fd), Err(Errno::ENOENT));
    });
}

#[test]
fn what_is_closed_is_watched_no_more() {
    let mut lab = Lab::new(7);
    let (fd, accepted) = lab.pair();
    let first = lab.watch(lab.server, accepted, Interest::level(Ready::IN));
    let second = lab.watch(lab.server, accepted, Interest::edge(Ready::IN));
    lab.write(lab.client, fd, b"abc").unwrap();
    lab.pass(10);
    assert_eq!(lab.reports(lab.server, second), [(accepted, Ready::IN)], "two sets watch independently");
    lab.close(lab.server, second).unwrap();
    assert_eq!(lab.reports(lab.server, first), [(accepted, Ready::IN)]);
    lab.close(lab.server, accepted).unwrap();
    assert_eq!(lab.reports(lab.server, first), []);
    lab.close(lab.server, first).unwrap();
}

#[test]
fn more_reports_than_room_come_in_turn() {
    let mut lab = Lab::new(8);
    let listener = lab.listen(100);
    let epoll = lab.at(lab.client, |s, _| s.epoll_create()).unwrap();
    let fds: Vec<_> = (0..10).map(|_| lab.socket(lab.client)).collect();
    for &fd in &fds {
        assert_eq!(lab.connect(fd), Err(Errno::EINPROGRESS));
        let interest = Interest::level(Ready::OUT);
        lab.at(lab.client, |s, net| s.epoll_add(net, epoll, fd, interest, fd as u64)).unwrap();
    }
    lab.pass(10);
    assert_eq!(lab.ready(lab.server, listener), Ready::IN);
    let mut seen = vec![0; 64];
    for _ in 0..20 {
        let mut events = [Event::default(); 3];
        assert_eq!(lab.at(lab.client, |s, net| s.epoll_wait(net, epoll, &mut events)), Ok(3));
        for event in events {
            seen[event.data as usize] += 1;
        }
    }
    assert!(fds.iter().all(|&fd| seen[fd as usize] == 6), "each as often as the others: {seen:?}");
}

#[test]
fn a_listener_that_listens_no_more_is_reported() {
    let mut lab = Lab::new(9);
    let listener = lab.listen(4);
    let epoll = lab.watch(lab.server, listener, Interest::edge(Ready::IN));
    assert_eq!(lab.reports(lab.server, epoll), []);
    lab.at(lab.server, |s, net| s.shutdown(net, listener, How::Read)).unwrap();
    assert_eq!(lab.reports(lab.server, epoll), [(listener, Ready::HUP)]);
    assert_eq!(lab.reports(lab.server, epoll), []);
}
