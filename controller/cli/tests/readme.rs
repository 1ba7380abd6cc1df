//! The README shows what is there.
#![forbid(unsafe_code)]

fn read(path: &str) -> String {
    let path = format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

#[test]
fn the_app_in_the_readme_is_the_example() {
    let example = read("controller/examples/my_app.rs");
    let code = &example[example.find("use ferroflow").expect("the example uses us")..];
    assert!(
        read("README.md").contains(code.trim_end()),
        "README.md and controller/examples/my_app.rs differ"
    );
}

#[test]
fn the_files_that_the_pages_name_exist() {
    for page in ["README.md", "ARCHITECTURE.md"] {
        for name in read(page).split('`').skip(1).step_by(2) {
            let is_path = name.contains('/') && !name.contains([' ', '*', ':', '$']) && name.contains('.');
            if is_path && !name.starts_with(['/', '.']) && !name.starts_with("target") {
                let path = format!("{}/../../{name}", env!("CARGO_MANIFEST_DIR"));
                assert!(std::path::Path::new(&path).exists(), "{page} names {name}, which is not there");
            }
        }
    }
}
