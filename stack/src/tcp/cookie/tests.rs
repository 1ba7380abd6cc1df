use std::net::Ipv4Addr;

use super::*;
use crate::tcp::tcb::State;

const LOCAL: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const REMOTE: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const IRS: SeqNumber = SeqNumber(0xffff_fff0);
const NOW: Instant = Instant::from_secs(6400);

fn key(port: u16) -> Key {
    Key::new(LOCAL, 80, REMOTE, port)
}

fn secret() -> Secret {
    Secret::new(1, 2)
}

/// What the listener's options say of the receive buffer.
const BUFFER: Option<usize> = None;

fn made(key: &Key, irs: SeqNumber, mss: Option<u16>, now: Instant) -> SeqNumber {
    secret().cookie(key, irs, mss, BUFFER, now)
}

fn opened(key: &Key, irs: SeqNumber, cookie: SeqNumber, now: Instant) -> Option<u16> {
    secret().open_cookie(key, irs, cookie, BUFFER, now)
}

fn open(iss: SeqNumber) -> Open<'static> {
    Open { key: key(5000), token: 0, iss, ts_offset: 0x8000_0000, mss: 1460, options: &[] }
}

fn segment(flags: TcpFlags, seq: SeqNumber, ack: SeqNumber, options: TcpOptions) -> Segment<'static> {
    Segment { seq, ack, flags, window: 5000, urgent: 0, ecn: 0, options, payload: &[] }
}

#[test]
fn the_mss_comes_back_rounded_down() {
    let back = |mss| {
        let cookie = made(&key(5000), IRS, mss, NOW);
        opened(&key(5000), IRS, cookie, NOW)
    };
    let pairs = [(0, 64), (535, 64), (536, 536), (1219, 536), (1459, 1440), (1460, 1460), (65_535, 8940)];
    for (mss, want) in pairs {
        assert_eq!(back(Some(mss)), Some(want), "{mss}");
    }
    assert_eq!(back(None), Some(536));
}

#[test]
fn a_cookie_is_for_one_syn_one_instance_and_one_buffer() {
    let cookie = made(&key(5000), IRS, Some(1460), NOW);
    assert_eq!(opened(&key(5001), IRS, cookie, NOW), None);
    assert_eq!(opened(&key(5000), IRS + 1, cookie, NOW), None);
    assert_eq!(opened(&key(5000), IRS + 1, cookie + 1, NOW), None);
    assert_eq!(opened(&key(5000), IRS, cookie + (1 << 24), NOW), None);
    assert_eq!(secret().open_cookie(&key(5000), IRS, cookie, Some(0), NOW), None);
    assert_eq!(Secret::new(1, 3).open_cookie(&key(5000), IRS, cookie, BUFFER, NOW), None);
}

#[test]
fn a_cookie_lasts_until_the_next_epoch_ends() {
    // 6400 s is the beginning of an epoch
    let cookie = made(&key(5000), IRS, Some(1460), NOW);
    let valid = |s| opened(&key(5000), IRS, cookie, Instant::from_secs(s)).is_some();
    assert!(valid(6400) && valid(6463) && valid(6464) && valid(6527));
    assert!(!valid(6528) && !valid(6399) && !valid(6400 + 256 * 64 + 128));
    // the last of its epoch
    let cookie = made(&key(5000), IRS, Some(1460), Instant::from_secs(6463));
    assert!(opened(&key(5000), IRS, cookie, Instant::from_secs(6463) + EPOCH).is_some());
}

#[test]
fn cookies_grow_with_time_and_with_the_peers_sequence_numbers() {
    // RFC 6528: what is left of an old connection is behind the new one's window
    let at = |epoch: u64, irs| made(&key(5000), irs, Some(1460), NOW + EPOCH * epoch as u32);
    for epoch in 0..200 {
        assert!(at(epoch + 2, IRS).gt(at(epoch, IRS)));
        assert!(at(epoch, IRS + (1 << 25)).gt(at(epoch, IRS)));
    }
}

/// One in 2^28 numbers is valid: eight MSS values in each of two epochs.
#[test]
fn a_million_forged_cookies_are_refused() {
    let mut rng = fastrand::Rng::with_seed(4987);
    for n in 0..1_000_000u32 {
        let (irs, cookie) = (SeqNumber(rng.u32(..)), SeqNumber(rng.u32(..)));
        assert_eq!(opened(&key(n as u16), irs, cookie, NOW), None, "{n}: {irs:?} {cookie:?}");
    }
    // Those that know a valid one for another SYN, or its neighbourhood, know nothing.
    let known = made(&key(5000), IRS, Some(1460), NOW);
    for n in 1..200_000u32 {
        assert_eq!(opened(&key(5000), IRS + n, known + n, NOW), None, "{n}");
        assert_eq!(opened(&key(5000), IRS, known + n, NOW), None, "{n}");
        assert_eq!(opened(&key(5000), IRS, known - n, NOW), None, "{n}");
    }
}

#[test]
fn every_combination_of_options_comes_back_and_the_clock_never_runs_ahead() {
    for bits in 0..64u32 {
        let all = Remembered::from_ts(bits);
        for clock in [0, 5, 63, 64, 1000, u32::MAX, 0x8000_0001] {
            let ts = all.into_ts(clock);
            assert_eq!(Remembered::from_ts(ts), all);
            assert!(clock.wrapping_sub(ts) < 64, "{bits} {clock}");
        }
    }
    assert_eq!(Remembered::from_ts(0b11_0111), Remembered { window_scale: Some(7), sack: true, ecn: true });
    assert_eq!(Remembered::from_ts(0b00_1111), Remembered { window_scale: None, sack: false, ecn: false });
}

/// What a connection that came by cookie knows is what one with a place in the backlog knows.
#[test]
fn a_connection_by_cookie_is_like_any_other() {
    let config = TcpConfig::default();
    for bits in 0..16u32 {
        let with = |bit: u32| bits & (1 << bit) != 0;
        let syn_options = TcpOptions {
            mss: with(0).then_some(1360),
            window_scale: with(1).then_some(9),
            sack_permitted: with(2),
            timestamps: with(3).then_some((77, 0)),
            ..TcpOptions::NONE
        };
        let syn = segment(TcpFlags::SYN, IRS, SeqNumber(0), syn_options);
        let iss = made(&key(5000), IRS, syn_options.mss, NOW);
        let header = syn_ack(open(iss), &syn, NOW, &config).expect("a SYN,ACK");
        assert_eq!((header.seq, header.ack, header.flags), (iss, IRS + 1, TcpFlags::SYN | TcpFlags::ACK));
        assert_eq!(header.options.timestamps.is_some(), with(3));
        assert_eq!(header.options.window_scale.is_some(), with(1) && with(3));

        let later = NOW + Duration::from_millis(300);
        let echo = header.options.timestamps.map(|(clock, echo)| {
            assert_eq!(echo, 77);
            (78, clock)
        });
        let answer = TcpOptions { timestamps: echo, ..TcpOptions::NONE };
        let ack = segment(TcpFlags::ACK, IRS + 1, iss + 1, answer);
        let mss = opened(&key(5000), IRS, iss, later).expect("our cookie");
        let tcb = Tcb::from_cookie(open(iss), mss, &ack, later, &config).expect("a connection");

        let remembered =
            if with(3) { syn_options } else { TcpOptions { mss: syn_options.mss, ..TcpOptions::NONE } };
        let mut usual = Tcb::passive(
            open(iss),
            80,
            &segment(TcpFlags::SYN, IRS, SeqNumber(0), remembered),
            later,
            &config,
        );
        usual.output(later, &config, 0, &mut Sent(None));
        assert_eq!(tcb.state, State::SynReceived);
        assert_eq!((tcb.snd.wscale, tcb.rcv.wscale), (usual.snd.wscale, usual.rcv.wscale), "{bits:b}");
        assert_eq!((tcb.snd.mss, tcb.ts.is_some()), (usual.snd.mss, usual.ts.is_some()), "{bits:b}");
        assert_eq!((tcb.snd.una, tcb.snd.nxt, tcb.snd.max), (usual.snd.una, usual.snd.nxt, usual.snd.max));
        assert_eq!((tcb.rcv.nxt, tcb.rcv.adv), (usual.rcv.nxt, usual.rcv.adv));
        assert_eq!((tcb.listener, tcb.timed), (None, None));
    }
}

#[test]
fn an_echo_that_is_not_of_our_syn_ack_makes_no_connection() {
    let config = TcpConfig::default();
    let clock = (NOW.as_millis() as u32).wrapping_add(0x8000_0000);
    let begins = |echo| {
        let options = TcpOptions::timestamps(1, echo);
        let ack = segment(TcpFlags::ACK, IRS + 1, SeqNumber(1), options);
        Tcb::from_cookie(open(SeqNumber(0)), 1460, &ack, NOW, &config).is_some()
    };
    assert!(begins(clock) && begins(clock.wrapping_sub(128_000)));
    assert!(!begins(clock.wrapping_add(1)) && !begins(clock.wrapping_sub(129_000)) && !begins(0));
}
