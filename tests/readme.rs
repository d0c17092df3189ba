// SPDX-License-Identifier: Apache-2.0
//! What is written down against what the program knows. `BLESS=1 cargo test` rewrites it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use weir::config::{options, read, service};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Holds the part of `README.md` between two markers against `wanted`.
fn section(marker: &str, wanted: &str) {
    section_of("README.md", marker, wanted);
}

fn section_of(name: &str, marker: &str, wanted: &str) {
    let path = file(name);
    let text = fs::read_to_string(&path).expect("a document");
    let (start, end) = (format!("<!-- {marker} -->\n"), format!("<!-- /{marker} -->"));
    let from = text.find(&start).expect("the first marker") + start.len();
    let to = text.find(&end).expect("the second marker");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, format!("{}{wanted}{}", &text[..from], &text[to..])).expect("writable");
    } else {
        assert_eq!(&text[from..to], wanted, "{name}, {marker}: run BLESS=1 cargo test --test readme");
    }
}

#[test]
fn the_readmes_tables_are_the_programs_own() {
    section("options", &options::readme_options());
    section("links", &options::readme_links());
    section("services", &service::readme());
    let page = fs::read_to_string(file("tests/golden/top/80x24.txt")).expect("a golden file");
    section(
        "top",
        &page.lines().map(|row| format!("    {row}").trim_end().to_owned() + "\n").collect::<String>(),
    );
}

#[cfg(feature = "export")]
#[test]
fn the_tables_of_weir_export_are_the_programs_own() {
    section_of("docs/export.md", "export-options", &weir::export::options::readme());
    section_of("docs/export.md", "export-metrics", &weir::export::metrics::readme());
}

#[test]
fn the_manual_page_is_the_programs_own() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_weir")).args(["help", "--man"]).output().expect("weir runs");
    let path = file("docs/weir.8");
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(file("docs")).expect("a folder");
        fs::write(&path, &output.stdout).expect("writable");
    } else {
        let page = fs::read_to_string(&path).expect("docs/weir.8");
        assert_eq!(page, String::from_utf8_lossy(&output.stdout), "run BLESS=1 cargo test --test readme");
    }
}

#[test]
fn the_default_configuration_has_neither_faults_nor_warnings() {
    let bytes = fs::read(file("openwrt/weir/files/weir.config")).expect("the default configuration");
    let (config, warnings) = read::load(&bytes).expect("no faults");
    assert_eq!(warnings, []);
    assert_eq!(config.wans[0].network.as_deref(), Some("wan"));
}
