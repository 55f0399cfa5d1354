//! `-l FILE` (compat CLI-30, CLI-31).

use crate::scene::Scene;

fn scene() -> Scene {
    Scene::new().config("{dir}/a.log {\nrotate 1\n}").log("a.log", "x\n")
}

fn messages(scene: &Scene) -> String {
    std::fs::read_to_string(scene.out_path("messages")).expect("messages")
}

#[test]
fn messages_of_every_level_go_to_the_file_while_standard_error_stays_silent() {
    let scene = scene().run(["-f", "-l", "{out}/messages"]).quiet();
    let text = messages(&scene);
    for part in ["reading config file", "considering log", "log needs rotating", "renaming "] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn errors_go_to_both() {
    let scene = Scene::new()
        .config("{dir}/none.log {\nrotate 1\n}")
        .run(["-l", "{out}/messages"])
        .status(1)
        .expect_stderr("error: stat of {dir}/none.log failed: No such file or directory\n");
    let wanted = scene.expand("error: stat of {dir}/none.log failed: No such file or directory\n");
    assert!(messages(&scene).contains(&wanted), "{}", messages(&scene));
}

#[test]
fn the_file_is_begun_anew() {
    let scene = scene()
        .then(|s| std::fs::write(s.out_path("messages"), "yesterday\n").expect("write"))
        .run(["-l", "{out}/messages"])
        .quiet();
    assert!(!messages(&scene).contains("yesterday"));
}

#[test]
fn a_file_that_cannot_be_opened_is_said_and_does_not_count() {
    scene()
        .run(["-f", "-l", "{out}/none/messages"])
        .status(0)
        .stderr_has("error: error opening log file {out}/none/messages: No such file or directory")
        .expect_files([("a.log.1", "x\n")]);
}
