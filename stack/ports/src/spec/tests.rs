use proptest::prelude::*;

use super::*;

fn read(text: &str) -> PortSpec {
    text.parse().unwrap_or_else(|e| panic!("{e}"))
}

/// What is wrong, and what is marked in the text.
fn refused(text: &str) -> (String, String) {
    let error = text.parse::<PortSpec>().expect_err(text);
    assert!(error.to_string().ends_with(GRAMMAR), "{error}");
    (error.what.clone(), text[error.at].to_owned())
}

#[test]
fn every_kind_is_read() {
    assert_eq!(read("kernel").kind, PortKind::Kernel);
    assert_eq!(read("pipe").kind, PortKind::Pipe);
    assert_eq!(read("shm:/run/x.sock").kind, PortKind::Shm { path: "/run/x.sock".into() });
    for name in ["eth0", "eth0-1", "eth0^", "vale0:1", "x{1", "x}1"] {
        assert_eq!(read(&format!("netmap:{name}")).kind, PortKind::Netmap { name: name.into() });
    }
    assert_eq!(read("packet:eth0").kind, PortKind::Packet { interface: "eth0".into() });
    assert_eq!(read("tap:ff0"), PortSpec::new(PortKind::Tap { name: "ff0".into(), offload: None }));
    assert_eq!(read("xdp:eth0"), PortSpec::new(PortKind::Xdp { interface: "eth0".into(), mode: None }));
}

#[test]
fn every_option_is_read() {
    let tap = read("tap:ff0,offload=off,queues=2,mac=02:00:00:00:00:0a,mtu=9000");
    assert_eq!(tap.kind, PortKind::Tap { name: "ff0".into(), offload: Some(false) });
    assert_eq!((tap.queues, tap.mac, tap.mtu), (Some(2), Some([2, 0, 0, 0, 0, 10]), Some(9000)));
    let mode = |text| match read(text).kind {
        PortKind::Xdp { mode, .. } => mode,
        kind => panic!("{kind:?}"),
    };
    assert_eq!(mode("xdp:e,own,queues=4"), Some(XdpMode::Own));
    assert_eq!(mode("xdp:e,queues=4,shared"), Some(XdpMode::Shared));
}

#[test]
fn an_error_says_what_and_where() {
    for (text, what, at) in [
        ("", "no kind of port", ""),
        ("eth0", "no kind of port", "eth0"),
        ("wire:eth0", "no kind of port", "wire"),
        ("tap", "name is missing", "tap"),
        ("tap:", "name is missing", "tap:"),
        ("shm:", "name is missing", "shm:"),
        ("kernel:eth0", "kernel has no name", "eth0"),
        ("pipe:", "pipe has no name", ""),
        ("tap:a b", "no name for an interface", "a b"),
        ("tap:..", "no name for an interface", ".."),
        ("packet:sixteen-letters-x", "no name for an interface", "sixteen-letters-x"),
        ("tap:ff0,ofload=on", "tap has no option \"ofload\"; it has offload, queues", "ofload"),
        ("tap:ff0,shared", "no option", "shared"),
        ("kernel,queues=2", "it has no options", "queues"),
        ("packet:e,offload=on", "no option", "offload"),
        ("packet:e,mtu=1500", "no option", "mtu"),
        ("tap:ff0,offload=yes", "on or off", "yes"),
        ("tap:ff0,offload", "on or off", ""),
        ("xdp:e,own=1", "own has no value", "1"),
        ("xdp:e,own,shared", "said before, or its opposite", "shared"),
        ("xdp:e,queues=2,queues=2", "said before", "queues=2"),
        ("xdp:e,queues=0", "1 to 256", "0"),
        ("xdp:e,queues=257", "1 to 256", "257"),
        ("xdp:e,queues=+2", "1 to 256", "+2"),
        ("tap:e,mtu=575", "576 to 65521", "575"),
        ("tap:e,mac=02:00:00:00:00", "MAC address", "02:00:00:00:00"),
        ("tap:e,mac=02:00:00:00:00:01:02", "MAC address", "02:00:00:00:00:01:02"),
        ("tap:e,mac=01:00:5e:00:00:01", "a group's", "01:00:5e:00:00:01"),
        ("tap:e,mac=00:00:00:00:00:00", "all zeroes", "00:00:00:00:00:00"),
        ("xdp:e,busy=0", "1 to 1000000", "0"),
        ("xdp:e,sources=4097", "1 to 4096", "4097"),
        ("packet:e,sources=1", "no option", "sources"),
        ("tap:e,", "no option \"\"", ""),
    ] {
        let (said, marked) = refused(text);
        assert!(said.contains(what), "{text}: {said}");
        assert_eq!(marked, at, "{text}: {said}");
    }
}

#[test]
fn the_place_is_marked() {
    let error = "tap:ff0,queues=x".parse::<PortSpec>().unwrap_err().to_string();
    let lines: Vec<_> = error.lines().collect();
    assert_eq!(lines[..3], ["a number from 1 to 256 is wanted", "  tap:ff0,queues=x", "                 ^"]);
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        kind in 0..5,
        name in "[a-z][a-z0-9-]{0,14}",
        flag in proptest::option::of(any::<bool>()),
        queues in proptest::option::of(1..=QUEUES_MAX),
        mac in proptest::option::of(any::<[u8; 6]>().prop_map(|[_, b, c, d, e, f]| [2, b, c, d, e, f])),
        mtu in proptest::option::of(MTU_MIN..=MTU_MAX),
        busy in proptest::option::of(1..=BUSY_MAX),
        sources in proptest::option::of(1..=SOURCES_MAX as u16),
    ) {
        let mode = flag.map(|own| if own { XdpMode::Own } else { XdpMode::Shared });
        let kind = match kind {
            0 => PortKind::Tap { name, offload: flag },
            1 => PortKind::Xdp { interface: name, mode },
            2 => PortKind::Packet { interface: name },
            3 => PortKind::Netmap { name: name.replace('-', "x") + if flag == Some(true) { "-1" } else { "" } },
            _ => PortKind::Shm { path: name.into() },
        };
        let has = |option| kind.options().contains(&option);
        let (queues, mtu) = (queues.filter(|_| has("queues")), mtu.filter(|_| has("mtu")));
        let busy = busy.filter(|_| has("busy"));
        let sources = sources.filter(|_| has("sources"));
        let spec = PortSpec { queues, mac, mtu, busy, sources, kind };
        prop_assert_eq!(read(&spec.to_string()), spec);
    }

    #[test]
    fn no_text_breaks_it(text in "(tap|xdp|packet|kernel|netmap|shm|pipe)?[:,=a-z0-9\u{e4}]{0,40}") {
        if let Err(error) = text.parse::<PortSpec>() {
            prop_assert!(error.to_string().contains(GRAMMAR));
        }
    }
}
