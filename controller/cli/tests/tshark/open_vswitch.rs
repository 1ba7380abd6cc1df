//! Open Vswitch on the same messages, and on those of 1.2, which tshark does not know: `ovs-ofctl ofp-parse` has to read all of
//! them but those in `open_vswitch.txt`, where it says for each why it cannot. A line more is a failure, and so is one less.

use crate::check;
use crate::golden::golden;
use cbench::lab::{Need, require};
use ferroflow_openflow::owned::AnyMessage;
use std::collections::BTreeSet;
use std::process::Command;

/// An echo request of 1.0 that is put behind each message, so that what is said of it can be told from what follows.
fn mark(xid: u32) -> Vec<u8> {
    [&[1, 2, 0, 8][..], &xid.to_be_bytes()].concat()
}

/// What `ofp-parse` says of each message.
pub fn said(messages: &[(String, Vec<u8>)]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("messages");
    let marked = messages.iter().zip(0xf000_0000..).flat_map(|((_, m), xid)| [&m[..], &mark(xid)].concat());
    std::fs::write(&file, marked.collect::<Vec<u8>>()).expect("a file");
    let output = Command::new("ovs-ofctl").arg("ofp-parse").arg(&file).output().expect("ovs-ofctl runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    let mut rest = &text[..];
    let mut said = Vec::new();
    for ((title, _), xid) in messages.iter().zip(0xf000_0000_u32..) {
        let mark = format!("OFPT_ECHO_REQUEST (xid={xid:#x}): 0 bytes of payload\n");
        let (of_it, others) = rest.split_once(&mark).unwrap_or_else(|| panic!("lost at {title}: {rest}"));
        said.push(of_it.to_owned());
        rest = others;
    }
    said
}

/// What is not read of a message: its version, type and title, and the name of the error.
pub fn refused(title: &str, bytes: &[u8], said: &str) -> Option<String> {
    let message = AnyMessage::decode(bytes).expect("what we wrote can be read");
    let view = serde_json::to_value(&message).expect("it has a view");
    let header = &view["header"];
    let Some((_, rest)) = said.split_once("***decode error: ") else {
        let xid = format!("(xid={:#x})", header["xid"].as_u64().expect("a number"));
        assert!(said.contains(&xid), "{title}: no {xid} in {said}");
        return None;
    };
    let error = rest.split("***").next().unwrap_or_default();
    Some(format!("{} {}: {title}: {error}", header["version"], header["type"].as_str().unwrap_or("?")))
}

#[test]
fn open_vswitch_reads_what_we_write() {
    if !require(&[Need::Command("ovs-ofctl")]) {
        return;
    }
    let folders = ["v10", "v12", "v13", "v14", "v15", "nicira"];
    let messages: Vec<_> = folders.iter().flat_map(|folder| golden(folder)).collect();
    assert!(messages.len() >= 120, "{}", messages.len());
    let said = said(&messages);
    let refused: BTreeSet<String> =
        messages.iter().zip(&said).filter_map(|((title, bytes), said)| refused(title, bytes, said)).collect();
    check(&refused, include_str!("open_vswitch.txt"), "open_vswitch.txt");
}
