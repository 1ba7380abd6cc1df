//! Who may know whom: the crates of the workspace are held to the table of ARCHITECTURE.md.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// A crate, its folder, and the crates of ours that it may depend on.
type Row = (&'static str, &'static str, &'static [&'static str]);

const MAY_KNOW: &[Row] = &[
    ("ferroflow-wire", "protocols/wire", &[]),
    ("ferroflow-openflow", "protocols/openflow", &["ferroflow-wire"]),
    ("ferroflow-pof", "protocols/pof", &["ferroflow-wire"]),
    ("ferroflow-stack", "stack", &["ferroflow-wire"]),
    ("ferroflow-ports", "stack/ports", &["ferroflow-stack", "ferroflow-wire"]),
    ("ferroflow-runtime", "stack/runtime", &["ferroflow-stack", "ferroflow-ports"]),
    ("ferroflow-packetdrill", "stack/packetdrill", &["ferroflow-stack", "ferroflow-wire"]),
    // The app contract hands out wire's views of a packet_in's frame.
    (
        "ferroflow",
        "controller",
        &["ferroflow-openflow", "ferroflow-stack", "ferroflow-runtime", "ferroflow-wire"],
    ),
    ("ferroflow-apps", "apps", &["ferroflow", "ferroflow-wire"]),
    (
        "cbench",
        "cbench-scripts",
        &[
            "ferroflow-wire",
            "ferroflow-openflow",
            "ferroflow-stack",
            "ferroflow-ports",
            "ferroflow-runtime",
            "ferroflow",
            "ferroflow-apps",
        ],
    ),
    (
        "ferroflow-cli",
        "controller/cli",
        &[
            "ferroflow-wire",
            "ferroflow-openflow",
            "ferroflow-pof",
            "ferroflow-stack",
            "ferroflow-ports",
            "ferroflow-runtime",
            "ferroflow",
            "ferroflow-apps",
            "cbench",
        ],
    ),
];

/// Where `unsafe` is allowed. All other crates forbid it.
const MAY_BE_UNSAFE: &[&str] = &["ferroflow-ports", "ferroflow-runtime", "ferroflow-packetdrill"];

fn metadata() -> Value {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let out = Command::new(cargo)
        .args(["metadata", "--offline", "--no-deps", "--format-version", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo can be started");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).expect("cargo metadata prints JSON")
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("no text {key} in {value}"))
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().unwrap_or_else(|| panic!("no list {key} in {value}"))
}

/// Dependencies of ours, those of tests and benches left out: tests may look at anything.
fn known_crates<'a>(package: &'a Value, ours: &BTreeSet<&str>) -> BTreeSet<&'a str> {
    let dependencies = list(package, "dependencies").iter();
    let normal = dependencies.filter(|dependency| dependency["kind"] != "dev");
    normal.map(|dependency| text(dependency, "name")).filter(|name| ours.contains(name)).collect()
}

#[test]
fn every_crate_knows_only_what_the_table_allows() {
    let metadata = metadata();
    let packages = list(&metadata, "packages");
    let ours: BTreeSet<&str> = packages.iter().map(|package| text(package, "name")).collect();
    let table: BTreeSet<&str> = MAY_KNOW.iter().map(|row| row.0).collect();
    assert_eq!(ours, table, "the workspace's crates and the rows of the table");
    let root = Path::new(text(&metadata, "workspace_root"));
    for package in packages {
        let name = text(package, "name");
        let (_, folder, may_know) = MAY_KNOW.iter().find(|row| row.0 == name).expect("compared above");
        assert_eq!(Path::new(text(package, "manifest_path")), root.join(folder).join("Cargo.toml"));
        for known in known_crates(package, &ours) {
            assert!(may_know.contains(&known), "{name} may not depend on {known}: see MAY_KNOW");
        }
    }
}

#[test]
fn unsafe_code_is_forbidden_but_where_the_kernel_is_met() {
    let metadata = metadata();
    for package in list(&metadata, "packages") {
        let name = text(package, "name");
        if MAY_BE_UNSAFE.contains(&name) {
            continue;
        }
        let program_or_library =
            |target: &&Value| list(target, "kind").iter().any(|kind| kind == "lib" || kind == "bin");
        let mut seen = 0;
        for target in list(package, "targets").iter().filter(program_or_library) {
            let path = text(target, "src_path");
            let source = std::fs::read_to_string(path).expect("a crate's root can be read");
            let forbids = source.lines().any(|line| line == "#![forbid(unsafe_code)]");
            assert!(forbids, "{path} lacks #![forbid(unsafe_code)]");
            seen += 1;
        }
        assert!(seen > 0, "{name} has no library and no program");
    }
}

/// Where packets become messages and messages become packets, nothing may be shared with other cores: see "What cores share"
/// in ARCHITECTURE.md.
#[test]
fn the_path_of_a_packet_has_no_atomics_and_no_locks() {
    const PATH: [&str; 6] = [
        "protocols/wire/src",
        "protocols/openflow/src",
        "protocols/pof/src",
        "stack/src",
        "controller/src",
        "apps/src",
    ];
    // Where one core leaves something for another, or for the kernel.
    const BETWEEN_CORES: [&str; 2] = ["stack/src/handshake", "stack/src/port/pipe"];
    const SHARED: [&str; 6] = ["Atomic", "Mutex", "RwLock", "OnceLock", "LazyLock", "fence("];
    let root = format!("{}/../..", env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<_> = PATH.iter().map(|folder| Path::new(&root).join(folder)).collect();
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            let name = path.to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".rs")
                && !name.contains("tests")
                && !BETWEEN_CORES.iter().any(|between| name.contains(between))
            {
                let source = std::fs::read_to_string(&path).expect("text");
                let code = source.split("#[cfg(test)]").next().unwrap_or_default();
                let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
                for line in lines {
                    assert!(!SHARED.iter().any(|word| line.contains(word)), "{name}: {line}");
                }
                files += 1;
            }
        }
    }
    assert!(files > 100, "{files} files are not all");
}
