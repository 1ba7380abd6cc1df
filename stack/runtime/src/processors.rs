//! The machine's processors as the kernel describes them in sysfs, and which of them cores are pinned to.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use rustix::thread::{CpuSet, sched_getaffinity};

/// Where the kernel describes processors and memory nodes.
const SYSFS: &str = "/sys/devices/system";

/// One processor that is online.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Processor {
    /// The kernel's number.
    pub id: usize,
    /// Whether the scheduler leaves it alone (`isolcpus`): nothing runs there but what is pinned to it.
    pub isolated: bool,
    /// Whether this process may run there without asking (its affinity).
    pub allowed: bool,
    /// The memory node that it is close to.
    pub node: usize,
    /// Its place among the hardware threads of one physical core: 0 is the first.
    pub thread: usize,
    /// All hardware threads of its physical core, itself among them.
    pub siblings: Vec<usize>,
}

/// The processors that are online, in the order of their numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Machine {
    processors: Vec<Processor>,
}

impl Machine {
    /// This machine, as far as the kernel tells.
    pub fn here() -> Machine {
        let affinity = sched_getaffinity(None).ok().map(|set| members(&set));
        Machine::read(|path| std::fs::read_to_string(format!("{SYSFS}/{path}")).ok(), affinity.as_deref())
    }

    /// The machine that `file` describes: the content of a file, by its path below `/sys/devices/system`. What is missing
    /// is taken to be as simple as can be: one node, one hardware thread per core, nothing isolated, and as many
    /// processors as `allowed`, the process's affinity, names (`None` = it may run anywhere).
    pub fn read(file: impl Fn(&str) -> Option<String>, allowed: Option<&[usize]>) -> Machine {
        let list = |path: &str| file(path).and_then(|text| parse_list(text.trim()));
        let online = list("cpu/online").or(allowed.map(<[usize]>::to_vec)).unwrap_or_default();
        let isolated = list("cpu/isolated").unwrap_or_default();
        let nodes: Vec<(usize, Vec<usize>)> = list("node/online")
            .unwrap_or_default()
            .into_iter()
            .filter_map(|node| Some((node, list(&format!("node/node{node}/cpulist"))?)))
            .collect();
        let processor = |id: usize| {
            let siblings = list(&format!("cpu/cpu{id}/topology/core_cpus_list"))
                .or_else(|| list(&format!("cpu/cpu{id}/topology/thread_siblings_list")))
                .filter(|all| all.contains(&id))
                .unwrap_or_else(|| vec![id]);
            Processor {
                id,
                isolated: isolated.contains(&id),
                allowed: allowed.is_none_or(|set| set.contains(&id)),
                node: nodes.iter().find(|(_, cpus)| cpus.contains(&id)).map_or(0, |&(node, _)| node),
                thread: siblings.iter().position(|&other| other == id).unwrap_or(0),
                siblings,
            }
        };
        Machine {
            processors: online.into_iter().collect::<BTreeSet<_>>().into_iter().map(processor).collect(),
        }
    }

    /// The processors that are online.
    pub fn processors(&self) -> &[Processor] {
        &self.processors
    }

    /// The processors that this process may use, the best first: isolated ones, then one hardware thread of each
    /// physical core, node by node, and the second threads last.
    pub fn preferred(&self) -> Vec<usize> {
        let mut usable: Vec<_> = self.processors.iter().filter(|p| p.allowed).collect();
        usable.sort_by_key(|p| (!p.isolated, p.thread, p.node, p.id));
        usable.into_iter().map(|p| p.id).collect()
    }

    /// Whether every processor of `list` is there. Whether this process may use it shows when it is pinned.
    ///
    /// # Errors
    /// The first that is not, and which there are.
    pub fn check(&self, list: &CpuList) -> Result<(), NoSuchCpu> {
        let online: Vec<_> = self.processors.iter().map(|p| p.id).collect();
        match list.0.iter().find(|id| !online.contains(id)) {
            Some(&id) => Err(NoSuchCpu { id, online: CpuList(online) }),
            None => Ok(()),
        }
    }
}

/// A processor that is not there, or is switched off.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no processor {id} online; there are {online}")]
pub struct NoSuchCpu {
    id: usize,
    online: CpuList,
}

/// Processors by number, each once, in the order in which cores are to be put on them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CpuList(pub Vec<usize>);

/// What is no list of processors.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadCpuList {
    /// It is not written as one.
    #[error("{0:?} is no list of processors: write numbers and ranges, for example 0,2-3")]
    Syntax(String),
    /// A processor is named twice.
    #[error("processor {0} is named twice: one core each")]
    Twice(usize),
}

impl FromStr for CpuList {
    type Err = BadCpuList;

    fn from_str(text: &str) -> Result<CpuList, BadCpuList> {
        let list = parse_list(text).ok_or_else(|| BadCpuList::Syntax(text.to_owned()))?;
        let mut seen = BTreeSet::new();
        match list.iter().find(|&&id| !seen.insert(id)) {
            Some(&id) => Err(BadCpuList::Twice(id)),
            None => Ok(CpuList(list)),
        }
    }
}

impl fmt::Display for CpuList {
    /// As the kernel writes it: `0-3,8`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ranges = self.0.chunk_by(|a, b| a + 1 == *b).map(|run| match run {
            [one] => one.to_string(),
            _ => format!("{}-{}", run[0], run[run.len() - 1]),
        });
        f.write_str(&ranges.collect::<Vec<_>>().join(","))
    }
}

/// The numbers in a set of the kernel's.
pub(crate) fn members(set: &CpuSet) -> Vec<usize> {
    (0..CpuSet::MAX_CPU).filter(|&cpu| set.is_set(cpu)).collect()
}

/// A list as the kernel writes it: `0-3,8,10-11`.
fn parse_list(list: &str) -> Option<Vec<usize>> {
    let mut cpus = Vec::new();
    for part in list.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        if first > last || last >= CpuSet::MAX_CPU {
            return None;
        }
        cpus.extend(first..=last);
    }
    Some(cpus)
}

#[cfg(test)]
mod tests;
