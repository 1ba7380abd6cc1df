//! The OpenFlow 1.0 messages of a cbench switch, byte for byte.
//!
//! Written as plain bytes and not with the codec: these are fixed templates in which only ids and addresses change,
//! and building a packet_in is the generator's hot path.

/// The version byte of every message, OF 1.0 5.1.
pub const VERSION: u8 = 0x01;
/// Bytes of an OpenFlow header.
pub const HEADER_LEN: usize = 8;
/// Bytes of the packet_in that is sent as the question.
pub const PACKET_IN_LEN: usize = 82;
/// Bytes of the FEATURES_REPLY: 32 and four ports of 48.
pub const FEATURES_REPLY_LEN: usize = 224;
/// Bytes of the gratuitous ARP packet_in: 18, a frame of 64 and 2 of padding.
pub const LEARN_LEN: usize = 84;
/// Bytes of a description reply: 12 and the description's 1056.
pub const DESC_REPLY_LEN: usize = 1068;
/// Buffer ids run over 0..BUFFER_IDS, whatever FEATURES_REPLY said.
pub const BUFFER_IDS: u32 = 100_000;
/// `OFP_NO_BUFFER`: the whole frame is in the message.
pub const NO_BUFFER: u32 = 0xffff_ffff;

/// Message types (`ofp_type`), OF 1.0 5.1.
pub mod types {
    #![allow(missing_docs, reason = "the standard's names")]
    pub const HELLO: u8 = 0;
    pub const ERROR: u8 = 1;
    pub const ECHO_REQUEST: u8 = 2;
    pub const ECHO_REPLY: u8 = 3;
    pub const VENDOR: u8 = 4;
    pub const FEATURES_REQUEST: u8 = 5;
    pub const FEATURES_REPLY: u8 = 6;
    pub const GET_CONFIG_REQUEST: u8 = 7;
    pub const GET_CONFIG_REPLY: u8 = 8;
    pub const SET_CONFIG: u8 = 9;
    pub const PACKET_IN: u8 = 10;
    pub const PACKET_OUT: u8 = 13;
    pub const FLOW_MOD: u8 = 14;
    pub const STATS_REQUEST: u8 = 16;
    pub const STATS_REPLY: u8 = 17;
    pub const BARRIER_REQUEST: u8 = 18;
    pub const BARRIER_REPLY: u8 = 19;
}

/// Where a FLOW_MOD's command is, OF 1.0 5.3.3: after the header, a match of 40 bytes and the cookie.
const FLOW_MOD_COMMAND: usize = 56;
/// Where a FLOW_MOD names the buffer.
const FLOW_MOD_BUFFER: usize = 64;
/// Bytes of a FLOW_MOD without actions.
const FLOW_MOD_LEN: usize = 72;
/// Bytes of a PACKET_OUT without actions and data, OF 1.0 5.3.6.
const PACKET_OUT_LEN: usize = 16;

/// An IPv4 header from 192.168.0.40 to 192.168.1.40 with protocol 255, total length 50, TTL 64, its checksum right.
const IPV4: [u8; 20] = [0x45, 0, 0, 50, 0, 0, 0, 0, 64, 255, 0xf7, 0x2c, 192, 168, 0, 40, 192, 168, 1, 40];

/// A header of `kind` for a message of `len` bytes.
pub fn header(kind: u8, len: usize, xid: u32) -> [u8; HEADER_LEN] {
    let l = u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes();
    let x = xid.to_be_bytes();
    [VERSION, kind, l[0], l[1], x[0], x[1], x[2], x[3]]
}

/// The packet_in that asks: in_port 1, reason 0, a frame of 64 bytes to 80:00:00:00:00:id. The source address, the
/// xid and the buffer are filled in by [`patch_packet_in`].
pub fn packet_in(id: u8) -> [u8; PACKET_IN_LEN] {
    let mut m = [0; PACKET_IN_LEN];
    m[..8].copy_from_slice(&header(types::PACKET_IN, PACKET_IN_LEN, 0));
    m[12..14].copy_from_slice(&64u16.to_be_bytes()); // total_len
    m[14..16].copy_from_slice(&1u16.to_be_bytes()); // in_port; reason 0 = OFPR_NO_MATCH and a byte of padding follow
    m[18..24].copy_from_slice(&[0x80, 0, 0, 0, 0, id]);
    m[29] = id;
    m[30..32].copy_from_slice(&[0x08, 0x00]);
    m[32..52].copy_from_slice(&IPV4);
    for (i, b) in (0u8..).zip(&mut m[52..]) {
        *b = i;
    }
    m
}

/// Writes what differs from one packet_in to the next. The source address is 00:b0:b1:b2:b3:id, the bytes b being
/// `mac` with the lowest byte first.
#[inline(always)]
pub fn patch_packet_in(m: &mut [u8; PACKET_IN_LEN], xid: u32, buffer: u32, mac: u32) {
    m[4..8].copy_from_slice(&xid.to_be_bytes());
    m[8..12].copy_from_slice(&buffer.to_be_bytes());
    m[25..29].copy_from_slice(&mac.to_le_bytes());
}

/// The gratuitous ARP reply from port 2 by which a learning switch gets to know the destination: 80:00:00:00:00:id has
/// 192.168.id.40. Unbuffered.
pub fn learn(id: u8, xid: u32) -> [u8; LEARN_LEN] {
    let mac = [0x80, 0, 0, 0, 0, id];
    let ip = [192, 168, id, 40];
    let mut m = [0; LEARN_LEN];
    m[..8].copy_from_slice(&header(types::PACKET_IN, LEARN_LEN, xid));
    m[8..12].copy_from_slice(&NO_BUFFER.to_be_bytes());
    m[12..14].copy_from_slice(&64u16.to_be_bytes());
    m[14..16].copy_from_slice(&2u16.to_be_bytes());
    let f = &mut m[18..82];
    f[..6].fill(0xff);
    f[6..12].copy_from_slice(&mac);
    f[12..14].copy_from_slice(&[0x08, 0x06]);
    f[14..22].copy_from_slice(&[0, 1, 8, 0, 6, 4, 0, 2]); // Ethernet, IPv4, a reply: RFC 826
    f[22..28].copy_from_slice(&mac);
    f[28..32].copy_from_slice(&ip);
    f[32..38].copy_from_slice(&mac);
    f[38..42].copy_from_slice(&ip);
    m
}

/// FEATURES_REPLY: 256 buffers, 2 tables, no capabilities, actions 0x7ff, ports 1 to 4.
pub fn features_reply(dpid: u64, xid: u32) -> [u8; FEATURES_REPLY_LEN] {
    let mut m = [0; FEATURES_REPLY_LEN];
    m[..8].copy_from_slice(&header(types::FEATURES_REPLY, FEATURES_REPLY_LEN, xid));
    m[8..16].copy_from_slice(&dpid.to_be_bytes());
    m[16..20].copy_from_slice(&256u32.to_be_bytes());
    m[20] = 2;
    m[28..32].copy_from_slice(&0x7ffu32.to_be_bytes());
    for (i, p) in (1u8..).zip(m[32..].chunks_exact_mut(48)) {
        p[1] = i;
        p[2..8].copy_from_slice(&[0x02, 0, 0, 0, dpid as u8, i]);
        p[8..11].copy_from_slice(b"eth");
        p[11] = b'0' + i;
        p[32..36].copy_from_slice(&0xc0u32.to_be_bytes()); // OFPPF_10GB_FD | OFPPF_COPPER
    }
    m
}

/// GET_CONFIG_REPLY with the flags and miss_send_len last set.
pub fn config_reply(xid: u32, config: [u8; 4]) -> [u8; 12] {
    let mut m = [0; 12];
    m[..8].copy_from_slice(&header(types::GET_CONFIG_REPLY, 12, xid));
    m[8..].copy_from_slice(&config);
    m
}

/// The answer to VENDOR: ERROR, OFPET_BAD_REQUEST, OFPBRC_BAD_VENDOR; without data, as the original sends it.
pub fn vendor_error(xid: u32) -> [u8; 12] {
    let mut m = [0; 12];
    m[..8].copy_from_slice(&header(types::ERROR, 12, xid));
    m[9] = 1;
    m[11] = 3;
    m
}

/// STATS_REPLY of type OFPST_DESC, OF 1.0 5.3.5.
pub fn desc_reply(xid: u32) -> [u8; DESC_REPLY_LEN] {
    let mut m = [0; DESC_REPLY_LEN];
    m[..8].copy_from_slice(&header(types::STATS_REPLY, DESC_REPLY_LEN, xid));
    let version = concat!("version ", env!("CARGO_PKG_VERSION"));
    let fields = [
        (12, "Cbench - controller I/O benchmark"), // mfr_desc, 256 bytes
        (268, "this is actually software..."),     // hw_desc, 256
        (524, version),                            // sw_desc, 256
        (780, "none"),                             // serial_num, 32
        (812, "none"),                             // dp_desc, 256
    ];
    for (at, text) in fields {
        m[at..at + text.len()].copy_from_slice(text.as_bytes());
    }
    m
}

/// Whether a FLOW_MOD counts as an answer (its command is ADD or MODIFY_STRICT), and the buffer it names.
#[inline(always)]
pub fn flow_mod_answer(m: &[u8]) -> Option<u32> {
    // One comparison of lengths for both fields; a FLOW_MOD that is too short answers nothing.
    let m: &[u8; FLOW_MOD_LEN] = m.first_chunk()?;
    let command = u16::from_be_bytes([m[FLOW_MOD_COMMAND], m[FLOW_MOD_COMMAND + 1]]);
    // OFPFC_ADD = 0, OFPFC_MODIFY_STRICT = 2
    if command == 0 || command == 2 { Some(be32(m, FLOW_MOD_BUFFER)) } else { None }
}

/// Whether a PACKET_OUT counts as an answer (its data is not LLDP, under at most one VLAN tag), and the buffer it names.
#[inline]
pub fn packet_out_answer(m: &[u8]) -> Option<u32> {
    let head: &[u8; PACKET_OUT_LEN] = m.first_chunk()?;
    let frame = PACKET_OUT_LEN + usize::from(u16::from_be_bytes([head[14], head[15]]));
    let ethertype = |at: usize| Some(u16::from_be_bytes([*m.get(frame + at)?, *m.get(frame + at + 1)?]));
    let ethertype = match ethertype(12) {
        Some(0x8100) => ethertype(16),
        other => other,
    };
    if ethertype == Some(0x88cc) { None } else { Some(be32(head, 8)) }
}

#[inline(always)]
fn be32(m: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([m[at], m[at + 1], m[at + 2], m[at + 3]])
}

#[cfg(test)]
mod tests;
