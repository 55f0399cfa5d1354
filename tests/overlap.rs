//! What takes long for one log does not keep the next one waiting; what needs its result does.

use std::fs::OpenOptions;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::scene::when::days_ago;
use crate::scene::{Scene, Tree, program};

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

/// So many that their renames are made while the next ones are planned.
const MANY: usize = 300;

/// Logs with a version each.
fn many(config: &str) -> Scene {
    (0..MANY).fold(Scene::new().config(config), |scene, n| {
        let log = format!("{n:03}.log");
        let scene = scene.log(&log, &format!("{n} now\n"));
        scene.file(&format!("{log}.1"), &format!("{n} before\n"))
    })
}

/// What a forced run makes of many logs, and of what is put beside them: the end of it, the records, what it
/// says that is no detail, and its status. With `-v` each log is rotated before the next one is planned.
fn forced(config: &str, add: &impl Fn(Scene) -> Scene, verbose: bool) -> (Tree, String, i32) {
    let options = if verbose { &["-f", "-v"][..] } else { &["-f"] };
    let args = [options, &["-s", "{state}", "{config}"]].concat();
    let scene = add(many(config)).run_with(&args);
    let root = scene.root().display().to_string();
    let said = scene
        .stderr()
        .lines()
        .filter(|line| ["error", "warning", "note"].iter().any(|kind| line.starts_with(kind)));
    let mut said: Vec<String> = said.map(|line| line.replace(&root, "")).collect();
    let state = std::fs::read_to_string(scene.state_path()).expect("state");
    let records = state.lines().skip(1).filter_map(|line| line.rsplit_once(' '));
    // The time is another one in each run, but for those that were not set.
    said.extend(records.map(|(log, time)| {
        let is_old = time.starts_with("2020");
        format!("{} {is_old}", log.replace(&root, ""))
    }));
    (scene.logs().timeless(), said.join("\n"), scene.last_status().expect("a status"))
}

fn are_rotated_as_one_by_one(config: &str, add: impl Fn(Scene) -> Scene) {
    let (tree, said, status) = forced(config, &add, true);
    for _ in 0..3 {
        let overlapping = forced(config, &add, false);
        assert_eq!((overlapping.1, overlapping.2), (said.clone(), status), "{config}");
        assert!(overlapping.0 == tree, "{config}:\n{:?}\nbut one by one\n{tree:?}", overlapping.0);
    }
}

#[test]
fn many_logs_end_up_as_they_do_one_by_one() {
    for more in
        ["", "dateext\n", "dateext\nextension .log\n", "compress\n", "create\n", "rotate 1\n"]
    {
        let config = format!("{{dir}}/*.log {{\nrotate 9\n{more}}}");
        are_rotated_as_one_by_one(&config, |scene| scene);
    }
    // The versions are logs of their own too, and move along.
    are_rotated_as_one_by_one("{dir}/* {\nrotate 9\n}", |scene| scene);
}

/// What comes of one log decides what is planned for another.
#[test]
fn logs_that_are_versions_of_each_other_are_rotated_one_by_one() {
    let family = |scene: Scene| {
        let scene = scene.log("b", "b\n").log("b.1", "b1\n").log("b.1.1", "b11\n");
        scene.pinned("b.1.1")
    };
    let config = "{dir}/b.1 {dir}/b {dir}/*.log {\nrotate 5\n}";
    are_rotated_as_one_by_one(config, family);
    // By an ending that looks like a number.
    let config = "{dir}/b.1 {dir}/b {dir}/*.log {\nrotate 5\ncompressext .1\n}";
    are_rotated_as_one_by_one(config, |scene| scene.log("b", "b\n").log("b.1", "b1\n"));
    let today = chrono::Utc::now().format("%Y%m%d");
    let dated = format!("b-{today}.log");
    let config = "{dir}/*.log {\nrotate 9\ndateext\nextension .log\n}";
    let family = |scene: Scene| scene.log("b.log", "b\n").log(&dated, "dated\n");
    are_rotated_as_one_by_one(config, family);
    are_rotated_as_one_by_one(config, |scene| family(scene).pinned(&dated));
    // The same directory by another name.
    let config = format!(
        "{{dir}}/{dated} {{dir}}/link/b.log {{dir}}/*.log {{\nrotate 9\ndateext\nextension .log\nignoreduplicates\n}}"
    );
    are_rotated_as_one_by_one(&config, |scene| family(scene).symlink("link", "."));
}

/// What is said of a log comes before what is said of the next one.
#[test]
fn what_is_said_of_many_logs_keeps_its_order() {
    let config = "{dir}/*.log {\nrotate 5\ndelaycompress\n}";
    are_rotated_as_one_by_one(config, |scene| scene.pinned("010.log").pinned("200.log"));
    let config = "{dir}/*.log {\nrotate 5\n}";
    are_rotated_as_one_by_one(config, |scene| scene.pinned("010.log").pinned("200.log.1"));
}

#[test]
fn one_of_many_logs_that_cannot_be_moved_keeps_none_of_the_others() {
    let scene = many("{dir}/*.log {\nrotate 9\n}")
        .pinned("150.log")
        .run(["-f"])
        .status(1)
        .stderr_has("failed to rename {dir}/150.log to {dir}/150.log.1: Operation not permitted")
        .expect_file("150.log", "150 now\n")
        .expect_file("150.log.2", "150 before\n")
        .expect_no_file("150.log.1");
    assert_eq!(scene.stderr().lines().count(), 1, "{}", scene.stderr());
    for n in (0..MANY).filter(|n| *n != 150) {
        let log = format!("{n:03}.log");
        assert!(!scene.log_path(&log).exists() && scene.record(&log).is_some(), "{log}");
    }
}

/// Each log is rotated once, by the run that is asked to end, or by the next one.
#[test]
fn a_run_that_is_asked_to_end_amid_many_logs_leaves_none_half_way() {
    for rename in [1, 40, 2 * MANY] {
        let mut scene = many("{dir}/*.log {\nrotate 9\ndaily\nmissingok\n}");
        for n in 0..MANY {
            scene = scene.state(&format!("{n:03}.log"), days_ago(2));
        }
        let inject = format!("inject=renameat2:signal=TERM:when={rename}");
        let trace =
            ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=renameat2", "-e", &inject];
        let run = [program(), "-s", "{state}", "{config}"].map(|arg| scene.expand(arg));
        let args = trace.iter().map(|arg| (*arg).to_owned()).chain(run);
        let args = ["--default-signal".to_owned()].into_iter().chain(args);
        let ran = scene.start("env", args.collect::<Vec<_>>()).end();
        let scene = scene.ended(ran).status(1).stderr_has("ended by SIGTERM");
        let scene = scene.run([]).status(0);
        for n in 0..MANY {
            let log = format!("{n:03}.log");
            assert!(!scene.log_path(&log).exists(), "{log}");
            assert!(!scene.log_path(&format!("{log}.3")).exists(), "{log}");
        }
        let scene = (0..MANY).fold(scene, |scene, n| {
            scene
                .expect_file(&format!("{n:03}.log.1"), &format!("{n} now\n"))
                .expect_file(&format!("{n:03}.log.2"), &format!("{n} before\n"))
        });
        assert!(!scene.root().join("var/state.journal").exists());
    }
}
