//! The state file and its lock, in reach of somebody else.

use std::fs;
use std::os::unix::fs::{MetadataExt, lchown, symlink};
use std::time::Duration;

use super::ATTACKER;
use crate::scene::{Running, Scene, program};

const STATE: &str = "logrotate state -- version 2\n";

fn scene() -> Scene {
    Scene::new().config("{dir}/a.log {\nrotate 1\n}\n").log("a.log", "x\n")
}

/// A process without rights that locks the state file if it can.
fn lock_without_rights(scene: &mut Scene) -> Running {
    let (state, out) = (scene.expand("{state}"), scene.expand("{out}"));
    let script = "test -r \"$0\" || { > \"$1/refused\"; exit; }\n\
                  exec 9<\"$0\"; flock 9 && > \"$1/held\" && exec sleep 60";
    fs::create_dir(scene.out_path("theirs")).expect("directory");
    std::os::unix::fs::chown(scene.out_path("theirs"), Some(ATTACKER), None).expect("chown");
    let ids = ["--reuid=1", "--regid=1", "--clear-groups", "sh", "-c", script];
    let out = format!("{out}/theirs");
    let holder = scene.start("setpriv", ids.into_iter().chain([&*state, &*out]));
    while fs::read_dir(scene.out_path("theirs")).expect("directory").next().is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    holder
}

#[test]
fn who_may_only_read_the_state_file_cannot_keep_root_from_rotating() {
    let mut scene = scene().state_text(STATE).mode(0o644);
    let holder = lock_without_rights(&mut scene);
    assert!(scene.out_path("theirs/held").exists(), "it can lock it");
    let scene = scene.run(["-f"]).status(0).stderr_has("world-readable");
    holder.kill();
    assert_eq!(fs::metadata(scene.state_path()).expect("state").mode() & 0o7777, 0o640);
    scene.expect_file("a.log.1", "x\n").expect_recorded_now("a.log");
}

#[test]
fn a_state_file_of_ours_can_be_locked_by_nobody_else() {
    let mut scene = scene().run([]).quiet();
    let holder = lock_without_rights(&mut scene);
    assert!(scene.out_path("theirs/refused").exists(), "it cannot even open it");
    let scene = scene.run(["-f"]).quiet();
    holder.kill();
    scene.expect_file("a.log.1", "x\n");
}

#[test]
fn a_state_file_that_is_a_link_of_others_is_refused_and_its_target_stays() {
    for existing in [true, false] {
        let scene = scene().dir("theirs").owner(ATTACKER, ATTACKER).then(|s| {
            if existing {
                fs::write(s.log_path("roots"), STATE).expect("file");
            }
            symlink("../roots", s.log_path("theirs/state")).expect("link");
            lchown(s.log_path("theirs/state"), Some(ATTACKER), None).expect("chown");
        });
        let scene = scene
            .run_with(&["-f", "-s", "{dir}/theirs/state", "{config}"])
            .status(3)
            .stderr_has("the symbolic link {dir}/theirs/state may be changed by others")
            .expect_file("a.log", "x\n");
        let roots = fs::read_to_string(scene.log_path("roots")).ok();
        assert_eq!(roots.as_deref(), existing.then_some(STATE));
    }
}

#[test]
fn links_under_the_temporary_names_of_the_state_are_not_followed() {
    let plants = ["state.tmp", "state.new", "state.journal.new"];
    for mode in [0o640, 0o644] {
        let scene = scene().log("roots", "precious\n").state_text(STATE).mode(mode).then(|s| {
            for name in plants {
                let link = s.root().join("var").join(name);
                symlink(s.log_path("roots"), &link).expect("link");
                lchown(link, Some(ATTACKER), Some(ATTACKER)).expect("chown");
            }
        });
        scene
            .run(["-f"])
            .status(0)
            .expect_file("roots", "precious\n")
            .expect_file("a.log.1", "x\n")
            .expect_recorded_now("a.log");
    }
}

/// Compat B-13: whoever waits must not end up with the lock of a file that is no longer the state.
#[test]
fn runs_that_wait_while_the_file_is_replaced_never_run_together() {
    let mut scene = scene().config(
        "{dir}/a.log {\nrotate 9\nifempty\ncreate\nprerotate\necho begin >> {out}/order; sleep 0.2\n\
         echo end >> {out}/order\nendscript\n}\n",
    );
    let args =
        ["-f", "--wait-for-state-lock", "-s", "{state}", "{config}"].map(|a| scene.expand(a));
    let runs: Vec<_> = (0..6)
        .map(|_| {
            std::thread::sleep(Duration::from_millis(30));
            scene.start(program(), args.clone())
        })
        .collect();
    for run in runs {
        let ran = run.end();
        scene = scene.ended(ran).status(0);
    }
    scene.expect_out("order", &"begin\nend\n".repeat(6));
}
