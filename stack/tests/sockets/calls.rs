//! What each call gives in each state, as on Linux.

use std::time::Duration;

use ferroflow_stack::sockets::{Errno, Family, How, Interest, Ready, Recv, SocketOption};

use crate::lab::{Lab, PORT};

#[test]
fn connect_tells_its_progress() {
    let mut lab = Lab::new(1);
    lab.listen(1);
    let fd = lab.socket(lab.client);
    assert_eq!(lab.ready(lab.client, fd), Ready::OUT | Ready::HUP, "as a new socket on Linux");
    assert_eq!(lab.connect(fd), Err(Errno::EINPROGRESS));
    assert_eq!(lab.connect(fd), Err(Errno::EALREADY));
    assert_eq!(lab.ready(lab.client, fd), Ready::NONE);
    assert_eq!(lab.read(lab.client, fd, 1), Err(Errno::EAGAIN));
    assert_eq!(lab.write(lab.client, fd, b"x"), Err(Errno::EAGAIN));
    assert_eq!(lab.at(lab.client, |s, _| s.peer_address(fd)), Err(Errno::ENOTCONN));
    lab.pass(10);
    assert_eq!(lab.ready(lab.client, fd), Ready::OUT);
    assert_eq!(lab.connect(fd), Ok(()));
    assert_eq!(lab.connect(fd), Err(Errno::EISCONN));
    let server = lab.net.socket(lab.server, PORT);
    assert_eq!(lab.at(lab.client, |s, _| s.peer_address(fd)), Ok(server));
    assert_eq!(lab.at(lab.client, |s, _| s.take_error(fd)), Ok(None));
}

#[test]
fn a_refused_connect_says_so_once_and_can_be_tried_again() {
    let mut lab = Lab::new(2);
    let fd = lab.socket(lab.client);
    assert_eq!(lab.connect(fd), Err(Errno::EINPROGRESS));
    lab.pass(10);
    let all = Ready::IN | Ready::OUT | Ready::RDHUP | Ready::HUP;
    assert_eq!(lab.ready(lab.client, fd), all | Ready::ERR);
    assert_eq!(lab.at(lab.client, |s, _| s.take_error(fd)), Ok(Some(Errno::ECONNREFUSED)));
    assert_eq!(lab.at(lab.client, |s, _| s.take_error(fd)), Ok(None));
    assert_eq!(lab.connect(fd), Err(Errno::ECONNABORTED), "the error was fetched before");
    assert_eq!(lab.connect(fd), Err(Errno::EINPROGRESS));
    lab.pass(10);
    assert_eq!(lab.connect(fd), Err(Errno::ECONNREFUSED));
    lab.listen(1);
    assert_eq!(lab.connect(fd), Err(Errno::EINPROGRESS));
    lab.pass(10);
    assert_eq!(lab.connect(fd), Ok(()));
    assert_eq!(lab.ready(lab.client, fd), Ready::OUT);
}

#[test]
fn nobody_answers() {
    let mut lab = Lab::new(3);
    lab.net.plug(lab.server, false);
    let fd = lab.socket(lab.client);
    assert_eq!(lab.connect(fd), Err(Errno::EINPROGRESS));
    lab.pass(200_000);
    let error = lab.at(lab.client, |s, _| s.take_error(fd)).unwrap();
    assert!(matches!(error, Some(Errno::EHOSTUNREACH | Errno::ETIMEDOUT)), "{error:?}");
}

#[test]
fn names_and_ports() {
    let mut lab = Lab::new(4);
    let listener = lab.listen(1);
    let (a, b) = (lab.socket(lab.server), lab.socket(lab.server));
    let any = |port: u16| ([0, 0, 0, 0], port).into();
    lab.at(lab.server, |sockets, net| {
        assert_eq!(sockets.bind(net, a, any(PORT)), Err(Errno::EADDRINUSE));
        sockets.set_option(net, a, SocketOption::ReuseAddress(true)).unwrap();
        assert_eq!(sockets.bind(net, a, any(PORT)), Err(Errno::EADDRINUSE), "it listens");
        assert_eq!(sockets.bind(net, a, any(7)), Ok(()));
        assert_eq!(sockets.bind(net, a, any(8)), Err(Errno::EINVAL), "bound already");
        assert_eq!(sockets.bind(net, b, any(7)), Err(Errno::EADDRINUSE), "only one of them allows it");
        sockets.set_option(net, b, SocketOption::ReuseAddress(true)).unwrap();
        assert_eq!(sockets.bind(net, b, any(7)), Ok(()));
        assert_eq!(sockets.listen(net, a, 1), Ok(()));
        assert_eq!(sockets.listen(net, b, 1), Err(Errno::EADDRINUSE));
        assert_eq!(sockets.close(net, a), Ok(()));
        assert_eq!(sockets.listen(net, b, 1), Ok(()), "the port is free again");
        assert_eq!(sockets.bind(net, listener, "[::1]:9".parse().unwrap()), Err(Errno::EAFNOSUPPORT));

        let c = sockets.socket(Family::V4).unwrap();
        assert_eq!(c, a, "the lowest free number");
        assert_eq!(sockets.local_address(c), Ok(any(0)));
        sockets.listen(net, c, 1).unwrap();
        assert!(sockets.local_address(c).unwrap().port() >= 32_768, "a port of its own");
        let d = sockets.socket(Family::V4).unwrap();
        sockets.bind(net, d, "203.0.113.7:9".parse().unwrap()).unwrap();
        assert_eq!(sockets.listen(net, d, 1), Err(Errno::EADDRNOTAVAIL), "not ours");
    });
}

#[test]
fn calls_on_the_wrong_thing() {
    let mut lab = Lab::new(5);
    let listener = lab.listen(1);
    let fresh = lab.socket(lab.server);
    lab.at(lab.server, |sockets, net| {
        let epoll = sockets.epoll_create().unwrap();
        assert_eq!(sockets.accept(net, fresh), Err(Errno::EINVAL));
        assert_eq!(sockets.accept(net, listener), Err(Errno::EAGAIN));
        assert_eq!(sockets.accept(net, epoll), Err(Errno::ENOTSOCK));
        assert_eq!(sockets.accept(net, 77), Err(Errno::EBADF));
        assert_eq!(sockets.read(net, fresh, &mut [0]), Err(Errno::ENOTCONN));
        assert_eq!(sockets.read(net, listener, &mut [0]), Err(Errno::ENOTCONN));
        assert_eq!(sockets.write(net, fresh, b"x"), Err(Errno::EPIPE));
        assert_eq!(sockets.write(net, listener, b"x"), Err(Errno::EPIPE));
        assert_eq!(sockets.shutdown(net, fresh, How::Write), Err(Errno::ENOTCONN));
        assert_eq!(sockets.readable(net, listener), Err(Errno::EINVAL));
        let to = ([10, 0, 0, 1], 1).into();
        assert_eq!(sockets.connect(net, listener, to), Err(Errno::EISCONN));
        assert_eq!(sockets.connect(net, fresh, "[::1]:1".parse().unwrap()), Err(Errno::EAFNOSUPPORT));
        assert_eq!(sockets.connect(net, fresh, ([255, 255, 255, 255], 1).into()), Err(Errno::ENETUNREACH));
        assert_eq!(sockets.ready(net, 77), Ready::NVAL);
    });
}

#[test]
fn half_closed_both_ways() {
    let mut lab = Lab::new(6);
    let (fd, accepted) = lab.pair();
    lab.write(lab.client, fd, b"question").unwrap();
    lab.at(lab.client, |s, net| s.shutdown(net, fd, How::Write)).unwrap();
    assert_eq!(lab.write(lab.client, fd, b"more"), Err(Errno::EPIPE));
    lab.pass(10);
    // The end is known before what precedes it is read.
    assert_eq!(lab.ready(lab.server, accepted), Ready::IN | Ready::OUT | Ready::RDHUP);
    assert_eq!(lab.at(lab.server, |s, net| s.readable(net, accepted)), Ok(8));
    assert_eq!(lab.read(lab.server, accepted, 5).unwrap(), b"quest");
    assert_eq!(lab.read(lab.server, accepted, 5).unwrap(), b"ion");
    assert_eq!(lab.read(lab.server, accepted, 5).unwrap(), b"");
    assert_eq!(lab.read(lab.server, accepted, 5).unwrap(), b"", "again and again");
    assert_eq!(lab.write(lab.server, accepted, b"answer"), Ok(6));
    lab.pass(10);
    assert_eq!(lab.ready(lab.client, fd), Ready::IN | Ready::OUT, "a write fails, and does not block");
    assert_eq!(lab.read(lab.client, fd, 100).unwrap(), b"answer");
    assert_eq!(lab.read(lab.client, fd, 100), Err(Errno::EAGAIN));
    lab.close(lab.server, accepted).unwrap();
    lab.pass(10);
    let over = Ready::IN | Ready::OUT | Ready::RDHUP | Ready::HUP;
    assert_eq!(lab.ready(lab.client, fd), over);
    assert_eq!(lab.read(lab.client, fd, 100).unwrap(), b"");
    assert_eq!(lab.at(lab.client, |s, _| s.take_error(fd)), Ok(None));
    assert_eq!(lab.connect(fd), Err(Errno::EISCONN));
}

#[test]
fn peeking_and_discarding() {
    let mut lab = Lab::new(7);
    let (fd, accepted) = lab.pair();
    lab.write(lab.client, fd, b"abcdef").unwrap();
    lab.pass(10);
    let mut buf = [0; 3];
    let peek = Recv { peek: true, ..Recv::default() };
    let discard = Recv { discard: true, ..Recv::default() };
    for _ in 0..2 {
        assert_eq!(lab.at(lab.server, |s, net| s.recv(net, accepted, &mut buf, peek)), Ok(3));
        assert_eq!(&buf, b"abc");
    }
    assert_eq!(lab.at(lab.server, |s, net| s.recv(net, accepted, &mut [0; 4], discard)), Ok(4));
    assert_eq!(lab.read(lab.server, accepted, 9).unwrap(), b"ef");
}

#[test]
fn what_came_before_a_reset_is_read_first() {
    let mut lab = Lab::new(8);
    let (fd, accepted) = lab.pair();
    lab.write(lab.client, fd, b"last words").unwrap();
    lab.pass(10);
    lab.at(lab.client, |s, net| s.set_option(net, fd, SocketOption::Linger(Some(Duration::ZERO)))).unwrap();
    lab.close(lab.client, fd).unwrap();
    lab.pass(10);
    let over = Ready::IN | Ready::OUT | Ready::RDHUP | Ready::HUP;
    assert_eq!(lab.ready(lab.server, accepted), over | Ready::ERR);
    assert_eq!(lab.read(lab.server, accepted, 4).unwrap(), b"last");
    assert_eq!(lab.at(lab.server, |s, net| s.readable(net, accepted)), Ok(6));
    assert_eq!(lab.read(lab.server, accepted, 40).unwrap(), b" words");
    assert_eq!(lab.read(lab.server, accepted, 40), Err(Errno::ECONNRESET));
    assert_eq!(lab.read(lab.server, accepted, 40).unwrap(), b"", "the error is fetched");
    assert_eq!(lab.write(lab.server, accepted, b"x"), Err(Errno::EPIPE));
    assert_eq!(lab.ready(lab.server, accepted), over);
}

#[test]
fn closing_with_unread_data_resets() {
    let mut lab = Lab::new(9);
    let (fd, accepted) = lab.pair();
    lab.write(lab.client, fd, b"never read").unwrap();
    lab.pass(10);
    lab.close(lab.server, accepted).unwrap();
    lab.pass(10);
    assert_eq!(lab.write(lab.client, fd, b"x"), Err(Errno::ECONNRESET));
    assert_eq!(lab.write(lab.client, fd, b"x"), Err(Errno::EPIPE));
}

#[test]
fn a_reset_after_the_peers_end_is_a_broken_pipe() {
    let mut lab = Lab::new(10);
    let (fd, accepted) = lab.pair();
    lab.close(lab.client, fd).unwrap();
    lab.pass(10);
    assert_eq!(lab.write(lab.server, accepted, b"to nobody"), Ok(9));
    lab.pass(10);
    assert_eq!(lab.at(lab.server, |s, _| s.take_error(accepted)), Ok(Some(Errno::EPIPE)));
    assert_eq!(lab.read(lab.server, accepted, 1).unwrap(), b"");
}

#[test]
fn a_full_accept_queue_lets_handshakes_wait() {
    let mut lab = Lab::new(11);
    let listener = lab.listen(1);
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let fd = lab.socket(lab.client);
            assert_eq!(lab.connect(fd), Err(Errno::EINPROGRESS));
            lab.pass(10);
            fd
        })
        .collect();
    // Two wait, one more than the backlog. The others are as if their SYN had been lost.
    let connected =
        |lab: &mut Lab| clients.iter().filter(|&&fd| lab.connect(fd) != Err(Errno::EALREADY)).count();
    assert_eq!(connected(&mut lab), 2);
    assert_eq!(lab.ready(lab.server, listener), Ready::IN);
    lab.pass(5000);
    assert_eq!(connected(&mut lab), 2);
    let mut accepted = 0;
    for _ in 0..10 {
        while lab.at(lab.server, |s, net| s.accept(net, listener)).is_ok() {
            accepted += 1;
        }
        lab.pass(10_000);
    }
    assert_eq!((accepted, connected(&mut lab)), (4, 4));
}

#[test]
fn closing_a_listener_resets_who_waits() {
    let mut lab = Lab::new(12);
    let listener = lab.listen(4);
    let fd = lab.socket(lab.client);
    assert_eq!(lab.connect(fd), Err(Errno::EINPROGRESS));
    lab.pass(10);
    assert_eq!(lab.connect(fd), Ok(()));
    lab.close(lab.server, listener).unwrap();
    lab.pass(10);
    assert_eq!(lab.read(lab.client, fd, 1), Err(Errno::ECONNRESET));
    assert_eq!(lab.net.host(lab.server).conns(), 0);
    let next = lab.socket(lab.client);
    assert_eq!(lab.connect(next), Err(Errno::EINPROGRESS));
    lab.pass(10);
    assert_eq!(lab.connect(next), Err(Errno::ECONNREFUSED), "nobody listens any more");
}

#[test]
fn a_connection_that_is_reset_while_it_waits_is_accepted_all_the_same() {
    let mut lab = Lab::new(13);
    let listener = lab.listen(4);
    let fd = lab.socket(lab.client);
    assert_eq!(lab.connect(fd), Err(Errno::EINPROGRESS));
    lab.pass(10);
    lab.at(lab.client, |s, net| s.set_option(net, fd, SocketOption::Linger(Some(Duration::ZERO)))).unwrap();
    lab.close(lab.client, fd).unwrap();
    lab.pass(10);
    let (accepted, _) = lab.at(lab.server, |s, net| s.accept(net, listener)).unwrap();
    assert_eq!(lab.read(lab.server, accepted, 1), Err(Errno::ECONNRESET));
    lab.close(lab.server, accepted).unwrap();
    assert_eq!(lab.at(lab.server, |s, _| s.len()), 1, "the listener alone");
}

#[test]
fn numbers_of_errors_are_linuxs() {
    let table = [
        (Errno::EAGAIN, 11),
        (Errno::EPIPE, 32),
        (Errno::EADDRINUSE, 98),
        (Errno::ECONNRESET, 104),
        (Errno::EISCONN, 106),
        (Errno::ENOTCONN, 107),
        (Errno::ETIMEDOUT, 110),
        (Errno::ECONNREFUSED, 111),
        (Errno::EALREADY, 114),
        (Errno::EINPROGRESS, 115),
    ];
    for (errno, number) in table {
        assert_eq!(errno.number(), number);
    }
    for errno in Errno::ALL {
        assert_eq!(Errno::from_number(errno.number()), Some(errno));
        assert_eq!(Errno::from_name(&errno.name()), Some(errno));
    }
}

#[test]
fn urgent_data_is_announced_and_read_in_its_place() {
    // RFC 9293 3.8.5, RFC 6093: POLLPRI, sockatmark, SO_OOBINLINE
    let mut lab = Lab::new(20);
    let (client, server) = (lab.client, lab.server);
    let (fd, accepted) = lab.pair();
    let set = |lab: &mut Lab, on| {
        lab.at(server, |s, net| s.set_option(net, accepted, SocketOption::UrgentInline(on)))
    };
    assert_eq!((set(&mut lab, true), set(&mut lab, false)), (Ok(()), Err(Errno::EINVAL)));
    let epoll = lab.watch(server, accepted, Interest::edge(Ready::PRI));
    assert_eq!(lab.reports(server, epoll), []);
    lab.write(client, fd, b"calm").unwrap();
    assert_eq!(lab.at(client, |s, net| s.send_urgent(net, fd, b"!!")), Ok(2));
    lab.write(client, fd, b"calm").unwrap();
    lab.pass(10);
    assert_eq!(lab.reports(server, epoll), [(accepted, Ready::PRI)]);
    let at_mark = |lab: &mut Lab| lab.at(server, |s, net| s.at_mark(net, accepted)).unwrap();
    assert!(lab.ready(server, accepted).contains(Ready::PRI) && !at_mark(&mut lab));
    assert_eq!(lab.read(server, accepted, 5).unwrap(), b"calm!");
    assert!(lab.ready(server, accepted).contains(Ready::PRI) && at_mark(&mut lab));
    assert_eq!(lab.read(server, accepted, 5).unwrap(), b"!calm");
    assert!(!lab.ready(server, accepted).contains(Ready::PRI) && !at_mark(&mut lab));
}
