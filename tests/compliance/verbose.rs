//! `-v` and silence without it (compat CLI-23, MSG-10..14).

use crate::scene::{Scene, differs, when};

#[test]
fn without_it_a_run_says_nothing() {
    Scene::new().config("{dir}/a.log {\nrotate 1\n}").log("a.log", "x\n").run(["-f"]).quiet();
}

/// Compat RD-1, RD-23.
#[test]
fn with_it_a_run_says_what_it_does() {
    Scene::new()
        .config("{dir}/a.log {\nrotate 1\n}")
        .log("a.log", "x\n")
        .run(["-f", "-v"])
        .status(0)
        .expect_stdout("")
        .stderr_line("reading config file {config}")
        .stderr_has("Handling 1 logs")
        .stderr_has("rotating pattern: {dir}/a.log")
        .stderr_has("forced from command line")
        .stderr_line("considering log {dir}/a.log")
        .stderr_line("  log needs rotating")
        .stderr_has("rotating log {dir}/a.log")
        .stderr_line("renaming {dir}/a.log to {dir}/a.log.1")
        .expect_files([("a.log.1", "x\n")]);
}

#[test]
fn with_it_a_run_says_why_a_log_is_not_due() {
    Scene::new()
        .config("{dir}/a.log {\nsize 1M\nrotate 1\n}")
        .log("a.log", "x\n")
        .run(["--verbose"])
        .status(0)
        .stderr_has("log does not need rotating (log size is below the 'size' threshold)");
}

#[test]
fn it_tells_what_is_there_and_not_what_is_not() {
    differs("verbose", || {
        Scene::new()
            .config("{dir}/a.log {\nrotate 4\n}")
            .log("a.log", "x\n")
            .file("a.log.1", "1\n")
            .state("a.log", when::days_ago(1))
            .run(["-f", "-v"])
            .status(0)
            .stderr_lacks("Creating new state")
            .stderr_has("renaming {dir}/a.log.1 to {dir}/a.log.2")
            .stderr_lacks("renaming {dir}/a.log.2 to {dir}/a.log.3")
            .stderr_lacks("old log {dir}/a.log.2 does not exist");
    });
}

#[test]
fn the_state_file_is_told() {
    let scene = Scene::new().config("{dir}/a.log {\nrotate 1\n}").log("a.log", "x\n").run(["-v"]);
    let scene = scene
        .status(0)
        .stderr_line("Creating stub state file: {state}")
        .stderr_has("acquired lock on state file {state}")
        .stderr_has("Reading state from file: {state}\n")
        .stderr_line("Allocating hash table for state file, size 64 entries")
        .stderr_line("Creating new state");
    scene.run(["-v"]).status(0).stderr_lacks("Creating stub");
}

#[test]
fn what_directives_set_is_told() {
    let directives = "extension .x\naddextension .y\ncompresscmd xz\nuncompresscmd unxz\ncompressext .z\n\
        compressoptions -1 -2\nolddir old\ndateformat -%Y";
    Scene::new()
        .config(&format!("{{dir}}/a.log {{\n{directives}\n}}"))
        .dir("old")
        .log("a.log", "x\n")
        .run(["-v", "-f"])
        .status(0)
        .stderr_line("extension is now .x")
        .stderr_line("addextension is now .y")
        .stderr_line("compress_prog is now xz")
        .stderr_line("compress_ext was changed to .xz")
        .stderr_line("uncompress_prog is now unxz")
        .stderr_line("compress_ext is now .z")
        .stderr_line("compress_options is now  -1 -2")
        .stderr_line("olddir is now old")
        .stderr_has("Converted '-%Y' -> '-%Y'\n")
        .stderr_has("glob pattern '-[0-9][0-9][0-9][0-9]'\n");
}

#[test]
fn a_list_that_matches_directories_only_has_no_logs() {
    Scene::new()
        .config("{dir}/* {\nrotate 1\n}")
        .dir("sub")
        .run(["-v"])
        .status(0)
        .stderr_line("No logs found. Rotation not needed.");
}

#[test]
fn the_header_of_a_block_says_how_it_rotates() {
    differs("D-1", || {
        for (directives, header) in [
            (
                "daily\nrotate 3",
                "after 1 days empty log files are rotated, (3 rotations), old logs are removed",
            ),
            (
                "weekly\nnotifempty",
                "weekly empty log files are not rotated, no old logs will be kept",
            ),
            ("hourly\nrotate -1", "hourly empty log files are rotated, old logs are kept forever"),
            (
                "monthly\nrotate -1\nmaxage 9",
                "monthly empty log files are rotated, (unlimited rotations), old logs are removed after 9 days",
            ),
            (
                "yearly\nrotate 1\nminsize 1k",
                "yearly empty log files are rotated, only log files >= 1024 bytes are rotated, (1 rotations), old logs are removed",
            ),
            (
                "size 5\nrotate 1\nmaxsize 2M",
                "5 bytes empty log files are rotated, log files >= 2097152 are rotated earlier, (1 rotations), old logs are removed",
            ),
            (
                "minutes 5\nrotate 1\nminage 2",
                "after 5 minutes empty log files are rotated, only log files older than 2 days are rotated, (1 rotations), old logs are removed",
            ),
            (
                "daily\nrotate 1\nmail a@b\nolddir {dir}",
                "after 1 days olddir is {dir}, empty log files are rotated, old logs mailed to a@b, (1 rotations), old logs are removed",
            ),
        ] {
            Scene::new()
                .config(&format!("{{dir}}/a.log {{\n{directives}\nmissingok\n}}"))
                .run(["-v"])
                .status(0)
                .stderr_line(&format!("rotating pattern: {{dir}}/a.log {header}"));
        }
    });
}
