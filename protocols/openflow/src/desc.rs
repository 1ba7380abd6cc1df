use crate::encode::Writer;
use std::borrow::Cow;
use std::fmt;

/// Length of `ofp_desc` in bytes.
pub(crate) const DESC_LEN: usize = 4 * 256 + 32;

/// `ofp_desc_stats` (1.0) and `ofp_desc` (1.3): who made the switch (OF 1.0 5.3.5, OF 1.3.5 7.3.5.1).
///
/// Each field holds the bytes before the terminating zero. What does not fit when writing is cut.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Desc<'a> {
    /// Manufacturer; at most 255 bytes.
    pub mfr_desc: &'a [u8],
    /// Hardware; at most 255 bytes.
    pub hw_desc: &'a [u8],
    /// Software; at most 255 bytes.
    pub sw_desc: &'a [u8],
    /// Serial number; at most 31 bytes.
    pub serial_num: &'a [u8],
    /// The datapath, for people; at most 255 bytes.
    pub dp_desc: &'a [u8],
}

impl<'a> Desc<'a> {
    pub(crate) fn read(b: &'a [u8; DESC_LEN]) -> Self {
        Self {
            mfr_desc: until_zero(&b[..256]),
            hw_desc: until_zero(&b[256..512]),
            sw_desc: until_zero(&b[512..768]),
            serial_num: until_zero(&b[768..800]),
            dp_desc: until_zero(&b[800..]),
        }
    }

    pub(crate) fn write_to(&self, w: &mut Writer<'_>) {
        let sizes = [256, 256, 256, 32, 256];
        for (field, size) in self.fields().iter().zip(sizes) {
            let kept = field.len().min(size - 1);
            w.bytes(&field[..kept]);
            w.zeros(size - kept);
        }
    }

    fn fields(&self) -> [&'a [u8]; 5] {
        [self.mfr_desc, self.hw_desc, self.sw_desc, self.serial_num, self.dp_desc]
    }

    /// One of the fields as text, with what is not UTF-8 replaced.
    pub fn text(field: &'a [u8]) -> Cow<'a, str> {
        String::from_utf8_lossy(field)
    }
}

impl fmt::Debug for Desc<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [mfr, hw, sw, serial, dp] = self.fields().map(Desc::text);
        f.debug_struct("Desc")
            .field("mfr_desc", &mfr)
            .field("hw_desc", &hw)
            .field("sw_desc", &sw)
            .field("serial_num", &serial)
            .field("dp_desc", &dp)
            .finish()
    }
}

fn until_zero(field: &[u8]) -> &[u8] {
    field.split(|&b| b == 0).next().unwrap_or(field)
}
