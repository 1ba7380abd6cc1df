//! What must hold, whatever the controller, the OpenFlow version and the port.
//!
//! A scenario panics or fails with what did not hold.

use std::time::{Duration, Instant};

use cbench::lab::{
    ControlNet, Error, Host, LiveTransfer, Mark, OpenFlow, Ovs, Result, transfer, veth, wait_until,
};

use crate::controllers::{self, Controller};
use crate::scene::{BRIDGES, Scene, all_pings_answered, wait_up};

/// Open vSwitch backs off up to 8 s between connection attempts.
const RETURN_MAX: Duration = Duration::from_secs(15);
const STALL_MAX: Duration = Duration::from_secs(2);

/// Two switches of two hosts each, on both cores: pings, TCP, flows.
pub fn hosts_talk_on_both_cores(scene: &mut Scene<impl Controller>) -> Result<()> {
    spread_over_cores(scene)?;
    for (pair, (bridge, _)) in scene.hosts.iter().zip(BRIDGES) {
        all_pings_answered(pair)?;
        let [a, b] = pair;
        for (from, to) in [(a, b), (b, a)] {
            let done = transfer(from, to, 8 << 20, 7, Duration::from_secs(20))?;
            assert_eq!((done.sent, done.sent_sum), (8 << 20, done.received_sum), "{bridge}: {done:?}");
            eprintln!("{bridge}: 8 MiB in {:?}", done.took);
        }
        if scene.controller.installs_flows() {
            let flows = scene.ovs.dump_flows(bridge)?;
            for (from, to) in [(a, b), (b, a)] {
                let (src, dst) = (format!("dl_src={}", from.mac()), format!("dl_dst={}", to.mac()));
                let is_there =
                    flows.iter().any(|f| f.contains(&src) && f.contains(&dst) && f.contains("output:"));
                assert!(is_there, "{bridge} has no flow with {src} and {dst}: {flows:#?}");
            }
        }
    }
    Ok(())
}

/// Connects the second switch anew until it lands on another core than the first.
fn spread_over_cores(scene: &Scene<impl Controller>) -> Result<()> {
    let [(_, first), (bridge, second)] = BRIDGES;
    let mut since = Mark::default();
    for attempt in 1..=20 {
        let Some(core) = scene.controller.core_of(&scene.process, Mark::default(), first) else {
            return Ok(());
        };
        let Some(other) = scene.controller.core_of(&scene.process, since, second) else { return Ok(()) };
        let cores = (core?, other?);
        if cores.0 != cores.1 {
            eprintln!("cores of the two switches: {cores:?}, after {attempt} connections of the second");
            return Ok(());
        }
        since = scene.process.mark();
        scene.ovs.del_controller(bridge)?;
        scene.ovs.set_controller(bridge, &ControlNet::target())?;
    }
    Err(Error::Unexpected("20 connections of one switch all landed on the core of the other".to_owned()))
}

/// A host moves under live transfers in both directions: pulled out and plugged in elsewhere, which the switch reports;
/// then to a second link and back, which it does not; and so once more without a gratuitous ARP, so that the controller
/// hears of it only if no flow of before lets the host's data pass.
pub fn moved_host_heals(scene: &mut Scene<impl Controller>) -> Result<()> {
    let [stays, moves] = &mut scene.hosts[0];
    moves.attach_spare(&scene.ovs, "s1", 112)?;
    let to = LiveTransfer::start(stays, moves, 8)?;
    let from = LiveTransfer::start(moves, stays, 9)?;
    for step in ["replugged", "hopped", "hopped back", "slipped", "slipped back"] {
        for live in [&to, &from] {
            live.wait_progress(1 << 20, Duration::from_secs(10))?;
        }
        let moved = Instant::now();
        match step {
            "replugged" => scene.ovs.replug(moves.switch_end(), 122)?,
            "hopped" | "hopped back" => moves.hop(stays)?,
            _ => moves.slip(stays)?,
        }
        // Whatever is still under way arrives first: only then look for a stall.
        std::thread::sleep(Duration::from_secs(1));
        for live in [&to, &from] {
            live.wait_progress(1 << 20, Duration::from_secs(20))
                .map_err(|e| Error::Unexpected(format!("a host that was {step} did not heal: {e}")))?;
        }
        let stalls = (to.longest_stall(moved), from.longest_stall(moved));
        eprintln!("{step}: nothing arrived for {stalls:?} (to the host, from the host)");
        assert!(stalls.0.max(stalls.1) < STALL_MAX, "{step}: stalled for {stalls:?}");
    }
    for live in [to, from] {
        let done = live.finish()?;
        assert_eq!((done.sent, done.sent_sum), (done.received, done.received_sum), "{done:?}");
    }
    Ok(())
}

/// The controller is killed and comes back, to switches that still have their flows or have lost them.
pub fn controller_returns(scene: &mut Scene<impl Controller>, flows_lost: bool) -> Result<()> {
    scene.process.kill()?;
    let restores = scene.controller.restores_table_miss();
    if flows_lost || !restores {
        // With no flow left, nothing that the controller deletes makes Open vSwitch think again about what it has
        // dropped.
        delete_all_flows(scene)?;
    }
    let pairs = [scene.new_pair(None, "s1")?, scene.new_pair(None, "s2")?];
    for new in &pairs {
        let down = new[0].ping(&new[1], 3)?;
        assert_eq!(down.received, 0, "a new pair talks without a controller: {down:?}");
    }
    let back = Instant::now();
    scene.process = controllers::start(&scene.controller, &scene.net)?;
    for new in &pairs {
        until_they_talk(new, back, "a new pair after the controller's return")?;
    }
    if restores {
        delete_all_flows(scene)?;
    }
    for pair in &scene.hosts {
        until_they_talk(pair, back, "an old pair after the controller's return and del-flows")?;
    }
    pairs.iter().chain(&scene.hosts).try_for_each(all_pings_answered)
}

/// The switch daemon is killed and comes back, with nothing but its configuration.
pub fn switch_returns(scene: &mut Scene<impl Controller>) -> Result<()> {
    let new = scene.new_pair(None, "s2")?;
    scene.ovs.kill_switchd()?;
    let down = new[0].ping(&new[1], 1)?;
    assert_eq!(down.received, 0, "a new pair talks without a switch: {down:?}");

    let back = Instant::now();
    scene.ovs.start_switchd()?;
    until_they_talk(&new, back, "a new pair after the switch's return")?;
    if scene.controller.restores_table_miss() {
        delete_all_flows(scene)?;
    }
    for pair in &scene.hosts {
        until_they_talk(pair, back, "an old pair after the switch's return")?;
        all_pings_answered(pair)?;
    }
    all_pings_answered(&new)
}

/// Two switches of another Open vSwitch, joined by two links, send what they flood round and round.
pub fn loop_disturbs_nobody_else(scene: &mut Scene<impl Controller>) -> Result<()> {
    let mut other = Ovs::start("loop")?;
    scene.net.attach(&other)?;
    let before = scene.process.mark();
    let bridges = [("s3", 0x53), ("s4", 0x54)];
    for (bridge, datapath_id) in bridges {
        other.add_bridge(bridge, datapath_id, scene.version)?;
        other.set_controller(bridge, &ControlNet::target())?;
    }
    for link in 1..=2 {
        let (a, b) = (format!("l{link}a"), format!("l{link}b"));
        veth((other.netns(), &a), (other.netns(), &b))?;
        other.add_port("s3", &a, link)?;
        other.add_port("s4", &b, link)?;
    }
    wait_up(&scene.controller, &scene.process, before, &other, &bridges)?;
    let looped = scene.new_pair(Some([(&other, "s3"), (&other, "s4")]), "")?;
    let new = scene.new_pair(None, "s1")?;

    let mark = scene.process.mark();
    let target = looped[1].address().to_string();
    let storm = looped[0].netns().spawn("ping", &["-n", "-i", "0.1", "-c", "60", &target])?;
    wait_until("frames on the loop", Duration::from_secs(10), || Ok(frames_on(&other, "l1a")? >= 6))?;
    let before = frames_on(&other, "l1a")?;
    if let Some(words) = scene.controller.names_loops() {
        scene
            .process
            .wait_for(mark, "a word about the loop", Duration::from_secs(10), |line| line.contains(words))?;
    }

    // A switch elsewhere: what has flows goes on, and what needs the controller gets it.
    for pair in &scene.hosts {
        let ping = pair[0].ping(&pair[1], 10)?;
        eprintln!("old pair beside the loop: {ping:?}");
        assert_eq!(ping.received, ping.sent, "an old pair beside the loop: {ping:?}");
    }
    let first = new[0].ping(&new[1], 10)?;
    eprintln!(
        "new pair beside the loop: {first:?}; {} more frames on a link",
        frames_on(&other, "l1a")? - before
    );
    assert_eq!(first.received, first.sent, "a new pair beside the loop: {first:?}");
    assert!(first.max < Duration::from_secs(1), "a new pair beside the loop: {first:?}");
    let lost = scene.process.lines_after(mark).into_iter().find(|l| l.text.contains("datapath down"));
    assert!(lost.is_none(), "the loop cost a connection: {lost:?}");
    for (bridge, _) in BRIDGES {
        assert!(scene.ovs.is_connected(bridge)?, "the loop cost {bridge} its connection");
    }
    drop(storm);
    Ok(())
}

/// SIGTERM, and the end within 5 s.
pub fn controller_stops_cleanly(scene: &mut Scene<impl Controller>) -> Result<()> {
    let status = scene.process.terminate()?;
    if scene.controller.ends_with_success() {
        assert!(status.success(), "on SIGTERM the controller ended with {status}");
    }
    Ok(())
}

/// With 16 switches connected and no traffic but their echo requests: less than 1% of a core.
pub fn idle_is_cheap(controller: &impl Controller) -> Result<()> {
    const SWITCHES: u64 = 16;
    let mut net = controller.network()?;
    let mut ovs = Ovs::start("idle")?;
    net.attach(&ovs)?;
    let process = controllers::start(controller, &net)?;
    let bridges: Vec<String> = (1..=SWITCHES).map(|n| format!("s{n}")).collect();
    for (bridge, datapath_id) in bridges.iter().zip(1..) {
        ovs.add_bridge(bridge, datapath_id, OpenFlow::V13)?;
        ovs.set_controller(bridge, &ControlNet::target())?;
    }
    for bridge in &bridges {
        ovs.wait_connected(bridge, Duration::from_secs(20))?;
    }
    std::thread::sleep(Duration::from_secs(1));
    let (cpu, start) = (process.cpu_time()?, Instant::now());
    std::thread::sleep(Duration::from_secs(10));
    let share = (process.cpu_time()? - cpu).as_secs_f64() / start.elapsed().as_secs_f64();
    eprintln!("idle with {SWITCHES} switches: {:.2}% of a core", share * 100.0);
    for bridge in &bridges {
        assert!(ovs.is_connected(bridge)?, "{bridge} lost its connection");
    }
    assert!(
        share < 0.01,
        "idle with {SWITCHES} switches: {:.2}% of a core\n{}",
        share * 100.0,
        process.tail(20)
    );
    Ok(())
}

fn delete_all_flows(scene: &Scene<impl Controller>) -> Result<()> {
    BRIDGES.iter().try_for_each(|(bridge, _)| scene.ovs.del_flows(bridge))
}

fn until_they_talk([a, b]: &[Host; 2], since: Instant, what: &str) -> Result<()> {
    let left = RETURN_MAX.saturating_sub(since.elapsed());
    wait_until(what, left, || Ok(a.ping(b, 1)?.received == 1))?;
    eprintln!("{what}: they talk {:.1} s later", since.elapsed().as_secs_f64());
    Ok(())
}

fn frames_on(ovs: &Ovs, interface: &str) -> Result<u64> {
    let path = "/proc/net/dev";
    let text = ovs.netns().run("cat", &[path])?;
    let line = text.lines().find_map(|l| l.trim().strip_prefix(interface)?.strip_prefix(':'));
    // Received and sent packets: proc(5).
    let count = |n: usize| line?.split_ascii_whitespace().nth(n)?.parse::<u64>().ok();
    let sum = count(1).zip(count(9)).map(|(received, sent)| received + sent);
    sum.ok_or_else(|| Error::Unexpected(format!("{path} says nothing of {interface}: {text}")))
}
