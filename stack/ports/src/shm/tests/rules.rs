//! Counts, lengths, seals, names: each rule by itself, both ends in this process.

use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::sync::atomic::Ordering;

use ferroflow_stack::steer::Steer;
use ferroflow_wire::MacAddr;
use ferroflow_wire::ethernet::{EtherType, EthernetHeader};
use ferroflow_wire::ipv4::{IpProtocol, Ipv4Header};
use rustix::fs::{MemfdFlags, SealFlags};

use super::super::area::{Area, Shape};
use super::super::ring::{Broken, Reader, Slot, Writer};
use super::*;

fn shape() -> Shape {
    Shape::new([1, 1], 4, 1500).unwrap()
}

#[test]
fn a_ring_carries_frames_of_all_lengths_round_and_round() {
    let (area, _) = Area::create(shape()).unwrap();
    let place = shape().ring(0, 0, 0);
    let (mut writer, mut reader) = (Writer::new(place), Reader::new(place));
    let mut into = vec![0; place.frame_max.next_multiple_of(64)];
    for i in 0..3 * place.frame_max {
        let frame: Vec<u8> = (0..i % (place.frame_max + 1)).map(|at| (at + i) as u8).collect();
        assert!(writer.room(&area).unwrap() > 0);
        writer.push(&area, &frame, i % 2 == 0);
        assert_eq!(reader.look(&area), Ok(0), "not before it is told");
        assert!(writer.tell(&area) && !writer.tell(&area));
        assert_eq!(reader.look(&area), Ok(1));
        let slot = reader.pop(&area, &mut into);
        assert_eq!(slot, Slot::Frame { len: frame.len() as u32, csum_skipped: i % 2 == 0 });
        assert_eq!(into[..frame.len()], frame);
        assert!(reader.tell(&area) && !reader.tell(&area));
    }
}

#[test]
fn a_ring_is_full_at_its_bound() {
    let (area, _) = Area::create(shape()).unwrap();
    let place = shape().ring(1, 0, 0);
    let (mut writer, mut reader) = (Writer::new(place), Reader::new(place));
    for left in (0..4).rev() {
        writer.push(&area, b"x", false);
        assert_eq!(writer.room(&area), Ok(left));
    }
    writer.tell(&area);
    assert_eq!(reader.look(&area), Ok(4));
    reader.pop(&area, &mut [0; 1536]);
    assert_eq!(writer.room(&area), Ok(0), "not before it is told");
    reader.tell(&area);
    assert_eq!(writer.room(&area), Ok(1));
}

#[test]
fn counts_that_cannot_be_break_the_ring() {
    let (area, _) = Area::create(shape()).unwrap();
    let place = shape().ring(0, 0, 0);
    let (mut writer, mut reader) = (Writer::new(place), Reader::new(place));
    let tail = |count: u32| area.word(place.tail).store(count, Ordering::Relaxed);
    let head = |count: u32| area.word(place.head).store(count, Ordering::Relaxed);
    for count in [5, u32::MAX, 1 << 31] {
        tail(count);
        assert_eq!(reader.look(&area), Err(Broken), "{count} frames in a ring of 4");
    }
    tail(3);
    assert_eq!(reader.look(&area), Ok(3));
    tail(2);
    assert_eq!(reader.look(&area), Err(Broken), "frames are not taken back");
    for _ in 0..3 {
        writer.push(&area, b"x", false);
    }
    for count in [4, u32::MAX] {
        head(count);
        assert_eq!(writer.look(&area), Err(Broken), "{count} of 3 taken");
    }
    head(2);
    assert_eq!(writer.look(&area), Ok(3));
    head(1);
    assert_eq!(writer.look(&area), Err(Broken), "what was taken is not put back");
}

#[test]
fn what_is_told_after_the_last_look_is_not_taken() {
    let (area, _) = Area::create(shape()).unwrap();
    let place = shape().ring(0, 0, 0);
    let (mut writer, mut reader) = (Writer::new(place), Reader::new(place));
    for _ in 0..3 {
        writer.push(&area, b"before", false);
    }
    writer.tell(&area);
    assert_eq!(reader.close(&area), Ok(()));
    // A peer that is gone for us may still write.
    for tail in [4, 2, u32::MAX] {
        area.word(place.tail).store(tail, Ordering::Relaxed);
        assert_eq!(reader.look(&area), Ok(3), "{tail}");
    }
    for left in (0..3).rev() {
        assert_eq!(reader.pop(&area, &mut [0; 1536]), Slot::Frame { len: 6, csum_skipped: false });
        assert_eq!(reader.look(&area), Ok(left));
    }
    let mut reader = Reader::new(place);
    assert_eq!(reader.close(&area), Err(Broken), "the last look is as strict as any");
}

#[test]
fn a_length_that_cannot_be_costs_its_frame_only() {
    let (area, _) = Area::create(shape()).unwrap();
    let place = shape().ring(0, 0, 0);
    let (mut writer, mut reader) = (Writer::new(place), Reader::new(place));
    writer.push(&area, b"long", false);
    writer.push(&area, b"good", false);
    writer.tell(&area);
    let length = &area.words(place.slot(0), 1)[0];
    length.store(place.frame_max as u64 + 1, Ordering::Relaxed);
    assert_eq!(reader.look(&area), Ok(2));
    let mut into = [0; 1536];
    assert_eq!(reader.pop(&area, &mut into), Slot::TooLong);
    assert_eq!(reader.pop(&area, &mut into), Slot::Frame { len: 4, csum_skipped: false });
    assert_eq!(into[..4], *b"good");
}

#[test]
fn the_memory_keeps_its_size() {
    let (area, fd) = Area::create(shape()).unwrap();
    for len in [0, 2 * shape().len() as u64] {
        assert_eq!(rustix::fs::ftruncate(&fd, len), Err(rustix::io::Errno::PERM));
    }
    assert!(rustix::fs::fcntl_add_seals(&fd, SealFlags::WRITE).is_err(), "no more seals");
    drop(area);
    let refused = |fd: &OwnedFd, shape| Area::open(fd, shape).unwrap_err().to_string();
    let other = Shape::new([1, 1], 8, 1500).unwrap();
    assert!(refused(&fd, other).contains("another size"));
    let bare = rustix::fs::memfd_create("bare", MemfdFlags::ALLOW_SEALING).unwrap();
    rustix::fs::ftruncate(&bare, shape().len() as u64).unwrap();
    assert!(refused(&bare, shape()).contains("taken away"));
}

#[test]
fn shapes_have_bounds() {
    assert!(Shape::new([64, 64], 2, 1500).is_some());
    for (queues, slots, mtu) in [
        ([0, 1], 4, 1500),
        ([1, 65], 4, 1500),
        ([1, 1], 3, 1500),
        ([1, 1], 1, 1500),
        ([1, 1], 1 << 17, 1500),
        ([1, 1], 4, 67),
        ([1, 1], 4, 65_536),
        ([64, 64], 65_536, 65_535),
    ] {
        assert_eq!(Shape::new(queues, slots, mtu), None, "{queues:?} {slots} {mtu}");
    }
    // No two parts overlap, and all are inside.
    let shape = Shape::new([3, 2], 4, 1500).unwrap();
    let mut starts = Vec::new();
    for (a, b) in (0..3).flat_map(|a| (0..2).map(move |b| (a, b))) {
        starts.extend([shape.ring(0, a, b), shape.ring(1, b, a)]);
    }
    starts.sort_by_key(|place| place.tail);
    let end = |place: &super::super::area::RingPlace| place.slot(place.slots - 1) + place.slot_len;
    assert!(starts.windows(2).all(|pair| end(&pair[0]) <= pair[1].tail));
    assert!(starts.len() == 12 && end(&starts[11]) <= shape.len());
}

#[test]
fn the_socket_is_for_its_user_alone_and_goes_with_the_last_port() {
    let place = place();
    let ports = listen(&place.socket, &ShmConfig::new(2)).unwrap();
    let mode = place.socket.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{mode:o}");
    assert!(matches!(listen(&place.socket, &ShmConfig::new(1)), Err(ShmError::InUse(_))));
    drop(ports);
    assert!(!place.socket.exists());
}

#[test]
fn a_socket_left_behind_is_replaced_and_nothing_else() {
    let place = place();
    // A listener that is gone leaves its name.
    drop(UnixListener::bind(&place.socket).unwrap());
    assert!(place.socket.exists());
    drop(listen(&place.socket, &ShmConfig::new(1)).unwrap());
    let _stranger = UnixListener::bind(&place.socket).unwrap();
    assert!(matches!(listen(&place.socket, &ShmConfig::new(1)), Err(ShmError::NotOurs(_))));
    assert!(matches!(visit(&place.socket, 1), Err(ShmError::Nonsense(_))));
    std::fs::remove_file(&place.socket).unwrap();
    std::fs::write(&place.socket, "a letter").unwrap();
    assert!(matches!(listen(&place.socket, &ShmConfig::new(1)), Err(ShmError::NotOurs(_))));
    assert_eq!(std::fs::read(&place.socket).unwrap(), b"a letter");
}

#[test]
fn a_visit_that_cannot_be_says_why() {
    let place = place();
    assert!(matches!(visit(&place.socket, 1), Err(ShmError::Nobody(_))));
    assert!(matches!(visit(Path::new(&"x".repeat(200)), 1), Err(ShmError::BadPath(_))));
    let bad = ShmConfig { slots: 3, ..ShmConfig::new(1) };
    assert!(matches!(listen(&place.socket, &bad), Err(ShmError::BadShape(..))));
    let mut port = one(listen(&place.socket, &ShmConfig::new(1)));
    for queues in [0, 65] {
        let error = visit(&place.socket, queues).unwrap_err().to_string();
        assert!(error.contains("too many, or too few"), "{error}");
    }
    let first = visit(&place.socket, 64).unwrap();
    let error = visit(&place.socket, 1).unwrap_err().to_string();
    assert!(error.contains("another program is attached"), "{error}");
    drop(first);
    until(&mut port, |port| port.counters().sessions == 1 && !port.is_attached());
    let limit = Wall::now() + PATIENCE;
    while visit(&place.socket, 1).is_err() {
        assert!(Wall::now() < limit);
    }
}

#[test]
fn only_a_sleeper_is_woken() {
    let place = place();
    let mut ours = one(listen(&place.socket, &ShmConfig::new(1)));
    let mut theirs = one(visit(&place.socket, 1));
    until(&mut ours, ShmPort::is_attached);
    for _ in 0..100 {
        assert!(send(&mut ours, b"awake"));
    }
    assert_eq!(ours.counters().wake_ups, 0);
    assert!(!theirs.prepare_wait(), "there are frames");
    let mut got = 0;
    while got < 100 {
        got += receive(&mut theirs).len();
    }
    assert!(theirs.prepare_wait());
    for _ in 0..100 {
        assert!(send(&mut ours, b"asleep"));
    }
    assert_eq!(ours.counters().wake_ups, 1);
    assert!(rest(&mut theirs, PATIENCE));
    assert_eq!(theirs.counters().wake_ups, 0, "room that nobody waits for wakes nobody");
}

/// A TCP segment from 10.0.0.1 to 10.0.0.2.
fn segment(src: u16, dst: u16) -> Vec<u8> {
    let ethernet =
        EthernetHeader { dst: MacAddr([2; 6]), src: MacAddr([4; 6]), vlan: None, ethertype: EtherType::IPV4 };
    let mut frame = vec![0; 54];
    ethernet.write(&mut frame).unwrap();
    let ip = Ipv4Header::new([10, 0, 0, 1].into(), [10, 0, 0, 2].into(), IpProtocol::TCP, 20);
    ip.write(&mut frame[14..]).unwrap();
    frame[34..36].copy_from_slice(&src.to_be_bytes());
    frame[36..38].copy_from_slice(&dst.to_be_bytes());
    frame
}

#[test]
fn each_connection_comes_to_the_queue_that_its_hash_names() {
    let place = place();
    let mut ours = listen(&place.socket, &ShmConfig::new(3)).unwrap();
    let mut theirs = visit(&place.socket, 2).unwrap();
    ours.iter_mut().for_each(|port| until(port, ShmPort::is_attached));
    let steer = Steer::new(0, 3);
    let mut expected = [0; 3];
    for src in 1_000..1_100 {
        assert!(send(&mut theirs[usize::from(src % 2)], &segment(src, 6653)));
        let owner = steer.owner_of([10, 0, 0, 1].into(), [10, 0, 0, 2].into(), src, 6653);
        expected[usize::from(owner)] += 1;
    }
    for (port, expected) in ours.iter_mut().zip(expected) {
        let got: usize = (0..100).map(|_| receive(port).len()).sum();
        assert!(got == expected && expected > 10, "{got} of {expected}");
    }
    // What has no hash goes from queue to queue.
    assert!(send(&mut ours[1], b"no frame at all"));
    assert_eq!((receive(&mut theirs[0]).len(), receive(&mut theirs[1]).len()), (0, 1));
}

#[test]
fn whoever_comes_next_waits_for_the_frames_of_the_one_before() {
    let place = place();
    let mut ours = one(listen(&place.socket, &ShmConfig::new(1)));
    let mut first = one(visit(&place.socket, 1));
    until(&mut ours, ShmPort::is_attached);
    for count in 0..100u8 {
        assert!(send(&mut first, &[1, count]));
    }
    drop(first);
    let limit = Wall::now() + PATIENCE;
    let mut second = loop {
        match visit(&place.socket, 1) {
            Ok(ports) => break one(Ok(ports)),
            Err(error) => assert!(Wall::now() < limit, "{error}"),
        }
    };
    for count in 0..10u8 {
        assert!(send(&mut second, &[2, count]));
    }
    let mut got = Vec::new();
    while got.len() < 110 {
        got.extend(receive(&mut ours));
        assert!(got.len() == 110 || rest(&mut ours, PATIENCE), "{} came", got.len());
    }
    let expected = (0..100).map(|count| vec![1, count]).chain((0..10).map(|count| vec![2, count]));
    assert!(got.into_iter().eq(expected));
    assert_eq!((ours.counters().sessions, ours.counters().tx_dropped), (2, 0));
}

#[test]
fn when_one_queue_hangs_up_the_others_do() {
    let place = place();
    let mut ours = listen(&place.socket, &ShmConfig::new(2)).unwrap();
    let visitor = visit(&place.socket, 1).unwrap();
    ours.iter_mut().for_each(|port| until(port, ShmPort::is_attached));
    let area = ours[0].area();
    let ring = area.shape().ring(1, 0, 0);
    area.word(ring.tail).store(u32::MAX, Ordering::Relaxed);
    drop(area);
    receive(&mut ours[0]);
    assert_eq!(ours[0].counters().broken, 1);
    // The second finds out when it is woken, or looks.
    ours[1].tick(ferroflow_stack::Instant::from_millis(1_000));
    ours[1].sync().unwrap();
    assert!(!ours[0].is_attached() && !ours[1].is_attached());
    let mut visitor = visitor;
    assert!(rest(&mut visitor[0], PATIENCE));
    let mut burst = Burst::new(1);
    visitor[0].rx(&mut burst);
    assert!(visitor[0].sync().is_err(), "and it says that the other end has ended");
}
