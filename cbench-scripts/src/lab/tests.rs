//! The lab itself: without a controller, so that an end-to-end test that fails is not the lab's fault.

use std::process::Command;
use std::time::{Duration, Instant};

use super::host::parse_ping;
use super::process::cpu_ticks;
use super::*;

#[test]
fn commands_are_bounded_in_time() {
    let start = Instant::now();
    let slow = run(Command::new("sleep").arg("30"), "", Duration::from_millis(50));
    assert!(matches!(slow, Err(Error::Timeout { .. })), "{slow:?}");
    assert!(start.elapsed() < Duration::from_secs(10));
    let echo = run(&mut Command::new("cat"), "in and out", Duration::from_secs(10)).and_then(Output::success);
    assert_eq!(echo.unwrap(), "in and out");
    let failed =
        run(Command::new("sh").args(["-c", "echo why >&2; exit 3"]), "", Duration::from_secs(10)).unwrap();
    assert!(matches!(failed.success(), Err(Error::Failed { stderr, .. }) if stderr == "why"));
}

#[test]
fn processes_are_followed_and_ended() {
    let script = "echo one; echo two >&2; trap 'echo bye; exit 7' TERM; while :; do sleep 0.01; done";
    let mut process = Proc::spawn("sh", Command::new("sh").args(["-c", script])).unwrap();
    process.wait_for_line("one", Duration::from_secs(10)).unwrap();
    process.wait_for_line("two", Duration::from_secs(10)).unwrap();
    let mark = process.mark();
    let missing = process.wait_for(mark, "one again", Duration::from_millis(50), |l| l.contains("one"));
    assert!(matches!(missing, Err(Error::Timeout { .. })));
    wait_until("cpu time", Duration::from_secs(20), || Ok(process.cpu_time()? > Duration::ZERO)).unwrap();
    assert_eq!(process.terminate().unwrap().code(), Some(7));
    process.wait_for_line("bye", Duration::from_secs(10)).unwrap();
    let ended = process.wait_for_line("never", Duration::from_secs(10));
    assert!(matches!(ended, Err(Error::Unexpected(_))), "{ended:?}");
}

#[test]
fn summaries_are_read() {
    let text = "PING 10.0.0.2 (10.0.0.2) 56(84) bytes of data.\n\n--- 10.0.0.2 ping statistics ---\n\
                4 packets transmitted, 3 received, +1 errors, 25% packet loss, time 3ms\n\
                rtt min/avg/max/mdev = 0.5/1.5/2.25/0.1 ms\n";
    let ping = parse_ping(text).unwrap();
    assert_eq!((ping.sent, ping.received), (4, 3));
    assert_eq!((ping.mean, ping.max), (Duration::from_micros(1500), Duration::from_micros(2250)));
    assert_eq!(
        parse_ping("1 packets transmitted, 0 received, 100% packet loss, time 0ms").unwrap().received,
        0
    );
    assert!(parse_ping("ping: no such host").is_none());
    assert_eq!(cpu_ticks("7 (a) b) S 1 7 7 0 -1 0 0 0 0 0 40 2 0 0 20 0"), Some(42));
    assert_eq!(cpu_ticks("7 (a"), None);
}

#[test]
fn namespaces_go_with_a_panic() {
    if !require(&[Need::Root, Need::Command("ip")]) {
        return;
    }
    let (tell, told) = std::sync::mpsc::channel();
    let died = std::thread::spawn(move || {
        let netns = Netns::new("doomed").unwrap();
        let sleeper = netns.spawn("sleep", &["600"]).unwrap();
        tell.send((netns.name().to_owned(), sleeper.pid())).unwrap();
        // The process's handle is lost, as if its owner were: the namespace must end it.
        std::mem::forget(sleeper);
        panic!("on purpose");
    });
    assert!(died.join().is_err());
    let (name, pid) = told.recv().unwrap();
    assert!(!std::path::Path::new("/run/netns").join(&name).exists());
    let state = || std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    wait_until("the process's end", Duration::from_secs(10), || {
        Ok(state().is_empty() || state().contains(") Z"))
    })
    .unwrap();
}

#[test]
fn hosts_talk_through_open_vswitch() {
    if !require(&Need::OPEN_VSWITCH_LAB) {
        return;
    }
    let mut ovs = Ovs::start("ovs").unwrap();
    ovs.add_bridge("br0", 0x1234, OpenFlow::V13).unwrap();
    assert!(ovs.ofctl(&["show", "br0"]).unwrap().contains("dpid:0000000000001234"));
    let (mut a, mut b) = (Host::new("a", 1).unwrap(), Host::new("b", 2).unwrap());
    a.attach(&ovs, "br0", 1).unwrap();
    b.attach(&ovs, "br0", 2).unwrap();
    b.attach_spare(&ovs, "br0", 3).unwrap();
    assert_eq!(a.ping(&b, 1).unwrap().received, 0, "secure mode without a controller");

    ovs.add_flow("br0", "actions=flood").unwrap();
    assert_eq!(ovs.dump_flows("br0").unwrap().len(), 1);
    let ping = a.ping(&b, 3).unwrap();
    assert_eq!((ping.sent, ping.received), (3, 3));
    let done = transfer(&a, &b, 3_000_001, 42, Duration::from_secs(20)).unwrap();
    assert_eq!((done.sent, done.received), (3_000_001, 3_000_001));
    assert_eq!(done.sent_sum, done.received_sum);

    // A flow that floods: after a move, `normal` may learn the old port once more from traffic of before.
    let live = LiveTransfer::start(&a, &b, 43).unwrap();
    for hop in [true, false, true] {
        let moved = Instant::now();
        if hop {
            b.hop(&a).unwrap();
        } else {
            ovs.replug(b.switch_end(), 9).unwrap();
        }
        live.wait_progress(1 << 20, Duration::from_secs(20)).unwrap();
        assert!(live.longest_stall(moved) < Duration::from_secs(10));
    }
    // A cut is seen as a stall.
    let cut = Instant::now();
    ovs.del_flows("br0").unwrap();
    std::thread::sleep(Duration::from_millis(500));
    assert!(live.longest_stall(cut) > Duration::from_millis(400));
    ovs.add_flow("br0", "actions=flood").unwrap();
    live.wait_progress(1 << 20, Duration::from_secs(20)).unwrap();
    let done = live.finish().unwrap();
    assert_eq!((done.sent, done.sent_sum), (done.received, done.received_sum));

    ovs.kill_switchd().unwrap();
    assert_eq!(a.ping(&b, 1).unwrap().received, 0);
    ovs.start_switchd().unwrap();
    assert!(ovs.dump_flows("br0").unwrap().is_empty());
}
