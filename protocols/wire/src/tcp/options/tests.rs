use super::*;
use proptest::prelude::*;

fn s(n: u32) -> SeqNumber {
    SeqNumber(n)
}

fn sack(blocks: &[(u32, u32)]) -> SackBlocks {
    let mut sack = SackBlocks::NONE;
    for &(start, end) in blocks {
        assert!(sack.push(s(start), s(end)));
    }
    sack
}

fn bad(kind: u8) -> WireError {
    WireError { protocol: Protocol::Tcp, reason: Reason::BadOption(kind) }
}

#[test]
fn the_common_layout() {
    let bytes = [1, 1, 8, 10, 0, 0, 1, 0, 0, 0, 2, 0];
    assert_eq!(TcpOptions::parse(&bytes), Ok(TcpOptions::timestamps(256, 512)));
    assert_eq!(TcpOptions::parse(&bytes), TcpOptions::parse_all(&bytes));
    let mut buf = [0; 12];
    assert_eq!(TcpOptions::timestamps(256, 512).write(&mut buf), Ok(12));
    assert_eq!(buf, bytes);
}

#[test]
fn linux_layouts() {
    let written = |options: TcpOptions| {
        let mut buf = [0xee; MAX_OPTIONS_LEN];
        let len = options.write(&mut buf).unwrap();
        assert_eq!(len, options.len());
        assert_eq!(TcpOptions::parse(&buf[..len]), Ok(options));
        buf[..len].to_vec()
    };
    let none = TcpOptions::NONE;
    assert_eq!(written(none), []);
    assert_eq!(written(TcpOptions { user_timeout: Some(0x8002), ..none }), [28, 4, 0x80, 2]);
    assert_eq!(written(TcpOptions { mss: Some(536), ..none }), [2, 4, 2, 0x18]);
    assert_eq!(written(TcpOptions { sack_permitted: true, ..none }), [1, 1, 4, 2]);
    assert_eq!(
        written(TcpOptions { mss: Some(1460), sack_permitted: true, window_scale: Some(7), ..none }),
        [2, 4, 5, 0xb4, 1, 1, 4, 2, 1, 3, 3, 7]
    );
    assert_eq!(
        written(TcpOptions { mss: Some(1460), window_scale: Some(7), ..TcpOptions::timestamps(1, 2) }),
        [2, 4, 5, 0xb4, 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 3, 3, 7]
    );
    assert_eq!(
        written(TcpOptions { sack: sack(&[(16, 32)]), ..TcpOptions::timestamps(1, 2) }),
        [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 1, 5, 10, 0, 0, 0, 16, 0, 0, 0, 32]
    );
    assert_eq!(written(TcpOptions { sack: sack(&[(1, 2), (3, 4), (5, 6), (7, 8)]), ..none }).len(), 36);
}

#[test]
fn sack_blocks_that_do_not_fit_are_left_out() {
    let four = sack(&[(1, 2), (3, 4), (5, 6), (7, 8)]);
    let options = TcpOptions { sack: four, ..TcpOptions::timestamps(1, 2) };
    let mut buf = [0; MAX_OPTIONS_LEN];
    assert_eq!(options.write(&mut buf), Ok(40));
    assert_eq!(TcpOptions::parse(&buf).unwrap().sack, sack(&[(1, 2), (3, 4), (5, 6)]));
    let mut full = four;
    assert!(!full.push(s(9), s(10)));
    assert_eq!(full, four);
}

#[test]
fn odd_layouts() {
    // Unaligned, an unknown option, the end of the list, and rubbish behind it.
    let bytes = [8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 253, 4, 9, 9, 2, 4, 1, 0, 0, 2, 99];
    let options = TcpOptions::parse(&bytes).unwrap();
    assert_eq!((options.timestamps, options.mss), (Some((1, 2)), Some(256)));
    let raw: Vec<_> = TcpOptionIter::new(&bytes).map(Result::unwrap).collect();
    assert_eq!(
        raw,
        [
            TcpOption::Timestamps { value: 1, echo: 2 },
            TcpOption::Unknown { kind: 253, data: &[9, 9] },
            TcpOption::Mss(256)
        ]
    );
    let raw: Vec<_> =
        TcpOptionIter::new(&[1, 28, 4, 0x80, 5, 34, 2, 34, 6, 1, 2, 3, 4]).map(Result::unwrap).collect();
    assert_eq!(
        raw,
        [
            TcpOption::Nop,
            TcpOption::UserTimeout(0x8005),
            TcpOption::FastOpen(&[]),
            TcpOption::FastOpen(&[1, 2, 3, 4])
        ]
    );
    assert_eq!(TcpOptions::parse(&[2, 4, 1, 0, 2, 4, 2, 0]).unwrap().mss, Some(512), "the last one counts");
}

#[test]
fn impossible_lengths() {
    for (bytes, kind) in [
        (&[2u8][..], 2),
        (&[1, 1, 2], 2),
        (&[2, 0, 0, 0], 2),
        (&[99, 1, 0, 0], 99),
        (&[99, 5, 0, 0], 99),
        (&[2, 3, 0, 0], 2),
        (&[3, 4, 0, 0], 3),
        (&[4, 3, 0, 0], 4),
        (&[5, 2, 0, 0], 5),
        (&[5, 4, 0, 0], 5),
        (&[8, 4, 0, 0], 8),
        (&[28, 2, 0, 0], 28),
        (&[34, 4, 0, 0], 34),
    ] {
        assert_eq!(TcpOptions::parse(bytes), Err(bad(kind)), "{bytes:?}");
        let mut options = TcpOptionIter::new(bytes).skip_while(Result::is_ok);
        assert_eq!(options.next(), Some(Err(bad(kind))));
        assert_eq!(options.next(), None, "an error ends the list");
    }
    let mut five_blocks = vec![5, 42];
    five_blocks.resize(42, 0);
    assert_eq!(TcpOptions::parse(&five_blocks), Err(bad(5)));
}

pub(crate) fn any_options() -> impl Strategy<Value = TcpOptions> {
    let blocks = prop::collection::vec(any::<(u32, u32)>(), 0..=4);
    let mss_and_time = (any::<Option<u16>>(), any::<Option<u16>>());
    (mss_and_time, any::<Option<u8>>(), any::<bool>(), blocks, any::<Option<(u32, u32)>>()).prop_map(
        |((mss, user_timeout), window_scale, sack_permitted, blocks, timestamps)| TcpOptions {
            mss,
            window_scale,
            sack_permitted,
            sack: sack(&blocks),
            timestamps,
            user_timeout,
        },
    )
}

proptest! {
    #[test]
    fn round_trip(options in any_options()) {
        let mut buf = [0xee; MAX_OPTIONS_LEN];
        let len = options.write(&mut buf).unwrap();
        prop_assert_eq!((len, len % 4), (options.len(), 0));
        let back = TcpOptions::parse(&buf[..len]).unwrap();
        let kept = back.sack.len();
        prop_assert_eq!(back.sack.as_slice(), &options.sack.as_slice()[..kept]);
        prop_assert!(kept == options.sack.len() || len + 8 > MAX_OPTIONS_LEN, "blocks are left out only for want of room");
        prop_assert_eq!(TcpOptions { sack: options.sack, ..back }, options);
    }

    #[test]
    fn rubbish_ends(bytes in prop::collection::vec(any::<u8>(), 0..=40)) {
        prop_assert!(TcpOptionIter::new(&bytes).count() <= bytes.len());
        let result = TcpOptions::parse(&bytes);
        prop_assert_eq!(result, TcpOptions::parse_all(&bytes));
        prop_assert_eq!(result.is_err(), TcpOptionIter::new(&bytes).any(|o| o.is_err()));
    }
}
