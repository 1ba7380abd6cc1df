use super::*;
use proptest::prelude::*;

/// The definition, word by word.
fn reference(bytes: &[u8]) -> u16 {
    let mut sum = 0u32;
    for pair in bytes.chunks(2) {
        sum += u32::from(pair[0]) << 8 | pair.get(1).copied().map_or(0, u32::from);
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[test]
fn rfc1071_example() {
    // RFC 1071 3: the words 0001 f203 f4f5 f6f7 sum up to ddf2.
    let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
    assert_eq!(Sum::of(&bytes).folded(), 0xddf2);
    assert_eq!(checksum(&bytes), !0xddf2);
}

#[test]
fn rfc1624_example() {
    // RFC 1624 4: the checksum dd2f, a word changing from 5555 to 3285, becomes 0000 and not ffff.
    assert_eq!(update_u16(0xdd2f, 0x5555, 0x3285), 0x0000);
}

#[test]
fn empty_and_odd() {
    assert_eq!(checksum(&[]), 0xffff);
    assert_eq!(checksum(&[0xab]), !0xab00);
}

#[test]
fn no_carry_is_lost_in_the_largest_frame() {
    let bytes = vec![0xff; 70_001];
    assert_eq!(checksum(&bytes), reference(&bytes));
}

#[test]
fn pseudo_header_is_twelve_bytes_summed() {
    let (src, dst) = (Ipv4Addr::new(192, 168, 1, 2), Ipv4Addr::new(10, 77, 0, 1));
    let bytes = [192, 168, 1, 2, 10, 77, 0, 1, 0, 6, 0x12, 0x34];
    assert_eq!(pseudo_header_v4(src, dst, 6, 0x1234), Sum::of(&bytes));
}

proptest! {
    #[test]
    fn agrees_with_the_definition(bytes: Vec<u8>) {
        prop_assert_eq!(checksum(&bytes), reference(&bytes));
    }

    #[test]
    fn parts_combine(bytes in prop::collection::vec(any::<u8>(), 0..300), at: prop::sample::Index) {
        let (a, b) = bytes.split_at(at.index(bytes.len() + 1));
        let (a_sum, b_sum) = (Sum::of(a), Sum::of(b));
        let sum = if a.len() % 2 == 0 { a_sum.combine(b_sum) } else { a_sum.combine_at_odd(b_sum) };
        prop_assert_eq!(sum.checksum(), reference(&bytes));
        if a.len() % 2 == 0 {
            prop_assert_eq!(a_sum.add_bytes(b), sum);
        }
    }

    #[test]
    fn update_agrees_with_recomputation(
        mut bytes in prop::collection::vec(any::<u8>(), 4..100),
        at: prop::sample::Index,
        new: u32,
    ) {
        // A constant word keeps the sum from being all zero, where 0000 and ffff are both right (RFC 1624 3).
        bytes.splice(..0, [0, 1]);
        let at = at.index((bytes.len() - 4) / 2) * 2 + 2;
        prop_assume!(at + 4 <= bytes.len());
        let old = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        let before = checksum(&bytes);
        bytes[at..at + 4].copy_from_slice(&new.to_be_bytes());
        prop_assert_eq!(update_u32(before, old, new), checksum(&bytes));
        let words = update_u16(before, (old >> 16) as u16, (new >> 16) as u16);
        prop_assert_eq!(update_u16(words, old as u16, new as u16), checksum(&bytes));
    }

    #[test]
    fn data_with_its_checksum_is_valid(mut bytes in prop::collection::vec(any::<u8>(), 2..200), flip: prop::sample::Index) {
        bytes[0] = 0;
        bytes[1] = 0;
        let sum = checksum(&bytes);
        bytes[..2].copy_from_slice(&sum.to_be_bytes());
        prop_assert!(Sum::of(&bytes).is_valid());
        let bit = flip.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(!Sum::of(&bytes).is_valid(), "one flipped bit is always seen");
    }
}
