//! `su`: rights are given up for what is done in somebody's directory, and if the system should not let
//! us, nothing is done there with more.

use std::fs;

use super::ATTACKER;
use crate::scene::{Scene, program};

/// A rotation by the directory's owner, with a script and a compressor in the middle of it.
fn scene() -> Scene {
    Scene::new()
        .config(
            "{dir}/sub/a.log {\nsu daemon daemon\nrotate 2\ncreate\ncompress\ncompresscmd /bin/gzip\n\
             postrotate\ntrue\nendscript\n}\n",
        )
        .dir("sub")
        .owner(ATTACKER, ATTACKER)
        .log("sub/a.log", "x\n")
        .owner(ATTACKER, ATTACKER)
}

/// Runs as a root with supplementary groups, one of whose calls fails; whether there was such a call.
fn with_failing(mut scene: Scene, call: &str, number: usize) -> (Scene, bool) {
    let trace = scene.out_path("trace").display().to_string();
    let inject = format!("inject={call}:error=EPERM:when={number}");
    let run = scene.expand("-s {state} -f {config}");
    let args = ["--groups", "4,6", "strace", "-qq", "-o", &trace, "-e", &inject, program()];
    let args: Vec<String> = args.into_iter().chain(run.split(' ')).map(Into::into).collect();
    let ran = scene.start("setpriv", args).end();
    let failed = fs::read_to_string(&trace).expect("a trace").contains("(INJECTED)");
    (scene.ended(ran), failed)
}

#[test]
fn whichever_switch_of_ids_fails_root_does_no_work_in_the_users_directory() {
    let mut stopped = 0;
    for call in ["setresuid", "setresgid", "setgroups"] {
        for number in 1.. {
            let (scene, failed) = with_failing(scene(), call, number);
            let tree = scene.logs();
            let roots = tree.0.iter().find(|(name, entry)| {
                name.starts_with("sub") && entry.owner != (ATTACKER, ATTACKER)
            });
            if let Some((name, entry)) = roots {
                let whose = format!("{} belongs to {:?}", name.display(), entry.owner);
                scene.fail(&format!("{call} {number} failed, and {whose}"));
            }
            if !tree.0.values().any(|entry| entry.content == b"x\n") {
                scene.fail(&format!("{call} {number} failed, and the log's line is gone"));
            }
            if !failed {
                assert!(number > 5, "only {number} times {call}");
                break;
            }
            stopped += usize::from(scene.stderr().contains("stopping at once"));
        }
    }
    assert!(stopped >= 4, "only {stopped} runs were stopped in the middle");
}

#[test]
fn auto_is_not_led_to_another_directory_by_a_script() {
    Scene::new()
        .config(
            "{dir}/sub/a.log {\nsu auto\nrotate 2\nprerotate\nmv {dir}/sub {dir}/moved\n\
             mkdir {dir}/sub\necho roots > {dir}/sub/a.log\nendscript\n}\n",
        )
        .dir("sub")
        .owner(ATTACKER, ATTACKER)
        .log("sub/a.log", "x\n")
        .owner(ATTACKER, ATTACKER)
        .run(["-f"])
        .status(1)
        .stderr_has("skipping \"{dir}/sub/a.log\" because its directory has changed just now")
        .expect_files([("sub/a.log", "roots\n"), ("moved/a.log", "x\n")]);
}
