//! Names that are hostile by themselves: escaped where they are shown, exact where they are used.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use crate::scene::{Scene, set_mode};

/// Without their ending `.log`.
const NAMES: [&[u8]; 9] = [
    b"new\nline\nerror: all is lost",
    b"quote\"and'quote",
    b"$(id)`id`;id|id&",
    b"escape\x1b[31m\x1b]0;title\x07",
    "bidi\u{202e}gol\u{2066}".as_bytes(),
    b"tab\tand\rreturn\x7f",
    "c1\u{9b}31m".as_bytes(),
    b"latin\xe9\xff",
    b"-rf * ?[a]\\",
];

fn named(name: &[u8], ending: &str) -> Vec<u8> {
    [name, ending.as_bytes()].concat()
}

fn scene(directives: &str) -> Scene {
    let config = format!("{{dir}}/*.log {{\nrotate 2\n{directives}\n}}\n");
    let scene = Scene::new().config(&config);
    NAMES.iter().fold(scene, |scene, name| {
        scene.bytes(OsStr::from_bytes(&named(name, ".log")), &named(name, "\n"))
    })
}

/// Only text that no terminal obeys, in lines that the program began.
#[track_caller]
fn is_harmless(scene: &Scene) {
    let odd = |c: char| {
        (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c) || c == '\u{2066}'
    };
    if let Some(c) = scene.stderr().chars().find(|&c| odd(c)) {
        scene.fail(&format!("{c:?} is shown as it is"));
    }
    if scene.stderr().lines().any(|line| line.starts_with("error: all is lost")) {
        scene.fail("a name looks like a message");
    }
}

#[test]
fn they_are_escaped_when_printed() {
    for directives in
        ["", "compress", "copytruncate", "renamecopy", "rotate 0\nshred", "dateext\nmail x@y"]
    {
        for options in [["-v", "-f"], ["-d", "-f"]] {
            let scene = scene(directives).run(options);
            is_harmless(&scene);
            if !scene.stderr().contains(r"escape\u{1b}[31m") {
                scene.fail("the name is not shown");
            }
        }
    }
}

#[test]
fn they_are_exact_on_the_disk_and_in_the_state() {
    let scene = scene("").run(["-f"]).quiet();
    for name in NAMES {
        let version = scene.log_path("").join(OsStr::from_bytes(&named(name, ".log.1")));
        assert_eq!(fs::read(&version).ok(), Some(named(name, "\n")), "{}", version.display());
    }
    // What was recorded belongs to the logs: not due.
    let scene = NAMES
        .iter()
        .fold(scene, |scene, name| scene.bytes(OsStr::from_bytes(&named(name, ".log")), b"more\n"));
    let config = "{dir}/*.log {\nrotate 2\ndaily\n}\n";
    let scene = scene.config(config).run(["-v"]).status(0);
    assert_eq!(scene.stderr().matches("log does not need rotating").count(), NAMES.len());
    let state = fs::read(scene.state_path()).expect("state");
    assert_eq!(state.split(|&b| b == b'\n').count(), NAMES.len() + 2);
    is_harmless(&scene);
}

#[test]
fn they_are_exact_as_arguments_of_scripts() {
    let script = |kind: &str| format!("{kind}\nprintf '%s\\0' \"$1\" >> {{out}}/{kind}\nendscript");
    let kinds = ["prerotate", "postrotate", "preremove"];
    let scene = scene(&format!("rotate 0\n{}", kinds.map(script).join("\n"))).run(["-f"]).quiet();
    for (kind, ending) in kinds.into_iter().zip([".log", ".log", ".log.1"]) {
        let given = fs::read(scene.out_path(kind)).expect("arguments");
        let mut given: Vec<_> = given.split(|&b| b == 0).filter(|arg| !arg.is_empty()).collect();
        given.sort_unstable();
        let at = scene.expand("{dir}/");
        let mut wanted = NAMES.map(|name| [at.as_bytes(), &named(name, ending)].concat());
        wanted.sort_unstable();
        assert_eq!(given, wanted, "{kind}");
    }
}

#[test]
fn a_name_adds_no_line_to_the_subject_of_a_mail() {
    let scene = scene("rotate 0\nmail somebody@example.org");
    let mailer = scene.out_path("mailer");
    let script =
        scene.expand("#!/bin/sh\nprintf '%s\\0' \"$2\" >> {out}/subjects\ncat >/dev/null\n");
    fs::write(&mailer, script).expect("mailer");
    set_mode(&mailer, 0o755);
    let scene = scene.run(["-f", "-m", "{out}/mailer"]).quiet();
    let subjects = fs::read(scene.out_path("subjects")).expect("subjects");
    let subjects: Vec<_> = subjects.split(|&b| b == 0).filter(|s| !s.is_empty()).collect();
    assert_eq!(subjects.len(), NAMES.len());
    for subject in subjects {
        assert!(!subject.iter().any(u8::is_ascii_control), "{:?}", OsStr::from_bytes(subject));
    }
}

#[test]
fn the_name_that_a_writer_has_given_itself_is_escaped() {
    let scene = Scene::new().config("{dir}/a.log {\nrotate 2\ncompress\n}\n").log("a.log", "x\n");
    // The kernel calls a process by its program's file.
    let program = scene.out_path("e\u{1b}[31m\n\u{202e}");
    fs::copy("/bin/sleep", &program).expect("a program");
    let log = fs::OpenOptions::new().append(true).open(scene.log_path("a.log")).expect("log");
    let mut writer = Command::new(program).arg("60").stdout(log).spawn().expect("a writer");
    let scene = scene.run(["-f"]);
    writer.kill().and_then(|()| writer.wait()).expect("kill");
    is_harmless(&scene);
    scene.stderr_has(r"(e\u{1b}[31m\n\u{202e}");
}
