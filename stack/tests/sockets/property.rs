//! Random calls at random times: each change is reported once, none is lost, none is made up.

use std::time::Duration;

use ferroflow_stack::sim::NodeId;
use ferroflow_stack::sockets::{Errno, Event, Fd, How, Interest, Ready, SocketOption};
use proptest::prelude::*;

use crate::lab::Lab;

/// A step of the program. Sockets are chosen by number, whichever are open.
#[derive(Debug, Clone)]
enum Step {
    Connect,
    Accept,
    Write { socket: usize, len: usize },
    Read { socket: usize, len: usize },
    Shutdown { socket: usize },
    Close { socket: usize },
    Reset { socket: usize },
    Pass { millis: u64 },
    Wait { room: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let socket = 0usize..12;
    prop_oneof![
        2 => Just(Step::Connect),
        3 => Just(Step::Accept),
        6 => (socket.clone(), 1usize..9000).prop_map(|(socket, len)| Step::Write { socket, len }),
        6 => (socket.clone(), 1usize..9000).prop_map(|(socket, len)| Step::Read { socket, len }),
        1 => socket.clone().prop_map(|socket| Step::Shutdown { socket }),
        1 => socket.clone().prop_map(|socket| Step::Close { socket }),
        1 => socket.prop_map(|socket| Step::Reset { socket }),
        6 => (0u64..300).prop_map(|millis| Step::Pass { millis }),
        6 => (1usize..20).prop_map(|room| Step::Wait { room }),
    ]
}

const ASKED: Ready = Ready(Ready::IN.0 | Ready::OUT.0 | Ready::RDHUP.0);
const ALWAYS: Ready = Ready(ASKED.0 | Ready::ERR.0 | Ready::HUP.0);

/// What is known of a socket, from outside.
#[derive(Debug)]
struct Watched {
    node: NodeId,
    fd: Fd,
    /// Bytes that had arrived.
    arrived: usize,
    /// Bytes read in all.
    read: usize,
    /// What it was ready for at the last look.
    seen: Ready,
    /// Something has changed: a report is allowed.
    changed: bool,
    /// Something is ready that was not: a report is due.
    owed: bool,
}

struct Machine {
    lab: Lab,
    listener: Fd,
    watched: Vec<Watched>,
    /// One set for edges and one for levels at each host.
    edges: [Fd; 2],
    levels: [Fd; 2],
}

impl Machine {
    fn new(seed: u64) -> Machine {
        let mut lab = Lab::with_buffers(seed, 8192);
        let listener = lab.listen(3);
        let nodes = [lab.client, lab.server];
        let mut create = || nodes.map(|node| lab.at(node, |s, _| s.epoll_create()).unwrap());
        let (edges, levels) = (create(), create());
        Machine { lab, listener, watched: Vec::new(), edges, levels }
    }

    fn side(&self, node: NodeId) -> usize {
        usize::from(node == self.lab.server)
    }

    fn ready(&mut self, at: usize) -> Ready {
        let Watched { node, fd, .. } = self.watched[at];
        self.lab.ready(node, fd) & ALWAYS
    }

    /// Looks at every socket: what has changed since the last look?
    fn look(&mut self) {
        for at in 0..self.watched.len() {
            let now = self.ready(at);
            let Watched { node, fd, read, .. } = self.watched[at];
            let arrived = read + self.lab.at(node, |s, net| s.readable(net, fd)).unwrap();
            let watched = &mut self.watched[at];
            let rising = Ready(now.0 & !watched.seen.0);
            watched.owed |= !rising.is_empty() || (arrived > watched.arrived && now.contains(Ready::IN));
            watched.changed |= !rising.is_empty() || arrived > watched.arrived;
            // What is owed is what can still be seen.
            watched.owed &= !now.is_empty();
            watched.arrived = watched.arrived.max(arrived);
            watched.seen = now;
        }
    }

    fn watch(&mut self, node: NodeId, fd: Fd) {
        let side = self.side(node);
        let (edges, levels) = (self.edges[side], self.levels[side]);
        self.lab.at(node, |s, net| {
            s.epoll_add(net, edges, fd, Interest::edge(ASKED), fd as u64).unwrap();
            s.epoll_add(net, levels, fd, Interest::level(ASKED), fd as u64).unwrap();
        });
        let (seen, changed) = (Ready::NONE, true);
        self.watched.push(Watched { node, fd, arrived: 0, read: 0, seen, changed, owed: false });
    }

    fn pick(&self, socket: usize) -> Option<usize> {
        (!self.watched.is_empty()).then(|| socket % self.watched.len())
    }

    fn run(&mut self, step: &Step) {
        match *step {
            Step::Connect if self.watched.len() < 12 => {
                let fd = self.lab.socket(self.lab.client);
                assert_eq!(self.lab.connect(fd), Err(Errno::EINPROGRESS));
                self.watch(self.lab.client, fd);
            }
            Step::Accept => {
                let (server, listener) = (self.lab.server, self.listener);
                let accepted = self.lab.at(server, |s, net| s.accept(net, listener));
                match accepted {
                    Ok((fd, _)) => self.watch(server, fd),
                    Err(error) => assert_eq!(error, Errno::EAGAIN),
                }
            }
            Step::Write { socket, len } => {
                let Some(at) = self.pick(socket) else { return };
                let Watched { node, fd, .. } = self.watched[at];
                let before = self.ready(at);
                let result = self.lab.write(node, fd, &vec![1; len]);
                // As on Linux there may be a little room before there is enough to be ready.
                let refused = result == Err(Errno::EAGAIN);
                assert!(!(refused && before.contains(Ready::OUT)), "{before:?} but {result:?}");
            }
            Step::Read { socket, len } => {
                let Some(at) = self.pick(socket) else { return };
                let Watched { node, fd, .. } = self.watched[at];
                let before = self.ready(at);
                let result = self.lab.read(node, fd, len);
                let blocks = matches!(result, Err(Errno::EAGAIN | Errno::ENOTCONN));
                assert_eq!(blocks, !before.contains(Ready::IN), "{before:?}, {result:?}");
                self.watched[at].read += result.map_or(0, |data| data.len());
            }
            Step::Shutdown { socket } => {
                let Some(at) = self.pick(socket) else { return };
                let Watched { node, fd, .. } = self.watched[at];
                let result = self.lab.at(node, |s, net| s.shutdown(net, fd, How::Write));
                assert!(matches!(result, Ok(()) | Err(Errno::ENOTCONN)), "{result:?}");
            }
            Step::Close { socket } | Step::Reset { socket } => {
                let Some(at) = self.pick(socket) else { return };
                let Watched { node, fd, .. } = self.watched.swap_remove(at);
                if matches!(step, Step::Reset { .. }) {
                    let now = SocketOption::Linger(Some(Duration::ZERO));
                    self.lab.at(node, |s, net| s.set_option(net, fd, now)).unwrap();
                }
                self.lab.close(node, fd).unwrap();
            }
            Step::Pass { millis } => self.lab.pass(millis),
            Step::Wait { room } => {
                self.wait_levels();
                self.wait_edges(room);
            }
            Step::Connect => {}
        }
    }

    fn take(&mut self, node: NodeId, epoll: Fd, room: usize) -> Vec<(Fd, Ready)> {
        let mut events = vec![Event::default(); room];
        let n = self.lab.at(node, |s, net| s.epoll_wait(net, epoll, &mut events)).unwrap();
        events[..n].iter().map(|event| (event.data as Fd, event.ready)).collect()
    }

    /// Levels: exactly those that are ready, for exactly what they are ready for.
    fn wait_levels(&mut self) {
        for (side, node) in [self.lab.client, self.lab.server].into_iter().enumerate() {
            let mut reported = self.take(node, self.levels[side], 64);
            let here: Vec<_> = (0..self.watched.len()).filter(|&at| self.watched[at].node == node).collect();
            let mut expected: Vec<_> =
                here.into_iter().map(|at| (self.watched[at].fd, self.ready(at))).collect();
            expected.retain(|(_, ready)| !ready.is_empty());
            reported.sort_by_key(|report| report.0);
            expected.sort_by_key(|report| report.0);
            assert_eq!(reported, expected);
        }
    }

    /// Edges: what is owed, once; nothing that has not changed.
    fn wait_edges(&mut self, room: usize) {
        for (side, node) in [self.lab.client, self.lab.server].into_iter().enumerate() {
            let mut all = Vec::new();
            // One wait more than there are sockets finds nothing.
            for _ in 0..=self.watched.len() {
                all.extend(self.take(node, self.edges[side], room));
            }
            assert_eq!(self.take(node, self.edges[side], room), [], "reported again and again");
            for at in 0..self.watched.len() {
                if self.watched[at].node != node {
                    continue;
                }
                let (fd, now) = (self.watched[at].fd, self.ready(at));
                let reports: Vec<_> = all.iter().filter(|report| report.0 == fd).collect();
                let watched = &mut self.watched[at];
                assert!(reports.len() <= 1, "{watched:?} reported {reports:?}");
                match reports.first() {
                    Some((_, ready)) => {
                        assert!(watched.changed, "{watched:?}: nothing changed, but {ready:?} is reported");
                        assert_eq!(*ready, now, "{watched:?}");
                    }
                    None => assert!(!watched.owed, "{watched:?} is {now:?}, and nothing is reported"),
                }
                (watched.changed, watched.owed) = (false, false);
            }
            all.retain(|report| !self.watched.iter().any(|w| w.node == node && w.fd == report.0));
            assert_eq!(all, [], "reports of what is not open");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn each_change_is_reported_once(seed: u64, steps in prop::collection::vec(step(), 1..120)) {
        let mut machine = Machine::new(seed);
        for step in &steps {
            machine.run(step);
            machine.look();
        }
        machine.run(&Step::Wait { room: 64 });
    }
}
