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

/// Gives a configuration another name.
fn rename(scene: &Scene, from: &str, to: &str) {
    let etc = scene.root().join("etc");
    fs::rename(etc.join(from), etc.join(to)).expect("rename");
}

/// A forced run of the daily configuration that was killed in `postrotate`.
fn killed(signal: Signal) -> Scene {
    killed_in(scene(SLOW), "{config}", signal)
}

/// A forced run of a configuration that was killed in the script which does not return.
fn killed_in(mut scene: Scene, config: &str, signal: Signal) -> Scene {
    fs::write(scene.out_path("slow"), "").expect("write");
    let args = ["--default-signal", program(), "-f", "-s", "{state}", config];
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
    for name in ["slow", "pid"] {
        fs::remove_file(scene.out_path(name)).expect("remove");
    }
    // A killed run leaves its script to itself; one that was told to end does not.
    if signal == Signal::SIGKILL {
        kill(pid, Signal::SIGKILL).expect("it runs");
    }
    scene.ended(ran)
}

#[test]
fn what_was_interrupted_is_finished_by_the_next_run_that_reads_its_configuration() {
    for signal in [Signal::SIGKILL, Signal::SIGTERM] {
        let kept = "is kept for a run that reads {etc}/d/app without an error\n";
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
            |scene| scene.then(|scene| rename(scene, "app.conf", "new.conf")),
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
        .config_file("d/app", "broken }{\n")
        .run_with(&MAIN)
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

/// Two configurations have one log; the other has another log as well.
#[test]
fn a_log_of_two_configurations_waits_for_the_one_that_was_interrupted() {
    let preremove = "preremove\nif [ -e {out}/slow ]; then echo $$ > {out}/pid; exec sleep 1000; fi\n\
        cp $1 {out}/$(basename $1).seen\nendscript";
    let block = format!("{{dir}}/*.log {{\nrotate 1\ncreate\nsharedscripts\n{preremove}\n}}");
    let scene = Scene::new()
        .config_file("all.conf", &block)
        .config_file("one.conf", "{dir}/x.log {\nrotate 5\ncreate\n}")
        .file("x.log.1", "x1\n")
        .file("y.log.1", "y1\n")
        .log("x.log", "x2\n")
        .log("y.log", "y2\n");
    let note =
        "note: {dir}/x.log is not rotated before a run that reads {etc}/all.conf without an error";
    killed_in(scene, "{etc}/all.conf", Signal::SIGKILL)
        .run_with(&["-f", "-s", "{state}", "{etc}/one.conf"])
        .status(0)
        .stderr_has(note)
        .run_with(&["-s", "{state}", "{etc}/all.conf"])
        .status(0)
        .expect_out("x.log.2.seen", "x1\n")
        .expect_out("y.log.2.seen", "y1\n")
        .expect_files([("x.log", ""), ("x.log.1", "x2\n"), ("y.log", ""), ("y.log.1", "y2\n")]);
}

#[test]
fn what_a_renamed_configuration_has_left_is_finished_under_its_new_name_whatever_runs_before() {
    let block = format!("{{dir}}/app.log {{\nrotate 5\ncreate\n{SLOW}\n}}");
    let scene = Scene::new()
        .config_file("a.conf", &block)
        .config_file("other.conf", "{dir}/user.log {\nmissingok\n}")
        .log("app.log", "old\n");
    killed_in(scene, "{etc}/a.conf", Signal::SIGKILL)
        .then(|scene| rename(scene, "a.conf", "b.conf"))
        .run_with(&OTHER)
        .quiet()
        .expect_no_out("hup")
        .run_with(&["-s", "{state}", "{etc}/b.conf"])
        .status(0)
        .expect_out("hup", "HUP\n");
}

/// `lastaction` belongs to no log: it is found by the file, also through a link.
#[test]
fn a_configuration_is_the_same_through_a_link() {
    let last = SLOW.replace("postrotate", "lastaction");
    let block = format!("{{dir}}/app.log {{\nrotate 5\ncreate\n{last}\n}}");
    let scene = Scene::new().config_file("real.conf", &block).log("app.log", "old\n");
    let etc = scene.root().join("etc");
    std::os::unix::fs::symlink("real.conf", etc.join("link.conf")).expect("link");
    killed_in(scene, "{etc}/link.conf", Signal::SIGKILL)
        .run_with(&["-s", "{state}", "{etc}/real.conf"])
        .status(0)
        .expect_out("hup", "HUP\n");
}

#[test]
fn a_file_that_was_emptied_keeps_nothing_waiting() {
    for text in ["", "# nothing\n", "daily\n"] {
        killed(Signal::SIGKILL)
            .config_file("d/app", text)
            .run_with(&MAIN)
            .status(0)
            .stderr_has("is not run: it is not in the configuration any more")
            .expect_file("app.log.1.gz", "old\n")
            .run_with(&["-v", "-s", "{state}", "{config}"])
            .stderr_lacks("is kept for");
    }
}

#[test]
fn without_its_block_no_version_is_removed_that_a_script_was_to_see_first() {
    let preremove =
        "preremove\nif [ -e {out}/slow ]; then echo $$ > {out}/pid; exec sleep 1000; fi\nendscript";
    let scene = scene(&format!("rotate 1\n{preremove}")).file("app.log.1.gz", "older\n");
    killed_in(scene, "{config}", Signal::SIGKILL)
        .config_file("d/app", "{dir}/b.log {\nmissingok\n}")
        .run_with(&MAIN)
        .status(1)
        .stderr_has("stays: nobody can tell its preremove script")
        .run_with(&MAIN)
        .quiet();
}

/// The first run is killed after its record was to be made, the second one makes a newer one.
#[test]
fn a_record_never_goes_back() {
    let block = |script: &str| {
        format!("{{dir}}/a.log {{\nrotate 9\ncreate\npostrotate\n{script}\nendscript\n}}")
    };
    let slow = "if [ -e {out}/slow ]; then echo $$ > {out}/pid; exec sleep 1000; fi";
    let scene = Scene::new()
        .config_file("a.conf", &block(slow))
        .config_file("other.conf", "{dir}/user.log {\nmissingok\n}")
        .log("a.log", "1\n");
    let scene = killed_in(scene, "{etc}/a.conf", Signal::SIGKILL);
    thread::sleep(Duration::from_millis(1100));
    // What was interrupted is finished first, and its script returns at once.
    let again = "echo x >> {out}/runs\nif [ $(wc -l < {out}/runs) = 2 ]; then\n\
        echo $$ > {out}/pid; exec sleep 1000\nfi";
    let scene = scene.config_file("a.conf", &block(again)).log("a.log", "2\n");
    let scene = killed_in(scene, "{etc}/a.conf", Signal::SIGTERM);
    let record = |scene: &Scene| {
        let text = fs::read_to_string(scene.state_path()).expect("state");
        text.lines().find(|line| line.contains("/a.log")).map(str::to_owned)
    };
    let before = record(&scene);
    assert!(before.is_some());
    let scene = scene.run_with(&OTHER).status(0);
    assert_eq!(record(&scene), before);
}

/// A configuration of an hour, on the state file of the machine.
#[test]
fn a_log_does_not_wait_for_a_configuration_that_is_gone() {
    let block = format!("{{dir}}/*.log {{\nrotate 5\ncreate\nsharedscripts\n{SLOW}\n}}");
    let scene = Scene::new()
        .config_file("try.conf", &block)
        .config_file("one.conf", "{dir}/x.log {\nrotate 5\ncreate\n}")
        .log("x.log", "1\n")
        .log("y.log", "1\n");
    killed_in(scene, "{etc}/try.conf", Signal::SIGTERM)
        .then(|scene| fs::remove_file(scene.root().join("etc/try.conf")).expect("remove"))
        .log("x.log", "2\n")
        .run_with(&["-f", "-s", "{state}", "{etc}/one.conf"])
        .status(0)
        .expect_file("x.log.1", "2\n")
        .expect_file("x.log.2", "1\n");
}

/// Each has scripts of its own.
#[test]
fn a_configuration_with_the_same_log_leaves_to_the_other_what_is_its_own() {
    let scene = Scene::new()
        .config_file("a.conf", &format!("{{dir}}/x.log {{\nrotate 5\ncreate\n{SLOW}\n}}"))
        .config_file("b.conf", "{dir}/x.log {\nrotate 5\ncreate\n}")
        .log("x.log", "1\n");
    killed_in(scene, "{etc}/a.conf", Signal::SIGKILL)
        .run_with(&["-s", "{state}", "{etc}/b.conf"])
        .quiet()
        .expect_no_out("hup")
        .run_with(&["-s", "{state}", "{etc}/a.conf"])
        .status(0)
        .expect_out("hup", "HUP\n");
}

#[test]
fn what_was_read_through_a_link_was_read() {
    let block = format!("{{dir}}/*.log {{\nrotate 5\ncreate\nsharedscripts\n{SLOW}\n}}");
    let scene = Scene::new().config_file("a.conf", &block).log("x.log", "1\n").log("y.log", "1\n");
    std::os::unix::fs::symlink("etc", scene.root().join("link")).expect("link");
    killed_in(scene, "link/a.conf", Signal::SIGKILL)
        .config_file("a.conf", "{dir}/x.log {\nrotate 5\n}\n{dir}/y.log {\nrotate 5\n}")
        .log("x.log", "2\n")
        .run_with(&["-f", "-s", "{state}", "{etc}/a.conf"])
        .status(0)
        .expect_file("x.log.1", "2\n")
        .expect_file("x.log.2", "1\n");
}

#[test]
fn the_lastaction_of_a_renamed_configuration_is_run_under_its_new_name() {
    let last = SLOW.replace("postrotate", "lastaction");
    let block = format!("{{dir}}/app.log {{\nrotate 5\ncreate\n{last}\n}}");
    let scene = Scene::new().config_file("a.conf", &block).log("app.log", "old\n");
    killed_in(scene, "{etc}/a.conf", Signal::SIGKILL)
        .then(|scene| rename(scene, "a.conf", "b.conf"))
        .run_with(&["-s", "{state}", "{etc}/b.conf"])
        .status(0)
        .expect_out("hup", "HUP\n");
}
