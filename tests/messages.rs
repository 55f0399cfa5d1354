//! What bad input looks like to its author: the reference's own line first, then the source line
//! with a caret under the place.

use crate::scene::Scene;

/// The lines on standard error that follow the first one, up to the next message.
fn excerpt(scene: &Scene, first: &str) -> Vec<String> {
    let first = scene.expand(first);
    let mut lines = scene.stderr().lines().skip_while(|l| **l != first);
    if lines.next().is_none() {
        scene.fail(&format!("stderr lacks the line {first:?}"));
    }
    lines
        .take_while(|l| !l.starts_with("error: ") && !l.starts_with("warning: "))
        .map(str::to_owned)
        .collect()
}

/// The message is there, and below it the source line with its number, with a caret under `at`.
#[track_caller]
fn points_at(scene: &Scene, first: &str, line: usize, source: &str, at: &str) {
    let lines = excerpt(scene, first);
    let source = scene.expand(source);
    let start = format!("{line} | ");
    let shown =
        lines.iter().position(|l| l.trim_start().starts_with(&start) && l.ends_with(&source));
    let Some(shown) = shown else {
        scene.fail(&format!("line {line}, {source:?}, is not shown below {first:?}"));
    };
    let column = lines[shown].len() - source.len() + source.find(at).expect("part of the line");
    let carets = lines.get(shown + 1).map_or("", String::as_str);
    let under = carets.get(column..column + 1);
    if under != Some("^") || carets.find('^') != Some(column) {
        scene.fail(&format!("no caret under {at:?} of {source:?} but {carets:?}"));
    }
}

fn hint(scene: &Scene, first: &str, part: &str) {
    let lines = excerpt(scene, first);
    let hints = lines.iter().filter(|l| l.contains("help:"));
    if !hints.clone().any(|l| l.contains(part)) {
        scene.fail(&format!("no hint with {part:?} below {first:?}"));
    }
}

fn run(config: &str) -> Scene {
    Scene::new().config(config).log("a.log", "a\n").log("b.log", "b\n").run(["-f"])
}

const B: &str = "{dir}/b.log {\n    rotate 1\n}\n";

#[test]
fn an_unknown_directive_is_a_warning_with_the_nearest_one() {
    let config = "{dir}/a.log {\n    rotat 5\n    rotate 1\n}\n";
    let scene = run(config).status(0).expect_file("a.log.1", "a\n");
    let first = "warning: {config}:2 unknown option 'rotat' -- ignoring line";
    points_at(&scene, first, 2, "    rotat 5", "rotat");
    hint(&scene, first, "rotate");
}

#[test]
fn a_bad_count_drops_its_block_only() {
    let scene = run(&format!("{{dir}}/a.log {{\n    rotate lots\n}}\n{B}"))
        .status(1)
        .stderr_has("error: found error in {dir}/a.log")
        .expect_files([("a.log", "a\n"), ("b.log.1", "b\n")]);
    let first = "error: {config}:2 bad rotation count 'lots'";
    points_at(&scene, first, 2, "    rotate lots", "lots");
}

#[test]
fn a_comment_behind_a_value_is_explained() {
    let scene = run("{dir}/a.log {\n    rotate 7 # a week\n}\n").status(1);
    let first = "error: {config}:2 bad rotation count '7 # a week'";
    points_at(&scene, first, 2, "    rotate 7 # a week", "7 # a week");
    hint(&scene, first, "comment");
}

#[test]
fn a_missing_endscript_is_an_error_of_the_file() {
    run(&format!("{B}{{dir}}/a.log {{\n    rotate 1\n    postrotate\n        true\n}}\n"))
        .status(1)
        .stderr_has("error: {config}:prerotate, postrotate or preremove without endscript\n")
        .expect_files([("a.log", "a\n"), ("b.log.1", "b\n")]);
}

#[test]
fn a_missing_brace_before_the_next_block_drops_the_open_one() {
    let scene = run(&format!("{{dir}}/a.log {{\n    rotate 1\n{B}"))
        .status(1)
        .expect_files([("a.log", "a\n"), ("b.log.1", "b\n")]);
    points_at(&scene, "error: {config}:3 unexpected log filename", 3, "{dir}/b.log {", "/");
}

#[test]
fn a_missing_brace_at_the_end_of_the_file_is_fine() {
    run("{dir}/a.log {\n    rotate 1\n").quiet().expect_file("a.log.1", "a\n");
}

#[test]
fn a_closing_brace_on_the_line_of_a_value_still_closes() {
    let scene = run(&format!("{{dir}}/a.log {{ rotate 5 }}\n{B}"))
        .status(1)
        .expect_files([("a.log", "a\n"), ("b.log.1", "b\n")]);
    excerpt(&scene, "error: {config}:1 bad rotation count '5 }'");
}

#[test]
fn a_configuration_that_the_group_may_write_is_refused() {
    Scene::new()
        .config("{dir}/a.log {\n    rotate 1\n}\n")
        .mode(0o664)
        .log("a.log", "a\n")
        .run(["-f"])
        .status(1)
        .stderr_has("warning: Potentially dangerous mode on {config}: 0664\n")
        .stderr_has("error: Ignoring {config} because it is writable by group or others.\n")
        .expect_files([("a.log", "a\n")]);
}

#[test]
fn an_include_that_cannot_be_read_leaves_the_rest() {
    let scene = run(&format!("include {{etc}}/none\n{B}"))
        .status(1)
        .stderr_has("{etc}/none")
        .stderr_has("No such file or directory")
        .expect_files([("a.log", "a\n"), ("b.log.1", "b\n")]);
    scene.stderr_lacks("panicked");
}

#[test]
fn a_directory_as_a_log_is_left_alone() {
    Scene::new()
        .config(&format!("{{dir}}/sub {{\n    rotate 1\n}}\n{B}"))
        .dir("sub")
        .log("sub/file", "x\n")
        .log("b.log", "b\n")
        .run(["-f"])
        .quiet()
        .expect_files([("sub/file", "x\n"), ("b.log.1", "b\n")]);
}

#[test]
fn a_state_file_of_garbage_is_an_error_and_the_run_goes_on() {
    let scene = Scene::new().config(B).log("b.log", "b\n");
    let noise: Vec<u8> =
        (0..9999_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    std::fs::write(scene.state_path(), noise).expect("write");
    scene
        .run(["-f"])
        .status(1)
        .stderr_has("error: bad top line in state file {state}\n")
        .expect_files([("b.log.1", "b\n")])
        .expect_recorded_now("b.log")
        .log("b.log", "again\n")
        .run(["-f"])
        .quiet();
}

#[test]
fn noise_as_a_configuration_rotates_nothing() {
    let words =
        ["/", "{", "}", "a.log", "\0", "\u{7f}", "\n", "rotate", "\"", "'", "\\", "#", " ", "-1"];
    for seed in 1..40_u32 {
        let mut random = seed;
        let mut text = String::from("\u{1}");
        for _ in 0..200 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            text += words[(random >> 16) as usize % words.len()];
        }
        // An error in global scope comes first, so nothing behind it counts.
        let scene = run(&format!("{text}\n{B}"))
            .status(1)
            .stderr_has(
                "error: {config}:1 lines must begin with a keyword or a filename (possibly in double quotes)\n",
            )
            .stderr_lacks("panicked")
            .expect_files([("a.log", "a\n"), ("b.log", "b\n")]);
        assert!(scene.stderr().len() < 20_000, "seed {seed} floods the terminal");
    }
}

#[test]
fn a_binary_as_a_configuration_rotates_nothing() {
    let scene = Scene::new().log("a.log", "a\n");
    let path = scene.root().join("etc/logrotate.conf");
    std::fs::copy("/bin/true", path).expect("copy");
    crate::scene::set_mode(&scene.root().join("etc/logrotate.conf"), 0o644);
    scene
        .run(["-f"])
        .status(1)
        .stderr_has("error: {config}:1 lines must begin with a keyword or a filename (possibly in double quotes)\n")
        .stderr_lacks("panicked")
        .expect_files([("a.log", "a\n")]);
}

/// A run of a copy of the program as a user, after something was done to the copy.
fn run_copy_as_user(prepare: impl FnOnce(&std::path::Path), options: &[&str]) -> Scene {
    let mut scene = Scene::new().config("{dir}/a.log {\nrotate 1\n}\n").log("a.log", "a\n");
    let copy = scene.out_path("rotate");
    std::fs::copy(crate::scene::program(), &copy).expect("copy");
    crate::scene::set_mode(&copy, 0o755);
    prepare(&copy);
    let config = scene.expand("{config}");
    let ids = ["--reuid=1", "--regid=1", "--clear-groups"].iter().chain(options);
    let args: Vec<String> = (ids.map(|&option| option.to_owned()))
        .chain([
            copy.display().to_string(),
            "-l".into(),
            scene.expand("{out}/l"),
            "-d".into(),
            config,
        ])
        .collect();
    let ran = scene.start("setpriv", args).end();
    scene.ended(ran)
}

const REFUSAL: &str = "error: refusing to run set-uid, set-gid or with capabilities of its file: \
    whoever starts this program chooses what it does\n";

#[test]
fn a_set_uid_or_set_gid_program_refuses_to_run_before_it_reads_anything() {
    for mode in [0o4755, 0o2755] {
        run_copy_as_user(|copy| crate::scene::set_mode(copy, mode), &[])
            .status(1)
            .expect_stderr(REFUSAL)
            .expect_no_out("l")
            .expect_files([("a.log", "a\n")]);
    }
}

/// Gives a program a capability, as `setcap cap_dac_override=ep` does: version 2, effective; the sets
/// permitted and inheritable, in two halves.
fn give_capability(program: &std::path::Path) {
    let halves: [u32; 5] = [0x0200_0001, 1 << 1, 0, 0, 0];
    let value: Vec<u8> = halves.iter().flat_map(|half| half.to_le_bytes()).collect();
    let flags = rustix::fs::XattrFlags::empty();
    rustix::fs::setxattr(program, "security.capability", &value, flags).expect("root may");
}

#[test]
fn a_program_with_capabilities_refuses_to_run_for_a_user() {
    run_copy_as_user(give_capability, &[]).status(1).expect_stderr(REFUSAL).expect_no_out("l");
}

#[test]
fn the_capabilities_of_whoever_starts_it_are_no_reason_to_refuse() {
    let own = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"];
    run_copy_as_user(|_| (), &own).stderr_lacks("refusing").stderr_has("considering log");
}
