//! Log names: words, quotes, wildcards (compat CFG-20..31).

use crate::scene::{Scene, differs, when};

fn rotated(pattern: &str) -> Vec<String> {
    let scene = Scene::new()
        .config(&format!("{pattern} {{\nrotate 1\nmissingok\n}}\n"))
        .log("a.log", "")
        .log("b.log", "")
        .log("c d.log", "")
        .log(".hidden.log", "")
        .log("x", "")
        .run(["-f"])
        .quiet();
    let tree = scene.logs();
    let names = tree.files().into_iter().filter_map(|n| n.to_str()?.strip_suffix(".1"));
    names.map(str::to_owned).collect()
}

#[test]
fn wildcards_match_as_the_shell_does() {
    for (pattern, logs) in [
        ("{dir}/*.log", &["a.log", "b.log", "c d.log"][..]),
        ("{dir}/?.log", &["a.log", "b.log"]),
        ("{dir}/[!a].log", &["b.log"]),
        ("{dir}/[[:alpha:]].log", &["a.log", "b.log"]),
        ("{dir}/.*.log", &[".hidden.log"]),
    ] {
        assert_eq!(rotated(pattern), logs, "{pattern}");
    }
}

#[test]
fn quotes_hold_blanks_together() {
    assert_eq!(rotated("\"{dir}/c d.log\""), ["c d.log"]);
    assert_eq!(rotated("'{dir}/c d.log'"), ["c d.log"]);
    assert_eq!(rotated("{dir}/c\\ d.log"), ["c d.log"]);
}

#[test]
fn a_list_may_span_lines_with_comments_between() {
    assert_eq!(rotated("{dir}/a.log\n# not this:\n   {dir}/x\n"), ["a.log", "x"]);
}

#[test]
fn matched_directories_are_left_out() {
    Scene::new()
        .config("{dir}/* {\nrotate 1\n}\n")
        .dir("sub")
        .log("sub/a.log", "a\n")
        .log("b.log", "b\n")
        .run(["-f"])
        .quiet()
        .expect_files([("sub/a.log", "a\n"), ("b.log.1", "b\n")]);
}

#[test]
fn names_that_are_not_utf_8_are_rotated() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let scene = Scene::new()
        .config("{dir}/* {\nrotate 1\n}\n")
        .bytes(OsStr::from_bytes(b"caf\xe9.log"), b"x\n")
        .run(["-f"])
        .quiet();
    assert!(scene.root().join("logs").join(OsStr::from_bytes(b"caf\xe9.log.1")).exists());
}

#[test]
fn a_log_that_is_named_like_a_wildcard_is_recorded_when_first_seen() {
    Scene::new()
        .config("{dir}/a[1].log {\ndaily\nrotate 1\n}")
        .log("a[1].log", "x\n")
        .run([])
        .quiet()
        .expect_record("a[1].log", when::this_hour());
}

#[test]
fn patterns_are_those_of_glob_3() {
    for (pattern, logs) in [
        // No `**`, no braces; a class by its name or by its ends; `!` and `^` both negate.
        ("{dir}/**.log", &["a.log", "b.log", "c d.log"][..]),
        ("{dir}/[^a].log", &["b.log"]),
        ("{dir}/[[:lower:]]", &["x"]),
        ("{dir}/[[:digit:]].log", &[]),
        ("{dir}/[b-z]*", &["b.log", "c d.log", "x"]),
        ("{dir}/[]x]", &["x"]),
        ("{dir}/?hidden.log", &[]),
        ("{dir}/[.]hidden.log", &[]),
        // A backslash for the pattern must be doubled for the list, or quoted.
        ("{dir}/\\\\x", &["x"]),
        ("{dir}/\\\\*.log", &[]),
        ("'{dir}/\\*.log'", &[]),
        ("{dir}/*.lo[g", &[]),
        ("{dir}/../logs/x", &["x"]),
    ] {
        assert_eq!(rotated(pattern), logs, "{pattern}");
    }
}

#[test]
fn a_tilde_is_a_home_directory() {
    Scene::new()
        // That of the user daemon is /usr/sbin. Nothing is done there: it is a dry run.
        .config("~/a.log ~daemon/no-such.log ~daemon/logrotat[e] {\nsize 1G\nmissingok\n}")
        .home_file("a.log", "x\n")
        .run(["-d"])
        .status(0)
        .stderr_has("/home/a.log\n")
        .stderr_line("considering log ~daemon/no-such.log")
        .stderr_line("considering log /usr/sbin/logrotate");
}

#[test]
fn a_pattern_that_matches_nothing_stands_for_itself() {
    let scene = Scene::new().config("{dir}/*.none {\nrotate 1\n}").run([]);
    scene.status(1).stderr_has("error: stat of {dir}/*.none failed: No such file or directory");
}

/// Logrotate takes the blank before the brace for a part of the name, and does not find it.
#[test]
fn a_quote_that_is_not_closed_is_pointed_out_and_its_name_ends_where_the_list_does() {
    for (list, column) in [("\"{dir}/a.log ", 1), ("'{dir}/a.log\n", 1), ("{dir}/a.log\" ", 0)] {
        differs("open-quote", || {
            let scene = Scene::new().config(&format!("{list}{{\nrotate 1\n}}")).log("a.log", "x\n");
            let scene = scene.run(["-f"]).status(0).expect_files([("a.log.1", "x\n")]);
            let warning = "warning: {config}:1 this quote is not closed before the '{'\n";
            let scene = scene.stderr_has(warning);
            if column > 0 {
                scene.stderr_has(&format!(" --> {{config}}:1:{column}\n"));
            }
        });
    }
    // Without a blank both find it.
    let scene = Scene::new().config("\"{dir}/a.log{\nrotate 1\n}").log("a.log", "x\n");
    scene.run(["-f"]).status(0).expect_files([("a.log.1", "x\n")]);
}
