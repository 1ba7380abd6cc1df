//! SO_LINGER with a time, and a close that waits for it: Linux's sk_stream_wait_close.

use std::time::Duration;

use ferroflow_stack::sim::{SimPort, SimPortConfig};
use ferroflow_stack::sockets::{Clock, Driven, Errno, Family, Fd, SocketOption, Sockets};
use ferroflow_stack::{Config, Instant};

use crate::lab::Lab;

const SECOND: Duration = Duration::from_secs(1);

fn linger(lab: &mut Lab, fd: Fd, time: Duration) {
    let client = lab.client;
    lab.at(client, |s, net| s.set_option(net, fd, SocketOption::Linger(Some(time)))).unwrap();
}

#[test]
fn a_caller_can_wait_for_the_last_acknowledgement() {
    let mut lab = Lab::new(1);
    let (client, _) = (lab.client, lab.server);
    let (fd, _) = lab.pair();
    linger(&mut lab, fd, SECOND);
    lab.write(client, fd, b"hello").unwrap();
    let closing = lab.at(client, |s, net| s.close_lingering(net, fd)).unwrap().expect("it waits");
    assert_eq!(lab.close(client, fd), Err(Errno::EBADF), "the descriptor is closed at once");
    assert!(!lab.at(client, |_, net| closing.is_over(net)));
    lab.pass(10);
    assert!(lab.at(client, |_, net| closing.is_over(net)), "the peer has it all");
}

#[test]
fn nobody_waits_without_a_time_or_a_connection() {
    let mut lab = Lab::new(2);
    let client = lab.client;
    let (fd, _) = lab.pair();
    lab.write(client, fd, b"hello").unwrap();
    assert_eq!(lab.at(client, |s, net| s.close_lingering(net, fd)), Ok(None));
    let fd = lab.socket(client);
    linger(&mut lab, fd, SECOND);
    assert_eq!(lab.at(client, |s, net| s.close_lingering(net, fd)), Ok(None));
    assert_eq!(lab.at(client, |s, net| s.close_lingering(net, fd)), Err(Errno::EBADF));
    // with a time of zero it is a reset
    let fd = lab.socket(client);
    assert_eq!(lab.connect(fd), Err(Errno::EINPROGRESS));
    lab.pass(10);
    linger(&mut lab, fd, Duration::ZERO);
    assert_eq!(lab.at(client, |s, net| s.close_lingering(net, fd)), Ok(None));
}

/// The other host, and virtual time: what one of them sends, the other gets at once, if they are joined.
struct World {
    now: Instant,
    other: Driven<SimPort>,
    joined: bool,
}

impl Clock<SimPort> for World {
    fn now(&mut self) -> Instant {
        self.now
    }

    fn sleep(&mut self, port: &mut SimPort, until: Option<Instant>) {
        let sent = port.take_sent();
        if sent.is_empty() || !self.joined {
            self.now = until.unwrap_or(self.now).max(self.now);
        }
        if self.joined {
            sent.into_iter().for_each(|frame| self.other.instance_mut().port_mut().deliver(frame));
            self.other.turn(self.now).unwrap();
            let answers = self.other.instance_mut().port_mut().take_sent();
            answers.into_iter().for_each(|frame| port.deliver(frame));
        }
    }
}

fn host(n: u8) -> Driven<SimPort> {
    let config = Config::new([2, 0, 0, 0, 0, n].into(), [10, 0, 0, n].into(), 24, u64::from(n));
    Driven::new(config, SimPort::new(SimPortConfig::default()), Sockets::default(), Instant::from_secs(1))
}

/// A connection of the first host with a time to linger, and something written.
fn opened() -> (Driven<SimPort>, Fd, World) {
    let mut world = World { now: Instant::from_secs(1), other: host(2), joined: true };
    world.other.with(world.now, |s, net| {
        let fd = s.socket(Family::V4).unwrap();
        s.bind(net, fd, ([0, 0, 0, 0], 80).into()).unwrap();
        s.listen(net, fd, 1).unwrap();
    });
    let mut ours = host(1);
    let fd = ours.with(world.now, |s, net| {
        let fd = s.socket(Family::V4).unwrap();
        s.set_option(net, fd, SocketOption::Linger(Some(3 * SECOND))).unwrap();
        assert_eq!(s.connect(net, fd, ([10, 0, 0, 2], 80).into()), Err(Errno::EINPROGRESS));
        fd
    });
    for _ in 0..10 {
        ours.turn(world.now).unwrap();
        world.sleep(ours.instance_mut().port_mut(), None);
    }
    ours.with(world.now, |s, net| assert_eq!(s.write(net, fd, b"hello"), Ok(5)));
    (ours, fd, world)
}

#[test]
fn close_drives_the_instance_until_the_peer_has_everything() {
    let (mut ours, fd, mut world) = opened();
    let before = world.now;
    ours.close(fd, &mut world).unwrap();
    assert!(world.now.since(before) < SECOND / 2, "{:?}", world.now.since(before));
    assert!(ours.close(fd, &mut world).is_err(), "it is closed");
}

#[test]
fn close_waits_no_longer_than_its_time() {
    let (mut ours, fd, mut world) = opened();
    let before = world.now;
    world.joined = false;
    ours.close(fd, &mut world).unwrap();
    assert_eq!(world.now.since(before), 3 * SECOND);
    // the connection goes on without its descriptor
    assert_eq!(ours.instance().conns(), 1);
}
