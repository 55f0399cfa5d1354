//! Who still writes is found out wherever the log and the writer are: on every file system, with few
//! rights, and from behind a namespace.

mod file_systems;
mod opener;
mod rights;

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::scene::Scene;

/// What every test rotates: a lost line would be lost for good with its compression.
const CONFIG: &str = "{dir}/a.log {\nnocreate\ncompress\nrotate 9\nmissingok\nwriters wait 0s\n}";

/// A process that keeps a file open for appending; it ends with this.
struct Writer(Child);

impl Writer {
    /// `prefix` is a command that starts another one, with other rights or in another namespace.
    fn start(prefix: &[&str], log: &Path) -> Self {
        let script = r#"exec 3>>"$0"; echo "$$"; read wait"#;
        let mut words = prefix.iter().copied().chain(["sh", "-c", script]);
        let mut child = Command::new(words.next().expect("sh"))
            .args(words)
            .arg(log)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("writer");
        // Its line says that the log is open.
        let mut byte = [0];
        child.stdout.as_mut().expect("pipe").read_exact(&mut byte).expect("a writer");
        Self(child)
    }

    /// The number by which it is known here: its own, or its child's if that is in a namespace of its
    /// own.
    fn pid(&self) -> u32 {
        let own = self.0.id();
        let children = fs::read_to_string(format!("/proc/{own}/task/{own}/children"));
        let first = children.ok().and_then(|text| text.split_whitespace().next()?.parse().ok());
        first.unwrap_or(own)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// Runs the program behind a prefix.
fn run(mut scene: Scene, prefix: &[&str], options: &[&str]) -> Scene {
    let program = crate::scene::program();
    let words = prefix.iter().copied().chain([program, "-s", "{state}"]);
    let words = words.chain(options.iter().copied()).chain(["{config}"]);
    let mut words: Vec<String> = words.map(|word| scene.expand(word)).collect();
    let first = words.remove(0);
    let run = scene.start(&first, words).end();
    scene.ended(run)
}

/// A forced run with the writer, one after it has ended: nothing is compressed before.
fn postponed_until_it_ends(scene: Scene, prefix: &[&str], writer: Writer, named: &str) -> Scene {
    let note = format!("a.log.1 is still written by {named}");
    let scene = run(scene, prefix, &["-f"])
        .status(0)
        .stderr_has(&note)
        .expect_file("a.log.1", "x\n")
        .expect_no_file("a.log.1.gz");
    drop(writer);
    run(scene, prefix, &[]).quiet().expect_file("a.log.1.gz", "x\n").expect_no_file("a.log.1")
}

/// A log that nobody writes is compressed at once.
fn compressed_at_once(scene: Scene, prefix: &[&str]) -> Scene {
    run(scene, prefix, &["-f"]).quiet().expect_file("a.log.1.gz", "x\n").expect_no_file("a.log.1")
}
