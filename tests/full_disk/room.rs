//! Room is asked for before it is used, and made where an old version has to go anyway.

use super::{is_told, lines};
use crate::scene::{Scene, when};

/// Two old versions, and no more are kept.
fn lay_out(method: &str, blocks: u64) -> Scene {
    Scene::on_a_disk(&[])
        .config(&format!("{{dir}}/a.log {{\ndaily\nrotate 2\n{method}\n}}\n"))
        .file("a.log.1", &lines("one", 200))
        .file("a.log.2", &lines("two", 200))
        .log("a.log", &lines("log", blocks))
        .state("a.log", when::days_ago(2))
}

#[cfg(target_arch = "x86_64")]
#[test]
fn a_copy_that_does_not_fit_is_not_begun() {
    use crate::scene::trace::Fate;
    when::steady_day();
    for (method, copies) in [("copy", true), ("copytruncate", true), ("create", false)] {
        let scene = lay_out(&format!("{method}\nrotate 5"), 200);
        scene.disk().fill(150);
        let mut calls = Vec::new();
        let scene = scene.run_traced(&[], &[], |change| {
            calls.push(change.call);
            Fate::Happens
        });
        assert!(!calls.contains(&"copy_file_range"), "{method}: {calls:?}");
        assert_eq!(calls.contains(&"fallocate"), copies, "{method}: {calls:?}");
        if copies {
            is_told(&scene, method, &["No space left on device"]);
            scene.expect_file("a.log", &lines("log", 200));
        } else {
            scene.status(0);
        }
    }
}

#[test]
fn an_old_version_that_has_to_go_goes_first_when_that_makes_room_for_the_copy() {
    when::steady_day();
    for method in ["copy", "copytruncate", "create\nrenamecopy", "create\ncompress"] {
        let scene = lay_out(method, 200);
        scene.disk().fill(60);
        let gz = if method.contains("compress") { ".gz" } else { "" };
        scene
            .run([])
            .quiet()
            .expect_file(&format!("a.log.1{gz}"), &lines("log", 200))
            .expect_file("a.log.2", &lines("one", 200))
            .expect_no_file("a.log.3");
    }
}

#[test]
fn no_old_version_goes_for_a_copy_that_cannot_fit_all_the_same() {
    when::steady_day();
    let mut scene = lay_out("copytruncate", 400);
    scene.disk().fill(60);
    for _ in 0..2 {
        scene = scene.run([]);
        is_told(&scene, "hopeless", &["No space left on device"]);
    }
    // They have moved up by one, and stay there.
    scene
        .expect_file("a.log", &lines("log", 400))
        .expect_file("a.log.2", &lines("one", 200))
        .expect_file("a.log.3", &lines("two", 200));
}

#[test]
fn a_disk_without_a_single_block_is_relieved_by_rotating() {
    when::steady_day();
    for method in ["create", "create\ndateext\nmaxage 1"] {
        let dated = method.contains("dateext");
        let mut scene = lay_out(method, 200);
        if dated {
            scene = scene.file("a.log-20200101", &lines("old", 3)).days_old(9);
        }
        scene.disk().fill(0);
        let scene = scene.run([]).quiet().expect_file("a.log", "").expect_recorded_now("a.log");
        if dated {
            scene.expect_no_file("a.log-20200101");
        } else {
            scene
                .expect_file("a.log.1", &lines("log", 200))
                .expect_file("a.log.2", &lines("one", 200))
                .expect_no_file("a.log.3");
        }
    }
}

#[test]
fn a_log_that_waits_to_be_copied_keeps_its_place_among_the_versions() {
    when::steady_day();
    let mut scene = lay_out("create\nrenamecopy\nrotate 5", 200);
    scene.disk().fill(60);
    for again in [false, true, true] {
        scene = scene.run(["-f"]).stderr_has("error copying {dir}/a.log.tmp to {dir}/a.log.1: ");
        is_told(&scene, "renamecopy", &["No space left on device"]);
        let note = "{dir}/a.log is not rotated before its last version is copied\n";
        assert_eq!(scene.stderr().contains(&scene.expand(note)), again);
        scene = if again { scene } else { scene.log("a.log", "second\n") };
    }
    scene.disk().give_back();
    scene
        .run(["-f"])
        .quiet()
        .expect_file("a.log", "")
        .expect_file("a.log.1", "second\n")
        .expect_file("a.log.2", &lines("log", 200))
        .expect_file("a.log.3", &lines("one", 200))
        .expect_file("a.log.4", &lines("two", 200))
        .expect_no_file("a.log.tmp");
}

#[test]
fn what_a_script_has_to_see_first_is_not_removed_for_room() {
    when::steady_day();
    let elsewhere = tempfile::tempdir().expect("directory");
    let seen = elsewhere.path().join("seen");
    let script = format!("preremove\necho \"$1\" >> {}\nendscript", seen.display());
    let scene = lay_out(&format!("create\n{script}"), 200);
    scene.disk().fill(0);
    let scene = scene.run([]);
    // Whether the journal finds a last corner is the kernel's business.
    if !seen.exists() {
        is_told(&scene, "preremove", &["No space left on device"]);
        scene.expect_file("a.log", &lines("log", 200)).expect_file("a.log.2", &lines("two", 200));
    }
}

#[test]
fn what_could_not_be_compressed_is_compressed_by_a_later_run_under_whatever_name_it_has() {
    when::steady_day();
    for (way, told) in
        [("", "error creating output file"), ("compresscmd /bin/gzip", "failed to compress log")]
    {
        let scene = lay_out(&format!("create\ncompress\nrotate 5\n{way}"), 200);
        scene.disk().fill(20);
        let scene = scene.run([]).stderr_has("failed to compress log {dir}/a.log.1: ");
        is_told(&scene, way, &["No space left on device", told]);
        // Nothing is due, and there is no more room: it is not filled once more, and nobody is woken up.
        let scene = scene
            .run([])
            .quiet()
            .expect_file("a.log.1", &lines("log", 200))
            .run(["-v"])
            .stderr_has("{dir}/a.log.1 is not compressed yet: No space left on device");
        // The next rotation comes first.
        std::fs::rename(scene.log_path("a.log.3"), scene.log_path("a.log.4")).expect("rename");
        std::fs::rename(scene.log_path("a.log.2"), scene.log_path("a.log.3")).expect("rename");
        std::fs::rename(scene.log_path("a.log.1"), scene.log_path("a.log.2")).expect("rename");
        scene.disk().give_back();
        let scene = scene.run([]).quiet().expect_file("a.log.2.gz", &lines("log", 200));
        let left = std::fs::read_dir(scene.root().join("var")).expect("var").count();
        assert_eq!(left, 1, "{way}");
        scene
            .expect_no_file("a.log.2")
            .expect_file("a.log.3", &lines("one", 200))
            .expect_file("a.log.4", &lines("two", 200));
    }
}

/// The disk of everything: logs, state and journal.
#[test]
fn a_log_of_which_nothing_is_kept_is_let_go_though_there_is_no_room_for_the_journal() {
    when::steady_day();
    for method in ["create", "nocreate", "copytruncate", "create\ndateext", "create\nsharedscripts"]
    {
        let config = format!("{{dir}}/*.log {{\n{method}\nrotate 0\n}}");
        let scene = Scene::on_a_disk(&[]).config(&config).log("a.log", &lines("log", 200));
        let scene = scene.log("st", "logrotate state -- version 2\n").mode(0o640);
        scene.disk().fill(0);
        let scene = scene.run_with(&["-f", "-s", "{dir}/st", "{config}"]).status(0);
        if scene.stderr() != "" {
            scene.fail(method);
        }
        let names = scene.logs().0.into_keys().map(|name| name.display().to_string());
        let names: Vec<_> = names.filter(|name| name.contains(".log")).collect();
        let wanted: &[&str] = if method == "nocreate" { &[] } else { &["a.log"] };
        assert_eq!(names, wanted, "{method}");
        let left = std::fs::metadata(scene.log_path("a.log")).map_or(0, |log| log.len());
        let state = std::fs::read_to_string(scene.log_path("st")).expect("state");
        assert!(left == 0 && state.contains("/a.log"), "{method}: {state}");
    }
}

/// A mailer that fails, or a run that is killed before it is called, would cost the mail.
#[test]
fn what_is_to_be_mailed_is_not_let_go_without_a_journal() {
    when::steady_day();
    for also in ["mail x@y", "preremove\ntrue\nendscript"] {
        let config = format!("{{dir}}/a.log {{\ncreate\nrotate 0\n{also}\n}}");
        let scene = Scene::on_a_disk(&[]).config(&config).log("a.log", &lines("log", 200));
        let scene = scene.log("st", "logrotate state -- version 2\n").mode(0o640);
        scene.disk().fill(0);
        scene
            .run_with(&["-f", "-m", "/bin/false", "-s", "{dir}/st", "{config}"])
            .status(1)
            .stderr_has("a.log is not rotated: cannot write journal")
            .expect_file("a.log", &lines("log", 200))
            .expect_no_file("a.log.1");
    }
}

#[test]
fn a_log_that_cannot_be_rotated_without_a_journal_is_named() {
    when::steady_day();
    let scene = Scene::on_a_disk(&[]).config("{dir}/a.log {\ncreate\nrotate 3\n}");
    let scene = scene.log("a.log", &lines("log", 200)).log("st", "").mode(0o640);
    scene.disk().fill(0);
    scene
        .run_with(&["-f", "-s", "{dir}/st", "{config}"])
        .status(1)
        .stderr_has("error: {dir}/a.log is not rotated: cannot write journal {dir}/st.journal: ")
        .expect_file("a.log", &lines("log", 200))
        .expect_no_file("a.log.1");
}
