//! The model of the way, in virtual time.

use super::*;

const MS: Duration = Duration::from_millis(1);

/// A frame of `len` bytes that carries its number.
fn frame(number: u32, len: usize) -> Vec<u8> {
    let mut frame = vec![0; len];
    frame[12..14].copy_from_slice(&[8, 0]);
    frame[20..24].copy_from_slice(&number.to_be_bytes());
    frame
}

fn number(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes[20..24].try_into().unwrap())
}

/// All that is under way, as (number, when).
fn drain(path: &mut Path) -> Vec<(u32, Instant)> {
    let mut all = Vec::new();
    while let Some(at) = path.next() {
        let arrived = path.pop(at).expect("it is due");
        assert_eq!(arrived.due, at);
        all.push((number(arrived.bytes), at));
    }
    all
}

fn at(micros: u64) -> Instant {
    Instant::from_nanos(micros * 1000)
}

#[test]
fn a_frame_takes_its_time_on_the_wire_and_half_the_round_trip() {
    // 1250 bytes at 100 Mbit/s are 100 us.
    let mut path = Path::new(Way::clean(100_000_000, 10 * MS).link(), 1);
    path.push(at(0), 3, &frame(1, 1250));
    path.push(at(50), 4, &frame(2, 1250));
    path.push(at(1000), 5, &frame(3, 1250));
    assert!(path.pop(at(5099)).is_none());
    let first = path.pop(at(5100)).unwrap();
    assert_eq!((first.from, first.due, first.bytes), (3, at(5100), &frame(1, 1250)[..]));
    assert_eq!(drain(&mut path), [(2, at(5200)), (3, at(6100))]);
}

#[test]
fn the_queue_drops_at_its_tail_and_holds_a_bandwidth_delay_product() {
    // 100 Mbit/s by 20 ms are 250,000 bytes: 200 frames, and the one that finds the last of them just begun.
    let mut path = Path::new(Way::clean(100_000_000, 20 * MS).link(), 1);
    for n in 0..300 {
        path.push(at(0), 0, &frame(n, 1250));
    }
    assert_eq!(path.counters().queue_full, 99);
    let arrived = drain(&mut path);
    assert_eq!(arrived.iter().map(|a| a.0).collect::<Vec<_>>(), (0..201).collect::<Vec<_>>());
    assert_eq!(arrived[200].1, at(10_000 + 201 * 100), "nothing leaves faster than the rate");
    // At no distance there are still 64 KiB.
    let mut short = Path::new(Way::clean(200_000_000, Duration::ZERO).link(), 1);
    (0..100).for_each(|n| short.push(at(0), 0, &frame(n, 1514)));
    assert_eq!(drain(&mut short).len(), 65_536 / 1514 + 1);
}

#[test]
fn what_is_lost_is_the_wanted_share_and_follows_from_the_seed() {
    let way = Way { loss: 0.03, ..Way::clean(1_000_000_000, MS) };
    let run = |seed| {
        let mut path = Path::new(way.link(), seed);
        let mut arrived = Vec::new();
        for n in 0..100_000 {
            path.push(at(u64::from(n) * 20), 0, &frame(n, 100));
            while let Some(a) = path.pop(at(u64::from(n) * 20)) {
                arrived.push(number(a.bytes));
            }
        }
        arrived.extend(drain(&mut path).iter().map(|a| a.0));
        let lost = path.counters().lost;
        assert_eq!(arrived.len() as u64 + lost, 100_000);
        assert!(arrived.is_sorted());
        assert!((2_800..3_200).contains(&lost), "{lost} of 100,000");
        arrived
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}

#[test]
fn held_up_frames_are_overtaken_by_at_most_an_eighth_of_the_round_trip() {
    let way = Way { reorder: 0.05, ..Way::clean(200_000_000, 80 * MS) };
    let mut path = Path::new(way.link(), 5);
    // A frame every 100 us, more slowly than the wire takes them.
    for n in 0..4_000 {
        path.push(at(u64::from(n) * 100), 0, &frame(n, 1000));
    }
    let arrived = drain(&mut path);
    assert_eq!(arrived.len(), 4_000);
    let late = path.counters().late;
    assert!((150..250).contains(&late), "{late} of 4,000");
    let mut held = 0;
    for &(n, when) in &arrived {
        let on_time = at(u64::from(n) * 100 + 40 + 40_000);
        assert!(when >= on_time && when.since(on_time) < 10 * MS, "frame {n} at {when:?}");
        held += u64::from(when > on_time);
    }
    assert_eq!(held, late);
}

#[test]
fn duplicates_are_whole_and_later() {
    let way = Way { duplicate: 0.5, ..Way::clean(200_000_000, 2 * MS) };
    let mut path = Path::new(way.link(), 9);
    for n in 0..1000 {
        path.push(at(u64::from(n) * 100), 0, &frame(n, 200 + n as usize % 50));
    }
    let twice = path.counters().duplicated;
    assert!((400..600).contains(&twice), "{twice}");
    let mut times = [0; 1000];
    while let Some(when) = path.next() {
        let arrived = path.pop(when).unwrap();
        let n = number(arrived.bytes);
        assert_eq!(arrived.bytes, frame(n, 200 + n as usize % 50));
        times[n as usize] += 1;
    }
    assert!(times.iter().all(|&n| n == 1 || n == 2));
    assert_eq!(times.iter().map(|&n| u64::from(n == 2)).sum::<u64>(), twice);
}

#[test]
fn arp_passes_unharmed() {
    let way = Way { loss: 1.0, ..Way::clean(1_000_000, 4 * MS) };
    let mut path = Path::new(way.link(), 1);
    let mut arp = frame(1, 42);
    arp[12..14].copy_from_slice(&ETHERTYPE_ARP);
    path.push(at(0), 0, &frame(2, 42));
    path.push(at(0), 0, &arp);
    assert_eq!(drain(&mut path), [(1, at(2000))]);
    assert_eq!(path.counters().lost, 1);
}

#[test]
fn room_is_bounded_and_comes_back() {
    let mut path = Path::new(Way::clean(1_000_000, Duration::ZERO).link(), 1);
    let mut slow = LinkConfig { bits_per_second: None, ..*path.link.config() };
    slow.delay = 100 * MS;
    path.link.configure(slow);
    for _ in 0..3 {
        for n in 0..10_000 {
            path.push(at(0), 0, &frame(n, 60));
        }
        let room = path.slots.len();
        assert_eq!(drain(&mut path).len(), room);
        assert_eq!(path.free.len(), room);
    }
    path.push(at(0), 0, &frame(1, FRAME_MAX + 1));
    assert!(path.next().is_none(), "too long a frame is not carried");
}
