//! `allowhardlink` and `noallowhardlink`; links in general (compat RD-5, RD-6).

use crate::scene::{Scene, differs};

#[test]
fn a_log_with_several_names_is_skipped() {
    Scene::new()
        .config("{dir}/a.log {\nrotate 1\n}")
        .log("a.log", "x\n")
        .hard_link("other", "a.log")
        .run(["-f", "-v"])
        .status(0)
        .stderr_has("  log {dir}/a.log has multiple (2) hard links.")
        .expect_files([("a.log", "x\n"), ("other", "x\n")]);
}

#[test]
fn a_log_with_several_names_is_rotated_with_allowhardlink() {
    Scene::new()
        .config("{dir}/a.log {\nallowhardlink\nrotate 1\n}")
        .log("a.log", "x\n")
        .hard_link("other", "a.log")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log.1", "x\n"), ("other", "x\n")]);
}

#[test]
fn a_symbolic_link_is_skipped() {
    Scene::new()
        .config("{dir}/a.log {\nrotate 1\n}")
        .file("target", "x\n")
        .symlink("a.log", "target")
        .run(["-f", "-v"])
        .status(0)
        .stderr_line(
            "  log {dir}/a.log is symbolic link. Rotation of symbolic links is not allowed to avoid security issues -- skipping.",
        )
        .expect_file("target", "x\n")
        .expect_no_file("a.log.1");
}

#[test]
fn a_fifo_is_refused() {
    differs("B-55", || {
        let scene = Scene::new().config("{dir}/a.log {\nrotate 1\n}");
        let made = std::process::Command::new("mkfifo").arg(scene.log_path("a.log")).status();
        assert!(made.expect("mkfifo").success());
        scene.run(["-f"]).status(1).stderr_has("{dir}/a.log").expect_no_file("a.log.1");
    });
}
