use super::*;

const ANY_MAC: [u8; 6] = [0xff; 6];

fn mac(n: u8) -> [u8; 6] {
    [2, 0, 0, 0, 0, n]
}

fn exact(n: u8) -> Option<([u8; 6], [u8; 6])> {
    Some((mac(n), ANY_MAC))
}

fn flow(priority: u16, matching: FlowMatch, out: u32) -> Flow {
    Flow {
        matching,
        priority,
        cookie: 0,
        idle_timeout: 0,
        hard_timeout: 0,
        notify: false,
        outputs: vec![Output { port: out, max_len: 0 }],
        installed: Instant::ZERO,
        used: Instant::ZERO,
        packets: 0,
        bytes: 0,
    }
}

fn select(matching: FlowMatch) -> Selection {
    Selection { matching, strict_priority: None, out_port: port::ANY, cookie: 0, cookie_mask: 0 }
}

fn key(in_port: u32, src: u8, dst: u8) -> Key {
    Key { in_port, eth_src: mac(src), eth_dst: mac(dst), vlan: 0, eth_type: 0x0800 }
}

fn out_of(table: &mut FlowTable, k: &Key) -> Option<u32> {
    table.lookup(k, 60, Instant::ZERO).map(|f| f.outputs[0].port)
}

#[test]
fn highest_priority_wins_whatever_the_order() {
    let wide = FlowMatch::default();
    let narrow = FlowMatch { eth_dst: exact(2), ..wide };
    for swap in [false, true] {
        let mut t = FlowTable::new(10);
        let mut flows = [flow(0, wide, 9), flow(10, narrow, 2)];
        if swap {
            flows.reverse();
        }
        for f in flows {
            t.add(f).expect("room");
        }
        assert_eq!(out_of(&mut t, &key(1, 1, 2)), Some(2));
        assert_eq!(out_of(&mut t, &key(1, 1, 3)), Some(9));
        assert_eq!(t.flows()[0].packets, 1);
        assert_eq!(t.flows()[0].bytes, 60);
    }
}

#[test]
fn every_field_can_refuse() {
    let full = FlowMatch {
        in_port: Some(1),
        eth_src: exact(1),
        eth_dst: exact(2),
        vlan: Some((5 | VLAN_PRESENT, 0x1fff)),
        eth_type: Some(0x0800),
    };
    let fits = Key { vlan: 5 | VLAN_PRESENT, ..key(1, 1, 2) };
    assert!(full.matches(&fits));
    for other in [
        Key { in_port: 2, ..fits },
        Key { eth_src: mac(9), ..fits },
        Key { eth_dst: mac(9), ..fits },
        Key { vlan: 6 | VLAN_PRESENT, ..fits },
        Key { vlan: 0, ..fits },
        Key { eth_type: 0x0806, ..fits },
    ] {
        assert!(!full.matches(&other), "{other:?}");
    }
    let tagged = FlowMatch { vlan: Some((VLAN_PRESENT, VLAN_PRESENT)), ..FlowMatch::default() };
    assert!(tagged.matches(&fits));
    assert!(!tagged.matches(&Key { vlan: 0, ..fits }));
    assert!(tagged.covers(&full));
    assert!(!full.covers(&tagged));
}

#[test]
fn deletes_take_what_they_cover() {
    let base = FlowMatch { in_port: Some(1), eth_src: exact(1), eth_dst: exact(2), ..FlowMatch::default() };
    let fill = || {
        let mut t = FlowTable::new(10);
        t.add(flow(10, base, 2)).expect("room");
        t.add(Flow { cookie: 0xab00, ..flow(10, FlowMatch { eth_dst: exact(3), ..base }, 3) }).expect("room");
        t.add(flow(0, FlowMatch::default(), port::CONTROLLER)).expect("room");
        t
    };
    let to_2 = FlowMatch { eth_dst: exact(2), ..FlowMatch::default() };
    assert_eq!(fill().delete(&select(to_2)).len(), 1);
    assert_eq!(fill().delete(&select(FlowMatch::default())).len(), 3);
    assert_eq!(fill().delete(&Selection { out_port: 3, ..select(FlowMatch::default()) }).len(), 1);
    let by_cookie = Selection { cookie: 0xab12, cookie_mask: 0xff00, ..select(FlowMatch::default()) };
    assert_eq!(fill().delete(&by_cookie).len(), 1);
    let strict = |priority, m| Selection { strict_priority: Some(priority), ..select(m) };
    assert_eq!(fill().delete(&strict(10, to_2)).len(), 0);
    assert_eq!(fill().delete(&strict(9, base)).len(), 0);
    assert_eq!(fill().delete(&strict(10, base)).len(), 1);
    let mut t = fill();
    assert_eq!(t.modify(&select(to_2), &[Output { port: 4, max_len: 0 }]), 1);
    assert_eq!(out_of(&mut t, &key(1, 1, 2)), Some(4));
}

#[test]
fn same_match_and_priority_replaces_and_the_table_has_an_end() {
    let mut t = FlowTable::new(2);
    let m = |n| FlowMatch { eth_dst: exact(n), ..FlowMatch::default() };
    t.add(flow(1, m(1), 1)).expect("room");
    t.add(flow(1, m(2), 2)).expect("room");
    t.add(flow(1, m(1), 7)).expect("a replacement needs no room");
    assert_eq!(out_of(&mut t, &key(3, 3, 1)), Some(7));
    assert_eq!(t.add(flow(2, m(1), 1)), Err(TableFull));
    assert_eq!(t.flows().len(), 2);
}

#[test]
fn flows_go_when_idle_or_old() {
    let mut t = FlowTable::new(10);
    let m = |n| FlowMatch { eth_dst: exact(n), ..FlowMatch::default() };
    t.add(Flow { idle_timeout: 5, ..flow(1, m(1), 1) }).expect("room");
    t.add(Flow { idle_timeout: 5, hard_timeout: 8, ..flow(1, m(2), 2) }).expect("room");
    t.add(flow(1, m(3), 3)).expect("room");
    assert_eq!(t.deadline(), Some(Instant::from_secs(5)));
    t.lookup(&key(1, 9, 2), 60, Instant::from_secs(4));
    assert!(t.expire(Instant::from_millis(4_999)).is_empty());
    let gone = t.expire(Instant::from_secs(5));
    assert_eq!(gone.len(), 1);
    assert_eq!((gone[0].0.matching, gone[0].1), (m(1), Gone::Idle));
    assert_eq!(t.deadline(), Some(Instant::from_secs(8)));
    assert_eq!(t.expire(Instant::from_secs(8))[0].1, Gone::Hard);
    assert_eq!(t.deadline(), None);
    assert_eq!(t.flows().len(), 1);
}
