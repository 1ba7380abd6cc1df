use crate::profile::SLOTS;
use crate::{ERROR_STRING_LEN, ErrorCode, Profile};
use ferroflow_wire::codec::FixedStr;
use ferroflow_wire::structure;

structure! {
    /// ERROR. Its xid is that of the message in question.
    pub struct ErrorMsg {
        /// Type and code.
        error: ErrorCode as flat,
        /// The switch.
        device_id: u32,
        /// The slot, in profiles that have slots.
        slot: Option<u16> as only(SLOTS),
        _[6 in SLOTS],
        /// The code's symbol, such as `POFBRC_BAD_TYPE`. A switch may leave rubbish after the text's end.
        err_str: FixedStr<ERROR_STRING_LEN>,
    }
}

impl ErrorMsg {
    /// The error, with its symbol as text.
    ///
    /// ```
    /// use ferroflow_pof::{ErrorCode, ErrorMsg, Profile};
    ///
    /// let error = ErrorMsg::new(Profile::P140, 1, ErrorCode::BAD_TYPE);
    /// assert_eq!(error.error.to_string(), "BAD_REQUEST/BAD_TYPE");
    /// assert_eq!(error.err_str.to_text(), "POFBRC_BAD_TYPE");
    /// ```
    pub fn new(profile: Profile, device_id: u32, error: ErrorCode) -> Self {
        let text = error.symbol().unwrap_or_else(|| error.to_string());
        Self { error, device_id, slot: profile.has_slots().then_some(0), err_str: FixedStr::new(&text) }
    }
}
