//! Keeps `CONFORMANCE.md` true: what the tables in `conformance/` name exists, and no row is without test or reason.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// What a last column without a test begins with: see `CONFORMANCE.md`.
const REASONS: [&str; 4] = ["not followed:", "not used:", "not applicable:", "not code:"];
const LEVELS: [&str; 7] = ["MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY", "–", "OPTIONAL"];

/// The crate's folder, to which all paths in the tables are relative.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files that hold the tables.
fn tables() -> Vec<PathBuf> {
    let folder = root().join("conformance");
    let all = std::fs::read_dir(&folder).expect("stack/conformance").flatten().map(|e| e.path());
    let mut all: Vec<PathBuf> = all.filter(|p| p.extension().is_some_and(|e| e == "md")).collect();
    all.sort();
    all
}

/// One line of a table, with its place for messages.
struct Row {
    place: String,
    cells: Vec<String>,
}

/// All rows of the tables in `text` but heads and rules.
fn rows(name: &str, text: &str) -> Vec<Row> {
    let mut all = Vec::new();
    for (n, line) in text.lines().enumerate() {
        let Some(inner) = line.strip_prefix('|').and_then(|l| l.strip_suffix('|')) else { continue };
        let cells: Vec<String> = inner.split('|').map(|c| c.trim().to_string()).collect();
        if cells[0] != "rule" && !cells[0].starts_with("---") {
            all.push(Row { place: format!("{name}:{}", n + 1), cells });
        }
    }
    all
}

/// The files that references name, each read once.
#[derive(Default)]
struct Sources(HashMap<String, Option<String>>);

impl Sources {
    fn text(&mut self, path: &str) -> Option<&str> {
        let read = || std::fs::read_to_string(root().join(path)).ok();
        self.0.entry(path.to_string()).or_insert_with(read).as_deref()
    }
}

/// The references in a cell, as path and item: what is in back quotes and has a slash; `::item` belongs to the path before it.
fn references(cell: &str) -> Vec<(String, Option<String>)> {
    let mut all: Vec<(String, Option<String>)> = Vec::new();
    for quoted in cell.split('`').skip(1).step_by(2).filter(|q| q.contains('/') || q.starts_with("::")) {
        let (path, item) = quoted.split_once("::").map_or((quoted, None), |(p, i)| (p, Some(i.to_string())));
        let path = match (path, all.last()) {
            ("", Some((before, _))) => before.clone(),
            _ => path.to_string(),
        };
        all.push((path, item));
    }
    all
}

/// Whether `text` defines `item`: a function, type, constant, module or field of that name.
fn defines(text: &str, item: &str) -> bool {
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    let keyword = ["fn ", "struct ", "enum ", "const ", "static ", "trait ", "mod ", "type "];
    let defined = keyword.iter().any(|k| text.split(&format!("{k}{item}")).skip(1).any(ends));
    defined || text.lines().any(|l| field(l.trim_start()).is_some_and(|name| name == item))
}

/// The name in a line that declares a field or a variant.
fn field(line: &str) -> Option<&str> {
    let line = line.strip_prefix("pub(crate) ").or_else(|| line.strip_prefix("pub ")).unwrap_or(line);
    let end = line.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    (end > 0 && [":", ",", "(", " {"].iter().any(|s| line[end..].starts_with(s))).then(|| &line[..end])
}

/// Whether `text` has a test named `item`.
fn has_test(text: &str, item: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
    let head = format!("fn {item}(");
    let Some(at) = lines.iter().position(|l| l.starts_with(&head)) else { return false };
    let before = lines[..at].iter().rev().take_while(|l| l.starts_with("#[") || l.starts_with("//"));
    // inside `proptest!` and in a macro's list the attribute is there as well
    before.into_iter().any(|l| l.starts_with("#[test]"))
}

/// What is wrong with a row.
fn faults(row: &Row, sources: &mut Sources) -> Vec<String> {
    let [rule, says, level, place, test] = row.cells.as_slice() else {
        return vec![format!("{} columns instead of 5", row.cells.len())];
    };
    let mut wrong = Vec::new();
    if rule.is_empty() || says.is_empty() || !LEVELS.contains(&level.as_str()) {
        wrong.push(format!("no rule, no words, or an unknown level {level:?}"));
    }
    for (path, item) in references(place) {
        match (sources.text(&path), item) {
            (None, _) => wrong.push(format!("there is no file {path}")),
            (Some(text), Some(item)) if !defines(text, &item) => wrong.push(format!("{path} has no {item}")),
            _ => {}
        }
    }
    let tests = references(test);
    let reason = REASONS.iter().any(|r| test.strip_prefix(r).is_some_and(|why| why.trim().len() > 3));
    if tests.is_empty() && !reason {
        wrong.push("neither a test nor a reason".to_string());
    }
    if !reason && !tests.is_empty() && references(place).is_empty() {
        wrong.push("a test, but no code that it tests".to_string());
    }
    for (path, item) in tests {
        match (sources.text(&path), item) {
            (None, _) => wrong.push(format!("there is no file {path}")),
            (Some(_), None) if path.ends_with(".pkt") => {}
            (Some(_), None) => wrong.push(format!("{path}: a test's name is missing")),
            (Some(text), Some(item)) if !has_test(text, &item) => {
                wrong.push(format!("{path} has no test {item}"));
            }
            _ => {}
        }
    }
    wrong
}

#[test]
fn what_the_tables_name_exists() {
    let mut sources = Sources::default();
    let mut wrong = Vec::new();
    for table in tables() {
        let name = table.file_name().expect("a file").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&table).expect("a table");
        for row in rows(&name, &text) {
            wrong.extend(
                faults(&row, &mut sources)
                    .into_iter()
                    .map(|f| format!("{}: {}: {f}", row.place, row.cells[0])),
            );
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_rule_of_appendix_b_has_a_row() {
    // RFC 9293 appendix B: so many of each
    let text = std::fs::read_to_string(root().join("conformance/tcp.md")).expect("the table");
    let rows = rows("tcp.md", &text);
    for (kind, count) in [("MUST", 69), ("SHLD", 31), ("MAY", 18), ("REC", 1)] {
        for n in 1..=count {
            let rule = format!("{kind}-{n}");
            assert!(
                rows.iter().any(|row| row.cells[0].split(',').next() == Some(&rule)),
                "{rule} is missing"
            );
        }
    }
}

#[test]
fn the_index_names_every_table() {
    let index = std::fs::read_to_string(root().join("CONFORMANCE.md")).expect("the index");
    for table in tables() {
        let name = format!("(conformance/{})", table.file_name().expect("a file").to_string_lossy());
        assert!(index.contains(&name), "CONFORMANCE.md does not link to {name}");
    }
}

#[test]
fn a_false_row_is_found() {
    let mut sources = Sources::default();
    let mut first = |text: &str| faults(&rows("x", text)[0], &mut sources).join("; ");
    let good = "| 3.2 | what | MUST | `src/tcp/config.rs::TcpConfig` | `tests/conformance/reset.rs::resets_are_limited` |";
    assert_eq!(first(good), "");
    assert_eq!(first(&good.replace("::TcpConfig", "::Tcp")), "src/tcp/config.rs has no Tcp");
    assert_eq!(first(&good.replace("src/tcp/config", "src/tcp/confi")), "there is no file src/tcp/confi.rs");
    assert_eq!(
        first(&good.replace("are_limited", "are_limit")),
        "tests/conformance/reset.rs has no test resets_are_limit"
    );
    assert_eq!(first("| 3.2 | what | MUST | – | perhaps |"), "neither a test nor a reason");
    assert_eq!(first("| 3.2 | what | MUST | – | not followed: |"), "neither a test nor a reason");
    assert_eq!(first("| 3.2 | what | MUST | – | not followed: nobody asked |"), "");
    assert_eq!(first("| 3.2 | what | MUST | – |"), "4 columns instead of 5");
    let unplaced = good.replace("`src/tcp/config.rs::TcpConfig`", "–");
    assert_eq!(first(&unplaced), "a test, but no code that it tests");
}
