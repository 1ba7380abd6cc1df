//! Two stacks as one [`Net`].

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ferroflow_ports::Shared;
use ferroflow_stack::{
    ConnId, ConnInfo, ConnOption, ConnectOptions, Instant, Listen, ListenError, Net, NetError, SendRing,
    TcpInfo,
};

/// The own stack and the kernel's sockets, for the length of a callback.
pub(super) struct Both<'a, N, K> {
    pub stack: &'a mut N,
    pub kernel: &'a mut K,
    pub shared: &'a Shared,
}

/// Whose a connection is: the lowest bit of its slot, as the service sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Stack,
    Kernel,
}

const KERNELS: usize = 1;

/// The own stack's connection as the service sees it. Slots stay as dense as they were.
pub(super) fn of_stack(id: ConnId) -> ConnId {
    ConnId::new((id.index() << 1) as u32, id.generation())
}

/// The kernel's.
pub(super) fn of_kernel(id: ConnId) -> ConnId {
    ConnId::new((id.index() << 1 | KERNELS) as u32, id.generation())
}

fn side(id: ConnId) -> (Side, ConnId) {
    let side = if id.index() & KERNELS == 0 { Side::Stack } else { Side::Kernel };
    (side, ConnId::new((id.index() >> 1) as u32, id.generation()))
}

/// Calls the same on whichever stack has the connection.
macro_rules! at {
    ($self:ident, $id:ident, $net:ident => $call:expr) => {{
        let (side, $id) = side($id);
        match side {
            Side::Stack => {
                let $net = &$self.stack;
                $call
            }
            Side::Kernel => {
                let $net = &$self.kernel;
                $call
            }
        }
    }};
    (mut $self:ident, $id:ident, $net:ident => $call:expr) => {{
        let (side, $id) = side($id);
        match side {
            Side::Stack => {
                let $net = &mut *$self.stack;
                $call
            }
            Side::Kernel => {
                let $net = &mut *$self.kernel;
                $call
            }
        }
    }};
}

impl<N: Net, K: Net> Both<'_, N, K> {
    /// Whether the own stack can have a listener's packets.
    fn is_ours(&self, at: Option<IpAddr>) -> bool {
        at.is_none_or(|ip| ip == IpAddr::V4(self.shared.address) || ip == IpAddr::V4(Ipv4Addr::UNSPECIFIED))
    }
}

impl<N: Net, K: Net> Net for Both<'_, N, K> {
    #[inline]
    fn now(&self) -> Instant {
        self.stack.now()
    }

    fn random(&mut self) -> u64 {
        self.stack.random()
    }

    /// On both; the kernel's first, which fails if somebody has the port.
    fn listen(&mut self, at: Listen) -> Result<(), ListenError> {
        self.kernel.listen(at)?;
        if self.is_ours(at.address) {
            self.stack.listen(at).inspect_err(|_| self.kernel.unlisten(at.port))?;
            // From now on the interface's packets to that port come to the stack.
            self.shared.lead(at.port);
        }
        Ok(())
    }

    /// By the stack whose interface the way there leads through: the kernel knows it.
    fn connect(&mut self, to: SocketAddr, options: ConnectOptions) -> Result<ConnId, NetError> {
        match to.ip() {
            IpAddr::V4(ip) if self.shared.leads_to(ip) => self.stack.connect(to, options).map(of_stack),
            _ => self.kernel.connect(to, options).map(of_kernel),
        }
    }

    #[inline]
    fn sender(&mut self, id: ConnId) -> Result<&mut SendRing, NetError> {
        at!(mut self, id, net => net.sender(id))
    }

    fn send_urgent(&mut self, id: ConnId, data: &[u8]) -> Result<usize, NetError> {
        at!(mut self, id, net => net.send_urgent(id, data))
    }

    fn urgent(&self, id: ConnId) -> usize {
        at!(self, id, net => net.urgent(id))
    }

    fn room(&self, id: ConnId) -> usize {
        at!(self, id, net => net.room(id))
    }

    fn shutdown(&mut self, id: ConnId) {
        at!(mut self, id, net => net.shutdown(id));
    }

    fn close(&mut self, id: ConnId) {
        at!(mut self, id, net => net.close(id));
    }

    fn abort(&mut self, id: ConnId) {
        at!(mut self, id, net => net.abort(id));
    }

    fn resume(&mut self, id: ConnId) {
        at!(mut self, id, net => net.resume(id));
    }

    fn unread(&self, id: ConnId) -> (&[u8], &[u8]) {
        at!(self, id, net => net.unread(id))
    }

    fn take(&mut self, id: ConnId, n: usize) {
        at!(mut self, id, net => net.take(id, n));
    }

    /// The interface's packets to the port go on coming to the stack, which may have connections there; so the kernel's
    /// socket keeps the port from others.
    fn unlisten(&mut self, port: u16) {
        self.stack.unlisten(port);
        self.kernel.unlisten(port);
    }

    fn set_accepting(&mut self, port: u16, accepting: bool) {
        self.stack.set_accepting(port, accepting);
        self.kernel.set_accepting(port, accepting);
    }

    fn arm(&mut self, id: ConnId, at: Option<Instant>) {
        at!(mut self, id, net => net.arm(id, at));
    }

    fn set_option(&mut self, id: ConnId, option: ConnOption) -> Result<(), NetError> {
        at!(mut self, id, net => net.set_option(id, option))
    }

    /// Connections of the own stack only: the kernel's sockets have none of these.
    fn set_listen_option(&mut self, port: u16, option: ConnOption) -> Result<(), NetError> {
        self.stack.set_listen_option(port, option)
    }

    fn tcp_info(&self, id: ConnId) -> Option<TcpInfo> {
        at!(self, id, net => net.tcp_info(id))
    }

    fn info(&self, id: ConnId) -> Option<ConnInfo> {
        at!(self, id, net => net.info(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_go_to_and_fro() {
        for (index, generation) in [(0, 0), (1, 7), (99_999, u32::MAX)] {
            let id = ConnId::new(index, generation);
            assert_eq!(side(of_stack(id)), (Side::Stack, id));
            assert_eq!(side(of_kernel(id)), (Side::Kernel, id));
            assert_ne!(of_stack(id), of_kernel(id));
        }
    }
}
