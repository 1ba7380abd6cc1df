use std::net::Ipv4Addr;

use ferroflow_stack::port::pipe::{PipeConfig, PipePort, pair};

use super::*;

const REMOTE: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const LOCAL: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

/// A pipe whose far end has as many queues, so that a test can choose where a frame lands.
fn cores(n: u16, parcels: usize) -> (Vec<PipePort>, Vec<Steered<PipePort>>) {
    let (near, far) = pair(PipeConfig { spread: None, ..PipeConfig::new(n) });
    (far, join(near, parcels, Steer::new))
}

fn tcp_frame(src_port: u16) -> Vec<u8> {
    let mut f = vec![0; 14 + 20 + 20];
    f[12..14].copy_from_slice(&[8, 0]);
    let ip = &mut f[14..];
    ip[0] = 0x45;
    ip[2..4].copy_from_slice(&40u16.to_be_bytes());
    ip[8] = 64;
    ip[9] = 6;
    ip[12..16].copy_from_slice(&REMOTE.octets());
    ip[16..20].copy_from_slice(&LOCAL.octets());
    ip[20..22].copy_from_slice(&src_port.to_be_bytes());
    ip[22..24].copy_from_slice(&6653u16.to_be_bytes());
    ip[32] = 0x50;
    f
}

fn arp_request() -> Vec<u8> {
    let mut f = vec![0xff; 42];
    f[12..14].copy_from_slice(&[8, 6]);
    f[20..22].copy_from_slice(&[0, 1]);
    f
}

fn send(far: &mut PipePort, bytes: &[u8]) {
    let mut frame = far.alloc(bytes.len()).unwrap();
    far.bytes_mut(&mut frame).copy_from_slice(bytes);
    let mut burst = Burst::new(1);
    burst.push(frame).unwrap();
    assert_eq!(far.tx(&mut burst), 1);
    far.sync().unwrap();
}

/// One rx, everything released: the frames' bytes.
fn receive(port: &mut Steered<PipePort>) -> Vec<Vec<u8>> {
    let mut burst = Burst::new(64);
    let n = port.rx(&mut burst);
    assert_eq!(n, burst.len());
    let mut seen = Vec::new();
    while let Some(frame) = burst.pop() {
        seen.push(port.bytes(&frame).to_vec());
        port.release(frame);
    }
    port.sync().unwrap();
    seen
}

#[test]
fn every_frame_reaches_its_owner_wherever_it_lands() {
    let (mut far, mut near) = cores(2, 64);
    let steer = Steer::new(0, 2);
    let mut want = [Vec::new(), Vec::new()];
    for src in 1000..1032 {
        let owner = steer.owner_of(REMOTE, LOCAL, src, 6653);
        want[usize::from(owner)].push(tcp_frame(src));
        // All of them land on queue 0.
        send(&mut far[0], &tcp_frame(src));
    }
    assert!(want.iter().all(|w| w.len() > 4), "both cores own some");
    assert_eq!(receive(&mut near[0]), want[0]);
    assert_eq!(receive(&mut near[1]), want[1]);
    assert_eq!(near[0].counters().handed_over, want[1].len() as u64);
    assert_eq!(near[1].counters().taken_over, want[1].len() as u64);
    assert_eq!(near[0].spare(), 64, "every parcel came home");
}

#[test]
fn arp_goes_to_all_and_one_answers() {
    let (mut far, mut near) = cores(3, 8);
    send(&mut far[1], &arp_request());
    assert_eq!(receive(&mut near[1]), [arp_request()]);
    let mut reply = arp_request();
    reply[21] = 2;
    assert_eq!(receive(&mut near[0]), [reply.clone()]);
    assert_eq!(receive(&mut near[2]), [reply]);
}

#[test]
fn one_answers_an_arp_request_with_a_priority_tag_too() {
    let (mut far, mut near) = cores(2, 8);
    let mut request = arp_request();
    request.splice(12..12, [0x81, 0, 0, 0]);
    send(&mut far[0], &request);
    assert_eq!(receive(&mut near[0]), [request.clone()]);
    request[25] = 2;
    assert_eq!(receive(&mut near[1]), [request]);
}

/// Several segments in one are larger than the interface's MTU says.
#[test]
fn a_parcel_grows_with_its_frame() {
    let (mut far, mut near) = cores(2, 1);
    let steer = Steer::new(0, 2);
    let foreign = tcp_frame((1000..).find(|&p| steer.owner_of(REMOTE, LOCAL, p, 6653) == 1).unwrap());
    near[0].spare[0].bytes = vec![0; foreign.len() - 1].into();
    for _ in 0..3 {
        send(&mut far[0], &foreign);
        assert!(receive(&mut near[0]).is_empty());
        assert_eq!(receive(&mut near[1]).concat(), foreign);
        assert_eq!(near[0].spare(), 1);
    }
    assert_eq!(near[0].counters().dropped, 0);
}

#[test]
fn a_slow_owner_loses_frames_and_no_parcel() {
    let (mut far, mut near) = cores(2, 4);
    let steer = Steer::new(0, 2);
    let foreign = (1000..).find(|&p| steer.owner_of(REMOTE, LOCAL, p, 6653) == 1).unwrap();
    for _ in 0..10 {
        send(&mut far[0], &tcp_frame(foreign));
    }
    assert!(receive(&mut near[0]).is_empty());
    assert_eq!(near[0].counters(), &SteerCounters { handed_over: 4, taken_over: 0, dropped: 6 });
    near[1].attach(Waker::noop());
    assert!(!near[1].prepare_wait(), "there is something to take");
    assert_eq!(receive(&mut near[1]).len(), 4);
    assert_eq!(near[0].spare(), 4);
    send(&mut far[0], &tcp_frame(foreign));
    assert!(receive(&mut near[0]).is_empty());
    assert_eq!(receive(&mut near[1]).len(), 1);
}

#[test]
fn the_owner_is_woken_once_a_burst() {
    let (mut far, mut near) = cores(2, 64);
    let steer = Steer::new(0, 2);
    let waker = Waker::new().unwrap();
    near[1].attach(waker.clone());
    waker.begin_turn();
    assert!(waker.try_sleep());
    for src in 1000..1032 {
        send(&mut far[0], &tcp_frame(src));
    }
    receive(&mut near[0]);
    let mut count = [0; 8];
    rustix::io::read(waker.fd().unwrap(), &mut count).unwrap();
    assert_eq!(u64::from_ne_bytes(count), 1);
    let handed = near[0].counters().handed_over;
    assert!(handed > 1 && steer.cores() == 2);
    assert_eq!(receive(&mut near[1]).len() as u64, handed);
}

/// What a core has put together from fragments comes to its owner, through as few parcels as anything else.
#[test]
fn a_whole_datagram_goes_home() {
    let (_far, mut near) = cores(2, 4);
    let waker = Waker::new().unwrap();
    near[1].attach(waker.clone());
    waker.begin_turn();
    assert!(waker.try_sleep());
    let whole = vec![7; 60_000];
    let taken: Vec<_> = (0..6).map(|_| near[0].hand_over(1, &whole)).collect();
    assert_eq!(taken, [true, true, true, true, false, false]);
    assert_eq!(near[0].counters(), &SteerCounters { handed_over: 4, taken_over: 0, dropped: 2 });
    rustix::io::read(waker.fd().unwrap(), &mut [0; 8]).expect("its core has been woken");
    assert_eq!(receive(&mut near[1]), vec![whole.clone(); 4]);
    assert_eq!(near[0].spare(), 4);
    assert!(near[0].hand_over(1, &whole));
    let (_far, mut alone) = cores(1, 4);
    assert!(!alone[0].hand_over(0, &whole), "there is no other");
}

/// Fragments arrive anywhere, meet at one core, and what they make is handed to a third.
#[test]
fn fragments_of_one_datagram_meet() {
    let (mut far, mut near) = cores(3, 64);
    for (ident, second) in (0..30).flat_map(|ident| [(ident, false), (ident, true)]) {
        let mut fragment = tcp_frame(1000);
        fragment[18..20].copy_from_slice(&u16::to_be_bytes(ident));
        fragment[20..22].copy_from_slice(if second { &[0, 1] } else { &[0x20, 0] });
        send(&mut far[usize::from(ident) % 2 + usize::from(second)], &fragment);
    }
    let idents = |frames: Vec<Vec<u8>>| {
        let mut idents: Vec<_> = frames.into_iter().map(|frame| frame[19]).collect();
        idents.sort_unstable();
        idents
    };
    let mut came: [Vec<_>; 3] = Default::default();
    (0..6).for_each(|i| came[i % 3].extend(receive(&mut near[i % 3])));
    let came = came.map(idents);
    assert_eq!(came.iter().map(Vec::len).sum::<usize>(), 60);
    for idents in came {
        assert!(idents.len() > 4 && idents.chunks(2).all(|pair| pair[0] == pair[1]), "{idents:?}");
    }
}

#[test]
fn one_core_keeps_everything_in_place() {
    let (mut far, mut near) = cores(1, 8);
    send(&mut far[0], &tcp_frame(1000));
    send(&mut far[0], &arp_request());
    assert_eq!(receive(&mut near[0]).len(), 2);
    assert_eq!(near[0].counters(), &SteerCounters::default());
}
