use super::{MsgType, VERSION};

header_only! {
    /// `OFPT_BARRIER_REQUEST` (OF 1.0 5.3.7).
    BarrierRequest, VERSION, MsgType::OFPT_BARRIER_REQUEST
}

header_only! {
    /// `OFPT_BARRIER_REPLY` (OF 1.0 5.3.7).
    BarrierReply, VERSION, MsgType::OFPT_BARRIER_REPLY
}
