//! OpenFlow codecs that parse in place and write into a given buffer.
#![forbid(unsafe_code)]
