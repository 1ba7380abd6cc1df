//! The dump of an instance, as a person reads it.

use crate::prelude::*;

#[test]
fn connections_listeners_and_counters() {
    let mut p = Peer::new();
    p.switch(Flow::new(41_000));
    p.send(syn());
    p.expect(SYN_ACK, 0, 1, 0);
    p.switch(Flow::new(40_000));
    p.open(syn().wscale(7).sack());
    p.take(Take::Nothing);
    p.send(data(1, 1, b"unread"));
    p.write(b"unacknowledged");
    p.out.clear();
    let dump = p.stack.dump().to_string();
    let lines: Vec<_> = dump.lines().collect();
    assert!(lines[0].starts_with("2 connections, 0 in TIME_WAIT, "), "{dump}");
    assert!(lines[1].starts_with("State       Recv-Q  Send-Q Local "), "{dump}");
    assert_eq!(lines[2], "LISTEN           1         *:6653", "{dump}");
    let half_open = "SYN-RECV         0       1 10.0.0.1:6653          10.0.0.2:41000";
    let open = "ESTAB            6      14 10.0.0.1:6653          10.0.0.2:40000";
    let at = |start: &str| lines.iter().position(|line| line.starts_with(start)).expect(start);
    assert!(lines[at(half_open) + 1].starts_with("\t cubic"), "{dump}");
    let info = lines[at(open) + 1];
    assert!(info.starts_with("\t sack cubic wscale:7,") && info.contains(" unacked:1 "), "{dump}");
    let accepted = format!("{:<28}{:>14}  TcpPassiveOpens", "tcp_accepted", 1);
    assert!(lines.contains(&accepted.as_str()), "{dump}");
    let counted = p.counters().iter().filter(|&(_, n)| n > 0).count();
    assert_eq!(lines.len(), 3 + 4 + counted, "what has not counted is not shown: {dump}");
}

#[test]
fn a_thousand_connections_and_how_many_more() {
    let mut p = Peer::new();
    for n in 0..1003 {
        p.switch(Flow::new(10_000 + n));
        p.open(syn());
    }
    let dump = p.stack.dump().to_string();
    assert_eq!(dump.lines().filter(|line| line.starts_with("ESTAB")).count(), 1000);
    assert!(dump.lines().any(|line| line == "(and 3 more)"));
}
