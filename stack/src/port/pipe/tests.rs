use std::io::{PipeReader, PipeWriter, Read, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

fn config(queues: [u16; 2], frames: usize) -> PipeConfig {
    PipeConfig { queues, frames, ..PipeConfig::new(1) }
}

fn one(frames: usize) -> (PipePort, PipePort) {
    let (mut a, mut b) = pair(config([1, 1], frames));
    (a.pop().unwrap(), b.pop().unwrap())
}

fn send(port: &mut PipePort, bytes: &[u8]) -> bool {
    let Some(mut frame) = port.alloc(bytes.len()) else { return false };
    port.bytes_mut(&mut frame).copy_from_slice(bytes);
    let mut burst = Burst::new(1);
    burst.push(frame).unwrap();
    let sent = port.tx(&mut burst) == 1;
    if let Some(frame) = burst.pop() {
        port.release(frame);
    }
    port.sync().unwrap();
    sent
}

/// Receives all there is, and releases it.
fn receive(port: &mut PipePort) -> Vec<Vec<u8>> {
    let mut burst = Burst::new(64);
    let mut out = Vec::new();
    while port.rx(&mut burst) > 0 {
        while let Some(frame) = burst.pop() {
            out.push(port.bytes(&frame).to_vec());
            port.release(frame);
        }
    }
    port.sync().unwrap();
    out
}

/// A frame with a TCP segment in it, as much as steering looks at.
fn segment(src: [u8; 4], dst: [u8; 4], src_port: u16, dst_port: u16) -> Vec<u8> {
    use ferroflow_wire::{ipv4, tcp};
    let mut frame = vec![0; 54];
    frame[12..14].copy_from_slice(&[8, 0]);
    ipv4::Ipv4Header::new(src.into(), dst.into(), ipv4::IpProtocol::TCP, 20).write(&mut frame[14..]).unwrap();
    frame[34..36].copy_from_slice(&src_port.to_be_bytes());
    frame[36..38].copy_from_slice(&dst_port.to_be_bytes());
    frame[46] = 5 << 4;
    assert!(tcp::TcpView::parse(&frame[34..]).is_ok());
    frame
}

#[test]
fn frames_arrive_in_order_and_buffers_go_home() {
    let (mut a, mut b) = one(8);
    for round in 0..100u8 {
        for n in 0..8 {
            assert!(send(&mut a, &[round, n]));
        }
        assert!(!send(&mut a, &[0]), "no buffer is left");
        assert_eq!(receive(&mut b), (0..8).map(|n| vec![round, n]).collect::<Vec<_>>());
        assert!(send(&mut b, b"back"));
        assert_eq!(receive(&mut a), [b"back"]);
    }
    assert_eq!((a.at_home(), b.at_home(), a.held(), b.held()), (8, 8, 0, 0));
    assert_eq!((a.counters().tx_frames, b.counters().rx_frames, a.counters().no_buffer), (800, 800, 100));
    assert_eq!((a.counters().tx_bytes, b.counters().rx_bytes), (1600, 1600));
}

#[test]
fn a_reply_leaves_in_the_frame_it_answers_and_no_byte_is_copied() {
    let (mut a, mut b) = one(4);
    let mut burst = Burst::new(4);
    let mut frame = a.alloc(100).unwrap();
    let at = a.bytes_mut(&mut frame).as_ptr();
    burst.push(frame).unwrap();
    assert_eq!(a.tx(&mut burst), 1);

    assert_eq!(b.rx(&mut burst), 1);
    assert_eq!(burst.front().map(|f| b.bytes(f).as_ptr()), Some(at));
    let mut frame = burst.pop().unwrap();
    b.bytes_mut(&mut frame)[..2].copy_from_slice(b"re");
    frame.len = 2;
    burst.push(frame).unwrap();
    assert_eq!(b.tx(&mut burst), 1);

    assert_eq!(a.rx(&mut burst), 1);
    let frame = burst.pop().unwrap();
    assert_eq!((a.bytes(&frame), a.bytes(&frame).as_ptr()), (&b"re"[..], at));
    a.release(frame);
    assert_eq!((a.at_home(), b.at_home()), (4, 4));
}

#[test]
fn checksums_that_were_left_out_count_as_verified() {
    let (mut a, mut b) = one(4);
    let mut burst = Burst::new(4);
    for csum in [Csum::Unknown, Csum::Partial { start: 34, offset: 16 }, Csum::Verified] {
        let mut frame = a.alloc(60).unwrap();
        frame.meta.csum = csum;
        burst.push(frame).unwrap();
    }
    a.tx(&mut burst);
    b.rx(&mut burst);
    assert_eq!(
        burst.iter().map(|f| f.meta.csum).collect::<Vec<_>>(),
        [Csum::Unknown, Csum::Verified, Csum::Verified]
    );
}

#[test]
fn frames_are_spread_as_the_receiver_hashes() {
    let (mut a, mut b) = pair(config([2, 3], 256));
    for sender in &mut a {
        for port in 1000..1100 {
            assert!(send(sender, &segment([10, 0, 0, 1], [10, 0, 0, 2], port, 6653)));
        }
    }
    for (queue, port) in b.iter_mut().enumerate() {
        let frames = receive(port);
        assert!(frames.len() > 20, "queue {queue} got {}", frames.len());
        let steer = Steer::new(queue as u16, 3);
        assert!(frames.iter().all(|frame| steer.owner(frame) == Owner::Here));
    }
    // What has no hash goes straight.
    assert!(send(&mut a[1], b"hello"));
    assert_eq!(b.iter_mut().map(|port| receive(port).len()).collect::<Vec<_>>(), [0, 1, 0]);
    assert!(send(&mut b[2], b"hello"));
    assert_eq!(a.iter_mut().map(|port| receive(port).len()).collect::<Vec<_>>(), [1, 0]);
    for port in a.iter_mut().chain(&mut b) {
        assert_eq!((port.at_home(), port.held()), (256, 0));
    }
}

#[test]
fn buffers_find_home_from_whichever_queue_they_end_at() {
    let (mut a, mut b) = pair(config([2, 2], 16));
    let mut burst = Burst::new(64);
    for round in 0..200u16 {
        for sender in &mut a {
            assert!(send(sender, &segment([10, 0, 0, 1], [10, 0, 0, 2], round, 6653)));
        }
        // Answered in place with other ports, so that the answer comes to any queue.
        for port in &mut b {
            port.rx(&mut burst);
            let mut replies = Burst::new(64);
            while let Some(mut frame) = burst.pop() {
                port.bytes_mut(&mut frame).copy_from_slice(&segment(
                    [10, 0, 0, 2],
                    [10, 0, 0, 1],
                    6653,
                    round ^ 77,
                ));
                replies.push(frame).unwrap();
            }
            port.tx(&mut replies);
            port.sync().unwrap();
        }
        assert_eq!(a.iter_mut().map(|port| receive(port).len()).sum::<usize>(), 2);
    }
    for port in a.iter_mut().chain(&mut b) {
        assert_eq!((port.at_home(), port.held()), (16, 0));
    }
}

#[test]
fn a_full_ring_holds_the_rest_back() {
    let (mut a, mut b) = one(4);
    // `a` sends its own four and `b`'s four; the ring takes four.
    let mut burst = Burst::new(8);
    for _ in 0..4 {
        assert!(send(&mut b, b"b"));
    }
    assert_eq!(a.rx(&mut burst), 4);
    while let Some(frame) = a.alloc(1) {
        burst.push(frame).unwrap();
    }
    assert_eq!(a.tx(&mut burst), 4);
    assert_eq!((burst.len(), a.tx(&mut burst)), (4, 0));
    a.sync().unwrap();
    assert!(a.prepare_wait(), "nothing to do before `b` makes room");
    assert_eq!(receive(&mut b).len(), 4);
    assert_eq!(a.tx(&mut burst), 4);
    assert_eq!(receive(&mut b).len(), 4);
    assert_eq!((a.at_home(), b.at_home()), (4, 4));
}

#[test]
fn a_frame_longer_than_the_mtu_is_refused() {
    let (mut a, _b) = one(4);
    assert!(a.alloc(1514).is_some() && a.alloc(1518).is_some());
    assert!(a.alloc(1519).is_none());
}

#[test]
fn what_is_sent_to_a_dropped_end_is_counted() {
    let (mut a, mut b) = one(4);
    for _ in 0..3 {
        assert!(send(&mut a, b"lost"));
    }
    let mut burst = Burst::new(1);
    b.rx(&mut burst);
    drop(b);
    assert!(a.is_abandoned());
    for _ in 0..100 {
        assert!(send(&mut a, b"dropped"));
        assert_eq!(receive(&mut a).len(), 0);
    }
    assert_eq!((a.counters().tx_dropped, a.counters().tx_frames), (100, 3));
    assert_eq!(a.at_home(), 4);
}

/// A pipe of the kernel's: the owner reads a byte, the other end writes one.
struct Bytes {
    reader: PipeReader,
    writer: PipeWriter,
    rung: AtomicUsize,
}

impl Bytes {
    fn new() -> Arc<Bytes> {
        let (reader, writer) = std::io::pipe().unwrap();
        Arc::new(Bytes { reader, writer, rung: AtomicUsize::new(0) })
    }
}

impl Doorbell for Bytes {
    fn ring(&self) {
        self.rung.fetch_add(1, Ordering::Relaxed);
        (&self.writer).write_all(&[1]).unwrap();
    }
    fn fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
    fn clear(&self) {}
}

#[test]
fn the_bell_rings_for_sleepers_only() {
    let (mut a, mut b) = one(4);
    let bell = Bytes::new();
    assert!(b.wait().is_none());
    b.set_doorbell(bell.clone());
    assert!(b.wait().is_some());
    let rung = || bell.rung.load(Ordering::Relaxed);

    assert!(send(&mut a, b"1"));
    assert_eq!(rung(), 0);
    assert!(!b.prepare_wait(), "a frame is there already");
    assert_eq!(receive(&mut b).len(), 1);
    assert!(b.prepare_wait());
    assert!(send(&mut a, b"2") && send(&mut a, b"3"));
    assert_eq!(rung(), 1, "once per sleep");
    assert_eq!(receive(&mut b).len(), 2);

    // Room is news only for one who was short of it.
    let mut burst = Burst::new(8);
    for _ in 0..4 {
        assert!(send(&mut b, b"x"));
    }
    assert!(b.prepare_wait());
    assert_eq!(a.rx(&mut burst), 4);
    a.sync().unwrap();
    let frame = burst.pop().unwrap();
    a.release(frame);
    a.sync().unwrap();
    assert_eq!(rung(), 1);
    assert_eq!(b.rx(&mut Burst::new(1)), 0);
    assert!(b.alloc(1).is_some_and(|frame| {
        b.release(frame);
        true
    }));
    let held: Vec<_> = std::iter::from_fn(|| b.alloc(1)).collect();
    assert_eq!(held.len(), 1);
    assert!(b.prepare_wait());
    let frame = burst.pop().unwrap();
    a.release(frame);
    a.sync().unwrap();
    assert_eq!(rung(), 2);
    for frame in held {
        b.release(frame);
    }
}

#[test]
fn two_threads_that_sleep_lose_no_wake_up() {
    const ROUNDS: usize = 20_000;
    let (mut a, mut b) = one(8);
    let (bell_a, bell_b) = (Bytes::new(), Bytes::new());
    a.set_doorbell(bell_a.clone());
    b.set_doorbell(bell_b.clone());
    let serve = |mut port: PipePort, bell: Arc<Bytes>, starts: bool| {
        move || {
            let mut burst = Burst::new(8);
            let mut seen = 0;
            if starts {
                assert!(send(&mut port, b"ball"));
            }
            while seen < ROUNDS {
                if port.rx(&mut burst) == 0 {
                    if port.prepare_wait() {
                        (&bell.reader).read_exact(&mut [0]).unwrap();
                    }
                    continue;
                }
                seen += 1;
                if !starts || seen < ROUNDS {
                    assert_eq!(port.tx(&mut burst), 1);
                } else {
                    let frame = burst.pop().unwrap();
                    port.release(frame);
                }
                port.sync().unwrap();
            }
            port
        }
    };
    let (mut a, mut b) = std::thread::scope(|scope| {
        let first = scope.spawn(serve(a, bell_a, true));
        let second = scope.spawn(serve(b, bell_b, false));
        (first.join().unwrap(), second.join().unwrap())
    });
    assert_eq!((a.at_home(), b.at_home()), (8, 8));
    assert_eq!(a.counters().rx_frames, ROUNDS as u64);
}

#[test]
fn a_flood_between_threads_with_back_pressure_loses_nothing() {
    const FRAMES: u32 = 200_000;
    let (mut a, mut b) = one(32);
    let (bell_a, bell_b) = (Bytes::new(), Bytes::new());
    a.set_doorbell(bell_a.clone());
    b.set_doorbell(bell_b.clone());
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut burst = Burst::new(16);
            let mut next = 0u32;
            while next < FRAMES || !burst.is_empty() {
                while next < FRAMES && burst.room() > 0 {
                    let Some(mut frame) = a.alloc(4) else { break };
                    a.bytes_mut(&mut frame).copy_from_slice(&next.to_be_bytes());
                    burst.push(frame).unwrap();
                    next += 1;
                }
                let sent = a.tx(&mut burst);
                a.sync().unwrap();
                if sent == 0 && a.prepare_wait() {
                    (&bell_a.reader).read_exact(&mut [0]).unwrap();
                    a.rx(&mut Burst::new(1));
                }
            }
        });
        scope.spawn(move || {
            let mut expected = 0;
            while expected < FRAMES {
                let frames = receive(&mut b);
                if frames.is_empty() && b.prepare_wait() {
                    (&bell_b.reader).read_exact(&mut [0]).unwrap();
                }
                for frame in frames {
                    assert_eq!(frame, expected.to_be_bytes());
                    expected += 1;
                }
            }
        });
    });
}
