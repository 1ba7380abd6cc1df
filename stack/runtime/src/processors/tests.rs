use std::collections::HashMap;

use super::*;

/// A made-up tree.
fn machine(files: &[(&str, &str)], allowed: Option<&[usize]>) -> Machine {
    let files: HashMap<_, _> = files.iter().copied().collect();
    Machine::read(|path| files.get(path).map(|text| format!("{text}\n")), allowed)
}

/// Two nodes of two physical cores with two hardware threads each; processor 5 is off, 3 and 7 are isolated.
const SERVER: &[(&str, &str)] = &[
    ("cpu/online", "0-4,6-7"),
    ("cpu/isolated", "3,7"),
    ("node/online", "0-1"),
    ("node/node0/cpulist", "0-1,4"),
    ("node/node1/cpulist", "2-3,6-7"),
    ("cpu/cpu0/topology/core_cpus_list", "0,4"),
    ("cpu/cpu1/topology/core_cpus_list", "1"),
    ("cpu/cpu2/topology/core_cpus_list", "2,6"),
    ("cpu/cpu3/topology/thread_siblings_list", "3,7"),
    ("cpu/cpu4/topology/core_cpus_list", "0,4"),
    ("cpu/cpu6/topology/core_cpus_list", "2,6"),
    ("cpu/cpu7/topology/thread_siblings_list", "3,7"),
];

#[test]
fn a_server_is_read() {
    let machine = machine(SERVER, Some(&[0, 1, 2, 4, 6]));
    let of = |id: usize| machine.processors().iter().find(|p| p.id == id).cloned();
    assert_eq!(machine.processors().iter().map(|p| p.id).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 6, 7]);
    let expected =
        Processor { id: 7, isolated: true, allowed: false, node: 1, thread: 1, siblings: vec![3, 7] };
    assert_eq!(of(7), Some(expected));
    let expected =
        Processor { id: 4, isolated: false, allowed: true, node: 0, thread: 1, siblings: vec![0, 4] };
    assert_eq!(of(4), Some(expected));
    assert_eq!(of(5), None, "it is off");
}

#[test]
fn physical_cores_come_before_second_threads_and_nodes_are_not_mixed() {
    assert_eq!(machine(SERVER, Some(&[0, 1, 2, 4, 6])).preferred(), [0, 1, 2, 4, 6]);
    assert_eq!(machine(SERVER, Some(&[0, 2, 4, 6])).preferred(), [0, 2, 4, 6]);
    assert_eq!(machine(SERVER, Some(&[4, 6])).preferred(), [4, 6], "nothing else is allowed");
    assert_eq!(machine(SERVER, None).preferred(), [3, 7, 0, 1, 2, 4, 6], "what was isolated was so for us");
}

#[test]
fn what_the_kernel_does_not_tell_is_taken_to_be_simple() {
    assert_eq!(machine(&[], Some(&[1, 3])).preferred(), [1, 3]);
    assert_eq!(machine(&[], None), Machine::default());
    let bare = machine(&[("cpu/online", "0-1"), ("cpu/isolated", ""), ("node/online", "0")], None);
    let simple =
        |id| Processor { id, isolated: false, allowed: true, node: 0, thread: 0, siblings: vec![id] };
    assert_eq!(bare.processors(), [simple(0), simple(1)]);
    let broken = machine(&[("cpu/online", "x"), ("cpu/cpu0/topology/core_cpus_list", "4")], Some(&[0]));
    assert_eq!(broken.processors(), [simple(0)]);
}

#[test]
fn a_list_names_processors_that_are_there() {
    let machine = machine(SERVER, None);
    assert_eq!(machine.check(&"7,0".parse().unwrap()), Ok(()));
    let error = machine.check(&"0,4-5".parse().unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "there is no processor 5 online; there are 0-4,6-7");
}

#[test]
fn lists_as_the_kernel_writes_them() {
    for (text, list) in [("0", vec![0]), ("0-3,8,10-11", vec![0, 1, 2, 3, 8, 10, 11])] {
        assert_eq!(parse_list(text).as_ref(), Some(&list));
        assert_eq!(text.parse(), Ok(CpuList(list.clone())));
        assert_eq!(CpuList(list).to_string(), text);
    }
    for bad in ["", "a", "3-1", "0-99999", "1,", "-1", "0 1"] {
        assert_eq!(parse_list(bad), None, "{bad:?}");
        assert_eq!(bad.parse::<CpuList>(), Err(BadCpuList::Syntax(bad.to_owned())));
    }
    assert_eq!("2,0-3".parse::<CpuList>(), Err(BadCpuList::Twice(2)));
    assert_eq!("3,0".parse::<CpuList>().unwrap().to_string(), "3,0", "the order is the cores'");
}

#[test]
fn this_machine_has_a_processor_for_us() {
    let here = Machine::here();
    let usable = here.preferred();
    assert!(!usable.is_empty());
    assert!(usable.iter().all(|id| here.processors().iter().any(|p| p.id == *id && p.siblings.contains(id))));
}
