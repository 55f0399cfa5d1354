//! A run that dies between the move of a log and the signal about it.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::scene::trace::Fate;
use crate::scene::{Scene, set_mode, when};

/// A daemon that opens the log anew on USR1, and says so.
const DAEMON: &str = "#!/bin/sh\ntrap 'exec 3>>{dir}/a.log; echo hup >> {out}/told' USR1\n\
    exec 3>>{dir}/a.log\necho $$ > {out}/pid.new\nmv {out}/pid.new {out}/pid\n\
    while :; do sleep 0.01; done\n";

fn until(what: &str, mut so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Ends the daemon, which is nobody's child: whoever traces waits for all children.
struct Daemon(String);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-9", &self.0]).status();
    }
}

fn with_daemon(whom: &str) -> (Daemon, Scene) {
    let config = format!(
        "{{dir}}/a.log {{\ndaily\nrotate 2\ncreate\ncompress\nwriters wait 30s\n\
         signal USR1 {whom}\n}}"
    );
    let mut scene =
        Scene::new().config(&config).log("a.log", "before\n").state("a.log", when::days_ago(2));
    let program = scene.out_path("daemon");
    fs::write(&program, scene.expand(DAEMON)).expect("write");
    set_mode(&program, 0o755);
    let start = scene.expand("setsid {out}/daemon &");
    scene.start("sh", ["-c", &start]).end();
    until("the daemon does not start", || scene.out_path("pid").exists());
    let pid = fs::read_to_string(scene.out_path("pid")).expect("pid");
    (Daemon(pid.trim().to_owned()), scene)
}

#[test]
fn a_run_that_is_killed_after_the_move_leaves_the_signal_to_the_next() {
    when::steady_day();
    for (whom, step) in [("writers", 2), ("pidfile {out}/pid", 5)] {
        let mut last = 0;
        let (daemon, scene) = with_daemon(whom);
        drop(scene.run_traced(&[], &[], |change| {
            last = change.number;
            Fate::Happens
        }));
        drop(daemon);
        assert!(last > 8, "only {last} changes: is the run traced?");
        // Of neighbouring points one will do.
        for point in (1..=last).step_by(step) {
            let (daemon, scene) = with_daemon(whom);
            let scene = scene.run_traced(&[], &[], |change| {
                if change.number == point { Fate::Death } else { Fate::Happens }
            });
            let scene = scene.run([]).status(0).run([]).status(0);
            until(&format!("{whom}: nobody was told after a death at change {point}"), || {
                scene.out_path("told").exists()
            });
            let holds = fs::read_link(format!("/proc/{}/fd/3", daemon.0)).expect("descriptor");
            assert_eq!(holds, scene.log_path("a.log"), "{whom}, {point}");
            drop(scene.expect_files([("a.log", ""), ("a.log.1.gz", "before\n")]));
        }
    }
}
