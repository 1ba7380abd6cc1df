//! A program over sockets and an epoll set, which holds the stack to what `epoll` promises.

use std::collections::BTreeMap;
use std::net::{Shutdown, SocketAddr};

use ferroflow_stack::instance::Inner;
use ferroflow_stack::sockets::{
    Errno, Event, Family, Fd, Interest, Limits, Ready, Recv, SocketOption, Sockets,
};

use crate::app::{App, conn_option};
use crate::input::Script;
use crate::service::{PORTS, pattern};

const MAX_FILES: usize = 16;

/// What the program knows of one socket.
#[derive(Default)]
struct Stream {
    read: u32,
    written: u32,
    shut: bool,
    listens: bool,
    watch: Option<Watch>,
}

struct Watch {
    interest: Interest,
    /// What it was ready for at the last wait.
    seen: Ready,
    /// Not once it has reported, if it does so once.
    armed: bool,
}

#[derive(Default)]
pub struct Program {
    streams: BTreeMap<Fd, Stream>,
    epoll: Option<Fd>,
    tainted: bool,
    backlog: usize,
}

impl Program {
    fn nth(&self, n: u8) -> Fd {
        let len = self.streams.len().max(1);
        self.streams.keys().nth(usize::from(n) % len).copied().unwrap_or(n.into())
    }

    fn open(&mut self, sockets: &mut Sockets) -> Option<Fd> {
        let fd = sockets.socket(Family::V4).ok()?;
        assert!(self.streams.insert(fd, Stream::default()).is_none(), "a number is given once");
        Some(fd)
    }

    fn listen(&mut self, sockets: &mut Sockets, net: &mut Inner, port: u16) {
        let Some(fd) = self.open(sockets) else { return };
        let bound = sockets.bind(net, fd, SocketAddr::from(([0, 0, 0, 0], port)));
        if bound.is_err() || sockets.listen(net, fd, self.backlog).is_err() {
            self.streams.remove(&fd);
            sockets.close(net, fd).expect("it is open");
            return;
        }
        self.stream(fd).listens = true;
        self.watch(sockets, net, fd, Interest::level(Ready::IN));
    }

    fn stream(&mut self, fd: Fd) -> &mut Stream {
        self.streams.get_mut(&fd).expect("an open socket")
    }

    fn accept(&mut self, sockets: &mut Sockets, net: &mut Inner, fd: Fd) {
        let waiting = sockets.ready(net, fd).contains(Ready::IN);
        match sockets.accept(net, fd) {
            Ok((new, _)) => {
                assert!(waiting, "a connection to accept, and nobody said so");
                self.streams.insert(new, Stream::default());
            }
            Err(Errno::EAGAIN) => assert!(!waiting, "ready, and nothing to accept"),
            Err(_) => {}
        }
    }

    fn read(&mut self, sockets: &mut Sockets, net: &mut Inner, fd: Fd, len: u16, how: u8) {
        let ready = sockets.ready(net, fd);
        let how = Recv { peek: how & 1 != 0, discard: how & 6 == 6 };
        let mut buf = vec![0; usize::from(len)];
        let result = sockets.recv(net, fd, &mut buf, how);
        let tainted = self.tainted;
        let Some(stream) = self.streams.get_mut(&fd) else { return };
        match result {
            Ok(n) => {
                assert!(len == 0 || stream.listens || ready.contains(Ready::IN), "bytes, and nobody said so");
                if !how.discard {
                    for (byte, at) in buf[..n].iter().zip(stream.read..) {
                        assert!(tainted || *byte == pattern(at), "wrong byte at {at}");
                    }
                }
                stream.read += if how.peek { 0 } else { n as u32 };
            }
            Err(Errno::EAGAIN) => assert!(!ready.contains(Ready::IN), "ready, and nothing to read"),
            Err(_) => {}
        }
    }

    fn write(&mut self, sockets: &mut Sockets, net: &mut Inner, fd: Fd, len: u16, more: bool) {
        let ready = sockets.ready(net, fd);
        let Some(stream) = self.streams.get_mut(&fd) else { return };
        let bytes: Vec<u8> = (0..u32::from(len)).map(|n| pattern(stream.written + n)).collect();
        match sockets.send(net, fd, &bytes, more) {
            Ok(n) => {
                assert!(!stream.shut && n <= bytes.len());
                // It may be more than was promised: OUT waits for more room than a byte (Linux: sk_stream_is_writeable).
                stream.written += n as u32;
            }
            Err(Errno::EAGAIN) => assert!(!ready.contains(Ready::OUT), "ready, and no room"),
            Err(_) => {}
        }
    }

    fn watch(&mut self, sockets: &mut Sockets, net: &mut Inner, fd: Fd, interest: Interest) {
        let Some(epoll) = self.epoll else { return };
        let known = self.streams.get(&fd).is_some_and(|stream| stream.watch.is_some());
        let result = if known {
            sockets.epoll_modify(net, epoll, fd, interest, fd as u64)
        } else {
            sockets.epoll_add(net, epoll, fd, interest, fd as u64)
        };
        if let Some(stream) = self.streams.get_mut(&fd) {
            result.expect("an open socket can be watched");
            stream.watch = Some(Watch { interest, seen: Ready::NONE, armed: true });
        }
    }

    fn unwatch(&mut self, sockets: &mut Sockets, fd: Fd) {
        let Some(epoll) = self.epoll else { return };
        let result = sockets.epoll_remove(epoll, fd);
        if let Some(stream) = self.streams.get_mut(&fd) {
            assert_eq!(result.is_ok(), stream.watch.take().is_some());
        }
    }

    /// Takes all reports, and compares them with what was promised.
    fn wait(&mut self, sockets: &mut Sockets, net: &mut Inner) {
        let Some(epoll) = self.epoll else { return };
        let mut events = [Event::default(); MAX_FILES];
        let n = sockets.epoll_wait(net, epoll, &mut events).expect("a wait for reports");
        let mut reports: BTreeMap<Fd, Ready> = BTreeMap::new();
        for event in &events[..n] {
            assert!(reports.insert(event.data as Fd, event.ready).is_none(), "one report for each");
        }
        for (&fd, stream) in &mut self.streams {
            let report = reports.remove(&fd).unwrap_or(Ready::NONE);
            let Some(watch) = &mut stream.watch else {
                assert!(report.is_empty(), "a report of what is not watched");
                continue;
            };
            if !watch.armed {
                assert!(report.is_empty(), "a second report of what reports once");
                continue;
            }
            let ready = sockets.ready(net, fd);
            let mask = watch.interest.events | Ready::ERR | Ready::HUP;
            let asked = Ready(ready.0 & mask.0);
            assert!(report.is_empty() || report == asked, "fd {fd}: {report:?} reported, {asked:?} is");
            let must = if watch.interest.edge { asked.without(watch.seen) } else { asked };
            assert!(must.is_empty() || !report.is_empty(), "fd {fd}: no report of {must:?}");
            watch.seen = ready;
            watch.armed = !watch.interest.once || report.is_empty();
        }
        assert!(reports.is_empty(), "reports of {reports:?}, which are closed");
    }

    fn close(&mut self, sockets: &mut Sockets, net: &mut Inner, fd: Fd) {
        let mut known = self.streams.remove(&fd).is_some();
        if self.epoll == Some(fd) {
            self.epoll = None;
            self.streams.values_mut().for_each(|stream| stream.watch = None);
            known = true;
        }
        assert_eq!(sockets.close(net, fd).is_ok(), known);
    }

    fn shutdown(&mut self, sockets: &mut Sockets, net: &mut Inner, fd: Fd, how: u8) {
        let how = [Shutdown::Read, Shutdown::Write, Shutdown::Both][usize::from(how) % 3];
        let connected = sockets.is_connected(fd).unwrap_or(false);
        if sockets.shutdown(net, fd, how).is_ok() && connected {
            self.stream(fd).shut |= how != Shutdown::Read;
        }
    }

    fn set_option(&mut self, sockets: &mut Sockets, net: &mut Inner, fd: Fd, script: &mut Script<'_>) {
        let option = match script.u8() {
            0..=15 => SocketOption::Linger(None),
            16..=31 => SocketOption::Linger(Some(std::time::Duration::ZERO)),
            32..=39 => SocketOption::ReuseAddress(true),
            _ => SocketOption::Conn(conn_option(script)),
        };
        let _ = sockets.set_option(net, fd, option);
    }

    /// Calls that only look must not panic, whatever the state.
    fn look(&mut self, sockets: &mut Sockets, net: &mut Inner, fd: Fd) {
        let _ = (sockets.local_address(fd), sockets.peer_address(fd), sockets.options(fd).is_ok());
        let _ = (sockets.readable(net, fd), sockets.is_listening(fd), sockets.is_connecting(fd));
        let error = sockets.take_error(fd).ok().flatten();
        let watched = self.streams.get_mut(&fd).and_then(|stream| stream.watch.as_mut());
        if let (Some(watch), Some(_)) = (watched, error) {
            watch.seen = watch.seen.without(Ready::ERR);
        }
        assert_eq!(sockets.tcp_info(net, fd).is_ok(), self.streams.contains_key(&fd));
    }
}

impl App for Program {
    type Service = Sockets;

    fn new(backlog: u32) -> (Self, Sockets) {
        let mut sockets = Sockets::new(Limits { max_files: MAX_FILES, max_backlog: 4 });
        let epoll = sockets.epoll_create().ok();
        (Program { epoll, backlog: backlog as usize, ..Program::default() }, sockets)
    }

    fn act(&mut self, sockets: &mut Sockets, net: &mut Inner, script: &mut Script<'_>) {
        let [which, what] = script.array();
        let amount = script.u16();
        let fd = self.nth(which);
        match what % 32 {
            0 | 1 => self.listen(sockets, net, PORTS[usize::from(which) % 2]),
            2..=4 => self.accept(sockets, net, fd),
            5..=8 => self.read(sockets, net, fd, amount, what >> 5),
            9..=14 => self.write(sockets, net, fd, amount & 0x1fff, what & 128 != 0),
            15 => self.shutdown(sockets, net, fd, what >> 5),
            16 => self.close(sockets, net, fd),
            17..=20 => self.set_option(sockets, net, fd, script),
            21 | 22 => self.watch(
                sockets,
                net,
                fd,
                Interest::from_bits(u32::from(amount & 0x3fff) | u32::from(amount >> 14) << 30),
            ),
            23 => self.unwatch(sockets, fd),
            24 | 25 => self.look(sockets, net, fd),
            _ => self.wait(sockets, net),
        }
    }

    /// A program has no callbacks: it serves what waits.
    fn policy(&mut self, sockets: &mut Sockets, script: &mut Script<'_>) {
        let _ = (sockets.take_news(), script.u8());
    }

    fn connect(&mut self, sockets: &mut Sockets, net: &mut Inner, to: SocketAddr, early: u16) {
        let Some(fd) = self.open(sockets) else { return };
        assert_ne!(sockets.connect(net, fd, to), Ok(()), "a connect never ends at once");
        if early & 1 != 0 {
            self.watch(sockets, net, fd, Interest::edge(Ready::IN | Ready::OUT));
        }
    }

    fn taint(&mut self, _: &mut Sockets) {
        self.tainted = true;
    }

    fn check(&mut self, sockets: &mut Sockets, net: &mut Inner) {
        self.wait(sockets, net);
    }

    fn close_all(&mut self, sockets: &mut Sockets, net: &mut Inner) {
        for fd in self.streams.keys().copied().collect::<Vec<_>>() {
            self.close(sockets, net, fd);
        }
        assert!(sockets.is_empty(), "sockets that nobody can reach");
    }

    fn known(&self, sockets: &Sockets) -> usize {
        sockets.len()
    }
}
