//! SO_LINGER with a time: a close that somebody waits for.

use super::socket::Link;
use super::{Errno, Fd, Sockets};
use crate::net::Net;
use crate::service::ConnId;
use crate::tcp_info::TcpState;
use crate::time::Instant;

/// What a close with SO_LINGER waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closing {
    id: ConnId,
    until: Instant,
}

impl Closing {
    /// When the wait ends at the latest.
    pub fn until(&self) -> Instant {
        self.until
    }

    /// Whether the wait is over: the peer has acknowledged everything and the FIN, or the connection has ended in another
    /// way, or the time is up (Linux: sk_stream_wait_close). In the last case the connection goes on by itself.
    pub fn is_over(&self, net: &impl Net) -> bool {
        use TcpState::{Closing, FinWait1, LastAck};
        let closing =
            net.tcp_info(self.id).is_some_and(|info| matches!(info.state, FinWait1 | Closing | LastAck));
        !closing || net.now() >= self.until
    }
}

impl Sockets {
    /// Closes as [`Sockets::close`] does. `Some`: SO_LINGER asks a caller that can wait, as [`super::Driven::close`] does, to
    /// do so until that is over; as on Linux in non-blocking mode too. Nobody has to.
    ///
    /// # Errors
    /// [`Errno::EBADF`].
    pub fn close_lingering(&mut self, net: &mut impl Net, fd: Fd) -> Result<Option<Closing>, Errno> {
        let closing = self.socket_ref(fd).ok().and_then(|socket| match socket.link {
            Link::Open(id) => Some(Closing { id, until: net.now() + socket.options.linger? }),
            _ => None,
        });
        self.close(net, fd)?;
        Ok(closing.filter(|closing| !closing.is_over(net)))
    }
}
