//! `renamecopy` and `norenamecopy` (compat ROT-51, ROT-70, 2.8).

use crate::scene::{Scene, differs};

#[test]
fn the_log_is_renamed_and_copied_after_postrotate() {
    let script = "postrotate\necho $2 > {out}/seen\ncat $1.tmp >> {out}/seen\nls {dir} >> {out}/seen\nendscript\n";
    Scene::new()
        .config(&format!("{{dir}}/a.log {{\nrotate 2\nrenamecopy\n{script}}}"))
        .log("a.log", "new\n")
        .mode(0o640)
        .owner(1, 2)
        .file("a.log.1", "old\n")
        .run(["-f"])
        .quiet()
        .expect_out("seen", "{dir}/a.log.1\nnew\na.log.2\na.log.tmp\n")
        .expect_files([("a.log.1", "new\n"), ("a.log.2", "old\n")])
        .expect_mode("a.log.1", 0o640)
        .expect_owner("a.log.1", 1, 2);
}

#[test]
fn create_works_with_it() {
    Scene::new()
        .config("{dir}/a.log {\nrotate 2\nrenamecopy\ncreate 0600\ncompress\n}")
        .log("a.log", "new\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log", ""), ("a.log.1.gz", "new\n")])
        .expect_mode("a.log", 0o600);
}

#[test]
fn with_rotate_zero_nothing_is_left() {
    Scene::new()
        .config("{dir}/a.log {\nrotate 0\nrenamecopy\n}")
        .log("a.log", "new\n")
        .run(["-f"])
        .quiet()
        .expect_files([]);
}

#[test]
fn the_last_of_it_and_copytruncate_counts() {
    for (directives, left) in
        [("copytruncate\nrenamecopy", false), ("renamecopy\ncopytruncate", true)]
    {
        let scene = Scene::new()
            .config(&format!("{{dir}}/a.log {{\nrotate 2\n{directives}\n}}"))
            .log("a.log", "new\n")
            .run(["-f"])
            .quiet()
            .expect_file("a.log.1", "new\n");
        assert_eq!(scene.log_path("a.log").exists(), left, "{directives}");
    }
}

#[test]
fn norenamecopy_takes_back_a_global_renamecopy() {
    Scene::new()
        .config("renamecopy\n{dir}/a.log {\nrotate 2\nnorenamecopy\npostrotate\nls {dir} > {out}/seen\nendscript\n}")
        .log("a.log", "new\n")
        .run(["-f"])
        .quiet()
        .expect_out("seen", "a.log.1\n");
}

#[test]
fn it_says_what_it_does() {
    Scene::new()
        .config("{dir}/a.log {\nrotate 2\nrenamecopy\n}")
        .log("a.log", "new\n")
        .run(["-v", "-f"])
        .status(0)
        .stderr_line("renaming {dir}/a.log to {dir}/a.log.tmp")
        .stderr_line("copying {dir}/a.log.tmp to {dir}/a.log.1")
        .stderr_line("removing tmp log {dir}/a.log.tmp");
}

#[test]
fn it_wins_over_copy() {
    differs("B-20", || {
        Scene::new()
            .config("{dir}/a.log {\nrotate 2\ncopy\nrenamecopy\n}")
            .log("a.log", "new\n")
            .run(["-f"])
            .quiet()
            .expect_files([("a.log.1", "new\n")]);
    });
}

#[test]
fn a_left_over_temporary_is_not_overwritten() {
    differs("B-06", || {
        Scene::new()
            .config("{dir}/a.log {\nrotate 2\nrenamecopy\n}")
            .log("a.log", "new\n")
            .file("a.log.tmp", "only copy\n")
            .run(["-f"])
            .quiet()
            .expect_files([("a.log.1", "new\n"), ("a.log.tmp", "only copy\n")]);
    });
}

#[test]
fn after_a_failed_postrotate_the_next_run_copies_the_log() {
    differs("B-06", || {
        Scene::new()
            .config(
                "{dir}/a.log {\nrotate 2\nmissingok\nrenamecopy\npostrotate\nexit 1\nendscript\n}",
            )
            .log("a.log", "1\n")
            .run(["-f"])
            .status(1)
            .expect_files([("a.log.tmp", "1\n")])
            .run([])
            .quiet()
            .expect_files([("a.log.1", "1\n")])
            .log("a.log", "2\n")
            .run(["-f"])
            .status(1)
            .run([])
            .quiet()
            .expect_files([("a.log.1", "2\n"), ("a.log.2", "1\n")]);
    });
}

#[test]
fn a_log_that_cannot_be_copied_stays_and_is_copied_when_its_name_is_free() {
    differs("B-06", || {
        let squat =
            "postrotate\ntest -e {dir}/a.log.1 || echo foreign > {dir}/a.log.1\nendscript\n";
        Scene::new()
            .config(&format!("{{dir}}/a.log {{\nrotate 2\nmissingok\nrenamecopy\n{squat}}}"))
            .log("a.log", "1\n")
            .run(["-f"])
            .status(1)
            .expect_files([("a.log.1", "foreign\n"), ("a.log.tmp", "1\n")])
            // A name that another file has is never taken for the copy.
            .run([])
            .status(1)
            .expect_files([("a.log.1", "foreign\n"), ("a.log.tmp", "1\n")])
            .then(|scene| std::fs::remove_file(scene.log_path("a.log.1")).expect("remove"))
            .run([])
            .quiet()
            .expect_files([("a.log.1", "1\n")]);
    });
}

#[test]
fn with_sharedscripts_two_logs_of_one_name_take_different_slots() {
    differs("equal-names", || {
        let scene = Scene::new()
            .config("{dir}/*/a.log {\nrotate 5\nsharedscripts\nrenamecopy\nolddir {dir}\n}")
            .dir("x")
            .dir("y");
        scene
            .log("x/a.log", "x\n")
            .log("y/a.log", "y\n")
            .run(["-f"])
            .quiet()
            .expect_files([("a.log.1", "y\n"), ("a.log.2", "x\n")]);
    });
}
