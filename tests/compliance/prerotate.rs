//! `prerotate` (compat 6).

use crate::scene::when::days_ago;
use crate::scene::{Scene, differs};

#[test]
fn it_runs_before_each_log_with_its_path() {
    Scene::new()
        .config(
            "{dir}/*.log {\nrotate 1\nprerotate\necho \"$#:$0:$1\" >> {out}/calls\n\
             test -e $1 && echo there >> {out}/calls\nendscript\n}",
        )
        .log("a.log", "a\n")
        .log("b.log", "b\n")
        .run(["-f"])
        .quiet()
        .expect_out(
            "calls",
            "1:logrotate_script:{dir}/a.log\nthere\n1:logrotate_script:{dir}/b.log\nthere\n",
        );
}

#[test]
fn a_failure_keeps_its_log_from_being_rotated() {
    let then = days_ago(3);
    Scene::new()
        .config(
            "{dir}/*.log {\ndaily\nrotate 1\nprerotate\ncase $1 in *a.log) exit 1;; esac\nendscript\n}",
        )
        .log("a.log", "a\n")
        .log("b.log", "b\n")
        .state("a.log", then)
        .state("b.log", then)
        .run([])
        .status(1)
        .stderr_has("error: error running non-shared prerotate script for {dir}/a.log of '{dir}/*.log")
        .expect_files([("a.log", "a\n"), ("b.log.1", "b\n")])
        .expect_recorded_now("b.log");
}

/// So large a directory is not listed again after each script: what has changed there is asked for.
#[test]
fn a_version_that_it_makes_moves_up_also_in_a_directory_of_ten_thousand_files() {
    differs("D-4", || {
        let logs = ["a.log", "b.log", "c.log", "d.log", "e.log", "f.log"];
        let mut scene = Scene::new().config(
            "{dir}/*.log {\nrotate 3\n\
             firstaction\nseq 10000 | sed 's,^,{dir}/other.,' | xargs touch\nendscript\n\
             prerotate\necho made > $1.1\nendscript\n\
             lastaction\nfind {dir} -name 'other.*' -delete\nendscript\n}",
        );
        for log in logs {
            scene = scene.log(log, log);
        }
        scene = scene.run(["-f"]).quiet();
        for log in logs {
            scene = scene
                .expect_file(&format!("{log}.1"), log)
                .expect_file(&format!("{log}.2"), "made\n")
                .expect_no_file(&format!("{log}.3"));
        }
    });
}

/// 3.21 records it as rotated.
/// Compat ST-20.
#[test]
fn a_failure_leaves_the_record() {
    differs("B-46", || {
        let then = days_ago(3);
        Scene::new()
            .config("{dir}/a.log {\ndaily\nrotate 1\nprerotate\nexit 1\nendscript\n}")
            .log("a.log", "a\n")
            .state("a.log", then)
            .run([])
            .status(1)
            .expect_record("a.log", then);
    });
}

#[test]
fn it_does_not_run_for_a_log_that_is_not_due() {
    Scene::new()
        .config("{dir}/a.log {\nsize 1M\nrotate 1\nprerotate\ntouch {out}/ran\nendscript\n}")
        .log("a.log", "a\n")
        .run([])
        .quiet()
        .expect_no_out("ran");
}

#[test]
fn what_it_writes_to_the_log_is_rotated_with_it() {
    Scene::new()
        .config("{dir}/a.log {\nrotate 1\nprerotate\necho last words >> $1\nendscript\n}")
        .log("a.log", "a\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log.1", "a\nlast words\n")]);
}

#[test]
fn it_inherits_the_streams() {
    Scene::new()
        .config("{dir}/a.log {\nrotate 1\nprerotate\necho out; echo err >&2\nendscript\n}")
        .log("a.log", "a\n")
        .run(["-f"])
        .status(0)
        .expect_stdout("out\n")
        .expect_stderr("err\n");
}

#[test]
fn braces_and_comments_in_its_text_mean_nothing() {
    Scene::new()
        .config("{dir}/a.log {\nprerotate\n# }\nf() { echo \"}\" > {out}/said; }\nf\nendscript\nrotate 1\n}")
        .log("a.log", "a\n")
        .run(["-f"])
        .quiet()
        .expect_out("said", "}\n")
        .expect_files([("a.log.1", "a\n")]);
}

#[test]
fn the_reason_of_a_failure_is_said() {
    differs("D-1", || {
        for (text, reason) in [
            ("exit 3", "child did not exit with status 0 but with 3"),
            ("kill -9 $$", "child did not terminate normally: signal 9 ended it"),
        ] {
            Scene::new()
                .config(&format!("{{dir}}/a.log {{\nrotate 1\nprerotate\n{text}\nendscript\n}}"))
                .log("a.log", "a\n")
                .run(["-f"])
                .status(1)
                .stderr_has(&format!(": {reason}\n"));
        }
    });
}

#[test]
fn it_runs_before_old_versions_move() {
    differs("D-4", || {
        Scene::new()
            .config("{dir}/a.log {\nrotate 2\nprerotate\nls {dir} > {out}/seen\nendscript\n}")
            .log("a.log", "new\n")
            .file("a.log.1", "old\n")
            .run(["-f"])
            .quiet()
            .expect_out("seen", "a.log\na.log.1\n")
            .expect_files([("a.log.1", "new\n"), ("a.log.2", "old\n")]);
    });
}

#[test]
fn it_has_the_directory_umask_and_environment_of_the_run_and_the_usual_name() {
    let script =
        "echo $0 $(pwd) $(umask) $LC_ALL ${LOGROTATE_COMPRESSED_FILENAME-unset} > {out}/seen";
    let scene = Scene::new()
        .config(&format!("{{dir}}/a.log {{\nrotate 1\nprerotate\n{script}\nendscript\n}}"))
        .log("a.log", "x\n")
        .run(["-f"])
        .quiet();
    let here = scene.root().display().to_string();
    let umask = std::process::Command::new("sh").args(["-c", "umask"]).output().expect("sh").stdout;
    let umask = String::from_utf8_lossy(&umask);
    let seen = format!("logrotate_script {here} {} C unset\n", umask.trim());
    scene.expect_out("seen", &seen);
}
