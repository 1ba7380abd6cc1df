//! Each kind of message is read to its end by tshark or by Open vSwitch, in one golden message at least: what neither reads, so
//! that nothing but the golden messages checks it, is in `neither.txt` with the reason.

use crate::golden::golden;
use crate::open_vswitch::{refused, said};
use crate::{check, dissected};
use cbench::lab::{Need, require};
use ferroflow_openflow::owned::AnyMessage;
use std::collections::BTreeSet;

/// Version and type, and of a multipart message (statistics) its type.
fn kind(bytes: &[u8]) -> String {
    let message = AnyMessage::decode(bytes).expect("what we wrote can be read");
    let view = serde_json::to_value(&message).expect("it has a view");
    let header = &view["header"];
    let ty = header["type"].as_str().unwrap_or_default();
    let part = view["type"].as_str().filter(|_| ty.contains("MULTIPART") || ty.contains("STATS"));
    format!("{} {ty} {}", header["version"], part.unwrap_or_default()).trim_end().to_owned()
}

#[test]
fn each_kind_is_read_by_one_of_both() {
    if !require(&[Need::Command("tshark"), Need::Command("ovs-ofctl")]) {
        return;
    }
    let folders = ["v10", "v12", "v13", "v14", "v15", "nicira"];
    let messages: Vec<_> = folders.iter().flat_map(|folder| golden(folder)).collect();
    let (packets, said) = (dissected(&messages), said(&messages));
    assert_eq!(packets.len(), messages.len());
    let (mut kinds, mut read) = (BTreeSet::new(), BTreeSet::new());
    for (((title, bytes), packet), said) in messages.iter().zip(&packets).zip(&said) {
        let kind = kind(bytes);
        // tshark does not know 1.2.
        let by_tshark = bytes[0] != 3 && !packet.is_malformed;
        if by_tshark || refused(title, bytes, said).is_none() {
            read.insert(kind.clone());
        }
        kinds.insert(kind);
    }
    assert!(kinds.len() > 200, "{}", kinds.len());
    let neither = kinds.difference(&read).cloned().collect();
    check(&neither, include_str!("neither.txt"), "neither.txt");
}
