//! `lastaction` (compat 6, ROT-13).

use crate::scene::Scene;

#[test]
fn it_runs_once_for_the_block_after_all_else() {
    Scene::new()
        .config(
            "{dir}/*.log {\nrotate 1\ncompress\npostrotate\necho post >> {out}/calls\nendscript\n\
             lastaction\necho \"last:$#\" >> {out}/calls\nls {dir} >> {out}/calls\nendscript\n}",
        )
        .log("a.log", "a\n")
        .log("b.log", "b\n")
        .run(["-f"])
        .quiet()
        .expect_out("calls", "post\npost\nlast:1\na.log.1.gz\nb.log.1.gz\n");
}

#[test]
fn it_runs_even_when_a_log_failed() {
    Scene::new()
        .config(
            "{dir}/a.log {\nrotate 1\npostrotate\nexit 1\nendscript\n\
             lastaction\ntouch {out}/last\nendscript\n}",
        )
        .log("a.log", "a\n")
        .run(["-f"])
        .status(1)
        .expect_out("last", "");
}

#[test]
fn its_failure_only_shows_in_the_exit_status() {
    Scene::new()
        .config("{dir}/a.log {\nrotate 1\nlastaction\nexit 1\nendscript\n}")
        .log("a.log", "a\n")
        .run(["-f"])
        .status(1)
        .stderr_has("error: error running last action script for {dir}/a.log")
        .expect_files([("a.log.1", "a\n")])
        .expect_recorded_now("a.log");
}

#[test]
fn it_does_not_run_when_no_log_is_due() {
    Scene::new()
        .config("{dir}/a.log {\nsize 1M\nrotate 1\nlastaction\ntouch {out}/ran\nendscript\n}")
        .log("a.log", "a\n")
        .run([])
        .quiet()
        .expect_no_out("ran");
}
