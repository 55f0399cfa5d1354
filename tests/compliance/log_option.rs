//! `-l FILE` (compat CLI-30, CLI-31).

use crate::scene::{Scene, differs};

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

/// Compat SCR-7.
#[test]
fn scripts_inherit_the_file_as_their_first_free_descriptor() {
    let scene = Scene::new()
        .config("{dir}/a.log {\nrotate 1\nprerotate\necho from the script >&3\nendscript\n}")
        .log("a.log", "x\n")
        // Else 3.21 passes the state file that it has made on, too (B-39).
        .state_text("logrotate state -- version 2\n")
        .run(["-f", "-l", "{out}/messages"])
        .quiet();
    let text = messages(&scene);
    assert!(text.contains("from the script\n"), "{text}");
}

/// Compat SCR-7: also by a run that makes the state file.
#[test]
fn scripts_inherit_no_state_file() {
    differs("B-39", || {
        Scene::new()
            .config(
                "{dir}/a.log {\nrotate 1\nprerotate\n\
                 ls -l /proc/$$/fd | grep -c {state} > {out}/count; true\nendscript\n}",
            )
            .log("a.log", "x\n")
            .run(["-f"])
            .status(0)
            .expect_out("count", "0\n");
    });
}

#[test]
fn what_a_compressor_complains_of_goes_to_standard_error_only() {
    let scene = Scene::new()
        .config("{dir}/a.log {\nrotate 1\ncompress\ncompresscmd {out}/tool\n}")
        .log("a.log", "x\n")
        .then(|scene| {
            let tool = scene.out_path("tool");
            std::fs::write(&tool, "#!/bin/sh\ncat\necho oh dear >&2\n").expect("write");
            crate::scene::set_mode(&tool, 0o755);
        })
        .run(["-f", "-l", "{out}/messages"])
        .status(0)
        .stderr_has("oh dear\n");
    let text = messages(&scene);
    assert!(text.contains("Compressing program wrote following message"), "{text}");
    assert!(!text.contains("oh dear"), "{text}");
}

/// In a mount namespace of its own, `/dev/log` is a socket of the test.
#[test]
fn syslog_gets_each_message_as_a_record_of_the_facility_user() {
    let mut scene = Scene::new().config("{dir}/none.log {\nrotate 1\n}\nnonsense\n");
    let path = scene.out_path("log");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).expect("socket");
    crate::scene::set_mode(&path, 0o666);
    // Its queue is short, so it must be read meanwhile.
    let reader = socket.try_clone().expect("a second handle");
    let reader = std::thread::spawn(move || {
        let mut records = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let length = reader.recv(&mut buffer).expect("a record");
            if buffer.starts_with(b"that is all") {
                return records;
            }
            records.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
        }
    });
    let mount = "mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && ln -s $0 /dev/log && exec \"$@\"";
    let names = ["{state}", "{config}"].map(|name| scene.expand(name));
    let path = path.display().to_string();
    let args = [
        "-m",
        "sh",
        "-c",
        mount,
        &path,
        crate::scene::program(),
        "-s",
        &names[0],
        "-l",
        "syslog",
        &names[1],
    ];
    let ran = scene.start("unshare", args).end();
    let scene = scene.ended(ran).status(1);
    let end = std::os::unix::net::UnixDatagram::unbound().expect("socket");
    end.send_to(b"that is all", scene.out_path("log")).expect("it is heard");
    let records = reader.join().expect("records");
    // Facility 1, with the severities info and error.
    let has = |start: &str, text: &str| {
        let text = scene.expand(text);
        assert!(
            records
                .iter()
                .any(|r| r.starts_with(start) && r.contains("logrotate") && r.contains(&text)),
            "no {start} {text}: {records:?}"
        );
    };
    has("<14>", "considering log {dir}/none.log");
    has("<11>", "stat of {dir}/none.log failed");
}
