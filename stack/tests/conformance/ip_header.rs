//! What the service may say of the IP header: RFC 9293 3.9.1.9 (Differentiated Services), 3.9.2 (time to live).

use ferroflow_stack::ConnOption;
use ferroflow_wire::icmpv4::IcmpMessage;
use ferroflow_wire::ipv4::Ipv4View;

use crate::icmp::{echo, from_peer};
use crate::prelude::*;

fn set(p: &mut Peer, option: ConnOption) {
    let id = p.id;
    p.net(|net| net.set_option(id, option)).expect("a connection");
}

#[test]
fn the_service_chooses_the_ds_field_and_may_change_it() {
    // MUST-48, SHLD-21, SHLD-22; the two ECN bits are not its own (RFC 3168 5)
    let mut p = Peer::established();
    p.write(b"x");
    assert_eq!(p.recv().dscp, 0);
    for (field, dscp) in [(0xb8, 46), (0xff, 63), (0x03, 0)] {
        set(&mut p, ConnOption::DiffServ(field));
        p.write(b"x");
        let got = p.recv();
        assert_eq!((got.dscp, got.flags), (dscp, PSH_ACK));
    }
    set(&mut p, ConnOption::DiffServ(0x28));
    p.advance(1500);
    assert_eq!(p.recv().dscp, 10, "also of what is sent again");
}

#[test]
fn a_listener_s_connections_have_its_ds_field_from_the_syn_on() {
    let mut p = Peer::new();
    p.net(|net| net.set_listen_option(6653, ConnOption::DiffServ(0x48))).expect("a listener");
    p.net(|net| net.set_listen_option(6653, ConnOption::TimeToLive(9))).expect("a listener");
    let got = p.open(syn());
    assert_eq!((got.dscp, got.ttl), (18, 9));
}

#[test]
fn the_time_to_live_is_a_setting_and_an_option() {
    // MUST-49; RFC 1122 3.2.1.7: never zero
    let mut p = Peer::established();
    p.write(b"x");
    assert_eq!(p.recv().ttl, 64);
    let mut p = Peer::established_with(|c| c.ttl = 33);
    p.write(b"x");
    assert_eq!(p.recv().ttl, 33);
    for (option, ttl) in [(1, 1), (255, 255), (0, 1)] {
        set(&mut p, ConnOption::TimeToLive(option));
        p.write(b"x");
        assert_eq!(p.recv().ttl, ttl);
    }
    // also of what belongs to no connection
    p.flow.port += 1;
    p.send(ack(1, 1));
    let got = p.recv();
    assert_eq!((got.flags, got.ttl), (RST, 33));
    p.inject_frame(from_peer(&echo(b"x")));
    let (_, frame) = p.out.pop_front().expect("an echo reply");
    let ip = Ipv4View::parse(&frame[14..]).expect("IPv4");
    assert_eq!(ip.ttl(), 33);
    let reply = ferroflow_wire::icmpv4::Icmpv4View::parse(ip.payload()).expect("ICMP").message();
    assert!(matches!(reply, IcmpMessage::EchoReply { .. }));
    p.flow.port -= 1;
}
