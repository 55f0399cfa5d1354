//! The command line: several configurations, order and bundling of options, help, order of work (compat 1.1,
//! 1.2).

use crate::scene::when::days_ago;
use crate::scene::{Scene, program};

fn two() -> Scene {
    Scene::new()
        .config_file("one", "rotate 1\n{dir}/a.log {\n}\n")
        .config_file("two", "{dir}/b.log {\n}\n")
        .log("a.log", "a\n")
        .log("b.log", "b\n")
}

#[test]
fn several_configurations_are_read_as_one() {
    two()
        .run_with(&["-f", "-s", "{state}", "{etc}/one", "{etc}/two"])
        .quiet()
        .expect_files([("a.log.1", "a\n"), ("b.log.1", "b\n")]);
}

#[test]
fn a_directory_is_read_file_by_file() {
    two()
        .run_with(&["-f", "-s", "{state}", "{etc}"])
        .quiet()
        .expect_files([("a.log.1", "a\n"), ("b.log.1", "b\n")]);
}

#[test]
fn a_missing_configuration_is_an_error_and_the_rest_goes_on() {
    two()
        .run_with(&["-f", "-s", "{state}", "{etc}/none", "{etc}/one"])
        .status(1)
        .stderr_line("error: cannot stat {etc}/none: No such file or directory")
        .expect_files([("a.log.1", "a\n"), ("b.log", "b\n")]);
}

#[test]
fn options_may_be_bundled_and_follow_the_files() {
    for args in [
        &["{etc}/one", "-fs", "{state}"][..],
        &["{etc}/one", "-fs{state}"],
        &["-f", "{etc}/one", "-s={state}"],
        &["--force", "--state", "{state}", "--", "{etc}/one"],
        &["--state={state}", "{etc}/one", "--force"],
    ] {
        two().run_with(args).quiet().expect_files([("a.log.1", "a\n"), ("b.log", "b\n")]);
    }
}

#[test]
fn the_last_state_file_counts() {
    let scene = two().run_with(&["-f", "-s", "{out}/other", "-s", "{state}", "{etc}/one"]).quiet();
    assert!(scene.record("a.log").is_some());
    assert!(!scene.out_path("other").exists());
}

#[test]
fn an_unknown_option_is_exit_two() {
    for bad in ["--verb", "-x", "--force=yes"] {
        two()
            .run_with(&[bad, "{etc}/one"])
            .status(2)
            .stderr_has("bad argument ")
            .stderr_has("unknown error")
            .expect_files([("a.log", "a\n"), ("b.log", "b\n")]);
    }
}

#[test]
fn no_configuration_is_exit_one_with_the_usage() {
    two().run_with(&["-s", "{state}"]).status(1).expect_stdout("").stderr_has("Usage: ");
}

#[test]
fn help_and_usage_are_printed_on_standard_output() {
    for option in ["--help", "-?", "--usage"] {
        two().run_with(&[option]).status(0).expect_stderr("").stdout_has("Usage: ");
    }
    two()
        .run_with(&["--help"])
        .stdout_has("-f, --force")
        .stdout_has("-s, --state=statefile")
        .stdout_has("--wait-for-state-lock");
}

#[test]
fn the_version_is_printed_on_standard_output() {
    two()
        .run_with(&["--version"])
        .status(0)
        .expect_stderr("")
        .stdout_has("logrotate")
        .stdout_has("Default compress command:")
        .stdout_has("Default state file path:");
}

/// Compat CLI-10, CFG-2; the state is locked and written as by any run.
#[test]
fn an_unusual_file_as_configuration_is_ignored() {
    two()
        .run_with(&["-f", "-v", "-s", "{state}", "/dev/null", "{etc}/one"])
        .status(0)
        .stderr_line("Ignoring /dev/null because it's not a regular file.")
        .expect_files([("a.log.1", "a\n"), ("b.log", "b\n")]);
    let scene = two().run_with(&["-f", "-s", "{state}", "/dev/null"]).quiet();
    let state = std::fs::read_to_string(scene.state_path()).expect("a state file");
    assert_eq!(state, "logrotate state -- version 2\n");
}

/// Compat CLI-20, ST-23: the last script of the run still finds the state of before.
#[test]
fn blocks_are_handled_in_the_order_of_the_files_and_the_state_is_written_in_the_end() {
    let block = |name: &str| {
        format!(
            "{{dir}}/{name}.log {{\nrotate 1\nlastaction\n(echo {name}; cat {{state}}) >> {{out}}/seen\nendscript\n}}\n"
        )
    };
    let before = "logrotate state -- version 2\n";
    Scene::new()
        .config_file("one", &(block("b") + &block("a")))
        .config_file("two", "rotate x\n")
        .config_file("three", &block("c"))
        .log("a.log", "a\n")
        .log("b.log", "b\n")
        .log("c.log", "c\n")
        .state_text(before)
        .run_with(&["-f", "-s", "{state}", "{etc}/one", "{etc}/two", "{etc}/three"])
        .status(1)
        .expect_out("seen", &format!("b\n{before}a\n{before}c\n{before}"))
        .expect_recorded_now("a.log")
        .expect_recorded_now("c.log");
}

/// Compat CLI-24.
#[test]
fn a_run_that_is_killed_leaves_the_state_of_before() {
    let mut scene = Scene::new()
        .config("{dir}/a.log {\nrotate 1\npostrotate\necho > {out}/held; sleep 1\nendscript\n}")
        .log("a.log", "x\n")
        .state("a.log", days_ago(9));
    let before = std::fs::read(scene.state_path()).expect("state");
    let args = ["-f", "-s", "{state}", "{config}"].map(|a| scene.expand(a));
    let run = scene.start(program(), args);
    while !scene.out_path("held").exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    run.kill();
    assert_eq!(std::fs::read(scene.state_path()).expect("state"), before);
    scene.expect_files([("a.log.1", "x\n")]);
}

/// Compat CLI-11.
#[test]
fn the_same_configuration_twice_names_its_logs_twice() {
    two()
        .run_with(&["-f", "-s", "{state}", "{etc}/one", "{etc}/one"])
        .status(1)
        .stderr_has("duplicate log entry for {dir}/a.log")
        .expect_files([("a.log.1", "a\n"), ("b.log", "b\n")]);
}
