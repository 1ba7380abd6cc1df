//! Urgent data: RFC 9293 3.8.5, RFC 6093. It is data like any other, in its place; both ends can tell how far it goes.

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
        let mut events = p.events();
        events.retain(|event| !matches!(event, Event::Urgent(..)));
        assert_eq!(events, [Event::Eof(p.id)]);
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
    assert_eq!((got.flags, got.urgent), (PSH_ACK, 0), "RFC 6093 5: not for new applications");
}

#[test]
fn the_service_is_told_of_urgent_data_and_when_there_is_more() {
    // RFC 9293 3.8.5, MUST-32; MUST-62: the pointer is to the octet behind
    let mut p = Peer::established();
    p.events();
    p.send(data(1, 1, b"abc").urgent(3));
    assert_eq!(p.events(), [Event::Urgent(p.id, 3), Event::Data(p.id, b"abc".to_vec())]);
    p.send(data(4, 1, b"d").urgent(0));
    assert_eq!(p.events(), [Event::Data(p.id, b"d".to_vec())], "nothing is ahead");
    p.send(ack(5, 1).urgent(10));
    p.send(ack(5, 1).urgent(10));
    p.send(ack(5, 1).urgent(9));
    assert_eq!(p.events(), [Event::Urgent(p.id, 10)], "once");
    p.send(ack(5, 1).urgent(11));
    assert_eq!(p.events(), [Event::Urgent(p.id, 11)], "it has advanced");
    // behind a gap the pointer counts all the same
    p.send(data(105, 1, b"x").urgent(65_535));
    assert_eq!(p.events(), [Event::Urgent(p.id, 100 + 65_535)]);
    p.out.clear();
}

#[test]
fn how_much_urgent_data_is_ahead_can_be_asked() {
    // RFC 9293 3.8.5, MUST-33
    let mut p = Peer::established();
    p.take(Take::Nothing);
    let id = p.id;
    assert_eq!(p.net(|net| net.urgent(id)), 0);
    p.send(data(1, 1, &bytes(10)).urgent(25));
    assert_eq!(p.net(|net| net.urgent(id)), 25, "some is on its way");
    p.net(|net| net.take(id, 4));
    assert_eq!(p.net(|net| net.urgent(id)), 21);
    p.send(data(11, 1, &bytes(20)));
    p.net(|net| net.take(id, 20));
    assert_eq!(p.net(|net| net.urgent(id)), 1);
    p.net(|net| net.take(id, 6));
    assert_eq!(p.net(|net| net.urgent(id)), 0);
    p.events();
    p.out.clear();
}

#[test]
fn urgent_is_told_though_the_window_is_closed() {
    // RFC 9293 3.4, MUST-66
    let mut p = Peer::established_with(|c| c.tcp.recv_buffer = 4096);
    p.take(Take::Nothing);
    p.send_all((0..3).map(|n| data(1 + n * 1365, 1, &bytes(1365))));
    p.events();
    p.send(ack(4096, 1).urgent(5));
    assert_eq!(p.events(), [Event::Urgent(p.id, 4095 + 5)]);
    p.out.clear();
}

#[test]
fn a_forged_segment_makes_nothing_urgent() {
    // RFC 9293 3.10.7.4: only an acceptable segment with an acceptable acknowledgement gets so far
    let mut p = Peer::established();
    p.events();
    p.send(data(100_000, 1, b"x").urgent(1));
    p.send(data(1, 500, b"x").urgent(1));
    assert_eq!(p.events(), []);
    p.out.clear();
}

#[test]
fn our_pointer_is_to_the_octet_behind_the_urgent_data() {
    // RFC 9293 3.8.5, MUST-30, MUST-62; also in what is sent again
    let mut p = Peer::established();
    let id = p.id;
    let urg_psh_ack = PSH_ACK | TcpFlags::URG;
    p.net(|net| {
        net.send(id, b"xy").expect("room");
        assert_eq!(net.send_urgent(id, b"abc"), Ok(3));
        net.send(id, b"z").expect("room");
    });
    p.run();
    assert_eq!(p.expect(urg_psh_ack, 1, 1, 6).urgent, 5);
    p.until_sent(3000);
    assert_eq!(p.expect(urg_psh_ack, 1, 1, 6).urgent, 5);
    p.send(ack(1, 7));
    p.write(b"calm");
    assert_eq!(p.expect(PSH_ACK, 7, 1, 4).urgent, 0);
    assert_eq!(p.net(|net| net.send_urgent(id, b"")), Ok(0));
    p.send(ack(1, 11));
    p.run();
    p.quiet();
}

#[test]
fn more_urgent_data_than_the_field_can_tell() {
    // RFC 9293 3.8.5, MUST-31: as far as it goes, and the rest in a later segment
    let mut p = Peer::established_with(|c| c.tcp.initial_window = 100);
    let id = p.id;
    p.net(|net| assert_eq!(net.send_urgent(id, &bytes(70_000)), Ok(70_000)));
    p.run();
    let (mut at, mut pointers) = (1, Vec::new());
    while at < 70_001 {
        for got in p.drain() {
            assert!(got.flags.contains(TcpFlags::URG));
            pointers.push(got.seq + u32::from(got.urgent));
            at = got.seq + got.text.len() as u32;
        }
        p.send(ack(1, at));
    }
    assert_eq!((pointers[0], pointers.last()), (1 + 65_535, Some(&70_001)));
    assert!(pointers.windows(2).all(|w| w[0] <= w[1]), "{pointers:?}");
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
