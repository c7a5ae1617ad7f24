//! The pages hang together: links lead somewhere, the book lists every page, and code in pages is compiled.

#![expect(clippy::unwrap_used, reason = "a test may fail this way")]

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The Markdown files in a folder, and below it if `deep`.
fn pages(folder: &Path, deep: bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && deep {
            found.append(&mut pages(&path, deep));
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The relative links of a page, without their anchors.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let local = targets.filter(|target| !target.contains("://") && !target.starts_with('#'));
    local.filter_map(|target| target.split('#').next())
}

#[test]
fn every_link_leads_to_a_file() {
    let root = root();
    let mut all = pages(&root, false);
    all.append(&mut pages(&root.join("docs"), true));
    all.extend(["stockpulse-core/README.md", "examples/replay/data/README.md"].map(|page| root.join(page)));
    assert!(all.len() > 20, "only {} pages", all.len());
    for page in all {
        let text = fs::read_to_string(&page).unwrap();
        for link in links(&text) {
            let target = page.parent().unwrap().join(link);
            assert!(target.exists(), "{}: {link} is not there", page.display());
        }
    }
}

#[test]
fn the_book_lists_every_page() {
    let docs = root().join("docs");
    let summary = docs.join("SUMMARY.md");
    let text = fs::read_to_string(&summary).unwrap();
    let mut listed: Vec<PathBuf> = links(&text).map(|link| docs.join(link)).collect();
    listed.push(summary);
    listed.sort();
    assert_eq!(listed, pages(&docs, true));
}

#[test]
fn code_in_pages_is_compiled() {
    let root = root();
    let library = fs::read_to_string(root.join("examples/howto/src/lib.rs")).unwrap();
    let mut all = pages(&root, false);
    all.append(&mut pages(&root.join("docs"), true));
    for page in all {
        let has_code = fs::read_to_string(&page).unwrap().contains("```rust");
        let name = page.strip_prefix(&root).unwrap().to_str().unwrap();
        assert!(!has_code || library.contains(&format!("\"{name}\"")), "{name} is not in examples/howto/src/lib.rs");
    }
}
