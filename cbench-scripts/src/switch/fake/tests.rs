use super::*;

const LATENCY: Profile = Profile { throughput: false, macs: 3, learn: false, delay: Duration::ZERO };
const THROUGHPUT: Profile = Profile { throughput: true, ..LATENCY };

struct Rig {
    switch: FakeSwitch,
    out: SendRing,
    record: Record,
    now: Instant,
}

impl Rig {
    fn new(profile: Profile) -> Rig {
        let record = Record { on: true, ..Record::new() };
        Rig {
            switch: FakeSwitch::new(5, profile),
            out: SendRing::new(1 << 20),
            record,
            now: Instant::from_secs(1),
        }
    }

    fn ready(profile: Profile) -> Rig {
        let mut rig = Rig::new(profile);
        rig.feed(&request(types::FEATURES_REQUEST));
        rig.take();
        rig
    }

    fn feed(&mut self, bytes: &[u8]) {
        let mut rx = Rx::new(bytes, &[]);
        self.switch.receive(&mut rx, &mut self.out, self.now, &mut self.record).expect("well-formed");
        assert_eq!(rx.remaining(), 0);
    }

    fn fill(&mut self) -> bool {
        self.switch.fill(&mut self.out, self.now)
    }

    fn take(&mut self) -> Vec<u8> {
        let mut all = vec![0; self.out.len()];
        self.out.copy_out(0, &mut all);
        self.out.consume(all.len());
        all
    }
}

fn request(kind: u8) -> Vec<u8> {
    msg::header(kind, 8, 77).to_vec()
}

fn flow_mod(buffer: u32) -> Vec<u8> {
    let mut m = vec![0; 80];
    m[..8].copy_from_slice(&msg::header(types::FLOW_MOD, 80, 1));
    m[64..68].copy_from_slice(&buffer.to_be_bytes());
    m
}

fn packet_out(buffer: u32) -> Vec<u8> {
    let mut m = vec![0; 16];
    m[..8].copy_from_slice(&msg::header(types::PACKET_OUT, 16, 1));
    m[8..12].copy_from_slice(&buffer.to_be_bytes());
    m
}

fn buffer_of(m: &[u8]) -> u32 {
    u32::from_be_bytes(m[8..12].try_into().expect("4 bytes"))
}

#[test]
fn handshake_then_learn_then_questions() {
    let mut rig = Rig::new(Profile { learn: true, ..LATENCY });
    rig.switch.hello(&mut rig.out);
    assert_eq!(rig.take(), msg::header(types::HELLO, 8, 1));
    assert!(!rig.fill(), "nothing before FEATURES_REQUEST");
    rig.feed(&[request(types::HELLO), request(types::FEATURES_REQUEST)].concat());
    assert_eq!(rig.take(), msg::features_reply(5, 77));
    assert!(rig.fill());
    let sent = rig.take();
    assert_eq!(sent[..84], msg::learn(5, 1));
    let mut question = msg::packet_in(5);
    msg::patch_packet_in(&mut question, 2, 1, 0);
    assert_eq!(sent[84..], question);
}

#[test]
fn delay_puts_questions_off() {
    let mut rig = Rig::new(Profile { delay: Duration::from_millis(20), ..LATENCY });
    rig.feed(&request(types::FEATURES_REQUEST));
    rig.take();
    assert_eq!(rig.switch.deadline(), Some(rig.now + Duration::from_millis(20)));
    rig.now += Duration::from_millis(19);
    assert!(!rig.fill());
    rig.feed(&flow_mod(1));
    rig.now += Duration::from_millis(1);
    assert!(rig.fill());
    assert_eq!(rig.switch.count(), 0, "an answer before the first question does not count");
}

#[test]
fn latency_mode_has_one_question_outstanding() {
    let mut rig = Rig::ready(LATENCY);
    assert!(rig.fill());
    assert!(!rig.fill());
    assert_eq!(rig.take().len(), 82);
    rig.now += Duration::from_micros(40);
    rig.feed(&flow_mod(1));
    assert!(rig.fill());
    assert_eq!(rig.take().len(), 82);
    assert_eq!(rig.record.latency.len(), 1);
    assert!(rig.record.latency.equivalent(rig.record.latency.max(), 40_000));
    // A flow_mod and a packet_out for one question score two, and never give a credit for more than one question.
    rig.feed(&[flow_mod(2), packet_out(2), packet_out(2)].concat());
    assert!(rig.fill());
    assert!(!rig.fill());
    assert_eq!(rig.switch.count(), 4);
    assert_eq!(rig.record.latency.len(), 2);
    assert_eq!(rig.switch.take_count(), 4);
    assert!(rig.fill(), "a new loop asks again");
}

#[test]
fn throughput_mode_keeps_799_questions_queued_and_cycles() {
    let mut rig = Rig::ready(THROUGHPUT);
    assert!(rig.fill());
    let sent = rig.take();
    assert_eq!(sent.len(), 799 * 82);
    for (i, m) in sent.chunks(82).enumerate() {
        let mut expected = msg::packet_in(5);
        msg::patch_packet_in(&mut expected, i as u32 + 1, i as u32 + 1, i as u32 % 3);
        assert_eq!(m, expected);
    }
    assert!(rig.fill());
    rig.out.consume(82 * 10);
    assert!(rig.fill());
    assert_eq!(rig.out.len(), 799 * 82, "topped up");
    assert!(!rig.fill());
    rig.take();
    while buffer_of(&{
        rig.fill();
        let all = rig.take();
        all[all.len() - 82..].to_vec()
    }) > 1000
    {}
    rig.fill();
    let first = buffer_of(&rig.take());
    assert!(first < 2000, "buffer ids run over 0..100,000: {first}");
}

#[test]
fn throughput_samples_the_question_whose_buffer_is_named() {
    let mut rig = Rig::ready(THROUGHPUT);
    rig.fill();
    rig.now += Duration::from_millis(3);
    rig.feed(&flow_mod(2));
    assert_eq!(rig.record.latency.len(), 0, "buffer 1 is the sample");
    rig.feed(&flow_mod(1));
    assert_eq!(rig.record.latency.len(), 1);
    assert_eq!(rig.switch.count(), 2);
}

#[test]
fn small_ring_keeps_room_for_replies() {
    let mut rig = Rig::ready(THROUGHPUT);
    rig.out = SendRing::new(65_536);
    assert!(rig.fill());
    rig.feed(&request(types::ECHO_REQUEST));
    assert!(rig.out.len() > 60_000);
}

#[test]
fn replies() {
    let mut rig = Rig::ready(LATENCY);
    let mut echo = request(types::ECHO_REQUEST);
    echo.extend([1, 2, 3]);
    echo[3] = 11;
    rig.feed(&echo);
    assert_eq!(rig.take(), msg::header(types::ECHO_REPLY, 8, 77), "the payload is dropped");
    rig.feed(&request(types::BARRIER_REQUEST));
    assert_eq!(rig.take(), msg::header(types::BARRIER_REPLY, 8, 77));
    let mut set = msg::header(types::SET_CONFIG, 12, 1).to_vec();
    set.extend([0, 0, 0xff, 0xff]);
    rig.feed(&set);
    assert!(rig.take().is_empty());
    rig.feed(&request(types::GET_CONFIG_REQUEST));
    assert_eq!(rig.take(), msg::config_reply(77, [0, 0, 0xff, 0xff]));
    let stats = |kind: u8| [&msg::header(types::STATS_REQUEST, 12, 77)[..], &[0, kind, 0, 0]].concat();
    rig.feed(&stats(0));
    assert_eq!(rig.take(), msg::desc_reply(77));
    rig.feed(&stats(4));
    assert!(rig.take().is_empty(), "port stats are ignored without a word");
    rig.feed(&request(types::VENDOR));
    assert_eq!(rig.take(), msg::vendor_error(77));
    assert_eq!(rig.record.ignored.iter().sum::<u64>(), 0);
    rig.feed(&request(types::ERROR));
    assert_eq!(rig.record.ignored[1], 1);
}

#[test]
fn messages_in_any_pieces_count_alike() {
    let stream = [flow_mod(1), packet_out(2), request(types::ECHO_REQUEST), flow_mod(3)].concat();
    for first in 0..stream.len() {
        for second in [first, (first + 5).min(stream.len()), stream.len()] {
            let mut rig = Rig::ready(THROUGHPUT);
            for piece in [&stream[..first], &stream[first..second], &stream[second..]] {
                rig.feed(piece);
            }
            assert_eq!(rig.switch.count(), 3, "cut at {first} and {second}");
            assert_eq!(rig.take().len(), 8);
        }
    }
    let mut rig = Rig::ready(THROUGHPUT);
    for b in &stream {
        rig.feed(&[*b]);
    }
    assert_eq!(rig.switch.count(), 3);
    let (a, b) = stream.split_at(90);
    rig.switch.receive(&mut Rx::new(a, b), &mut rig.out, rig.now, &mut rig.record).expect("well-formed");
    assert_eq!(rig.switch.count(), 6, "in two pieces of one event");
}

#[test]
fn discarding_keeps_the_framing() {
    let stream = [flow_mod(1), flow_mod(2)].concat();
    let mut rig = Rig::ready(THROUGHPUT);
    rig.switch.discard(&mut Rx::new(&stream[..100], &[])).expect("well-formed");
    rig.feed(&stream[100..]);
    assert_eq!(rig.switch.count(), 1, "the second message was begun in the pause and ended after it");
}

#[test]
fn no_room_leaves_the_request_for_later() {
    let mut rig = Rig::ready(LATENCY);
    rig.out = SendRing::new(4096);
    rig.out.write(&[0; 4090]);
    let stream = [flow_mod(1), request(types::BARRIER_REQUEST), flow_mod(2)].concat();
    // Also when the request's own bytes came in two pieces.
    for cut in [0, 84] {
        let mut rx = Rx::new(&stream[..cut], &stream[cut..]);
        rig.switch.receive(&mut rx, &mut rig.out, rig.now, &mut rig.record).expect("well-formed");
        assert_eq!(rig.switch.count(), 1);
        let mut rest = stream[stream.len() - rx.remaining()..].to_vec();
        rig.out.consume(100);
        rig.feed(&rest);
        assert_eq!(rig.switch.take_count(), 2);
        let n = rig.out.len();
        assert_eq!(n, 4090 - 100 + 8);
        rig.out.write(&[0; 92]);
        rest.clear();
    }
}

#[test]
fn length_below_a_header_is_refused() {
    let mut rig = Rig::ready(LATENCY);
    let bad = [1, types::HELLO, 0, 7, 0, 0, 0, 0];
    let r = rig.switch.receive(&mut Rx::new(&bad, &[]), &mut rig.out, rig.now, &mut rig.record);
    assert_eq!(r, Err(Malformed { length: 7 }));
    let mut rig = Rig::ready(LATENCY);
    let (a, b) = bad.split_at(3);
    let r = rig.switch.receive(&mut Rx::new(a, b), &mut rig.out, rig.now, &mut rig.record);
    assert_eq!(r, Err(Malformed { length: 7 }));
}
