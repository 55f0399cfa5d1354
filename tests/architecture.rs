//! The layer rule: a module imports only modules above it, and effects live in `system`.

use std::fs;
use std::path::Path;

/// The modules of the crate, lowest first.
const LAYERS: [&str; 18] = [
    "names",
    "units",
    "facts",
    "clock",
    "source",
    "diagnostic",
    "fault",
    "system",
    "config",
    "state",
    "survey",
    "schedule",
    "plan",
    "event",
    "execute",
    "run",
    "report",
    "cli",
];

/// What a module may not import although it is above.
const CLOSED: [(&str, &[&str]); 3] = [
    ("schedule", &["system", "state"]),
    ("plan", &["system", "state"]),
    ("execute", &["config", "schedule", "survey"]),
];

/// Plain data that may be imported all the same.
const OPEN: [(&str, &str); 1] = [("execute", "crate::config::policy::ScriptKind")];

/// Paths that only these modules may name, and why.
const EFFECTS: [(&str, &[&str], &str); 11] = [
    ("nix::", &["system"], "effects live in system"),
    ("rustix::", &["system"], "effects live in system"),
    ("std::fs", &["system"], "effects live in system"),
    ("std::process::Command", &["system"], "effects live in system"),
    ("std::process::exit", &[], "the exit status is a value"),
    ("std::env::var", &["cli", "system"], "the environment is read in cli"),
    ("SystemTime::now", &["cli"], "time is an argument"),
    ("Instant::now", &["cli", "system"], "time is an argument"),
    ("Local::now", &["cli"], "time is an argument"),
    ("Utc::now", &["cli", "system"], "time is an argument"),
    ("dry_run", &["cli"], "a dry run prints the plan; nothing below cli asks"),
];

/// The text without comments, strings' contents left in, up to the unit tests at its end.
fn code(text: &str) -> String {
    let end = text
        .match_indices("#[cfg(test)]\n")
        .map(|(at, _)| at)
        .find(|&at| is_test_module(&text[at..]))
        .unwrap_or(text.len());
    let lines = text[..end].lines();
    lines.map(|l| l.split_once("//").map_or(l, |(code, _)| code)).collect::<Vec<_>>().join("\n")
}

/// Whether a module follows after these attributes.
fn is_test_module(text: &str) -> bool {
    let item = text.lines().find(|line| !line.starts_with("#["));
    item.is_some_and(|line| line.starts_with("mod ") && line.contains('{'))
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// All paths: those of `use` with their groups taken apart, and those inside the code.
fn paths(code: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut rest = code;
    while let Some(start) = rest.find("use ") {
        let begins = rest[..start].chars().next_back().is_none_or(|c| !is_name(c));
        let Some(end) = rest[start..].find(';') else { break };
        if begins {
            let tree: String = rest[start + 4..start + end].split_whitespace().collect();
            flatten("", &tree, &mut all);
        }
        rest = &rest[start + end..];
    }
    let mut word = String::new();
    for c in code.chars().chain([' ']) {
        if is_name(c) || c == ':' {
            word.push(c);
        } else if !word.is_empty() {
            all.push(std::mem::take(&mut word));
        }
    }
    all
}

/// `a::{b, c::{d, e}}` as `a::b`, `a::c::d`, `a::c::e`.
fn flatten(before: &str, tree: &str, all: &mut Vec<String>) {
    let Some((head, group)) = tree.split_once('{') else {
        let path = format!("{before}{tree}");
        all.push(path.strip_suffix("::self").map_or(path.clone(), str::to_owned));
        return;
    };
    let group = group.strip_suffix('}').unwrap_or(group);
    let (mut depth, mut part) = (0_i32, String::new());
    for c in group.chars().chain([',']) {
        if c == ',' && depth == 0 {
            if !part.is_empty() {
                flatten(&format!("{before}{head}"), &part, all);
            }
            part.clear();
            continue;
        }
        depth += i32::from(c == '{') - i32::from(c == '}');
        part.push(c);
    }
}

/// What a file of a module says against the rule. `depth` counts the folders it lies in.
fn breaches(module: &str, depth: usize, text: &str) -> Vec<String> {
    let code = code(text);
    let paths = paths(&code);
    let mut found = Vec::new();
    let place = |name: &str| LAYERS.iter().position(|l| *l == name);
    let up = "super::".repeat(depth + 1);
    for path in &paths {
        let outside = path.strip_prefix(&up).and_then(|p| p.split("::").next());
        if outside.is_some_and(|name| name == "super" || LAYERS.contains(&name)) {
            found.push(format!("`{path}` leaves the module; write `crate::`"));
        }
        let Some(other) = path.strip_prefix("crate::").and_then(|p| p.split("::").next()) else {
            continue;
        };
        if other.is_empty() || other == module || OPEN.contains(&(module, path)) {
            continue;
        }
        let closed = CLOSED.iter().any(|(m, no)| *m == module && no.contains(&other));
        match (place(module), place(other)) {
            (Some(own), Some(its)) if its < own && !closed => {}
            // The crate's root (lib.rs, main.rs) may name everything.
            (None, _) if module == "lib" || module == "main" => {}
            _ => found.push(format!("`{path}` is not above {module}")),
        }
    }
    for (name, allowed, why) in EFFECTS {
        let named = |p: &String| match name.strip_suffix("::") {
            Some(package) => p.split("::").next() == Some(package) && p.contains("::"),
            None => format!("::{p}::").contains(&format!("::{name}::")),
        };
        if !allowed.contains(&module)
            && let Some(path) = paths.iter().find(|p| named(p))
        {
            found.push(format!("`{path}`: {why}"));
        }
    }
    for print in ["print!", "println!", "eprint!", "eprintln!"] {
        let prints = code.match_indices(print).any(|(at, _)| !code[..at].ends_with(is_name));
        if prints && !["report", "cli"].contains(&module) {
            found.push(format!("`{print}`: printing is for report and cli"));
        }
    }
    found
}

fn check(
    dir: &Path,
    module: Option<&str>,
    depth: usize,
    found: &mut Vec<String>,
    files: &mut usize,
) {
    let entries = fs::read_dir(dir).expect("src").map(|e| e.expect("entry").path());
    for path in entries {
        let stem = path.file_stem().and_then(|s| s.to_str()).expect("name").to_owned();
        let module = module.unwrap_or(&stem);
        if stem == "tests" || stem.ends_with("_tests") {
            continue;
        }
        if path.is_dir() {
            check(&path, Some(module), depth + 1, found, files);
        } else if path.extension().is_some_and(|e| e == "rs") {
            *files += 1;
            let text = fs::read_to_string(&path).expect("source");
            let depth = if stem == "mod" { depth - 1 } else { depth };
            let breaches = breaches(module, depth, &text);
            found.extend(breaches.into_iter().map(|b| format!("{}: {b}", path.display())));
        }
    }
}

#[test]
fn every_module_keeps_to_its_layer() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut found, mut files) = (Vec::new(), 0);
    check(&src, None, 0, &mut found, &mut files);
    assert!(files >= LAYERS.len(), "only {files} files in {}", src.display());
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_module_has_a_layer() {
    let lib = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs");
    let text = fs::read_to_string(lib).expect("lib.rs");
    let modules = text.lines().filter_map(|l| l.strip_prefix("pub mod ")?.strip_suffix(';'));
    let mut modules: Vec<_> = modules.collect();
    let mut layers = LAYERS.to_vec();
    modules.sort_unstable();
    layers.sort_unstable();
    assert_eq!(modules, layers);
}

#[test]
fn breaches_are_found() {
    for (module, depth, text) in [
        ("names", 0, "use crate::system::dir::Dir;"),
        ("names", 0, "use super::cli;"),
        ("plan", 1, "use crate::{names::LogPath, system};"),
        ("plan", 1, "use super::super::cli;"),
        ("plan", 1, "fn f(d: &crate::system::dir::Dir) {}"),
        ("schedule", 1, "use crate::state::State;"),
        ("execute", 1, "use crate::config::policy::Policy;"),
        ("execute", 1, "use crate::config::policy::{Policy, ScriptKind};"),
        ("run", 1, "use crate::cli::args::Args;"),
        ("state", 1, "use std::{collections::BTreeMap, fs};"),
        ("state", 1, "fn f() { std::fs::read(\"x\"); }"),
        ("config", 1, "use nix::errno::Errno;"),
        ("survey", 1, "use std::process::{Command, Stdio};"),
        ("schedule", 1, "let now = chrono::Utc::now();"),
        ("run", 1, "if options.dry_run {}"),
        ("run", 1, "use {crate::cli, std::fmt};"),
        ("run", 1, "eprintln!(\"x\");"),
    ] {
        assert!(!breaches(module, depth, text).is_empty(), "{module}: {text}");
    }
}

#[test]
fn what_is_allowed_is_no_breach() {
    for (module, depth, text) in [
        ("plan", 1, "use crate::{names::LogPath, config::policy::Policy};\nuse super::step::Step;"),
        ("execute", 1, "use crate::config::policy::ScriptKind;"),
        ("system", 1, "use std::fs;\nuse nix::errno::Errno;"),
        ("names", 0, "// crate::cli is far away\nuse std::fmt;"),
        ("names", 0, "use std::fmt;\n#[cfg(test)]\nmod tests { use crate::cli; }"),
        ("names", 0, "mod text {\nuse super::LogPath;\n}"),
        ("cli", 1, "use crate::run::drive;\nprintln!(\"x\");"),
        ("cli", 1, "writeln!(out, \"{}\", because!(x))"),
    ] {
        assert_eq!(breaches(module, depth, text), [""; 0], "{module}: {text}");
    }
}
