//! Urgent data: RFC 9293 3.8.5, RFC 6093. It is data like any other, in its place; the pointer is not believed.

use crate::prelude::*;

#[test]
fn urgent_data_is_read_in_its_place() {
    // RFC 6093 4: inline, as with SO_OOBINLINE; RFC 9293 MUST-31: of any length
    let mut p = Peer::established();
    p.send(data(1, 1, b"abc").urgent(3));
    p.send(data(4, 1, b"d").urgent(1));
    p.send(data(5, 1, b"efg"));
    assert_eq!(p.read(), b"abcdefg");
    p.send_all((0..20).map(|n| data(8 + n * 1000, 1, &bytes(1000)).urgent(20_000)));
    assert_eq!(p.read().len(), 20_000);
    p.out.clear();
}

#[test]
fn no_urgent_pointer_does_harm() {
    for pointer in [0, 1, 5, 6, 1000, 32_768, 65_535] {
        let mut p = Peer::established();
        p.send(data(1, 1, b"hello").urgent(pointer));
        p.send(ack(6, 1).urgent(pointer));
        p.send(data(11, 1, b"world").urgent(pointer)); // behind a gap
        p.send(data(6, 1, b", the").urgent(pointer));
        assert_eq!(p.read(), b"hello, theworld", "{pointer}");
        p.send(fin(16, 1).urgent(pointer));
        assert_eq!(p.events(), [Event::Eof(p.id)]);
        assert_eq!(p.stack.conns(), 1);
        p.out.clear();
    }
}

#[test]
fn a_handshake_with_urg_is_a_handshake() {
    let mut p = Peer::new();
    p.send(syn().urgent(9));
    p.expect(SYN_ACK, 0, 1, 0);
    p.send(ack(1, 1).urgent(9));
    p.adopt();
    p.send(data(1, 1, b"x"));
    assert_eq!(p.read(), b"x");
    // nor does the stack ever say urgent
    p.write(b"answer");
    let got = p.recv();
    assert!(!got.flags.contains(TcpFlags::URG), "RFC 6093 5: not for new applications");
}

#[test]
fn an_urgent_probe_of_a_closed_window_is_answered() {
    // RFC 9293 3.8.6.1; RFC 6093 3.3 speaks of urgent data and the window
    let mut p = Peer::established_with(|c| c.tcp.recv_buffer = 4096);
    p.take(Take::Nothing);
    p.send_all((0..3).map(|n| data(1 + n * 1365, 1, &bytes(1365))));
    p.drain();
    p.send(data(4096, 1, b"!").urgent(1));
    p.expect(ACK, 1, 4096, 0);
    p.take(Take::All);
    p.resume();
    assert_eq!(p.read().len(), 4095);
    p.out.clear();
}
