//! README, manual, examples, change log and the list of differences agree with the program.
#![expect(
    clippy::disallowed_methods,
    reason = "tests read the project's files and run the program"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use logrotate_rs::config::directive;

/// The top of the repository.
fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A text of the project.
#[track_caller]
fn text(name: &str) -> String {
    fs::read_to_string(top().join(name)).expect(name)
}

/// All files below a directory whose name has this ending.
fn files(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("a directory of the project") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|e| e == ending) {
            found.push(path);
        }
    }
    found
}

/// The blocks of a Markdown text that are fenced as this language.
fn fenced(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    text.split(&fence)
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap_or_default().to_owned())
        .collect()
}

/// The directives that have an entry of their own in the manual: `.It Ic compress | Ic nocompress`.
fn directives_in_manual() -> BTreeSet<String> {
    text("man/logrotate-rs.conf.5")
        .lines()
        .filter_map(|line| line.strip_prefix(".It "))
        .flat_map(|entry| after_macro(entry, "Ic"))
        .collect()
}

/// The options that have an entry of their own in the manual: `.It Fl d , Fl -debug`.
fn options_in_manual() -> BTreeSet<String> {
    text("man/logrotate-rs.8")
        .lines()
        .filter_map(|line| line.strip_prefix(".It "))
        .flat_map(|entry| after_macro(entry, "Fl"))
        .map(|name| format!("-{}", name.trim_start_matches("\\&")))
        .collect()
}

/// The words that directly follow a macro in a line of mdoc.
fn after_macro(line: &str, wanted: &str) -> Vec<String> {
    let words: Vec<_> = line.split_whitespace().collect();
    words.windows(2).filter(|w| w[0] == wanted).map(|w| w[1].to_owned()).collect()
}

/// The options that the program says it has.
fn options_in_help() -> BTreeSet<String> {
    let help = Command::new(env!("CARGO_BIN_EXE_logrotate-rs")).arg("--help").output();
    let help = String::from_utf8(help.expect("the program runs").stdout).expect("plain text");
    help.lines()
        .filter(|line| line.starts_with(' ') && line.trim_start().starts_with('-'))
        .flat_map(|line| {
            line.split_whitespace()
                .take_while(|word| word.starts_with('-'))
                .map(|word| word.trim_end_matches(',').split('=').next().unwrap_or(word).to_owned())
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Fails unless the configuration is read without a complaint. Nothing is rotated.
#[track_caller]
fn loads(config: &Path) {
    let run = Command::new(env!("CARGO_BIN_EXE_logrotate-rs"))
        .args(["-d", "-s", "/dev/null"])
        .arg(config)
        .output()
        .expect("the program runs");
    let said = String::from_utf8_lossy(&run.stderr);
    let complaints: Vec<_> = said
        .lines()
        .filter(|line| line.starts_with("error:") || line.starts_with("warning:"))
        .filter(|line| !line.contains("logrotate in debug mode does nothing"))
        .collect();
    let was_read = said.contains("reading config file");
    assert!(
        was_read && complaints.is_empty() && run.status.success(),
        "{}: {}\n{said}",
        config.display(),
        run.status
    );
}

/// Does the same for a text.
#[track_caller]
fn text_loads(text: &str) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("example.conf");
    fs::write(&file, text).expect("a file");
    loads(&file);
}

/// The rows of all tables whose last column is headed "test": the id and that last cell.
fn rows_with_tests(markdown: &str) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    let mut wanted = false;
    for line in markdown.lines() {
        let Some(row) = line.strip_prefix("| ").and_then(|l| l.strip_suffix(" |")) else {
            wanted = false;
            continue;
        };
        let cells: Vec<_> = row.split(" | ").collect();
        let (Some(first), Some(last)) = (cells.first(), cells.last()) else { continue };
        if *last == "test" {
            wanted = true;
        } else if wanted && !last.starts_with("---") {
            rows.push(((*first).to_owned(), (*last).to_owned()));
        }
    }
    rows
}

/// All tests of the project, each as `the::files::modules::the_test`.
fn tests() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for dir in ["src", "tests"] {
        let dir = top().join(dir);
        for file in files(&dir, "rs") {
            let within = file.strip_prefix(&dir).expect("below").with_extension("");
            let module: Vec<_> = within
                .iter()
                .map(|part| part.to_string_lossy().into_owned())
                .filter(|part| part != "mod" && part != "tests")
                .collect();
            let source = fs::read_to_string(&file).expect("a source file");
            let mut marked = false;
            for line in source.lines().map(str::trim_start) {
                if line.starts_with("#[test]") {
                    marked = true;
                } else if let Some(rest) = line.strip_prefix("fn ").filter(|_| marked) {
                    let name = rest.split('(').next().unwrap_or_default();
                    found.insert(format!("::{}::{name}", module.join("::")));
                    marked = false;
                }
            }
        }
    }
    found
}

/// Whether a name, with as many modules in front as the writer thought fit, is that of a test.
fn is_test(name: &str, tests: &BTreeSet<String>) -> bool {
    let ending = format!("::{name}");
    tests.iter().any(|test| test.ends_with(&ending))
}

/// The ids that the compliance tests give as the reason why the reference cannot pass them.
fn reasons() -> BTreeSet<String> {
    files(&top().join("tests/compliance"), "rs")
        .iter()
        .map(|file| fs::read_to_string(file).expect("a source file"))
        .flat_map(|source| {
            let calls = source.split("differs(").skip(1);
            calls.filter_map(|call| call.split('"').nth(1).map(str::to_owned)).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn every_directive_has_an_entry_in_the_manual_and_every_entry_is_a_directive() {
    let mut known: BTreeSet<_> = directive::all().map(|row| row.name.to_owned()).collect();
    assert!(known.contains("postrotate") && known.contains("every"), "{known:?}");
    let described = directives_in_manual();
    // It ends a script and is no directive of its own.
    known.insert("endscript".to_owned());
    assert_eq!(known, described);
}

#[test]
fn every_option_has_an_entry_in_the_manual_and_every_entry_is_an_option() {
    let known = options_in_help();
    assert!(known.contains("-f") && known.contains("--force"), "{known:?}");
    assert_eq!(known, options_in_manual());
}

#[test]
fn every_example_loads_without_a_complaint() {
    let examples = files(&top().join("examples"), "conf");
    assert!(examples.len() >= 2, "{examples:?}");
    for example in examples {
        loads(&example);
    }
}

#[test]
fn the_configurations_in_the_readme_are_those_of_the_examples() {
    let readme = text("README.md");
    for example in ["examples/newsup.conf", "examples/newsup-every-10m.conf"] {
        let shown = readme
            .split(&format!("<!-- {example} -->\n"))
            .nth(1)
            .and_then(|rest| fenced(rest, "text").into_iter().next())
            .expect(example);
        let whole = text(example);
        let block: Vec<_> = whole.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(shown.lines().collect::<Vec<_>>(), block, "{example}");
    }
}

#[test]
fn the_configurations_in_the_manual_load_without_a_complaint() {
    let mut count = 0;
    for page in ["man/logrotate-rs.8", "man/logrotate-rs.conf.5"] {
        let page = text(page);
        for display in page.split(".Bd -literal").skip(1) {
            let (_, body) = display.split_once('\n').expect("a display");
            let body = body.split("\n.Ed").next().unwrap_or_default();
            if body.contains('{') {
                text_loads(&format!("{body}\n"));
                count += 1;
            }
        }
    }
    assert!(count >= 5, "{count}");
}

#[test]
fn the_commands_of_the_readme_name_files_that_exist() {
    let commands = fenced(&text("README.md"), "sh");
    assert_eq!(commands.len(), 2, "one to try, one to test: {commands:?}");
    let named: Vec<_> =
        commands[0].split_whitespace().filter(|w| w.starts_with("examples/")).collect();
    assert!(!named.is_empty());
    for file in named {
        assert!(top().join(file).is_file(), "{file}");
    }
}

#[test]
fn links_between_the_documents_lead_somewhere() {
    for document in ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/differences.md"] {
        let here = top().join(document);
        for target in text(document).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = here.with_file_name(target);
            assert!(target.exists(), "{document}: {}", target.display());
        }
    }
}

#[test]
fn the_changelog_has_unreleased_changes_on_top() {
    let changelog = text("CHANGELOG.md");
    let first = changelog.lines().find(|line| line.starts_with("## "));
    assert_eq!(first, Some("## Unreleased"));
}

#[test]
fn every_difference_has_a_test_that_exists() {
    let tests = tests();
    let rows = rows_with_tests(&text("docs/differences.md"));
    assert!(rows.len() > 40, "{}", rows.len());
    let mut wrong = Vec::new();
    for (id, cell) in rows {
        let named: Vec<_> = cell.split('`').skip(1).step_by(2).collect();
        if named.is_empty() {
            wrong.push(format!("{id} names no test"));
        }
        wrong.extend(
            named.iter().filter(|n| !is_test(n, &tests)).map(|n| format!("{id}: no test {n}")),
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Two branches may each bring a row.
#[test]
fn no_line_of_the_lists_is_there_twice() {
    for name in ["docs/differences.md", "CHANGELOG.md", "CONTRIBUTING.md"] {
        let text = text(name);
        // What a row or an item begins with says what it is about.
        let begins = |line: &str| -> Option<String> {
            let item = line.strip_prefix("- ").or_else(|| line.strip_prefix("| "))?;
            let cells: Vec<_> = item.split(" | ").take(2).collect();
            (!item.starts_with("---") && !item.starts_with("id |")).then(|| cells.join(" | "))
        };
        let mut seen = BTreeSet::new();
        for line in text.lines().filter_map(begins) {
            assert!(seen.insert(line.clone()), "{name}: {line}");
        }
    }
}

#[test]
fn every_reason_for_a_difference_is_a_row() {
    let differences = text("docs/differences.md");
    let reasons = reasons();
    assert!(reasons.contains("B-04"), "{reasons:?}");
    for id in reasons {
        assert!(differences.contains(&format!("\n| {id} |")), "no row for {id}");
    }
}

#[test]
fn every_module_is_on_the_map() {
    let map = text("CONTRIBUTING.md");
    for entry in fs::read_dir(top().join("src")).expect("src") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().into_string().expect("a plain name");
        if name == "lib.rs" || name == "main.rs" {
            continue;
        }
        let shown = if entry.path().is_dir() { format!("  {name}/ ") } else { format!(" {name} ") };
        assert!(map.contains(&shown), "{name}");
    }
}

/// The words that begin like this, up to the end of their name.
fn names_like(text: &str, start: &str) -> BTreeSet<String> {
    let rest = text.split(start).skip(1);
    let ends = |c: char| !c.is_ascii_uppercase() && c != '_';
    rest.map(|rest| rest.split(ends).next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn every_default_that_a_package_may_choose_is_in_the_readme() {
    let sources = files(&top().join("src"), "rs");
    let sources = sources.iter().map(|path| fs::read_to_string(path).expect("a source"));
    let read = names_like(&sources.collect::<String>(), "option_env!(\"LOGROTATE_");
    assert_eq!(read.len(), 5, "{read:?}");
    assert_eq!(names_like(&text("README.md"), "`LOGROTATE_"), read);
}
