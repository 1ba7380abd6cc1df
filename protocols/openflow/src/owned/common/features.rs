//! What a switch is and how it is set up.

use super::numbers::{Capabilities, ConfigFlags, MaxLen};
use ferroflow_wire::codec::FixedStr;
use ferroflow_wire::structure;

structure! {
    /// `ofp_switch_features` of 1.3 and later (OF 1.3.5 7.3.1).
    pub struct SwitchFeatures {
        datapath_id: u64,
        /// Packets that the switch can buffer.
        n_buffers: u32,
        n_tables: u8,
        /// 0 for the main connection.
        auxiliary_id: u8,
        _[2],
        capabilities: Capabilities,
        reserved: u32,
    }
}

structure! {
    /// `ofp_switch_config` of 1.3 and later (OF 1.3.5 7.3.2).
    pub struct SwitchConfig {
        flags: ConfigFlags,
        miss_send_len: MaxLen,
    }
}

structure! {
    /// `ofp_desc` (OF 1.3.5 7.3.5.1), `ofp_desc_stats` in 1.0.
    #[derive(Default)]
    pub struct Desc {
        mfr_desc: FixedStr<256>,
        hw_desc: FixedStr<256>,
        sw_desc: FixedStr<256>,
        serial_num: FixedStr<32>,
        dp_desc: FixedStr<256>,
    }
}
