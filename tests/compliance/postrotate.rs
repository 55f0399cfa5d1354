//! `postrotate` (compat 6).

use std::time::{Duration, Instant};

use crate::scene::{Scene, differs, when};

#[test]
fn it_runs_after_each_log_with_its_path_and_the_new_name() {
    Scene::new()
        .config("{dir}/*.log {\nrotate 1\npostrotate\necho \"$#:$0:$1:$2\" >> {out}/calls\ncat $2 >> {out}/calls\nendscript\n}")
        .log("a.log", "a\n")
        .log("b.log", "b\n")
        .run(["-f"])
        .quiet()
        .expect_out(
            "calls",
            "2:logrotate_script:{dir}/a.log:{dir}/a.log.1\na\n\
             2:logrotate_script:{dir}/b.log:{dir}/b.log.1\nb\n",
        );
}

#[test]
fn with_dates_and_compression_the_name_has_no_compress_ending() {
    when::steady();
    let name = format!("{{dir}}/a.log-{}\n", when::stamp("%Y%m%d"));
    Scene::new()
        .config("{dir}/a.log {\nrotate 1\ndateext\ncompress\npostrotate\necho $2 > {out}/call\nendscript\n}")
        .log("a.log", "a\n")
        .run(["-f"])
        .quiet()
        .expect_out("call", &name);
}

#[test]
fn the_new_log_is_there_already() {
    Scene::new()
        .config(
            "{dir}/a.log {\nrotate 1\ncreate\npostrotate\nwc -c < $1 > {out}/size\nendscript\n}",
        )
        .log("a.log", "a\n")
        .run(["-f"])
        .quiet()
        .expect_out("size", "0\n");
}

/// Compat ST-20.
#[test]
fn a_failure_leaves_the_log_rotated_and_recorded() {
    Scene::new()
        .config("{dir}/a.log {\nrotate 3\npostrotate\nexit 1\nendscript\n}")
        .log("a.log", "a\n")
        .run(["-f"])
        .status(1)
        .stderr_has(
            "error: error running non-shared postrotate script for {dir}/a.log of '{dir}/a.log",
        )
        .expect_files([("a.log.1", "a\n")])
        .expect_recorded_now("a.log");
}

/// Compat ROT-74.
#[test]
fn a_failure_leaves_the_version_uncompressed_and_the_oldest_in_place() {
    Scene::new()
        .config("{dir}/a.log {\nrotate 1\ncompress\npostrotate\nexit 1\nendscript\n}")
        .log("a.log", "a\n")
        .file("a.log.1.gz", "old\n")
        .run(["-f"])
        .status(1)
        .expect_files([("a.log.1", "a\n"), ("a.log.2.gz", "old\n")]);
}

#[test]
fn a_script_that_fails_for_days_costs_no_version() {
    differs("B-04", || {
        let config = "{dir}/a.log {\nrotate 9\ncompress\npostrotate\nexit 1\nendscript\n}";
        let mut scene = Scene::new().config(config);
        for content in ["1\n", "2\n", "3\n"] {
            scene = scene.log("a.log", content).run(["-f"]).status(1);
        }
        let tree = scene.logs();
        let mut kept: Vec<_> = tree.files().iter().map(|f| tree.0[*f].content.clone()).collect();
        kept.sort();
        assert_eq!(kept, [b"1\n", b"2\n", b"3\n"]);
    });
}

#[test]
fn the_run_does_not_wait_for_what_it_leaves_in_the_background() {
    let start = Instant::now();
    Scene::new()
        .config(
            "{dir}/a.log {\nrotate 1\npostrotate\nsleep 20 &\necho $! > {out}/pid\nendscript\n}",
        )
        .log("a.log", "a\n")
        .run(["-f"])
        .quiet()
        .then(|scene| {
            let pid = std::fs::read_to_string(scene.out_path("pid")).expect("pid");
            let killed = std::process::Command::new("kill").arg(pid.trim()).status();
            assert!(killed.expect("kill").success(), "the background process lives on");
        });
    assert!(start.elapsed() < Duration::from_secs(15));
}

#[test]
fn a_later_script_replaces_an_earlier_one() {
    Scene::new()
        .config(
            "postrotate\ntouch {out}/global\nendscript\n\
             {dir}/a.log {\nrotate 1\npostrotate\ntouch {out}/block\nendscript\n}\n\
             {dir}/b.log {\nrotate 1\n}",
        )
        .log("a.log", "a\n")
        .run(["-f"])
        .status(1)
        .expect_no_out("global")
        .expect_out("block", "")
        .log("b.log", "b\n")
        .run(["-f"])
        .expect_out("global", "");
}

#[test]
fn of_two_blocks_with_the_same_list_the_first_has_the_logs_and_its_scripts_run() {
    let block = |word: &str| {
        format!(
            "{{dir}}/*.log {{\nignoreduplicates\nrotate 1\npostrotate\necho {word} >> {{out}}/said\nendscript\n}}\n"
        )
    };
    let config = block("first") + &block("second");
    Scene::new()
        .config(&config)
        .log("a.log", "x\n")
        .run(["-f"])
        .status(0)
        .expect_out("said", "first\n");
}
