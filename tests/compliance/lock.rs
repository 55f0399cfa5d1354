//! The lock of the state file, `--skip-state-lock`, `--wait-for-state-lock` (compat ST-10..12, CLI-5).

use std::time::Duration;

use crate::scene::{Running, Scene, differs, program, theirs};

const LOCKED: &str = "error: state file {state} is already locked\n\
    logrotate does not support parallel execution on the same set of logfiles.\n";

/// A scene whose state file is locked by the other program.
fn locked() -> (Scene, Running) {
    let mut scene = Scene::new()
        .config("{dir}/a.log {\nrotate 1\n}")
        .log("a.log", "x\n")
        .state_text("logrotate state -- version 2\n");
    let script = "echo > $0/held; exec sleep 30";
    let (state, out) = (scene.expand("{state}"), scene.expand("{out}"));
    let holder = scene.start("flock", ["-F", &state, "sh", "-c", script, &out]);
    while !scene.out_path("held").exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    (scene, holder)
}

#[test]
fn a_second_run_is_exit_three_and_rotates_nothing() {
    let (scene, holder) = locked();
    let help = "  = help: with --wait-for-state-lock a run waits until the other one has ended\n";
    let told = format!("{LOCKED}{}", if theirs() { "" } else { help });
    scene.run(["-f"]).status(3).expect_stderr(&told).expect_files([("a.log", "x\n")]);
    holder.kill();
}

/// Compat CLI-20, CLI-22.
#[test]
fn errors_in_the_configuration_are_said_first() {
    let (scene, holder) = locked();
    scene
        .config("{dir}/a.log {\nrotate x\n}")
        .run(["-f"])
        .status(3)
        .stderr_has("error: {config}:2 bad rotation count 'x'\n")
        .stderr_has(LOCKED);
    holder.kill();
}

#[test]
fn with_skip_state_lock_the_run_goes_on() {
    let (scene, holder) = locked();
    scene.run(["-f", "--skip-state-lock"]).quiet().expect_files([("a.log.1", "x\n")]);
    holder.kill();
}

#[test]
fn with_wait_for_state_lock_the_run_waits() {
    let (mut scene, holder) = locked();
    let args =
        ["-f", "--wait-for-state-lock", "-s", "{state}", "{config}"].map(|a| scene.expand(a));
    let mut run = scene.start(program(), args);
    std::thread::sleep(Duration::from_millis(700));
    assert!(run.goes_on());
    assert!(scene.log_path("a.log").exists());
    holder.kill();
    let run = run.end();
    scene.ended(run).quiet().expect_files([("a.log.1", "x\n")]);
}

#[test]
fn both_options_together_are_an_error() {
    Scene::new()
        .config("{dir}/a.log {\nrotate 1\n}")
        .log("a.log", "x\n")
        .run(["-f", "--skip-state-lock", "--wait-for-state-lock"])
        .status(1)
        .stderr_has("options --skip-state-lock and --wait-for-state-lock are mutually exclusive\n")
        .expect_files([("a.log", "x\n")]);
}

#[test]
fn a_state_file_that_cannot_be_made_is_exit_three() {
    Scene::new()
        .config("{dir}/a.log {\nrotate 1\n}")
        .log("a.log", "x\n")
        .run_with(&["-f", "-s", "{out}/none/state", "{config}"])
        .status(3)
        .stderr_has("{out}/none/state: No such file or directory")
        .expect_files([("a.log", "x\n")]);
}

#[test]
fn two_runs_on_a_state_file_that_all_may_read_exclude_each_other() {
    differs("B-52", || {
        let mut scene = Scene::new()
            .config("{dir}/a.log {\nrotate 1\nprerotate\necho > {out}/held; sleep 3\nendscript\n}")
            .log("a.log", "x\n")
            .state_text("logrotate state -- version 2\n")
            .mode(0o644);
        let args = ["-f", "-s", "{state}", "{config}"].map(|a| scene.expand(a));
        let first = scene.start(program(), args);
        while !scene.out_path("held").exists() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let scene = scene.run(["-f"]).status(3).stderr_has(LOCKED);
        let first = first.end();
        scene
            .ended(first)
            .status(0)
            .stderr_has("world-readable")
            .expect_files([("a.log.1", "x\n")]);
    });
}

/// The time in the version's name is that of the run (compat CLI-20).
#[test]
fn now_is_read_after_the_wait() {
    differs("B-41", || {
        let (scene, holder) = locked();
        let mut scene = scene.config("{dir}/a.log {\nrotate 1\ndateext\ndateformat -%s\n}");
        let args = ["-f", "--wait-for-state-lock", "-s", "{state}", "{config}"];
        let args = args.map(|a| scene.expand(a));
        let run = scene.start(program(), args);
        std::thread::sleep(Duration::from_millis(2500));
        let released = chrono::Utc::now().timestamp();
        holder.kill();
        let run = run.end();
        let tree = scene.ended(run).quiet().logs();
        let names = tree.files();
        let name = names[0].to_str().and_then(|n| n.strip_prefix("a.log-")).expect("a.log-");
        assert!(name.parse::<i64>().expect("seconds") >= released, "{name} {released}");
    });
}

#[test]
fn a_second_run_without_a_lock_stops_at_the_journal_of_the_first() {
    differs("skip-lock", || {
        let script = "postrotate\necho > {out}/held\nwhile [ -e {out}/held ]; do sleep 0.01; done\nendscript";
        let mut scene = Scene::new()
            .config(&format!("{{dir}}/a.log {{\nrotate 1\n{script}\n}}"))
            .config_file("b.conf", "{dir}/b.log {\nrotate 1\n}")
            .log("a.log", "x\n")
            .log("b.log", "y\n");
        let args = ["-f", "--skip-state-lock", "-s", "{state}", "{config}"];
        let args: Vec<String> = args.iter().map(|arg| scene.expand(arg)).collect();
        let first = scene.start(program(), args);
        while !scene.out_path("held").exists() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let second = ["-f", "--skip-state-lock", "-s", "{state}", "{etc}/b.conf"];
        let scene = scene.run_with(&second);
        std::fs::remove_file(scene.out_path("held")).expect("remove");
        first.end();
        scene
            .status(3)
            .stderr_has("error: journal {state}.journal belongs to a run that is going on\n")
            .expect_files([("a.log.1", "x\n"), ("b.log", "y\n")]);
    });
}
