//! Which transfers may run side by side: those that wait most of their time.

/// Shares of the bottleneck that run at once. A transfer that needs more than half of it runs alone.
const CAPACITY: f64 = 1.0;

/// The first of the `pending` (each by the share of the bottleneck that it may take) that fits beside the `running`.
pub fn next(mut pending: impl Iterator<Item = f64>, running: &[f64], at_once: usize) -> Option<usize> {
    let taken: f64 = running.iter().map(|&share| cost(share)).sum();
    if running.len() >= at_once {
        return None;
    }
    pending.position(|share| taken + cost(share) <= CAPACITY + 1e-9)
}

fn cost(share: f64) -> f64 {
    if share > 0.5 { CAPACITY } else { share }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pick(pending: &[f64], running: &[f64]) -> Option<usize> {
        next(pending.iter().copied(), running, 4)
    }

    #[test]
    fn what_fills_the_way_runs_alone_and_what_waits_fits_beside_others() {
        assert_eq!(pick(&[1.0, 0.1], &[]), Some(0));
        assert_eq!(pick(&[1.0, 0.1], &[0.1]), Some(1), "the large one waits for its turn");
        assert_eq!(pick(&[0.6], &[0.1]), None);
        assert_eq!(pick(&[0.3], &[0.3, 0.4]), Some(0));
        assert_eq!(pick(&[0.3], &[1.0]), None);
        assert_eq!(pick(&[0.1], &[0.1; 4]), None, "so many at once and no more");
        assert_eq!(pick(&[], &[]), None);
    }
}
