//! Frames whose transport checksum their sender has left to a card that there is not: XDP shows them as they are.

const ETHERNET: usize = 14;
const IPV4: [u8; 2] = [0x08, 0x00];
const TCP: u8 = 6;
const UDP: u8 = 17;

/// Whether a frame's transport checksum is that of the pseudo-header alone, which Linux leaves for the card to go on with,
/// and that is not by chance the right one.
pub(super) fn has_partial_checksum(frame: &[u8]) -> bool {
    look(frame).unwrap_or(false)
}

fn look(frame: &[u8]) -> Option<bool> {
    if frame.get(12..ETHERNET)? != IPV4 {
        return None;
    }
    let ip = frame.get(ETHERNET..)?;
    let header = usize::from(ip.first()? & 0x0f) * 4;
    let protocol = *ip.get(9)?;
    let at = match protocol {
        TCP => 16,
        UDP => 6,
        _ => return None,
    };
    let total = usize::from(u16::from_be_bytes([*ip.get(2)?, *ip.get(3)?]));
    let len = u16::try_from(total.checked_sub(header)?).ok()?;
    // RFC 9293 3.1: addresses, protocol and length.
    let pseudo = sum(ip.get(12..20)?) + u32::from(protocol) + u32::from(len);
    let field = ip.get(header + at..header + at + 2)?;
    if field != fold(pseudo).to_be_bytes() {
        return Some(false);
    }
    let segment = ip.get(header..total)?;
    Some(fold(pseudo + u32::from(fold(sum(segment)))) != 0xffff)
}

/// The 16-bit words added; a frame has too few of them for an overflow.
fn sum(bytes: &[u8]) -> u32 {
    let words = bytes.chunks_exact(2);
    let last = words.remainder().first().map_or(0, |&b| u32::from(b) << 8);
    words.map(|w| u32::from(u16::from_be_bytes([w[0], w[1]]))).sum::<u32>() + last
}

/// With the carries added in (RFC 1071 1).
fn fold(sum: u32) -> u16 {
    let sum = (sum & 0xffff) + (sum >> 16);
    ((sum & 0xffff) + (sum >> 16)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use ferroflow_wire::tcp;
    use std::net::Ipv4Addr;

    fn frame(partial: bool) -> Vec<u8> {
        let (src, dst) = (Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(192, 168, 255, 254));
        let mut frame = vec![0; ETHERNET + 20 + 20 + 7];
        frame[12..14].copy_from_slice(&IPV4);
        let ip = &mut frame[ETHERNET..];
        ip[0] = 0x45;
        ip[3] = 47;
        ip[9] = TCP;
        ip[12..16].copy_from_slice(&src.octets());
        ip[16..20].copy_from_slice(&dst.octets());
        let segment = &mut ip[20..];
        segment[12] = 0x50;
        segment[20..].copy_from_slice(b"payload");
        let done = if partial {
            tcp::fill_partial_checksum(segment, src, dst)
        } else {
            tcp::fill_checksum(segment, src, dst)
        };
        done.unwrap();
        frame
    }

    #[test]
    fn partial_and_whole_checksums_are_told_apart() {
        assert!(has_partial_checksum(&frame(true)));
        assert!(!has_partial_checksum(&frame(false)));
    }

    /// The payload makes the right checksum that of the pseudo-header.
    #[test]
    fn a_right_checksum_is_not_partial_by_chance() {
        let mut frame = frame(true);
        let field: [u8; 2] = frame[ETHERNET + 36..][..2].try_into().unwrap();
        let found = (0..=u16::MAX).find(|word| {
            frame[ETHERNET + 40..][..2].copy_from_slice(&word.to_be_bytes());
            let mut whole = frame.clone();
            let segment = &mut whole[ETHERNET + 20..];
            tcp::fill_checksum(segment, Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(192, 168, 255, 254))
                .unwrap();
            segment[16..18] == field
        });
        assert!(found.is_some());
        assert!(!has_partial_checksum(&frame));
    }

    #[test]
    fn short_frames_have_none() {
        let whole = frame(true);
        for len in 0..whole.len() {
            assert!(!has_partial_checksum(&whole[..len]), "{len}");
        }
    }
}
