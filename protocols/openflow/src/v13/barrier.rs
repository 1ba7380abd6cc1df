use super::{MsgType, VERSION};

header_only! {
    /// `OFPT_BARRIER_REQUEST` (OF 1.3.5 7.3.8).
    BarrierRequest, VERSION, MsgType::OFPT_BARRIER_REQUEST
}

header_only! {
    /// `OFPT_BARRIER_REPLY` (OF 1.3.5 7.3.8).
    BarrierReply, VERSION, MsgType::OFPT_BARRIER_REPLY
}
