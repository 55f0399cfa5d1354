//! `shred`, `noshred`, `shredcycles` (compat ROT-91).

use std::fs::OpenOptions;

use crate::scene::{Scene, close, differs, program, set_mode};

/// A `shred` that says how it was called, and what the file at its standard output holds.
const TELLS: &str = "#!/bin/sh\n\
    echo \"$*\" $(readlink /proc/$$/fd/1) $(pwd) $(grep -E '^(Uid|Gid)' /proc/$$/status) >> {out}/calls\n\
    cat <&1 >> {out}/calls\n";

/// A forced run that finds this program as `shred`; without one, none.
fn run_with(mut scene: Scene, shred: Option<&str>) -> Scene {
    let bin = scene.out_path("bin");
    std::fs::create_dir(&bin).expect("a directory");
    if let Some(text) = shred {
        std::fs::write(bin.join("shred"), scene.expand(text)).expect("a program");
        set_mode(&bin.join("shred"), 0o755);
    }
    let also = if shred.is_some() { ":/usr/bin:/bin" } else { "" };
    let path = format!("PATH={}{also}", bin.display());
    let [state, config] = ["{state}", "{config}"].map(|name| scene.expand(name));
    let ran = scene.start("/usr/bin/env", [&path, program(), "-s", &state, "-f", &config]).end();
    scene.ended(ran)
}

/// A log and two old versions, of which one has to go.
fn scene(directives: &str) -> Scene {
    Scene::new()
        .config(&format!("{{dir}}/a.log {{\nrotate 1\n{directives}\n}}"))
        .log("a.log", "new\n")
        .file("a.log.1", "old\n")
}

#[test]
fn what_is_removed_is_overwritten_first() {
    scene("shred\nallowhardlink")
        .hard_link("other", "a.log.1")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log.1", "new\n"), ("other", "")]);
}

#[test]
fn it_is_called_for_its_standard_output() {
    for (directives, arguments) in [
        ("shred", "-u -"),
        ("shred\nshredcycles 0", "-u -"),
        ("shred\nshredcycles 5", "-u -n 5 -"),
        ("shredcycles = 010\nshred", "-u -n 8 -"),
    ] {
        let scene = run_with(scene(directives), Some(TELLS)).quiet();
        let here = scene.root().display().to_string();
        let call = format!("{arguments} {{dir}}/a.log.2 {here} Uid: 0 0 0 0 Gid: 0 0 0 0\nold\n");
        scene.expect_out("calls", &call).expect_files([("a.log.1", "new\n")]);
    }
}

#[test]
fn with_noshred_nothing_is_overwritten() {
    let config = "shred\nshredcycles 1\n{dir}/a.log {\nrotate 1\nnoshred\n}";
    run_with(scene("").config(config), Some(TELLS))
        .quiet()
        .expect_no_out("calls")
        .expect_files([("a.log.1", "new\n")]);
    run_with(scene("shredcycles 1"), Some(TELLS)).quiet().expect_no_out("calls");
}

#[test]
fn the_plain_file_is_overwritten_after_compression() {
    let scene = Scene::new()
        .config("{dir}/a.log {\nrotate 1\ncompress\nshred\n}")
        .log("a.log", "new\n")
        .file("a.log.1.gz", "old\n");
    let scene = run_with(scene, Some(TELLS)).quiet().expect_files([("a.log.1.gz", "new\n")]);
    let calls = std::fs::read(scene.out_path("calls")).expect("calls");
    let calls = String::from_utf8_lossy(&calls);
    let called = calls.lines().filter(|line| line.starts_with("-u -")).collect::<Vec<_>>();
    let dir = scene.expand("{dir}");
    assert!(called[0].contains(&format!("{dir}/a.log.1 ")), "{calls}");
    assert!(called[1].contains(&format!("{dir}/a.log.2.gz ")), "{calls}");
    assert_eq!(called.len(), 2, "{calls}");
}

#[test]
fn the_temporary_log_of_renamecopy_is_not_overwritten() {
    let scene =
        Scene::new().config("{dir}/a.log {\nrotate 1\nrenamecopy\nshred\n}").log("a.log", "new\n");
    run_with(scene, Some(TELLS))
        .quiet()
        .expect_no_out("calls")
        .expect_files([("a.log.1", "new\n")]);
}

#[test]
fn a_failure_is_told_and_the_file_goes_all_the_same() {
    run_with(scene("shred"), Some("#!/bin/sh\nexit 3\n"))
        .status(0)
        .stderr_has("error: Failed to shred {dir}/a.log.2")
        .stderr_has(", trying unlink\n")
        .expect_files([("a.log.1", "new\n")]);
    run_with(scene("shred"), None)
        .status(0)
        .stderr_line("error: cannot execute shred command: No such file or directory")
        .stderr_has("error: Failed to shred {dir}/a.log.2")
        .expect_files([("a.log.1", "new\n")]);
}

#[test]
fn a_failure_has_its_reason() {
    differs("D-1", || {
        for (script, reason) in [
            ("exit 3", "child did not exit with status 0 but with 3"),
            ("kill -9 $$", "child did not terminate normally: signal 9 ended it"),
        ] {
            run_with(scene("shred"), Some(&format!("#!/bin/sh\n{script}\n"))).expect_stderr(
                &format!("error: Failed to shred {{dir}}/a.log.2 ({reason}), trying unlink\n"),
            );
        }
    });
}

#[test]
fn a_file_with_other_names_is_left_alone() {
    scene("shred").hard_link("other", "a.log.1").run(["-f"]).status(1).expect_files([
        ("a.log.1", "new\n"),
        ("a.log.2", "old\n"),
        ("other", "old\n"),
    ]);
}

#[test]
fn other_names_are_told_as_the_reason() {
    differs("D-1", || {
        scene("shred").hard_link("other", "a.log.1").run(["-f"]).expect_stderr(
            "error: failed to shred \"{dir}/a.log.2\", because shredding files with multiple hard links is \
             disabled for {dir}/a.log.\n",
        );
    });
}

#[test]
fn what_could_not_be_shredded_is_tried_again_by_later_runs() {
    differs("postponed", || {
        let scene = scene("missingok\nshred").hard_link("other", "a.log.1").run(["-f"]).status(1);
        std::fs::remove_file(scene.log_path("other")).expect("remove");
        scene.run([]).quiet().expect_files([("a.log.1", "new\n")]);
    });
}

#[test]
fn it_runs_as_the_user_of_su() {
    let scene = Scene::new()
        .config("{dir}/sub/a.log {\nsu daemon daemon\nrotate 1\nshred\n}")
        .dir("sub")
        .owner(1, 1)
        .log("sub/a.log", "new\n")
        .owner(1, 1)
        .file("sub/a.log.1", "old\n")
        .owner(1, 1);
    std::fs::write(scene.out_path("calls"), "").expect("write");
    set_mode(&scene.out_path("calls"), 0o666);
    run_with(scene, Some(TELLS))
        .quiet()
        .expect_out("calls", "-u - {dir}/sub/a.log.2 / Uid: 1 1 1 1 Gid: 1 1 1 1\nold\n")
        .expect_files([("sub/a.log.1", "new\n")]);
}

#[test]
fn it_is_told_with_verbose_and_not_done_by_a_dry_run() {
    let line = "Using shred to remove the file {dir}/a.log.2";
    scene("shred").run(["-f", "-v"]).status(0).stderr_line(line);
    scene("shred")
        .file("a.log.2", "older\n")
        .run(["-f", "-d"])
        .status(0)
        .stderr_lacks(line)
        .expect_file("a.log.2", "older\n");
}

#[test]
fn a_file_that_is_still_written_is_not_overwritten() {
    differs("writers", || {
        let scene = scene("missingok\nshred\nwriters wait 0s");
        let writer = OpenOptions::new().append(true).open(scene.log_path("a.log.1")).expect("open");
        let scene = scene
            .run(["-f"])
            .status(0)
            .stderr_has("a.log.2 is still written by")
            .expect_file("a.log.2", "old\n");
        close(writer);
        scene.run([]).quiet().expect_files([("a.log.1", "new\n")]);
    });
}
