//! Hosts whose service is a set of sockets.

use std::time::Duration;

use ferroflow_stack::instance::Inner;
use ferroflow_stack::sim::{LinkConfig, NodeId, SimNet, SimPortConfig};
use ferroflow_stack::sockets::{Errno, Event, Family, Fd, Interest, Ready, Sockets};
use ferroflow_stack::tcp::TcpConfig;

pub const PORT: u16 = 80;

pub struct Lab {
    pub net: SimNet<Sockets>,
    pub client: NodeId,
    pub server: NodeId,
}

/// Settings with buffers of at most `bytes`.
pub fn buffers(bytes: usize) -> TcpConfig {
    TcpConfig {
        send_buffer: bytes,
        send_buffer_initial: bytes,
        recv_buffer: bytes,
        recv_buffer_initial: bytes,
        ..TcpConfig::default()
    }
}

impl Lab {
    pub fn new(seed: u64) -> Lab {
        Lab::with(seed, LinkConfig::default(), TcpConfig::default())
    }

    /// With buffers that do not grow beyond `bytes`.
    pub fn with_buffers(seed: u64, bytes: usize) -> Lab {
        Lab::with(seed, LinkConfig::default(), buffers(bytes))
    }

    pub fn with(seed: u64, link: LinkConfig, tcp: TcpConfig) -> Lab {
        let mut net = SimNet::new(seed);
        let host = |net: &mut SimNet<Sockets>| {
            let mut config = net.next_config();
            config.tcp = tcp.clone();
            net.add_host_with(config, SimPortConfig::default(), link, Sockets::default())
        };
        let (client, server) = (host(&mut net), host(&mut net));
        Lab { net, client, server }
    }

    /// Makes calls at one of the hosts.
    pub fn at<R>(&mut self, node: NodeId, f: impl FnOnce(&mut Sockets, &mut Inner) -> R) -> R {
        let now = self.net.now();
        let host = self.net.host_mut(node);
        host.set_now(now);
        host.with(f)
    }

    /// Lets `millis` pass.
    pub fn pass(&mut self, millis: u64) {
        self.net.run_for(Duration::from_millis(millis)).unwrap();
    }

    pub fn socket(&mut self, node: NodeId) -> Fd {
        self.at(node, |sockets, _| sockets.socket(Family::V4)).unwrap()
    }

    /// A listener at the server.
    pub fn listen(&mut self, backlog: usize) -> Fd {
        let fd = self.socket(self.server);
        self.at(self.server, |sockets, net| {
            sockets.bind(net, fd, ([0, 0, 0, 0], PORT).into())?;
            sockets.listen(net, fd, backlog)
        })
        .unwrap();
        fd
    }

    /// Begins to connect.
    pub fn connect(&mut self, fd: Fd) -> Result<(), Errno> {
        let to = self.net.socket(self.server, PORT);
        self.at(self.client, |sockets, net| sockets.connect(net, fd, to))
    }

    /// A connection: its socket at the client and at the server.
    pub fn pair(&mut self) -> (Fd, Fd) {
        let listener = self.listen(8);
        let fd = self.socket(self.client);
        assert_eq!(self.connect(fd), Err(Errno::EINPROGRESS));
        self.pass(10);
        assert_eq!(self.connect(fd), Ok(()));
        let (accepted, peer) = self.at(self.server, |sockets, net| sockets.accept(net, listener)).unwrap();
        let local = self.at(self.client, |sockets, _| sockets.local_address(fd));
        assert_eq!(local, Ok(peer));
        (fd, accepted)
    }

    pub fn ready(&mut self, node: NodeId, fd: Fd) -> Ready {
        let ready = self.at(node, |sockets, net| sockets.ready(net, fd));
        // Those who ask for ordinary data alone see the same.
        let twin = |a: Ready, b: Ready| assert_eq!(ready.contains(a), ready.contains(b));
        twin(Ready::IN, Ready::RDNORM);
        twin(Ready::OUT, Ready::WRNORM);
        ready & Ready(0xffff & !(Ready::RDNORM | Ready::WRNORM).0)
    }

    pub fn read(&mut self, node: NodeId, fd: Fd, max: usize) -> Result<Vec<u8>, Errno> {
        let mut buf = vec![0; max];
        let n = self.at(node, |sockets, net| sockets.read(net, fd, &mut buf))?;
        buf.truncate(n);
        Ok(buf)
    }

    pub fn write(&mut self, node: NodeId, fd: Fd, data: &[u8]) -> Result<usize, Errno> {
        self.at(node, |sockets, net| sockets.write(net, fd, data))
    }

    pub fn close(&mut self, node: NodeId, fd: Fd) -> Result<(), Errno> {
        self.at(node, |sockets, net| sockets.close(net, fd))
    }

    /// An epoll set that watches `fd`, whose number comes back.
    pub fn watch(&mut self, node: NodeId, fd: Fd, interest: Interest) -> Fd {
        self.at(node, |sockets, net| {
            let epoll = sockets.epoll_create()?;
            sockets.epoll_add(net, epoll, fd, interest, fd as u64)?;
            Ok::<_, Errno>(epoll)
        })
        .unwrap()
    }

    /// What an epoll set reports now.
    pub fn reports(&mut self, node: NodeId, epoll: Fd) -> Vec<(Fd, Ready)> {
        let mut events = [Event::default(); 64];
        let n = self.at(node, |sockets, net| sockets.epoll_wait(net, epoll, &mut events)).unwrap();
        events[..n].iter().map(|event| (event.data as Fd, event.ready)).collect()
    }
}
