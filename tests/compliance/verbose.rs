//! `-v` and silence without it (compat CLI-23, MSG-10..14).

use crate::scene::Scene;

#[test]
fn without_it_a_run_says_nothing() {
    Scene::new().config("{dir}/a.log {\nrotate 1\n}").log("a.log", "x\n").run(["-f"]).quiet();
}

#[test]
fn with_it_a_run_says_what_it_does() {
    Scene::new()
        .config("{dir}/a.log {\nrotate 1\n}")
        .log("a.log", "x\n")
        .run(["-f", "-v"])
        .status(0)
        .expect_stdout("")
        .stderr_line("reading config file {config}")
        .stderr_has("Handling 1 logs")
        .stderr_has("rotating pattern: {dir}/a.log")
        .stderr_has("forced from command line")
        .stderr_line("considering log {dir}/a.log")
        .stderr_line("  log needs rotating")
        .stderr_has("rotating log {dir}/a.log")
        .stderr_line("renaming {dir}/a.log to {dir}/a.log.1")
        .expect_files([("a.log.1", "x\n")]);
}

#[test]
fn with_it_a_run_says_why_a_log_is_not_due() {
    Scene::new()
        .config("{dir}/a.log {\nsize 1M\nrotate 1\n}")
        .log("a.log", "x\n")
        .run(["--verbose"])
        .status(0)
        .stderr_has("log does not need rotating (log size is below the 'size' threshold)");
}
