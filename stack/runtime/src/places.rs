//! Which processors the cores' threads run on, and how they idle there.

use std::collections::BTreeSet;

use core_affinity::CoreId;
use rustix::thread::sched_getaffinity;

use crate::core::Idle;
use crate::processors::{CpuList, Machine, members};
use crate::runtime::Options;

/// Where the cores' threads are to run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Pin {
    /// Wherever the kernel puts them.
    No,
    /// Each on a processor of its own, chosen by [`Machine::preferred`]; without rights to do so, wherever the kernel
    /// puts it, with a warning.
    #[default]
    Auto,
    /// On these, in this order; what cannot be pinned there does not start.
    To(CpuList),
}

/// The processors for the cores, in turn, and how to idle there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Places {
    processors: Vec<usize>,
    must: bool,
    pub idle: Idle,
}

impl Places {
    pub fn new(options: &Options, machine: &Machine) -> Places {
        let (processors, must) = match &options.pin {
            Pin::To(list) => (list.0.clone(), true),
            Pin::Auto | Pin::No => (machine.preferred(), false),
        };
        let distinct = processors.iter().collect::<BTreeSet<_>>().len();
        // A core that spins takes its processor from the one that has something to do.
        let crowded = options.cores > distinct && distinct > 0;
        if crowded && options.pin != Pin::No {
            tracing::warn!(
                "{} cores on {distinct} processors: some share one, which is slower than fewer cores, and none spins",
                options.cores,
            );
        }
        Places {
            processors: if options.pin == Pin::No { Vec::new() } else { processors },
            must,
            idle: if crowded { Idle::Sleep } else { options.idle },
        }
    }

    /// The place of a core.
    pub fn of(&self, core: usize) -> Option<Place> {
        let processor = *self.processors.get(core % self.processors.len().max(1))?;
        Some(Place { processor, must: self.must })
    }
}

/// One core's processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub processor: usize,
    /// Whether the core may run elsewhere if need be.
    pub must: bool,
}

impl Place {
    /// Pins the calling thread, and looks whether the kernel did so.
    pub fn take(self) -> Result<(), NotPinned> {
        let id = self.processor;
        core_affinity::set_for_current(CoreId { id });
        let allowed = sched_getaffinity(None).map(|set| members(&set)).unwrap_or_default();
        if allowed == [id] { Ok(()) } else { Err(NotPinned { processor: id, allowed: CpuList(allowed) }) }
    }
}

/// A thread that is not where it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the kernel does not let it run on processor {processor} alone (it may run on {allowed}): \
     name others with --cpus, or ask whoever limits this process (taskset, the container's cpuset)"
)]
pub struct NotPinned {
    processor: usize,
    allowed: CpuList,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(cpus: &[usize]) -> Machine {
        Machine::read(|_| None, Some(cpus))
    }

    fn of(options: &Options, machine: &Machine) -> (Vec<Option<usize>>, Idle) {
        let places = Places::new(options, machine);
        ((0..options.cores).map(|core| places.of(core).map(|p| p.processor)).collect(), places.idle)
    }

    #[test]
    fn cores_beyond_the_processors_go_round_and_never_spin() {
        let machine = machine(&[0, 1, 5]);
        let spin = |cores, pin| Options { idle: Idle::Spin, pin, ..Options::new(cores) };
        let list = |cpus: &[usize]| Pin::To(CpuList(cpus.to_vec()));
        assert_eq!(of(&spin(2, Pin::Auto), &machine), (vec![Some(0), Some(1)], Idle::Spin));
        assert_eq!(
            of(&spin(5, Pin::Auto), &machine),
            (vec![Some(0), Some(1), Some(5), Some(0), Some(1)], Idle::Sleep)
        );
        assert_eq!(of(&spin(2, list(&[5, 0])), &machine), (vec![Some(5), Some(0)], Idle::Spin));
        assert_eq!(of(&spin(3, list(&[5, 0])), &machine), (vec![Some(5), Some(0), Some(5)], Idle::Sleep));
        assert_eq!(of(&spin(2, list(&[1, 1])), &machine), (vec![Some(1), Some(1)], Idle::Sleep));
    }

    #[test]
    fn cores_without_a_place_share_what_there_is() {
        let machine = machine(&[0, 1]);
        let free = |cores| Options { pin: Pin::No, ..Options::new(cores) };
        assert_eq!(of(&free(2), &machine), (vec![None, None], Idle::Adaptive));
        assert_eq!(of(&free(3), &machine), (vec![None, None, None], Idle::Sleep));
        assert_eq!(of(&Options::new(1), &Machine::default()), (vec![None], Idle::Adaptive));
    }

    #[test]
    fn a_processor_that_is_not_there_is_no_place() {
        // In a thread of its own: pinning is for good.
        let error = std::thread::spawn(|| Place { processor: 1023, must: true }.take().unwrap_err());
        let error = error.join().unwrap().to_string();
        assert!(error.starts_with("the kernel does not let it run on processor 1023 alone"), "{error}");
    }
}
