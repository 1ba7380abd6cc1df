//! One whole message, read as everything that it could be.

use ferroflow_openflow::{Echo, Encode, ErrorMsg, Header, Hello, negotiate, v10, v13};
use std::fmt::Debug;

/// Tries the parser; what it reads is written, read again and must be the same. `exact`: what the message's type
/// keeps is everything but reserved bytes, so the text of both is the same too.
macro_rules! again {
    ($msg:expr, $($parser:path),* $(,)?) => {
        $(
            if let Ok(read) = $parser($msg) {
                let bytes = written(&read);
                match $parser(&bytes) {
                    Ok(second) => same(&read, &second, &bytes),
                    Err(error) => panic!("{} wrote what it cannot read: {error}", stringify!($parser)),
                }
            }
        )*
    };
}

fn written(message: &impl Encode) -> Vec<u8> {
    let bytes = message.to_vec();
    assert_eq!(bytes.len(), message.wire_len());
    bytes
}

fn same<M: Encode + Debug, N: Encode + Debug>(first: &M, second: &N, bytes: &[u8]) {
    assert_eq!(second.to_vec(), bytes, "writing is stable");
    let text = format!("{first:?}");
    // A description without its terminating zero is cut by a byte when written.
    if !text.contains("Desc(Desc") {
        assert_eq!(text, format!("{second:?}"));
    }
}

/// Reads `msg` by every parser there is.
pub fn read(msg: &[u8]) {
    let header = Header::parse(msg).expect("a whole message has a header");
    assert_eq!(usize::from(header.length), msg.len());
    let _ = (header.version.dotted(), header.version.to_string());
    if let Ok(hello) = Hello::parse(msg) {
        for ours in [v10::VERSION, v13::VERSION] {
            let ours = ferroflow_openflow::VersionBitmap::of(&[ours]);
            match negotiate(ours, hello.version, hello.bitmap) {
                Ok(version) => assert!(ours.contains(version)),
                Err(incompatible) => assert!(!incompatible.to_string().is_empty()),
            }
        }
    }
    if let Ok(error) = ErrorMsg::parse(msg) {
        let _ = (error.to_string(), error.failed(), error.names());
    }
    again!(msg, Hello::parse, Echo::parse, ErrorMsg::parse);
    again!(
        msg,
        v10::FeaturesRequest::parse,
        v10::FeaturesReply::parse,
        v10::GetConfigRequest::parse,
        v10::GetConfigReply::parse,
        v10::SetConfig::parse,
        v10::PacketIn::parse,
        v10::PacketOut::parse,
        v10::FlowMod::parse,
        v10::FlowRemoved::parse,
        v10::PortStatus::parse,
        v10::StatsRequest::parse,
        v10::StatsReply::parse,
        v10::BarrierRequest::parse,
        v10::BarrierReply::parse,
    );
    again!(
        msg,
        v13::FeaturesRequest::parse,
        v13::FeaturesReply::parse,
        v13::GetConfigRequest::parse,
        v13::GetConfigReply::parse,
        v13::SetConfig::parse,
        v13::PacketIn::parse,
        v13::PacketOut::parse,
        v13::FlowMod::parse,
        v13::FlowRemoved::parse,
        v13::PortStatus::parse,
        v13::MultipartRequest::parse,
        v13::MultipartReply::parse,
        v13::BarrierRequest::parse,
        v13::BarrierReply::parse,
    );
    if let Ok(packet) = v13::PacketIn::parse(msg) {
        let _ = (packet.in_port(), packet.is_truncated());
    }
    if let Ok(packet) = v10::PacketIn::parse(msg) {
        let _ = packet.is_truncated();
    }
}
