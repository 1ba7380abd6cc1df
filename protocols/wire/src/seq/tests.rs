use super::*;

fn s(n: u32) -> SeqNumber {
    SeqNumber(n)
}

#[test]
fn comparison_wraps() {
    assert!(s(0xffff_fff0).lt(s(0x10)));
    assert!(s(0x10).gt(s(0xffff_fff0)));
    assert!(!s(0x10).lt(s(0xffff_fff0)));
    assert!(s(5).le(s(5)) && s(5).ge(s(5)) && !s(5).lt(s(5)) && !s(5).gt(s(5)));
    assert_eq!(s(0xffff_fff0).max(s(0x10)), s(0x10));
    assert_eq!(s(0xffff_fff0).min(s(0x10)), s(0xffff_fff0));
    assert_eq!(s(0x10).diff(s(0xffff_fff0)), 0x20);
    assert_eq!(s(0xffff_fff0).diff(s(0x10)), -0x20);
}

#[test]
fn arithmetic_wraps() {
    assert_eq!(s(u32::MAX) + 1, s(0));
    assert_eq!(s(0) - 1u32, s(u32::MAX));
    assert_eq!(s(1) - s(u32::MAX), 2);
    let mut n = s(u32::MAX);
    n += 3;
    n -= 1;
    assert_eq!(n, s(1));
}

#[test]
fn windows() {
    assert!(s(u32::MAX).in_window(s(u32::MAX), 1));
    assert!(s(1).in_window(s(u32::MAX), 3));
    assert!(!s(2).in_window(s(u32::MAX), 3));
    assert!(!s(7).in_window(s(7), 0), "a closed window holds nothing");
    assert!(!s(6).in_window(s(7), u32::MAX), "the number before the window is outside even of the widest");
}

proptest::proptest! {
    #[test]
    fn order_agrees_with_distance(a: u32, forward in 1u32..0x8000_0000) {
        let (a, b) = (s(a), s(a) + forward);
        assert!(a.lt(b) && a.le(b) && b.gt(a) && b.ge(a));
        assert!(!b.lt(a) && !b.le(a) && !a.gt(b) && !a.ge(b));
        assert_eq!((b - a, a.max(b), a.min(b)), (forward, b, a));
    }
}
