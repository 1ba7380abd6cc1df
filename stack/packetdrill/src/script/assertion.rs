//! `%{ assert tcpi_snd_cwnd == 10 }%`: the comparisons that packetdrill gives to Python, without Python.

use super::symbols;

/// Fields of Linux's `struct tcp_info`: name, offset, bytes.
const FIELDS: &[(&str, usize, usize)] = &[
    ("tcpi_state", 0, 1),
    ("tcpi_ca_state", 1, 1),
    ("tcpi_retransmits", 2, 1),
    ("tcpi_probes", 3, 1),
    ("tcpi_backoff", 4, 1),
    ("tcpi_options", 5, 1),
    ("tcpi_rto", 8, 4),
    ("tcpi_ato", 12, 4),
    ("tcpi_snd_mss", 16, 4),
    ("tcpi_rcv_mss", 20, 4),
    ("tcpi_unacked", 24, 4),
    ("tcpi_sacked", 28, 4),
    ("tcpi_lost", 32, 4),
    ("tcpi_retrans", 36, 4),
    ("tcpi_last_data_sent", 44, 4),
    ("tcpi_last_ack_sent", 48, 4),
    ("tcpi_last_data_recv", 52, 4),
    ("tcpi_last_ack_recv", 56, 4),
    ("tcpi_pmtu", 60, 4),
    ("tcpi_rcv_ssthresh", 64, 4),
    ("tcpi_rtt", 68, 4),
    ("tcpi_rttvar", 72, 4),
    ("tcpi_snd_ssthresh", 76, 4),
    ("tcpi_snd_cwnd", 80, 4),
    ("tcpi_advmss", 84, 4),
    ("tcpi_reordering", 88, 4),
    ("tcpi_rcv_rtt", 92, 4),
    ("tcpi_rcv_space", 96, 4),
    ("tcpi_total_retrans", 100, 4),
    ("tcpi_pacing_rate", 104, 8),
    ("tcpi_max_pacing_rate", 112, 8),
    ("tcpi_bytes_acked", 120, 8),
    ("tcpi_bytes_received", 128, 8),
    ("tcpi_segs_out", 136, 4),
    ("tcpi_segs_in", 140, 4),
    ("tcpi_notsent_bytes", 144, 4),
    ("tcpi_min_rtt", 148, 4),
    ("tcpi_data_segs_in", 152, 4),
    ("tcpi_data_segs_out", 156, 4),
    ("tcpi_delivery_rate", 160, 8),
    ("tcpi_busy_time", 168, 8),
    ("tcpi_rwnd_limited", 176, 8),
    ("tcpi_sndbuf_limited", 184, 8),
    ("tcpi_delivered", 192, 4),
    ("tcpi_delivered_ce", 196, 4),
    ("tcpi_bytes_sent", 200, 8),
    ("tcpi_bytes_retrans", 208, 8),
    ("tcpi_dsack_dups", 216, 4),
    ("tcpi_reord_seen", 220, 4),
    ("tcpi_rcv_ooopack", 224, 4),
    ("tcpi_snd_wnd", 228, 4),
    ("tcpi_rcv_wnd", 232, 4),
];

/// Bytes of `struct tcp_info` that may be asked for.
pub(super) const INFO_LEN: usize = 248;

/// Checks every assertion of `code` against `info`, what `getsockopt(TCP_INFO)` gave. Returns how many there were.
///
/// # Errors
/// The first one that is false, with the value; or what cannot be understood.
pub(super) fn check(code: &str, info: &[u8]) -> Result<usize, String> {
    let mut count = 0;
    for line in code.split(['\n', ';']).map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
        let rest = line
            .strip_prefix("assert ")
            .ok_or_else(|| format!("only 'assert a == b' is understood: {line}"))?;
        // Python's message after a comma is not evaluated.
        let condition = rest.split(',').next().unwrap_or(rest);
        for comparison in condition.split(" and ") {
            compare(comparison.trim(), info)?;
            count += 1;
        }
    }
    if count == 0 { Err("no assertion".into()) } else { Ok(count) }
}

fn compare(text: &str, info: &[u8]) -> Result<(), String> {
    let text = text.trim_matches(['(', ')']);
    let (operator, at) = ["==", "!=", "<=", ">=", "<", ">"]
        .iter()
        .find_map(|op| text.find(op).map(|at| (*op, at)))
        .ok_or_else(|| format!("no comparison: {text}"))?;
    let left = operand(text[..at].trim(), info)?;
    let right = operand(text[at + operator.len()..].trim(), info)?;
    let holds = match operator {
        "==" => left == right,
        "!=" => left != right,
        "<=" => left <= right,
        ">=" => left >= right,
        "<" => left < right,
        _ => left > right,
    };
    if holds { Ok(()) } else { Err(format!("assertion failed: {text} ({left} against {right})")) }
}

fn operand(text: &str, info: &[u8]) -> Result<i128, String> {
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    if let Some(value) = symbols::value(text) {
        return Ok(value.into());
    }
    // Two fields share a byte: their place in a C bit field is the machine's.
    let nibbles = || info.get(6).copied().ok_or_else(|| format!("TCP_INFO has no {text}"));
    match text {
        "tcpi_snd_wscale" => return Ok(i128::from(nibbles()? & 15)),
        "tcpi_rcv_wscale" => return Ok(i128::from(nibbles()? >> 4)),
        _ => {}
    }
    let (_, at, len) =
        FIELDS.iter().find(|(name, ..)| *name == text).ok_or_else(|| format!("unknown name: {text}"))?;
    let bytes = info.get(*at..at + len).ok_or_else(|| format!("TCP_INFO has no {text}"))?;
    Ok(bytes.iter().rev().fold(0, |value, b| value << 8 | i128::from(*b)))
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn fields_names_and_operators() {
        let mut info = [0u8; 104];
        info[0] = 1;
        info[6] = 0x73;
        info[80..84].copy_from_slice(&300u32.to_le_bytes());
        assert_eq!(
            check("assert tcpi_snd_cwnd == 300, tcpi_snd_cwnd\nassert tcpi_state == TCP_ESTABLISHED", &info),
            Ok(2)
        );
        assert_eq!(
            check("assert tcpi_snd_cwnd > 299 and tcpi_snd_cwnd <= 300; assert tcpi_unacked != 1", &info),
            Ok(3)
        );
        assert_eq!(check("assert tcpi_snd_wscale == 3 and tcpi_rcv_wscale == 7", &info), Ok(2));
        assert!(check("assert tcpi_snd_cwnd == 301", &info).expect_err("false").contains("300 against 301"));
        for bad in [
            "",
            "print(1)",
            "assert tcpi_snd_cwnd",
            "assert tcpi_nonsense == 1",
            "assert tcpi_bytes_sent == 0",
        ] {
            assert!(check(bad, &info).is_err(), "{bad}");
        }
    }
}
