//! One service for the connections of two stacks.

use std::io;
use std::time::Duration;

use ferroflow_ports::Shared;
use ferroflow_stack::{CloseReason, ConnId, ConnInfo, ConnectError, Instant, Net, Rx, Service};

use super::net::{Both, of_kernel, of_stack};
use crate::kernel::{self, Counters, KernelNet, Sockets};

/// While the core does not sleep, the kernel is asked so often for news of the sockets: a call of it costs as much as the
/// answer to a message.
const ASK_EVERY: Duration = Duration::from_micros(50);

/// What the instance takes for its service: the real one, and the kernel's sockets beside it.
#[derive(Debug)]
pub struct Beside<S: Service> {
    service: S,
    pub(super) sockets: Sockets<S::Conn>,
    shared: Shared,
    /// When the kernel is to be asked next.
    ask_at: Instant,
    /// What the last turn did on the sockets.
    handled: io::Result<usize>,
}

impl<S: Service> Beside<S> {
    pub(super) fn new(service: S, shared: Shared, sockets: kernel::Config) -> io::Result<Beside<S>> {
        let sockets = Sockets::new(sockets)?;
        Ok(Beside { service, sockets, shared, ask_at: Instant::ZERO, handled: Ok(0) })
    }

    /// The service itself.
    pub fn service(&self) -> &S {
        &self.service
    }

    /// The service and what happened on the kernel's sockets. Connections still open there are dropped.
    pub fn into_parts(self) -> (S, Counters) {
        (self.service, *self.sockets.counters())
    }

    /// What happened on the kernel's sockets so far.
    pub fn counters(&self) -> &Counters {
        self.sockets.counters()
    }

    /// How many events of the sockets the last turn has handled, or why it could not.
    pub(super) fn take_handled(&mut self) -> io::Result<usize> {
        std::mem::replace(&mut self.handled, Ok(0))
    }

    /// Lends the service, and both stacks for it.
    fn lend<'a, N: Net>(&'a mut self, stack: &'a mut N) -> (&'a mut S, Both<'a, N, KernelNet>) {
        let kernel = self.sockets.net_at(stack.now());
        (&mut self.service, Both { stack, kernel, shared: &self.shared })
    }
}

/// Callbacks about one connection: the service's own, with both stacks and with the connection's id among both.
macro_rules! callbacks {
    ($id:path) => {
        fn accepted(&mut self, net: &mut impl Net, id: ConnId, info: &ConnInfo) -> Option<S::Conn> {
            let (service, mut both) = self.lend(net);
            service.accepted(&mut both, $id(id), info)
        }

        fn connected(
            &mut self,
            net: &mut impl Net,
            id: ConnId,
            result: Result<&ConnInfo, ConnectError>,
        ) -> Option<S::Conn> {
            let (service, mut both) = self.lend(net);
            service.connected(&mut both, $id(id), result)
        }

        #[inline]
        fn data(&mut self, net: &mut impl Net, id: ConnId, conn: &mut S::Conn, rx: &mut Rx<'_>) {
            let (service, mut both) = self.lend(net);
            service.data(&mut both, $id(id), conn, rx);
        }

        fn urgent(&mut self, net: &mut impl Net, id: ConnId, conn: &mut S::Conn, ahead: u32) {
            let (service, mut both) = self.lend(net);
            service.urgent(&mut both, $id(id), conn, ahead);
        }

        fn fin(&mut self, net: &mut impl Net, id: ConnId, conn: &mut S::Conn) {
            let (service, mut both) = self.lend(net);
            service.fin(&mut both, $id(id), conn);
        }

        fn eof(&mut self, net: &mut impl Net, id: ConnId, conn: &mut S::Conn) {
            let (service, mut both) = self.lend(net);
            service.eof(&mut both, $id(id), conn);
        }

        fn writable(&mut self, net: &mut impl Net, id: ConnId, conn: &mut S::Conn) {
            let (service, mut both) = self.lend(net);
            service.writable(&mut both, $id(id), conn);
        }

        fn timer(&mut self, net: &mut impl Net, id: ConnId, conn: &mut S::Conn) {
            let (service, mut both) = self.lend(net);
            service.timer(&mut both, $id(id), conn);
        }

        fn closed(&mut self, net: &mut impl Net, id: ConnId, conn: S::Conn, why: CloseReason) {
            let (service, mut both) = self.lend(net);
            service.closed(&mut both, $id(id), conn, why);
        }
    };
}

/// To the own stack: the service of its instance.
impl<S: Service> Service for Beside<S> {
    type Conn = S::Conn;

    callbacks!(of_stack);

    fn start(&mut self, net: &mut impl Net) {
        let (service, mut both) = self.lend(net);
        service.start(&mut both);
    }

    /// The sockets' turn, with the service's own in it.
    fn turn(&mut self, net: &mut impl Net) {
        let now = net.now();
        let Beside { service, sockets, shared, ask_at, handled } = self;
        let mut from = FromKernel { service, stack: net, shared };
        *handled = if sockets.has_been_told() || now >= *ask_at {
            *ask_at = now + ASK_EVERY;
            sockets.turn(&mut from, now)
        } else {
            Ok(sockets.turn_without_asking(&mut from, now))
        };
    }

    fn deadline(&self) -> Option<Instant> {
        [self.sockets.next_deadline(), self.service.deadline()].into_iter().flatten().min()
    }

    fn stop(&mut self, net: &mut impl Net) {
        let (service, mut both) = self.lend(net);
        service.stop(&mut both);
    }

    fn report(&self, each: &mut dyn FnMut(&'static str, u64)) {
        self.service.report(each);
    }
}

/// To the kernel's sockets, for their turn: the same service, with the own stack as the other one.
struct FromKernel<'a, S, N> {
    service: &'a mut S,
    stack: &'a mut N,
    shared: &'a Shared,
}

impl<S: Service, N: Net> FromKernel<'_, S, N> {
    fn lend<'a, K: Net>(&'a mut self, kernel: &'a mut K) -> (&'a mut S, Both<'a, N, K>) {
        (self.service, Both { stack: self.stack, kernel, shared: self.shared })
    }
}

impl<S: Service, N: Net> Service for FromKernel<'_, S, N> {
    type Conn = S::Conn;

    callbacks!(of_kernel);

    /// Never called: the instance starts the service.
    fn start(&mut self, _: &mut impl Net) {}

    fn turn(&mut self, net: &mut impl Net) {
        let (service, mut both) = self.lend(net);
        service.turn(&mut both);
    }
}
