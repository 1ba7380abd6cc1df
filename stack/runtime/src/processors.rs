//! Which processors there are to pin cores to.

use rustix::thread::sched_getaffinity;

const ONLINE: &str = "/sys/devices/system/cpu/online";

/// The processors that are online and that this process may use, by the kernel's own numbers, in order.
///
/// Empty when neither the kernel's list nor the process's affinity can be read.
pub fn available() -> Vec<usize> {
    let affinity = sched_getaffinity(None).ok();
    let online = std::fs::read_to_string(ONLINE).ok().and_then(|list| parse_list(list.trim()));
    match (online, affinity) {
        (Some(online), Some(allowed)) => online.into_iter().filter(|&cpu| allowed.is_set(cpu)).collect(),
        (Some(online), None) => online,
        (None, Some(allowed)) => (0..1024).filter(|&cpu| allowed.is_set(cpu)).collect(),
        (None, None) => Vec::new(),
    }
}

/// A list as the kernel writes it: `0-3,8,10-11`.
fn parse_list(list: &str) -> Option<Vec<usize>> {
    let mut cpus = Vec::new();
    for part in list.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        if first > last || last >= 1024 {
            return None;
        }
        cpus.extend(first..=last);
    }
    Some(cpus)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_lists() {
        assert_eq!(parse_list("0"), Some(vec![0]));
        assert_eq!(parse_list("0-3,8,10-11"), Some(vec![0, 1, 2, 3, 8, 10, 11]));
        for bad in ["", "a", "3-1", "0-99999", "1,"] {
            assert_eq!(parse_list(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn there_is_at_least_one() {
        assert!(!available().is_empty());
    }
}
