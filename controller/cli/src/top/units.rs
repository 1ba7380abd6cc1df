//! Numbers in few places.

/// What is not known.
const NONE: &str = "–";

/// A count or a rate in at most five places: `9999`, `12.3k`, `1.23M`.
pub(super) fn amount(n: Option<f64>) -> String {
    let Some(n) = n else { return NONE.to_owned() };
    if n < 9_999.5 {
        // One in a hundred seconds is not nothing.
        return if n > 0.0 && n < 9.95 && n.fract() > 0.01 { format!("{n:.1}") } else { format!("{n:.0}") };
    }
    for (unit, size) in [("k", 1e3), ("M", 1e6), ("G", 1e9), ("T", 1e12)] {
        let scaled = n / size;
        if scaled < 9.995 {
            return format!("{scaled:.2}{unit}");
        }
        if scaled < 99.95 {
            return format!("{scaled:.1}{unit}");
        }
        if scaled < 999.5 {
            return format!("{scaled:.0}{unit}");
        }
    }
    "much".to_owned()
}

/// A mean in at most five places.
pub(super) fn ratio(n: Option<f64>) -> String {
    match n {
        Some(n) if n < 99.95 => format!("{n:.1}"),
        n => amount(n),
    }
}

/// A share of 0 to 1.
pub(super) fn percent(n: Option<f64>) -> String {
    n.map_or_else(|| NONE.to_owned(), |n| format!("{:.0}%", n * 100.0))
}

/// Seconds, in the two largest units.
pub(super) fn duration(s: u64) -> String {
    match s {
        0..60 => format!("{s} s"),
        60..3600 => format!("{} min {} s", s / 60, s % 60),
        3600..86_400 => format!("{} h {} min", s / 3600, s / 60 % 60),
        _ => format!("{} d {} h", s / 86_400, s / 3600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_keep_three_digits_and_five_places() {
        let all = [
            (0.0, "0"),
            (0.3, "0.3"),
            (1.0, "1"),
            (15.5, "16"),
            (9_999.4, "9999"),
            (9_999.5, "10.0k"),
            (99_949.0, "99.9k"),
            (99_950.0, "100k"),
            (999_499.0, "999k"),
            (999_500.0, "1.00M"),
            (25_600_000.0, "25.6M"),
            (1.5e9, "1.50G"),
            (1e30, "much"),
        ];
        for (n, text) in all {
            assert_eq!(amount(Some(n)), text);
        }
        assert_eq!(amount(None), "–");
        assert_eq!((ratio(Some(31.96)).as_str(), ratio(Some(131.0)).as_str()), ("32.0", "131"));
        assert_eq!((percent(Some(0.994)).as_str(), percent(None).as_str()), ("99%", "–"));
    }

    #[test]
    fn durations_are_in_two_units() {
        let all = [(59, "59 s"), (61, "1 min 1 s"), (3_723, "1 h 2 min"), (90_000, "1 d 1 h")];
        for (s, text) in all {
            assert_eq!(duration(s), text);
        }
    }
}
