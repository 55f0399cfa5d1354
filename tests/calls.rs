//! What a run costs in system calls: figures that no noise of the machine can hide.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::scene::program;

/// Logs beside each other, and what is needed to rotate them.
struct Place {
    temp: tempfile::TempDir,
}

impl Place {
    fn with(logs: usize) -> Self {
        Self::at(&std::env::temp_dir(), logs, "")
    }

    /// The same below a directory, with more lines in their block.
    fn at(root: &Path, logs: usize, lines: &str) -> Self {
        let temp = tempfile::tempdir_in(root).expect("a temporary directory");
        let dir = temp.path().join("logs");
        fs::create_dir(&dir).expect("a directory");
        for i in 0..logs {
            fs::write(dir.join(format!("{i}.log")), "line\n").expect("a log");
        }
        let config = format!("{}/*.log {{\ndaily\nrotate 3\ncreate\n{lines}}}\n", dir.display());
        fs::write(temp.path().join("config"), config).expect("a configuration");
        let place = Self { temp };
        // So that there is a record of each.
        place.calls("");
        place
    }

    /// The system calls of a run, its start included.
    fn calls(&self, option: &str) -> usize {
        let at = |name: &str| self.temp.path().join(name).display().to_string();
        let trace = at("trace");
        // Where cargo looks for libraries is none of the program's doing.
        let run = Command::new("strace")
            .env_remove("LD_LIBRARY_PATH")
            .args(["-qq", "-o", &trace, program(), "-s", &at("state")])
            .args(Some(option).filter(|o| !o.is_empty()))
            .arg(at("config"))
            .status();
        assert!(run.expect("strace runs").success());
        let trace = fs::read_to_string(trace).expect("a trace");
        // A debug build looks at each descriptor before it closes it.
        trace.lines().filter(|line| !line.contains("F_GETFD")).count()
    }

    /// How often the last run has read from a directory.
    fn reads_of_directories(&self) -> usize {
        let trace = fs::read_to_string(self.temp.path().join("trace")).expect("a trace");
        trace.lines().filter(|line| line.starts_with("getdents64(")).count()
    }
}

#[test]
fn a_run_with_nothing_to_do_takes_few_calls() {
    // As many directories lead to the three files here as in `/etc/logrotate.d`, `/var/lib/logrotate-rs` and
    // `/var/log`.
    let place = Place::with(1);
    let calls = place.calls("");
    let trace = fs::read_to_string(place.temp.path().join("trace")).expect("a trace");
    assert!((50..=120).contains(&calls), "{calls} calls:\n{trace}");
}

/// The ways to the three files begin alike, and are walked once as far as they do.
#[test]
fn a_place_that_is_deep_down_takes_hardly_more() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let deep = temp.path().join("some/where");
    fs::create_dir_all(&deep).expect("directories");
    let (flat, deep) = (Place::with(1).calls(""), Place::at(&deep, 1, "").calls(""));
    // Each of the three directories is opened, looked at, and closed in the end.
    assert!((flat + 3..=flat + 9).contains(&deep), "{flat} and {deep} calls");
    assert!(deep <= 120, "{deep} calls");
}

#[test]
fn a_log_that_is_not_due_costs_one_call() {
    let (few, many) = (Place::with(10).calls(""), Place::with(510).calls(""));
    // Larger listings and files take a few more reads and pieces of memory.
    let more = many.saturating_sub(few);
    assert!((500..560).contains(&more), "{more} calls for 500 logs");
}

#[test]
fn a_rotation_costs_the_same_few_calls_however_many_there_are() {
    let (few, many) = (Place::with(10).calls("-f"), Place::with(210).calls("-f"));
    let each = many.saturating_sub(few).div_ceil(200);
    assert!((8..=16).contains(&each), "{each} calls a log");
}

#[test]
fn a_script_for_each_log_does_not_list_the_directory_each_time() {
    // What a script could have changed is asked of the system; before that pays, some 20,000 names are read.
    // The directory for temporary files may be an overlay, which is not asked.
    let place = |logs| Place::at(Path::new("/dev/shm"), logs, "postrotate\n:\nendscript\n");
    let (few, many) = (place(300), place(600));
    let (calls, more_calls) = (few.calls("-f"), many.calls("-f"));
    let reads = many.reads_of_directories();
    assert!((10..150).contains(&reads), "{reads} reads of directories for 600 scripts");
    let each = more_calls.saturating_sub(calls).div_ceil(300);
    assert!((20..=80).contains(&each), "{each} calls a log");
}

/// Some system calls of a forced run on large logs.
fn trace(directives: &str, logs: usize, bytes: usize, calls: &str) -> String {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let at = |name: &str| temp.path().join(name).display().to_string();
    for i in 0..logs {
        fs::write(at(&format!("{i}.log")), vec![b'x'; bytes]).expect("a log");
    }
    fs::write(at("config"), format!("{}/*.log {{\nrotate 3\n{directives}\n}}\n", at("")))
        .expect("a configuration");
    let run = Command::new("strace")
        .env_remove("LD_LIBRARY_PATH")
        .args(["-qq", "-f", "-e", &format!("trace={calls}"), "-o", &at("trace"), program(), "-f"])
        .args(["-s", &at("state"), &at("config")])
        .status();
    assert!(run.expect("strace runs").success());
    fs::read_to_string(at("trace")).expect("a trace")
}

#[test]
fn a_large_copy_goes_to_the_disk_while_it_is_made() {
    let trace = trace("copytruncate", 1, 40 << 20, "copy_file_range,fadvise64,fsync");
    let of = |call: &str| -> Vec<usize> {
        trace.lines().enumerate().filter(|(_, l)| l.contains(call)).map(|(at, _)| at).collect()
    };
    let (copied, advised, synced) = (of("copy_file_range"), of("fadvise64"), of("fsync"));
    // A file system that cannot copy by itself is not told either.
    if copied.len() > 1 {
        assert_eq!(advised.len(), 2, "for each whole piece\n{trace}");
        assert!(copied[0] < advised[0] && advised[0] < copied[1], "{trace}");
        assert!(advised[1] < synced[0], "{trace}");
    }
}

#[test]
fn another_compression_begins_before_one_that_ended_is_synced_and_named() {
    let trace = trace("compress\ncompressjobs 1", 6, 8 << 20, "openat,renameat2");
    let temporary = |line: &&str| line.contains(".gz.logrotate-rs");
    let (mut begun, mut named) = (0, 0);
    for line in trace.lines().filter(temporary) {
        if line.contains("O_CREAT") {
            begun += 1;
        } else if line.contains("renameat2") {
            // Two are at work, where one may be busy; and this one has ended.
            assert!(begun >= 6.min(named + 3), "{begun} begun when {named} are named:\n{trace}");
            named += 1;
        }
    }
    assert_eq!((begun, named), (6, 6), "{trace}");
}
