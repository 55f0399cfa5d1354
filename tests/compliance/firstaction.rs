//! `firstaction` (compat 6).

use crate::scene::Scene;
use crate::scene::when::days_ago;

#[test]
fn it_runs_once_for_the_block_before_all_else_with_the_patterns() {
    Scene::new()
        .config(
            "{dir}/a.log {dir}/b.log {\nrotate 1\nfirstaction\necho \"first:$#:$1\" >> {out}/calls\nendscript\n\
             prerotate\necho pre >> {out}/calls\nendscript\n}",
        )
        .log("a.log", "a\n")
        .log("b.log", "b\n")
        .run(["-f"])
        .quiet()
        .then(|scene| {
            let calls = std::fs::read_to_string(scene.out_path("calls")).expect("calls");
            // 3.21 keeps the blank behind the last pattern (compat D-1).
            let wanted = scene.expand("first:1:{dir}/a.log {dir}/b.log\npre\npre\n");
            assert_eq!(calls.replace(" \n", "\n"), wanted);
        });
}

/// Compat ROT-10, ST-20.
#[test]
fn a_failure_ends_the_block_and_records_nothing() {
    let then = days_ago(3);
    Scene::new()
        .config(
            "{dir}/a.log {\ndaily\nrotate 1\nfirstaction\nexit 1\nendscript\n\
             lastaction\ntouch {out}/last\nendscript\n}\n{dir}/b.log {\nrotate 1\nsize 1\n}",
        )
        .log("a.log", "a\n")
        .log("b.log", "b\n")
        .state("a.log", then)
        .run([])
        .status(1)
        .stderr_has("error: error running first action script for {dir}/a.log")
        .expect_no_out("last")
        .expect_files([("a.log", "a\n"), ("b.log.1", "b\n")])
        .expect_record("a.log", then);
}

/// Compat ROT-10.
#[test]
fn it_does_not_run_when_no_log_is_due() {
    Scene::new()
        .config("{dir}/a.log {\nsize 1M\nrotate 1\nfirstaction\ntouch {out}/ran\nendscript\n}")
        .log("a.log", "a\n")
        .run([])
        .quiet()
        .expect_no_out("ran");
}
