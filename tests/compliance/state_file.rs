//! The state file, `-s` (compat 4, CLI-40..41).

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;

use crate::scene::when::{days_ago, midnight};
use crate::scene::{Scene, differs, program};

fn text(scene: &Scene) -> String {
    std::fs::read_to_string(scene.state_path()).expect("state")
}

fn lines(scene: &Scene) -> Vec<String> {
    let text = text(scene);
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    assert_eq!(lines.remove(0), "logrotate state -- version 2");
    lines.sort();
    lines
}

#[test]
fn it_is_made_with_mode_0640() {
    let scene = Scene::new().config("{dir}/a.log {\nrotate 1\n}").log("a.log", "").run([]).quiet();
    let mode = std::fs::metadata(scene.state_path()).expect("state").mode() & 0o7777;
    assert_eq!(mode, 0o640);
    assert_eq!(lines(&scene).len(), 1);
}

/// Compat ST-2.
#[test]
fn version_one_is_read_and_version_two_is_written() {
    let scene = Scene::new()
        .config("{dir}/a.log {\ndaily\nrotate 1\n}")
        .log("a.log", "x\n")
        .state_text("logrotate state -- version 1\n\"{dir}/a.log\" 2020-1-2\n")
        .run([])
        .quiet()
        .expect_files([("a.log.1", "x\n")])
        .expect_recorded_now("a.log");
    assert_eq!(lines(&scene).len(), 1);
}

#[test]
fn odd_names_come_through_unchanged() {
    let names = [r#"a"b.log"#, r"a\b.log", "a\nb.log", " a b .log", "ä.log", "a'b.log"];
    let mut scene = Scene::new().config("{dir}/* {\nrotate 1\nsize 1M\n}");
    for name in names {
        scene = scene.log(name, "x\n");
    }
    let scene = scene.run([]).quiet();
    let first = lines(&scene);
    assert_eq!(first.len(), names.len());
    for (name, written) in [
        (r#"a"b.log"#, r#"/a\"b.log" "#),
        (r"a\b.log", r#"/a\\b.log" "#),
        ("a\nb.log", r#"/a\nb.log" "#),
        ("a b", "/ a b .log\" "),
    ] {
        assert!(first.iter().any(|l| l.contains(written)), "{name:?} is not in {first:?}");
    }
    let scene = scene.run([]).quiet();
    assert_eq!(first, lines(&scene));
}

#[test]
fn names_that_are_not_utf_8_come_through_unchanged() {
    let scene = Scene::new()
        .config("{dir}/* {\nrotate 1\nsize 1M\n}")
        .bytes(OsStr::from_bytes(b"caf\xe9.log"), b"x\n")
        .run([])
        .quiet()
        .run([])
        .quiet();
    let state = std::fs::read(scene.state_path()).expect("state");
    assert_eq!(state.split(|&b| b == b'\n').count(), 3);
    assert!(state.windows(10).any(|w| w == b"caf\xe9.log\" "));
}

#[test]
fn records_of_other_logs_are_kept() {
    let then = midnight(100);
    Scene::new()
        .config("{dir}/a.log {\nrotate 1\n}")
        .log("a.log", "x\n")
        .state("other.log", then)
        .run(["-f"])
        .quiet()
        .expect_record("other.log", then)
        .expect_recorded_now("a.log");
}

#[test]
fn records_without_a_log_go_after_a_year() {
    let scene = Scene::new()
        .config("{dir}/a.log {\nrotate 1\n}")
        .log("a.log", "x\n")
        .state("other.log", days_ago(400))
        .run(["-f"])
        .quiet();
    assert_eq!(scene.record("other.log"), None);
}

#[test]
fn quotes_are_optional_and_missing_time_is_midnight() {
    Scene::new()
        .config("{dir}/a.log {\nsize 1M\nrotate 1\n}")
        .log("a.log", "x\n")
        .state_text("logrotate state -- version 2\n{dir}/a.log 2026-1-2\n")
        .run(["-v"])
        .stderr_line("  Last rotated at 2026-01-02 00:00");
}

/// Compat ST-2.
#[test]
fn a_bad_first_line_is_an_error_and_the_run_goes_on() {
    for bad in [
        "garbage\n",
        "\n",
        "logrotate state -- version 3\n",
        "logrotate state -- version 2 \n",
        "logrotate state -- version 2\r\n",
        " logrotate state -- version 2\n",
    ] {
        let scene = Scene::new()
            .config("{dir}/a.log {\nsize 1\nrotate 1\n}")
            .log("a.log", "x\n")
            .state_text(bad)
            .run([])
            .status(1)
            .stderr_line("error: bad top line in state file {state}")
            .expect_files([("a.log.1", "x\n")])
            .expect_recorded_now("a.log");
        assert_eq!(lines(&scene).len(), 1);
    }
}

/// Compat ST-2.
#[test]
fn an_empty_file_is_an_empty_state() {
    let scene = Scene::new()
        .config("{dir}/a.log {\nsize 1\nrotate 1\n}")
        .log("a.log", "x\n")
        .state_text("")
        .run([])
        .quiet()
        .expect_recorded_now("a.log");
    assert_eq!(lines(&scene).len(), 1);
}

/// Compat ST-6.
#[test]
fn records_above_a_bad_line_are_kept() {
    let then = midnight(3);
    let scene = Scene::new()
        .config("{dir}/a.log {\nsize 1M\nrotate 1\n}\n{dir}/b.log {\nrotate 1\nsize 1\n}\n")
        .log("a.log", "x\n")
        .log("b.log", "x\n")
        .state_text("logrotate state -- version 2\n")
        .state("a.log", then)
        .then(|scene| {
            use std::io::Write;
            let mut file = std::fs::File::options().append(true).open(scene.state_path());
            file.as_mut().expect("state").write_all(b"nonsense\n").expect("a line");
        })
        .run([])
        .status(1)
        .stderr_line("error: bad line 3 in state file {state}")
        .expect_files([("a.log", "x\n"), ("b.log.1", "x\n")])
        .expect_record("a.log", then)
        .expect_recorded_now("b.log");
    assert_eq!(lines(&scene).len(), 2, "the bad line is gone");
}

#[test]
fn a_bad_line_is_an_error() {
    for (line, message) in [
        ("nonsense", "bad line 2 in state file {state}"),
        ("\"/x\" 2026-13-1", "bad month 13 for file /x in state file {state}"),
        ("\"/x\" 2500-1-1", "bad year 2500 for file /x in state file {state}"),
        ("\"/x\" 2026-1-1-25:0:0", "bad hour 25 for file /x in state file {state}"),
    ] {
        Scene::new()
            .config("{dir}/a.log {\nsize 1M\nrotate 1\n}")
            .log("a.log", "x\n")
            .state_text(&format!("logrotate state -- version 2\n{line}\n"))
            .run([])
            .status(1)
            .stderr_line(&format!("error: {message}"));
    }
}

/// Compat ST-6.
#[test]
fn records_behind_a_bad_line_are_not_lost() {
    differs("B-12", || {
        let then = midnight(3);
        Scene::new()
            .config("{dir}/a.log {\nsize 1M\nrotate 1\n}")
            .log("a.log", "x\n")
            .state_text("logrotate state -- version 2\nnonsense\n")
            .state("a.log", then)
            .run([])
            .status(1)
            .expect_record("a.log", then);
    });
}

/// Runs as `nobody`: as root, a program with a mistake here would replace the device.
#[test]
fn dev_null_holds_no_state_and_is_not_replaced() {
    let mut scene = Scene::new()
        .config("{dir}/sub/a.log {\nweekly\nrotate 1\n}")
        .dir("sub")
        .owner(65534, 65534)
        .log("sub/a.log", "x\n")
        .owner(65534, 65534);
    let copy = scene.out_path("program");
    std::fs::copy(program(), &copy).expect("copy");
    let config = scene.expand("{config}");
    let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    let args = nobody.iter().map(|a| OsStr::new(*a)).chain([
        copy.as_os_str(),
        "-f".as_ref(),
        "-s".as_ref(),
        "/dev/null".as_ref(),
        config.as_ref(),
    ]);
    let run = scene.start("setpriv", args).end();
    scene.ended(run).quiet().expect_files([("sub/a.log.1", "x\n")]);
}

/// Compat ST-20.
#[test]
fn a_failed_move_is_tried_again_by_the_next_run() {
    differs("B-46", || {
        let then = days_ago(2);
        // It cannot be moved.
        Scene::new()
            .config("{dir}/a.log {\ndaily\nrotate 1\nstart 1\n}")
            .log("a.log", "x\n")
            .pinned("a.log")
            .state("a.log", then)
            .run([])
            .status(1)
            .expect_file("a.log", "x\n")
            .expect_record("a.log", then);
    });
}

#[test]
fn an_old_record_of_a_log_that_is_refused_stays() {
    differs("refused-record", || {
        let scene = Scene::new()
            .config("{dir}/a.log {\ndaily\nrotate 1\n}")
            .log("a.log", "x\n")
            .state("a.log", days_ago(400))
            .then(|scene| {
                crate::scene::set_mode(
                    scene.log_path("a.log").parent().expect("a directory"),
                    0o777,
                );
            })
            .run([])
            .status(1)
            .stderr_has("parent directory has insecure permissions");
        assert_eq!(
            lines(&scene).len(),
            1,
            "the log is rotated as soon as its directory is in order"
        );
    });
}
