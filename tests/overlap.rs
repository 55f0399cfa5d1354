//! What takes long for one log does not keep the next one waiting; what needs its result does.

use std::fs::OpenOptions;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::scene::Scene;

/// A process has the log open until this file is gone.
const HOLDER: &str = "exec 3>>\"$0\"; while [ -e \"$1\" ]; do sleep 0.01; done";

/// Would the first log be waited for before the second is rotated, its writer would never let go of it.
#[test]
fn a_writer_that_is_waited_for_does_not_hold_up_the_next_log() {
    let block = "{\nrotate 1\ncompress\nwriters wait 60s\npostrotate\n";
    let config = format!(
        "{{dir}}/a.log {block}true\nendscript\n}}\n{{dir}}/b.log {block}rm {{out}}/held\nendscript\n}}"
    );
    let mut scene = Scene::new().config(&config).log("a.log", "a\n").log("b.log", "b\n");
    let (log, held) = (scene.log_path("a.log"), scene.out_path("held"));
    std::fs::write(&held, "").expect("write");
    let arguments = ["-c".into(), HOLDER.into(), log.clone(), held];
    let holder = scene.start("sh", arguments);
    wait_for_holder(&log);
    let started = Instant::now();
    let scene = scene.run(["-f"]).quiet();
    assert!(started.elapsed() < Duration::from_secs(50), "it was waited for");
    holder.end();
    scene.expect_files([("a.log.1.gz", "a\n"), ("b.log.1.gz", "b\n")]);
}

/// Waits until some other process has a file open.
fn wait_for_holder(log: &Path) {
    let started = Instant::now();
    let holds = |entry: std::fs::DirEntry| {
        let fds = std::fs::read_dir(entry.path().join("fd")).into_iter().flatten().flatten();
        fds.into_iter().any(|fd| std::fs::read_link(fd.path()).is_ok_and(|path| path == log))
    };
    while !std::fs::read_dir("/proc").expect("/proc").flatten().any(holds) {
        assert!(started.elapsed() < Duration::from_secs(60), "nobody opens the log");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn writers_that_never_let_go_are_waited_for_together() {
    const LOGS: u32 = 12;
    let names: Vec<String> = (0..LOGS).map(|n| format!("{n}.log")).collect();
    let config = "{dir}/*.log {\nrotate 1\nmissingok\ncompress\nwriters wait 4s\n}";
    let scene =
        names.iter().fold(Scene::new().config(config), |scene, name| scene.log(name, "x\n"));
    let writers: Vec<_> = names
        .iter()
        .map(|name| OpenOptions::new().append(true).open(scene.log_path(name)).expect("open"))
        .collect();
    let started = Instant::now();
    let scene = scene.run(["-f"]).status(0);
    // One after the other they would take 48 seconds.
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    assert_eq!(scene.stderr().matches("is still written by process").count(), LOGS as usize);
    drop(writers);
    names.iter().fold(scene.run([]).quiet(), |scene, name| {
        scene.expect_file(&format!("{name}.1.gz"), "x\n")
    });
}

#[test]
fn lastaction_sees_all_versions_compressed() {
    let text = "a line of thirty-one characters\n".repeat(200_000);
    let config =
        "{dir}/*.log {\nrotate 1\ncompress\nlastaction\nls {dir} > {out}/seen\nendscript\n}";
    Scene::new()
        .config(config)
        .log("a.log", &text)
        .log("b.log", &text)
        .log("c.log", "c\n")
        .run(["-f"])
        .quiet()
        .expect_out("seen", "a.log.1.gz\nb.log.1.gz\nc.log.1.gz\n");
}

/// The second makes room by moving what the first is being compressed to.
#[test]
fn a_log_whose_versions_another_still_works_on_waits_for_it() {
    let text = "a line of thirty-one characters\n".repeat(200_000);
    for block in ["", "sharedscripts\n"] {
        let config =
            format!("{{dir}}/*/a.log {{\nrotate 5\ncompress\nolddir {{dir}}/old\n{block}}}");
        Scene::new()
            .config(&config)
            .dir("one")
            .dir("two")
            .dir("old")
            .log("one/a.log", &text)
            .log("two/a.log", "two\n")
            .run(["-f"])
            .quiet()
            .expect_files([("old/a.log.1.gz", "two\n"), ("old/a.log.2.gz", &text)]);
    }
}

#[test]
fn what_fails_late_fails_the_run_and_is_told() {
    let config = "{dir}/a.log {\nrotate 1\ncompress\ncompresscmd /bin/false\n}\n\
                  {dir}/b.log {\nrotate 1\ncompress\n}";
    Scene::new()
        .config(config)
        .log("a.log", "a\n")
        .log("b.log", "b\n")
        .run(["-f"])
        .status(1)
        .stderr_has("failed to compress log {dir}/a.log.1")
        .expect_files([("a.log.1", "a\n"), ("b.log.1.gz", "b\n")])
        .expect_recorded_now("a.log")
        .expect_recorded_now("b.log");
}
