//! Many short connections, one after another; either side closes first.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

use ferroflow_stack::{
    CloseReason, ConnId, ConnInfo, ConnectError, ConnectOptions, Listen, Net, Rx, Service,
};

pub const WORD: &[u8; 16] = b"sixteen letters!";

/// Who closes first: every other connection the stack, the rest the peer. Both know by the first byte of the word.
const STACK_CLOSES: u8 = b'S';
const PEER_CLOSES: u8 = b'P';

/// What came of the stack's connections.
#[derive(Debug, Default, Clone)]
pub struct Outcome {
    pub opened: usize,
    pub finished: usize,
    pub bad: Vec<String>,
}

/// The stack's side. As a server it answers a word with itself; as a client it says one, and opens the next connection
/// when one has ended.
pub struct Storm {
    pub listen: Option<u16>,
    /// How many connections are still to be opened, and where to.
    pub connect: Option<(SocketAddr, usize)>,
    pub outcome: Arc<Mutex<Outcome>>,
}

pub struct StormConn {
    got: Vec<u8>,
    client: bool,
    eof: bool,
}

impl Storm {
    fn open_next(&mut self, net: &mut impl Net) {
        if let Some((to, left)) = &mut self.connect
            && *left > 0
        {
            let token = *left as u64;
            match net.connect(*to, ConnectOptions { local: None, token }) {
                Ok(_) => *left -= 1,
                Err(e) => {
                    *left = 0;
                    self.outcome.lock().unwrap().bad.push(format!("connect: {e}"));
                }
            }
        }
    }
}

impl Service for Storm {
    type Conn = StormConn;

    fn start(&mut self, net: &mut impl Net) {
        if let Some(port) = self.listen {
            net.listen(Listen::on(port)).unwrap();
        }
        self.open_next(net);
    }

    fn accepted(&mut self, _: &mut impl Net, _: ConnId, _: &ConnInfo) -> Option<StormConn> {
        self.outcome.lock().unwrap().opened += 1;
        Some(StormConn { got: Vec::new(), client: false, eof: false })
    }

    fn connected(
        &mut self,
        net: &mut impl Net,
        id: ConnId,
        r: Result<&ConnInfo, ConnectError>,
    ) -> Option<StormConn> {
        match r {
            Ok(info) => {
                self.outcome.lock().unwrap().opened += 1;
                let mut word = *WORD;
                word[0] = if info.token % 2 == 0 { STACK_CLOSES } else { PEER_CLOSES };
                net.send(id, &word).unwrap();
                Some(StormConn { got: Vec::new(), client: true, eof: false })
            }
            Err(e) => {
                self.outcome.lock().unwrap().bad.push(format!("connected: {e}"));
                None
            }
        }
    }

    fn data(&mut self, net: &mut impl Net, id: ConnId, conn: &mut StormConn, rx: &mut Rx<'_>) {
        while !rx.chunk().is_empty() {
            conn.got.extend_from_slice(rx.chunk());
            rx.advance(rx.chunk().len());
        }
        if conn.got.len() == WORD.len() {
            if !conn.client {
                net.send(id, &conn.got).unwrap();
            }
            if conn.got[0] == STACK_CLOSES || conn.eof {
                net.close(id);
            }
        }
    }

    fn eof(&mut self, net: &mut impl Net, id: ConnId, conn: &mut StormConn) {
        conn.eof = true;
        net.close(id);
    }

    fn closed(&mut self, net: &mut impl Net, id: ConnId, conn: StormConn, why: CloseReason) {
        let mut outcome = self.outcome.lock().unwrap();
        if why == CloseReason::Finished && conn.got.get(1..) == Some(&WORD[1..]) {
            outcome.finished += 1;
        } else {
            outcome.bad.push(format!("{id}: {why:?} with {} bytes", conn.got.len()));
        }
        drop(outcome);
        self.open_next(net);
    }
}

/// The kernel as a client: one connection.
pub fn one_as_client(mut stream: TcpStream, stack_closes: bool) {
    let mut word = *WORD;
    word[0] = if stack_closes { STACK_CLOSES } else { PEER_CLOSES };
    stream.write_all(&word).unwrap();
    let mut back = [0; WORD.len()];
    stream.read_exact(&mut back).unwrap();
    assert_eq!(back, word);
    if stack_closes {
        assert_eq!(stream.read(&mut back).unwrap(), 0, "the stack closes");
    }
}

/// The kernel as a server: one connection.
pub fn one_as_server(mut stream: TcpStream) {
    let mut word = [0; WORD.len()];
    stream.read_exact(&mut word).unwrap();
    stream.write_all(&word).unwrap();
    if word[0] == STACK_CLOSES {
        match stream.read(&mut word) {
            Ok(0) => {}
            Err(e) if e.kind() == ErrorKind::ConnectionReset => panic!("a reset instead of a close"),
            other => panic!("{other:?}"),
        }
    }
}
