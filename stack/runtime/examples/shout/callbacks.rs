//! The server as callbacks: no state but what a connection needs, no buffer of its own.

use ferroflow_stack::{CloseReason, ConnId, ConnInfo, ConnectError, Listen, Net, Rx, Service};

/// Sends back what it gets in capitals, and at the end how many bytes that were.
pub struct Shout {
    pub port: u16,
}

#[derive(Default)]
pub struct Conn {
    bytes: u64,
    /// Something was left in the stack for want of room.
    held: bool,
    ended: bool,
}

impl Service for Shout {
    type Conn = Conn;

    fn start(&mut self, net: &mut impl Net) {
        net.listen(Listen::on(self.port)).unwrap_or_else(|e| panic!("{e}"));
    }

    fn accepted(&mut self, _: &mut impl Net, _: ConnId, _: &ConnInfo) -> Option<Conn> {
        Some(Conn::default())
    }

    fn connected(&mut self, _: &mut impl Net, _: ConnId, _: Result<&ConnInfo, ConnectError>) -> Option<Conn> {
        None
    }

    fn data(&mut self, net: &mut impl Net, id: ConnId, conn: &mut Conn, rx: &mut Rx<'_>) {
        while !rx.chunk().is_empty() {
            let len = rx.chunk().len().min(1024);
            let text = &rx.chunk()[..len];
            let fill = |out: &mut [u8]| {
                out.copy_from_slice(text);
                out.make_ascii_uppercase();
            };
            if net.send_with(id, len, fill).is_err() {
                break; // it comes again after `writable`
            }
            conn.bytes += len as u64;
            rx.advance(len);
        }
        conn.held = rx.remaining() > 0;
        finish(net, id, conn);
    }

    fn eof(&mut self, net: &mut impl Net, id: ConnId, conn: &mut Conn) {
        conn.ended = true;
        finish(net, id, conn);
    }

    fn writable(&mut self, net: &mut impl Net, id: ConnId, conn: &mut Conn) {
        net.resume(id);
        finish(net, id, conn);
    }

    fn closed(&mut self, _: &mut impl Net, _: ConnId, _: Conn, _: CloseReason) {}
}

fn finish(net: &mut impl Net, id: ConnId, conn: &Conn) {
    let last = format!("\n{} bytes\n", conn.bytes);
    let fill = |out: &mut [u8]| out.copy_from_slice(last.as_bytes());
    if conn.ended && !conn.held && net.send_with(id, last.len(), fill).is_ok() {
        net.close(id);
    }
}
