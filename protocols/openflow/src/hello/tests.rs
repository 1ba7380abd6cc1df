use super::*;

const V10_13: VersionBitmap = VersionBitmap::of(&[Version::V1_0, Version::V1_3]);

#[test]
fn negotiation_table() {
    let only_10 = VersionBitmap::of(&[Version::V1_0]);
    let only_13 = VersionBitmap::of(&[Version::V1_3]);
    let v14_15 = VersionBitmap::of(&[Version::V1_4, Version::V1_5]);
    let v10_12_14 = VersionBitmap::of(&[Version::V1_0, Version::V1_2, Version::V1_4]);
    let yes = |v| Some(v);
    #[rustfmt::skip]
    let table = [
        // ours, their header, their bitmap, agreed
        // Both bitmaps: the highest common version, whatever the headers say.
        (V10_13, Version::V1_3, Some(V10_13), yes(Version::V1_3)),
        (V10_13, Version::V1_5, Some(v10_12_14), yes(Version::V1_0)),
        (V10_13, Version::V1_0, Some(only_13), yes(Version::V1_3)),
        (V10_13, Version::V1_5, Some(v14_15), None),
        (only_13, Version::V1_4, Some(v10_12_14), None),
        (V10_13, Version::V1_3, Some(VersionBitmap(0)), None),
        // No bitmap from them: the lower header version, if we speak it.
        (V10_13, Version::V1_0, None, yes(Version::V1_0)),
        (V10_13, Version::V1_3, None, yes(Version::V1_3)),
        (V10_13, Version::V1_2, None, None),
        (V10_13, Version::V1_1, None, None),
        // Open vSwitch: version 6, no bitmap.
        (V10_13, Version::V1_5, None, yes(Version::V1_3)),
        (only_10, Version::V1_5, None, yes(Version::V1_0)),
        (only_13, Version::V1_0, None, None),
        (V10_13, Version(0), None, None),
        (V10_13, Version(255), None, yes(Version::V1_3)),
        (VersionBitmap(0), Version::V1_0, None, None),
    ];
    for (ours, header, bitmap, agreed) in table {
        assert_eq!(negotiate(ours, header, bitmap).ok(), agreed, "{ours:?} {header:?} {bitmap:?}");
    }
}

#[test]
fn refusal_names_both_sides() {
    let none = negotiate(V10_13, Version::V1_2, None).unwrap_err();
    assert_eq!(none.to_string(), "no common OpenFlow version: we speak 1.0, 1.3, you offer up to 1.2");
    let bitmap = VersionBitmap::of(&[Version::V1_4, Version::V1_5]);
    let both = negotiate(V10_13, Version::V1_5, Some(bitmap)).unwrap_err();
    assert_eq!(both.to_string(), "no common OpenFlow version: we speak 1.0, 1.3, you speak 1.4, 1.5");
    let odd = negotiate(V10_13, Version(0), None).unwrap_err();
    assert_eq!(odd.to_string(), "no common OpenFlow version: we speak 1.0, 1.3, you offer version byte 0");
}

/// 1.1 is no version of ours, and the refusal says why.
#[test]
fn refusal_of_1_1() {
    let because = " (1.1 is not spoken: its fixed match and its actions are of no other version)";
    let header = negotiate(V10_13, Version::V1_1, None).unwrap_err();
    let we = "no common OpenFlow version: we speak 1.0, 1.3, you ";
    assert_eq!(header.to_string(), format!("{we}offer up to 1.1{because}"));
    let bitmap = negotiate(V10_13, Version::V1_1, Some(VersionBitmap::of(&[Version::V1_1]))).unwrap_err();
    assert_eq!(bitmap.to_string(), format!("{we}speak 1.1{because}"));
    let both = VersionBitmap::of(&[Version::V1_0, Version::V1_1]);
    assert_eq!(negotiate(V10_13, Version::V1_1, Some(both)), Ok(Version::V1_0));
}

#[test]
fn open_vswitch_hello() {
    let bytes = [6, 0, 0, 8, 0, 0, 0, 1];
    let hello = Hello::parse(&bytes).unwrap();
    assert_eq!(hello, Hello { version: Version::V1_5, xid: 1, bitmap: None });
    assert_eq!(hello.to_vec(), bytes);
}

#[test]
fn hello_with_bitmap() {
    #[rustfmt::skip]
    let bytes = [
        4, 0, 0, 16, 0, 0, 0, 9,    // version 4, OFPT_HELLO, length 16, xid 9
        0, 1, 0, 8,                 // OFPHET_VERSIONBITMAP, length 8
        0, 0, 0, 0b1_0010,          // versions 1 and 4
    ];
    let hello = Hello::offering(V10_13, 9);
    assert_eq!(hello.to_vec(), bytes);
    assert_eq!(Hello::parse(&bytes), Ok(hello));
}

#[test]
fn unknown_elements_are_skipped() {
    #[rustfmt::skip]
    let bytes = [
        6, 0, 0, 32, 0, 0, 0, 9,
        0, 7, 0, 5, 0xff, 0, 0, 0,  // unknown type, length 5, three bytes of padding
        0, 1, 0, 12, 0, 0, 0, 0x12, // bitmap of two words
        0, 0, 0, 1, 0, 0, 0, 0,
    ];
    assert_eq!(Hello::parse(&bytes).unwrap().bitmap, Some(V10_13));
}

#[test]
fn a_body_of_no_elements_is_ignored() {
    for body in [&[0, 7, 0, 0][..], &[0, 7, 0, 3, 0], &[0, 1, 0xff, 0xff, 1], &[0, 1, 0, 4], &[1, 2, 3]] {
        let mut bytes = vec![1, 0, 0, 8 + body.len() as u8, 0, 0, 0, 9];
        bytes.extend_from_slice(body);
        assert_eq!(Hello::parse(&bytes).unwrap().bitmap, None, "{body:?}");
    }
}

#[test]
fn wrong_length_is_an_error() {
    assert!(Hello::parse(&[1, 0, 0, 9, 0, 0, 0, 0]).is_err());
    assert!(Hello::parse(&[1, 0, 0, 7, 0, 0, 0]).is_err());
    let not_hello = Hello::parse(&[1, 1, 0, 8, 0, 0, 0, 0]).unwrap_err();
    assert_eq!(not_hello.field, "type");
}
