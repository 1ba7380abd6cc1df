use std::sync::{Arc, Mutex};

use ferroflow_stack::Instant;
use ferroflow_stack::port::pcap::Pcap;
use ferroflow_stack::port::pipe::{PipeConfig, pair};
use ferroflow_stack::port::{Burst, Port};

use super::*;

#[derive(Debug, Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Interface and time of each packet block, in the order of the file.
fn packets(mut file: &[u8]) -> Vec<(u32, u64)> {
    let word = |bytes: &[u8], at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let mut packets = Vec::new();
    while !file.is_empty() {
        let (block, rest) = file.split_at(word(file, 4) as usize);
        if word(block, 0) == 6 {
            packets.push((word(block, 8), u64::from(word(block, 12)) << 32 | u64::from(word(block, 16))));
        }
        file = rest;
    }
    packets
}

fn send_one(port: &mut impl Port, now: Instant) {
    port.tick(now);
    let mut burst = Burst::new(1);
    let frame = port.alloc(60).unwrap();
    burst.push(frame).unwrap();
    assert_eq!(port.tx(&mut burst), 1);
}

#[test]
fn two_cores_in_the_order_of_time() {
    let memory = Memory::default();
    let names = ["a".to_owned(), "b".to_owned()];
    let (file, captures) = CaptureFile::write_to(memory.clone(), "test", &names, 0).unwrap();
    let (ports, _peers) = pair(PipeConfig::new(2));
    let mut ports: Vec<_> = ports.into_iter().zip(captures).map(|(p, c)| Pcap::new(p, c)).collect();
    let start = clock::now();
    let at = |us: u64| start + Duration::from_micros(us);
    // What a core has to say comes late, but not as late as LAG.
    for us in [10, 30, 50] {
        send_one(&mut ports[0], at(us));
    }
    for us in [20, 40, 60] {
        send_one(&mut ports[1], at(us));
    }
    drop(ports);
    file.finish().unwrap();
    let bytes = memory.0.lock().unwrap();
    let seen = packets(&bytes);
    assert!(seen.is_sorted_by_key(|packet| packet.1), "{seen:?}");
    assert_eq!(seen.iter().map(|packet| packet.0).collect::<Vec<_>>(), [0, 1, 0, 1, 0, 1]);
    let wall = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64;
    assert!(wall.abs_diff(seen[0].1) < 60_000_000_000, "{} is not the time of day", seen[0].1);
}

#[test]
fn a_file_that_cannot_be_written_ends_the_capture_and_nothing_else() {
    #[derive(Debug)]
    struct Full(u32);
    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += 1;
            if self.0 == 1 { Ok(bytes.len()) } else { Err(io::ErrorKind::StorageFull.into()) }
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let (file, captures) = CaptureFile::write_to(Full(0), "test", &["a".to_owned()], 0).unwrap();
    let (mut ports, mut peers) = pair(PipeConfig::new(1));
    let capture = captures.into_iter().next().unwrap();
    let mut port = Pcap::new(ports.pop().unwrap(), capture);
    let mut burst = Burst::new(1);
    for _ in 0..100 {
        send_one(&mut port, clock::now());
        port.sync().unwrap();
        assert_eq!(peers[0].rx(&mut burst), 1);
        peers[0].release(burst.pop().unwrap());
        peers[0].sync().unwrap();
    }
    drop(port);
    assert_eq!(file.finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
}
