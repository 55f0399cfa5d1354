//! Configurations that are no configurations: each gives a clear error, the rest works, and nothing hangs.

use std::path::Path;

use crate::scene::{Scene, set_mode};

/// A directory of three files, the one in the middle being bad; `a.log` and `c.log` are rotated by the
/// others, and `b.log` would be by it. After a forced run.
fn run_with(bad: impl FnOnce(&Path)) -> Scene {
    Scene::new()
        .config("include {etc}/conf.d\n")
        .config_dir("conf.d")
        .config_file("conf.d/a", "{dir}/a.log {\nrotate 1\n}\n")
        .config_file("conf.d/c", "{dir}/c.log {\nrotate 1\n}\n")
        .log("a.log", "a\n")
        .log("b.log", "b\n")
        .log("c.log", "c\n")
        .then(|scene| {
            let path = scene.root().join("etc/conf.d/b");
            bad(&path);
            if path.is_file() {
                set_mode(&path, 0o644);
            }
        })
        .run(["-f"])
}

const OTHERS: [(&str, &str); 3] = [("a.log.1", "a\n"), ("b.log", "b\n"), ("c.log.1", "c\n")];

/// The file has these bytes; the run fails with this message, and only the other files count.
#[track_caller]
fn is_refused(bytes: &[u8], message: &str) {
    let scene = run_with(|path| std::fs::write(path, bytes).expect("write"));
    let scene = scene.status(1).stderr_has(message).stderr_lacks("panicked").expect_files(OTHERS);
    let said = scene.stderr().len();
    assert!(said < 200_000, "{said} bytes of messages");
}

#[test]
fn a_byte_order_mark_is_explained() {
    is_refused(
        "\u{feff}/var/log/x {\n}\n".as_bytes(),
        "error: b:1 lines must begin with a keyword or a filename (possibly in double quotes)\n",
    );
    let scene = run_with(|path| std::fs::write(path, "\u{feff}daily\n").expect("write"));
    scene.stderr_has("byte order mark");
}

#[test]
fn windows_line_ends_are_explained() {
    let text = b"/var/log/x {\r\n  rotate 1\r\n}\r\n";
    is_refused(text, "the file has Windows line ends");
}

#[test]
fn bytes_that_are_no_text_rotate_nothing() {
    is_refused(b"\0\0\0\0", "error: b:1 lines must begin with a keyword or a filename");
    let noise: Vec<u8> =
        (0..100_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect();
    is_refused(&noise, "error: b:1 ");
}

#[test]
fn one_endless_line_is_refused() {
    let line = vec![b'x'; 16 << 20];
    is_refused(&line, "error: file b too large, probably not a config file.");
    let short = run_with(|path| std::fs::write(path, &line[1..]).expect("write"));
    let said = short.status(0).stderr_has("warning: b:1 unknown option").stderr().len();
    assert!(said < 20_000, "{said} bytes of messages");
    let quoted = [b"\"", &line[..2 << 20]].concat();
    is_refused(&quoted, "error: b:");
}

#[test]
fn ten_thousand_nested_braces_are_only_errors() {
    let text = "/var/log/x {\n".repeat(10_000) + &"}\n".repeat(10_000);
    is_refused(text.as_bytes(), "error: b:2 unexpected log filename");
}

#[test]
fn files_that_include_each_other_end_in_an_error() {
    let scene = run_with(|path| {
        let other = path.with_file_name("../other");
        std::fs::write(path, format!("include {}\n", other.display())).expect("write");
        std::fs::write(&other, format!("include {}\n", path.display())).expect("write");
        set_mode(&other, 0o644);
    });
    scene.status(1).stderr_has("include nesting too deep").expect_files(OTHERS);
}

#[test]
fn a_directory_that_includes_itself_ends_in_an_error() {
    let scene = run_with(|path| {
        let dir = path.parent().expect("a directory").display().to_string();
        std::fs::write(path, format!("include {dir}\n")).expect("write");
    });
    scene.status(1).stderr_lacks("panicked").expect_file("a.log.1", "a\n");
}

#[test]
fn what_is_no_file_is_passed_over_without_waiting() {
    run_with(|path| {
        nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRUSR).expect("a FIFO");
    })
    .quiet()
    .expect_files(OTHERS);
    run_with(|path| drop(std::os::unix::net::UnixListener::bind(path).expect("a socket")))
        .status(1)
        .stderr_has("error: failed to open config file b: ")
        .expect_files(OTHERS);
}
