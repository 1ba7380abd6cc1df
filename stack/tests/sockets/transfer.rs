//! Data by sockets, both sides driven by reports of edges alone: nothing is lost, and nobody waits for ever.

use ferroflow_stack::sim::{LinkConfig, NodeId};
use ferroflow_stack::sockets::{Errno, Fd, How, Interest, Ready};

use crate::lab::Lab;

const LEN: usize = 600_000;

fn byte(at: usize) -> u8 {
    (at.wrapping_mul(2_654_435_761) >> 13) as u8
}

struct Side {
    node: NodeId,
    fd: Fd,
    epoll: Fd,
    written: usize,
    read: usize,
    ended: bool,
}

impl Side {
    fn new(lab: &mut Lab, node: NodeId, fd: Fd) -> Side {
        let epoll = lab.watch(node, fd, Interest::edge(Ready::IN | Ready::OUT | Ready::RDHUP));
        Side { node, fd, epoll, written: 0, read: 0, ended: false }
    }

    /// Acts on reports, and on nothing else.
    fn act(&mut self, lab: &mut Lab) {
        for (_, ready) in lab.reports(self.node, self.epoll) {
            assert!(!ready.intersects(Ready::ERR));
            if ready.contains(Ready::OUT) {
                self.write(lab);
            }
            if ready.contains(Ready::IN) {
                self.read(lab);
            }
        }
    }

    fn write(&mut self, lab: &mut Lab) {
        while self.written < LEN {
            let end = LEN.min(self.written + 7_777);
            let chunk: Vec<u8> = (self.written..end).map(byte).collect();
            match lab.write(self.node, self.fd, &chunk) {
                Ok(n) => self.written += n,
                Err(error) => return assert_eq!(error, Errno::EAGAIN),
            }
            if self.written == LEN {
                lab.at(self.node, |s, net| s.shutdown(net, self.fd, How::Write)).unwrap();
            }
        }
    }

    fn read(&mut self, lab: &mut Lab) {
        loop {
            match lab.read(self.node, self.fd, 5_000) {
                Ok(data) if data.is_empty() => return self.ended = true,
                Ok(data) => {
                    for b in data {
                        assert_eq!(b, byte(self.read), "byte {}", self.read);
                        self.read += 1;
                    }
                }
                Err(error) => return assert_eq!(error, Errno::EAGAIN),
            }
        }
    }
}

fn transfer(seed: u64, link: LinkConfig) {
    let mut lab = Lab::with_buffers(seed, 20_000);
    let (fd, accepted) = lab.pair();
    lab.net.configure_link(lab.client, link);
    lab.net.configure_link(lab.server, link);
    let (client, server) = (lab.client, lab.server);
    let mut sides = [Side::new(&mut lab, client, fd), Side::new(&mut lab, server, accepted)];
    for _ in 0..600_000 {
        for side in &mut sides {
            side.act(&mut lab);
        }
        if sides.iter().all(|side| side.ended && side.written == LEN) {
            break;
        }
        lab.pass(1);
    }
    for side in &sides {
        assert!(side.ended, "seed {seed}: read {} wrote {}", side.read, side.written);
        assert_eq!((side.read, side.written), (LEN, LEN));
    }
}

#[test]
fn both_ways_at_once() {
    transfer(1, LinkConfig::default());
}

#[test]
fn over_links_that_lose() {
    for seed in 0..3 {
        transfer(seed, LinkConfig { loss: 0.02, ..LinkConfig::default() });
    }
}
