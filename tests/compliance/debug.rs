//! `-d`: says what would be done and changes nothing (compat CLI-8, ROT-95).

use crate::scene::{Scene, Tree, when};

fn untouched(directives: &str) -> Scene {
    let scene = Scene::new()
        .config(&format!("{{dir}}/*.log {{\n{directives}\nrotate 1\n}}"))
        .log("a.log", "a\n")
        .log("b.log", "b\n")
        .file("a.log.1", "1\n")
        .file("a.log.2", "2\n")
        .file("b.log.1.gz", "1\n")
        .dir("old")
        .state("a.log", when::days_ago(3));
    let dirs = ["logs", "etc", "out"].map(|d| scene.root().join(d));
    let before = dirs.each_ref().map(|d| Tree::of(d));
    let state = std::fs::read(scene.state_path()).expect("state");
    let scene = scene.run(["-d", "-f"]).status(0);
    let after = dirs.each_ref().map(|d| Tree::of(d));
    assert!(before == after, "{directives}:\n{before:?}\n{after:?}");
    assert_eq!(state, std::fs::read(scene.state_path()).expect("state"));
    scene
}

#[test]
fn nothing_is_changed() {
    for directives in [
        "create",
        "copytruncate",
        "copy",
        "compress",
        "compress\ndelaycompress\ncreate 0600",
        "dateext\nmaxage 1",
        "olddir old",
        "sharedscripts\nprerotate\ntouch {out}/ran\nendscript\npostrotate\ntouch {out}/ran\nendscript",
        "firstaction\ntouch {out}/ran\nendscript\nlastaction\ntouch {out}/ran\nendscript",
        "preremove\ntouch {out}/ran\nendscript",
    ] {
        untouched(directives);
    }
}

#[test]
fn it_says_what_would_be_done() {
    untouched("create")
        .stderr_has("logrotate in debug mode does nothing except printing debug messages!")
        .stderr_line("considering log {dir}/a.log")
        .stderr_line("  log needs rotating")
        .stderr_line("renaming {dir}/a.log to {dir}/a.log.1");
}

#[test]
fn it_tells_no_move_of_what_it_would_have_removed_or_compressed() {
    untouched("create").stderr_lacks("a.log.2 to").stderr_lacks("{dir}/a.log.4");
    untouched("maxage 0").stderr_lacks("a.log.2 to");
    let delayed = untouched("compress\ndelaycompress");
    delayed.stderr_has("compressing log with").stderr_lacks("renaming {dir}/a.log.1 to");
}

#[test]
fn a_missing_state_file_is_fine_and_is_not_made() {
    let scene = Scene::new()
        .config("{dir}/a.log {\nrotate 1\n}")
        .log("a.log", "a\n")
        .run(["-d"])
        .status(0)
        .stderr_has("state file {state} does not exist");
    assert!(!scene.state_path().exists());
}

#[test]
fn a_running_rotation_does_not_keep_it_waiting() {
    let mut scene = Scene::new().config("{dir}/a.log {\nrotate 1\n}").log("a.log", "a\n");
    scene = scene.state_text("logrotate state -- version 2\n");
    let state = scene.state_path();
    let mut holder =
        scene.start("flock", ["-F".as_ref(), state.as_os_str(), "sleep".as_ref(), "30".as_ref()]);
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(holder.goes_on());
    let scene = scene.run(["-d"]).status(0);
    holder.kill();
    drop(scene);
}
