//! Several configurations with one state file: crontab's own one every ten minutes, `/etc/logrotate.conf`
//! once a day. What a run of one leaves is the business of the next run of that one.

use std::fs::{self, OpenOptions};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::scene::{Scene, close, program, set_mode};

const MAIN: [&str; 3] = ["-s", "{state}", "{config}"];
const OTHER: [&str; 3] = ["-s", "{state}", "{etc}/other.conf"];

/// A daily configuration that includes a directory, and another.
fn scene(block: &str) -> Scene {
    Scene::new()
        .config("daily\nrotate 5\ncreate\ncompress\ninclude {etc}/d\n")
        .config_dir("d")
        .config_file("d/app", &format!("{{dir}}/app.log {{\n{block}\n}}"))
        .config_file("other.conf", "{dir}/user.log {\nevery 10m\nrotate 1008\n}")
        .log("app.log", "old\n")
        .log("user.log", "x\n")
}

/// A script that runs for ever once, and then notes that it was run.
const SLOW: &str = "postrotate\nif [ -e {out}/slow ]; then echo $$ > {out}/pid; exec sleep 1000; fi\n\
    echo HUP >> {out}/hup\nendscript";

/// A forced run of the daily configuration that was killed in `postrotate`.
fn killed(signal: Signal) -> Scene {
    let mut scene = scene(SLOW).then(|scene| {
        fs::write(scene.out_path("slow"), "").expect("write");
    });
    let args = ["--default-signal", program(), "-f", "-s", "{state}", "{config}"];
    let args: Vec<String> = args.iter().map(|arg| scene.expand(arg)).collect();
    let run = scene.start("env", args);
    let (pid, begun) = (scene.out_path("pid"), Instant::now());
    let pid = loop {
        if let Ok(pid) = fs::read_to_string(&pid).unwrap_or_default().trim().parse() {
            break Pid::from_raw(pid);
        }
        assert!(begun.elapsed() < Duration::from_secs(120), "no script has begun");
        thread::sleep(Duration::from_millis(2));
    };
    run.signal(signal);
    let ran = run.end();
    fs::remove_file(scene.out_path("slow")).expect("remove");
    // A killed run leaves its script to itself; one that was told to end does not.
    if signal == Signal::SIGKILL {
        kill(pid, Signal::SIGKILL).expect("it runs");
    }
    scene.ended(ran)
}

#[test]
fn what_was_interrupted_is_finished_by_the_next_run_that_reads_its_configuration() {
    for signal in [Signal::SIGKILL, Signal::SIGTERM] {
        let kept = "is kept for a run that reads {etc}/d/app\n";
        let dry = "a run that reads {etc}/d/app would finish it";
        killed(signal)
            .run_with(&OTHER)
            .quiet()
            .run_with(&["-d", "-s", "{state}", "{etc}/other.conf"])
            .stderr_has(dry)
            .run_with(&["-v", "-s", "{state}", "{etc}/other.conf"])
            .status(0)
            .stderr_has(kept)
            .expect_no_out("hup")
            .expect_file("app.log.1", "old\n")
            .run_with(&MAIN)
            .status(0)
            .expect_out("hup", "HUP\n")
            .expect_file("app.log.1.gz", "old\n")
            .expect_no_file("app.log.1")
            .run_with(&["-v", "-s", "{state}", "{etc}/other.conf"])
            .stderr_lacks("is kept for");
    }
}

#[test]
fn what_was_postponed_is_done_by_the_next_run_that_reads_its_configuration() {
    let scene = scene("writers wait 0s");
    let writer = OpenOptions::new().append(true).open(scene.log_path("app.log")).expect("open");
    let scene = scene.run(["-f"]).status(0).stderr_has("app.log.1 is still written by");
    close(writer);
    scene
        .run_with(&OTHER)
        .quiet()
        .run_with(&OTHER)
        .quiet()
        .expect_file("app.log.1", "old\n")
        .run_with(&MAIN)
        .quiet()
        .expect_file("app.log.1.gz", "old\n");
}

/// `logrotate -f d/app` by hand, `logrotate /etc/logrotate.conf` from cron.
#[test]
fn a_block_is_the_same_from_wherever_it_is_read_and_however_its_pattern_is_written() {
    type Change = fn(Scene) -> Scene;
    let changes: [(&str, Change, &str); 4] = [
        ("another working directory", |scene| scene, "etc/app.conf"),
        ("another path", |scene| scene, "{etc}/app.conf"),
        (
            "another name",
            |scene| {
                let etc = scene.root().join("etc");
                fs::rename(etc.join("app.conf"), etc.join("new.conf")).expect("rename");
                scene
            },
            "{etc}/new.conf",
        ),
        (
            "another pattern",
            |scene| scene.config_file("app.conf", "{dir}/*p.log {\ncompress\ncreate\n}"),
            "{etc}/app.conf",
        ),
    ];
    for (what, change, path) in changes {
        let scene = Scene::new()
            .config_file(
                "app.conf",
                "{dir}/app.log {\ncompress\ncreate\nwriters wait 0s\nrotate 3\n}",
            )
            .log("app.log", "old\n");
        let writer = OpenOptions::new().append(true).open(scene.log_path("app.log")).expect("open");
        let args = ["-f", "-s", "{state}", "etc/app.conf"];
        let scene = scene.run_with(&args).status(0).stderr_has("is still written by");
        close(writer);
        let scene = change(scene).run_with(&["-s", "{state}", path]).quiet();
        assert!(scene.log_path("app.log.1.gz").exists(), "{what}");
    }
}

#[test]
fn what_a_broken_configuration_has_left_waits_until_it_is_mended() {
    let scene = scene("writers wait 0s");
    let writer = OpenOptions::new().append(true).open(scene.log_path("app.log")).expect("open");
    let scene = scene.run(["-f"]).status(0);
    close(writer);
    scene
        .config_file("d/app", "{dir}/app.log {\nrotate nonsense\n}\n{dir}/b.log {\nmissingok\n}")
        .run_with(&MAIN)
        .status(1)
        .stderr_lacks("given up")
        .config_file("d/app", "{dir}/app.log {\nrotate 3\n}")
        .run_with(&MAIN)
        .quiet()
        .expect_file("app.log.1.gz", "old\n");
}

#[test]
fn what_was_postponed_for_a_block_that_is_gone_is_given_up() {
    for gone in ["{dir}/b.log {\nmissingok\n}", ""] {
        let scene = scene("writers wait 0s");
        let writer = OpenOptions::new().append(true).open(scene.log_path("app.log")).expect("open");
        let scene = scene.run(["-f"]).status(0);
        close(writer);
        let scene = scene.config_file("d/app", gone);
        let scene = scene.then(|scene| {
            let path = scene.root().join("etc/d/app");
            if gone.is_empty() {
                fs::remove_file(path).expect("remove");
            } else {
                set_mode(&path, 0o644);
            }
        });
        scene
            .run_with(&MAIN)
            .status(0)
            .stderr_has("is given up: it is not in the configuration any more")
            .expect_file("app.log.1", "old\n")
            .run_with(&MAIN)
            .quiet();
    }
}
