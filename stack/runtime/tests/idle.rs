//! What an idle process costs: next to nothing.

#[path = "common/lab.rs"]
mod lab;

use std::time::{Duration, Instant as Wall};

use ferroflow_runtime::steer;
use ferroflow_stack::steer::Steer;
use ferroflow_stack::{CloseReason, ConnId, ConnInfo, ConnectError, Listen, Net, Rx, Service};
use lab::{Stack, connect, in_namespace, tap};
use rustix::time::{ClockId, clock_gettime};

const PORT: u16 = 6653;
const CONNS: u64 = 1_000;
/// How long the silence is measured.
const SILENCE: Duration = Duration::from_secs(5);

/// Accepts, and waits for ever.
struct Quiet;

impl Service for Quiet {
    type Conn = ();
    fn start(&mut self, net: &mut impl Net) {
        net.listen(Listen::on(PORT)).unwrap();
    }
    fn accepted(&mut self, _: &mut impl Net, _: ConnId, _: &ConnInfo) -> Option<()> {
        Some(())
    }
    fn connected(&mut self, _: &mut impl Net, _: ConnId, _: Result<&ConnInfo, ConnectError>) -> Option<()> {
        None
    }
    fn data(&mut self, _: &mut impl Net, _: ConnId, (): &mut (), _: &mut Rx<'_>) {}
    fn eof(&mut self, net: &mut impl Net, id: ConnId, (): &mut ()) {
        net.close(id);
    }
    fn closed(&mut self, _: &mut impl Net, _: ConnId, (): (), _: CloseReason) {}
}

/// Processor time of the whole process, its tests' own threads included.
fn spent() -> Duration {
    let t = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(t.tv_sec as u64, t.tv_nsec as u32)
}

#[test]
fn four_cores_with_a_thousand_connections_take_less_than_a_hundredth_of_one() {
    in_namespace(|| {
        let (ports, mac) = tap(4);
        let ports = steer::join(ports, 256, Steer::new);
        let stack = Stack::start(ports, mac, |_| Quiet, |_| ());
        let conns: Vec<_> = (0..CONNS).map(|_| connect(PORT)).collect();
        let start = Wall::now();
        while stack.conns() < CONNS {
            assert!(start.elapsed() < Duration::from_secs(20), "{} of {CONNS}", stack.conns());
            std::thread::sleep(Duration::from_millis(10));
        }
        // What the handshakes leave behind (delayed acknowledgements, ARP) has ended.
        std::thread::sleep(Duration::from_secs(1));
        let before = spent();
        std::thread::sleep(SILENCE);
        let spent = spent() - before;
        assert_eq!(stack.conns(), CONNS, "all of them are still there");
        assert!(spent < SILENCE / 100, "{spent:?} of processor time in {SILENCE:?}");
        drop(conns);
        stack.wait_idle();
        stack.stop();
    });
}
