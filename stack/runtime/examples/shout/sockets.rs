//! The same server as a program for sockets and epoll: what one would write for the kernel, without the loop around it.

use std::collections::HashMap;

use ferroflow_stack::Net;
use ferroflow_stack::sockets::{Errno, Event, Family, Fd, Interest, Program, Ready, Sockets};

/// Sends back what it gets in capitals, and at the end how many bytes that were.
pub struct Shout {
    port: u16,
    epoll: Fd,
    listener: Fd,
    conns: HashMap<Fd, Conn>,
    buf: Box<[u8]>,
}

#[derive(Default)]
struct Conn {
    bytes: u64,
    /// Read, and not written yet for want of room.
    out: Vec<u8>,
    ended: bool,
}

impl Shout {
    pub fn new(port: u16) -> Shout {
        Shout { port, epoll: -1, listener: -1, conns: HashMap::new(), buf: vec![0; 16 << 10].into() }
    }

    fn open(&mut self, sockets: &mut Sockets, net: &mut impl Net) -> Result<(), Errno> {
        self.listener = sockets.socket(Family::V4)?;
        sockets.bind(net, self.listener, ([0, 0, 0, 0], self.port).into())?;
        sockets.listen(net, self.listener, 128)?;
        self.epoll = sockets.epoll_create()?;
        sockets.epoll_add(net, self.epoll, self.listener, Interest::edge(Ready::IN), self.listener as u64)
    }

    fn accept(&mut self, sockets: &mut Sockets, net: &mut impl Net) -> Result<(), Errno> {
        loop {
            let (fd, _) = sockets.accept(net, self.listener)?;
            self.conns.insert(fd, Conn::default());
            sockets.epoll_add(net, self.epoll, fd, Interest::edge(Ready::IN | Ready::OUT), fd as u64)?;
        }
    }

    fn serve(&mut self, sockets: &mut Sockets, net: &mut impl Net, fd: Fd) {
        let Some(conn) = self.conns.get_mut(&fd) else { return };
        match conn.advance(sockets, net, fd, &mut self.buf) {
            Err(Errno::EAGAIN) => {}
            // All is said, or nobody listens any more.
            Ok(()) | Err(_) => {
                self.conns.remove(&fd);
                let _ = sockets.close(net, fd);
            }
        }
    }
}

impl Conn {
    /// Reads and writes in turn until one of them would block (`EAGAIN`) or everything is done.
    fn advance(
        &mut self,
        sockets: &mut Sockets,
        net: &mut impl Net,
        fd: Fd,
        buf: &mut [u8],
    ) -> Result<(), Errno> {
        loop {
            while !self.out.is_empty() {
                let n = sockets.write(net, fd, &self.out)?;
                self.out.drain(..n);
            }
            if self.ended {
                return Ok(());
            }
            let n = sockets.read(net, fd, buf)?;
            self.bytes += n as u64;
            self.ended = n == 0;
            if self.ended {
                self.out = format!("\n{} bytes\n", self.bytes).into_bytes();
            } else {
                self.out.extend(buf[..n].iter().map(u8::to_ascii_uppercase));
            }
        }
    }
}

impl Program for Shout {
    fn start(&mut self, sockets: &mut Sockets, net: &mut impl Net) {
        self.open(sockets, net).unwrap_or_else(|e| panic!("port {}: {e}", self.port));
    }

    fn run(&mut self, sockets: &mut Sockets, net: &mut impl Net) {
        let mut events = [Event::default(); 64];
        while let Ok(n @ 1..) = sockets.epoll_wait(net, self.epoll, &mut events) {
            for event in &events[..n] {
                let fd = event.data as Fd;
                if fd == self.listener {
                    let _ = self.accept(sockets, net); // ends with EAGAIN
                } else {
                    self.serve(sockets, net, fd);
                }
            }
        }
    }
}
