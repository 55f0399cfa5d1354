//! `create [MODE] [OWNER GROUP]` and `nocreate` (compat ROT-53, ROT-60, CFG-90..93).

use crate::scene::{Scene, differs};

#[test]
fn without_it_no_new_log_is_made() {
    Scene::new()
        .config("{dir}/a.log {\nrotate 1\n}")
        .log("a.log", "x\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log.1", "x\n")]);
}

#[test]
fn the_new_log_looks_like_the_old_one() {
    Scene::new()
        .config("{dir}/a.log {\ncreate\nrotate 1\n}")
        .log("a.log", "x\n")
        .mode(0o640)
        .owner(1, 2)
        .run(["-f"])
        .quiet()
        .expect_files([("a.log", ""), ("a.log.1", "x\n")])
        .expect_mode("a.log", 0o640)
        .expect_owner("a.log", 1, 2)
        .expect_mode("a.log.1", 0o640)
        .expect_owner("a.log.1", 1, 2);
}

#[test]
fn a_mode_alone_leaves_the_owner() {
    Scene::new()
        .config("{dir}/a.log {\ncreate 0604\nrotate 1\n}")
        .log("a.log", "x\n")
        .owner(1, 2)
        .run(["-f"])
        .quiet()
        .expect_mode("a.log", 0o604)
        .expect_owner("a.log", 1, 2);
}

#[test]
fn an_owner_and_group_alone_leave_the_mode() {
    Scene::new()
        .config("{dir}/a.log {\ncreate daemon adm\nrotate 1\n}")
        .log("a.log", "x\n")
        .mode(0o600)
        .run(["-f"])
        .quiet()
        .expect_mode("a.log", 0o600)
        .expect_owner("a.log", 1, 4);
}

#[test]
fn all_three_are_taken() {
    Scene::new()
        .config("{dir}/a.log {\ncreate 0664 daemon adm\nrotate 1\n}")
        .log("a.log", "x\n")
        .run(["-f"])
        .quiet()
        .expect_mode("a.log", 0o664)
        .expect_owner("a.log", 1, 4);
}

#[test]
fn numbers_of_known_accounts_are_taken() {
    Scene::new()
        .config("{dir}/a.log {\ncreate 0664 1 4\nrotate 1\n}")
        .log("a.log", "x\n")
        .run(["-f"])
        .quiet()
        .expect_owner("a.log", 1, 4);
}

#[test]
fn the_umask_does_not_matter() {
    let mut scene = Scene::new().config("{dir}/a.log {\ncreate 0666\nrotate 1\n}").log("a.log", "");
    let command = format!("umask 077; exec {} -f -s $0 $1", crate::scene::program());
    let (state, config) = (scene.expand("{state}"), scene.expand("{config}"));
    let run = scene.start("/bin/sh", ["-c", &command, &state, &config]).end();
    scene.ended(run).quiet().expect_mode("a.log", 0o666);
}

#[test]
fn nocreate_takes_back_a_global_create() {
    Scene::new()
        .config("create\n{dir}/a.log {\nnocreate\nrotate 1\n}")
        .log("a.log", "x\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log.1", "x\n")]);
}

#[test]
fn a_bare_create_uses_the_values_of_an_outer_one() {
    Scene::new()
        .config("create 0604 daemon adm\n{dir}/a.log {\nnocreate\ncreate\nrotate 1\n}")
        .log("a.log", "x\n")
        .run(["-f"])
        .quiet()
        .expect_mode("a.log", 0o604)
        .expect_owner("a.log", 1, 4);
}

#[test]
fn bad_arguments_drop_the_block() {
    for (bad, message) in [
        ("0644 nobody-knows adm", "unknown user 'nobody-knows'"),
        ("0644 daemon nobody-knows", "unknown group 'nobody-knows'"),
        ("0644 daemon adm more", "extra arguments for create"),
        ("0644 daemon adm # why", "extra arguments for create"),
    ] {
        Scene::new()
            .config(&format!("{{dir}}/a.log {{\ncreate {bad}\nrotate 1\n}}"))
            .log("a.log", "x\n")
            .run(["-f"])
            .status(1)
            .stderr_has(&format!("error: {{config}}:2 {message}"))
            .expect_files([("a.log", "x\n")]);
    }
}

#[test]
fn a_mode_that_is_not_octal_is_an_error() {
    differs("D-2", || {
        Scene::new()
            .config("{dir}/a.log {\ncreate 0999\nrotate 1\n}")
            .log("a.log", "x\n")
            .run(["-f"])
            .status(1)
            .stderr_has("error: {config}:2 invalid mode '0999'")
            .expect_files([("a.log", "x\n")]);
    });
}

#[test]
fn a_mode_with_an_owner_but_no_group_is_an_error() {
    differs("D-2", || {
        Scene::new()
            .config("{dir}/a.log {\ncreate 0644 daemon\nrotate 1\n}")
            .log("a.log", "x\n")
            .run(["-f"])
            .status(1)
            .stderr_has("error: {config}:2 unknown")
            .expect_files([("a.log", "x\n")]);
    });
}
