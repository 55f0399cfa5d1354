//! The language of configurations (compat CFG-6..18, CFG-30..55).

use crate::scene::{Scene, differs};

fn config(text: &str) -> Scene {
    Scene::new().config(text).log("a.log", "a\n").log("b.log", "b\n").run(["-f"])
}

#[test]
fn directives_without_argument_may_share_a_line() {
    config("{dir}/a.log { nocompress missingok # a comment\n rotate 1\n}")
        .quiet()
        .expect_files([("a.log.1", "a\n"), ("b.log", "b\n")]);
}

#[test]
fn a_block_may_stand_on_one_line() {
    config("rotate 1\n{dir}/a.log { nocompress }\n{dir}/b.log{ missingok }\n")
        .quiet()
        .expect_files([("a.log.1", "a\n"), ("b.log.1", "b\n")]);
}

#[test]
fn settings_above_a_block_hold_for_it_and_those_below_do_not() {
    config("rotate 1\n{dir}/a.log {\n}\ncreate\n{dir}/b.log {\n}\n").quiet().expect_files([
        ("a.log.1", "a\n"),
        ("b.log", ""),
        ("b.log.1", "b\n"),
    ]);
}

#[test]
fn the_last_brace_may_be_missing() {
    config("{dir}/a.log {\nrotate 1\n")
        .quiet()
        .expect_files([("a.log.1", "a\n"), ("b.log", "b\n")]);
}

#[test]
fn an_unknown_directive_is_ignored() {
    differs("D-1", || {
        config("{dir}/a.log {\nrotat 1\nrotate 1\n}\n")
            .status(0)
            .stderr_has("warning: {config}:2 unknown option 'rotat' -- ignoring line\n")
            .expect_files([("a.log.1", "a\n"), ("b.log", "b\n")]);
    });
}

#[test]
fn text_after_the_closing_brace_is_said_and_does_not_count() {
    config("{dir}/a.log {\nrotate 1\n} # done\n{dir}/b.log {\nrotate 1\n}\n")
        .status(0)
        .stderr_has("error: {config}:3, unexpected text after }\n")
        .expect_files([("a.log.1", "a\n"), ("b.log.1", "b\n")]);
}

#[test]
fn a_stray_brace_abandons_the_rest_of_the_file() {
    config("{dir}/a.log {\nrotate 1\n}\n}\n{dir}/b.log {\nrotate 1\n}\n")
        .status(1)
        .stderr_has("error: {config}:4 unexpected }\n")
        .expect_files([("a.log.1", "a\n"), ("b.log", "b\n")]);
}

#[test]
fn an_error_in_global_scope_abandons_the_rest_of_the_file() {
    config("{dir}/a.log {\nrotate 1\n}\nrotate x\n{dir}/b.log {\nrotate 1\n}\n")
        .status(1)
        .stderr_has("error: {config}:4 bad rotation count 'x'\n")
        .expect_files([("a.log.1", "a\n"), ("b.log", "b\n")]);
}

#[test]
fn an_indented_brace_ends_a_dropped_block() {
    differs("B-02", || {
        config("{dir}/a.log {\n  rotate x\n  }\n{dir}/b.log {\n  rotate 1\n  }\n")
            .status(1)
            .stderr_has("error: {config}:2 bad rotation count 'x'\n")
            .expect_files([("a.log", "a\n"), ("b.log.1", "b\n")]);
    });
}

#[test]
fn an_error_on_the_last_line_counts() {
    differs("B-03", || {
        config("{dir}/a.log {\nrotate x")
            .status(1)
            .expect_files([("a.log", "a\n"), ("b.log", "b\n")]);
    });
}

#[test]
fn a_file_error_inside_a_block_stays_in_the_block() {
    differs("B-32", || {
        config("{dir}/a.log {\nweekly 9\nrotate 1\n}\n{dir}/b.log {\nrotate 1\n}\n")
            .status(1)
            .expect_files([("a.log", "a\n"), ("b.log.1", "b\n")]);
    });
}

#[test]
fn line_numbers_are_true_below_a_list_of_several_lines() {
    differs("B-33", || {
        config("{dir}/a.log\n{dir}/b.log\n{\nrotate x\n}\n")
            .status(1)
            .stderr_has("error: {config}:4 bad rotation count 'x'\n");
    });
}

#[test]
fn a_value_without_argument_drops_the_block() {
    differs("B-01", || {
        config("{dir}/a.log {\nrotate\n}\n{dir}/b.log {\nrotate 1\n}\n")
            .status(1)
            .stderr_has("error: {config}:2 argument expected after rotate count\n")
            .expect_files([("a.log", "a\n"), ("b.log.1", "b\n")]);
    });
}

#[test]
fn a_size_without_argument_is_ignored() {
    config("{dir}/a.log {\nminsize\nrotate 1\n}\n")
        .status(0)
        .stderr_has("argument expected after minsize\n")
        .expect_files([("a.log.1", "a\n"), ("b.log", "b\n")]);
}

#[test]
fn a_brace_in_a_refused_value_is_not_the_end_if_one_stands_below() {
    for mistake in ["rotate 2 }", "daily}", "size x\nrotate 2 }"] {
        let script = "postrotate\n}\nendscript";
        Scene::new()
            .config(&format!(
                "{{dir}}/a.log {{\n{mistake}\ndateext\n# a note\n{script}\nmaxage 3\n}}\n{{dir}}/b.log {{\nrotate 1\n}}"
            ))
            .log("a.log", "a\n")
            .log("b.log", "b\n")
            .run(["-f"])
            .status(1)
            .stderr_lacks("unexpected }")
            .expect_files([("a.log", "a\n"), ("b.log.1", "b\n")]);
    }
}

/// The reference looks for a brace in column 1, and takes that of the next block.
#[test]
fn a_brace_in_a_refused_value_is_the_end_if_another_block_follows() {
    differs("B-02", || {
        Scene::new()
            .config("{dir}/a.log { rotate 2 }\nrotate 1\n{dir}/b.log {\n}\n{dir}/c.log {\n}\n")
            .log("a.log", "a\n")
            .log("b.log", "b\n")
            .log("c.log", "c\n")
            .run(["-f"])
            .status(1)
            .expect_files([("a.log", "a\n"), ("b.log.1", "b\n"), ("c.log.1", "c\n")]);
    });
}
