//! `include PATH` (compat CFG-42, CFG-44, CFG-52, CFG-60..65).

use crate::scene::{Scene, differs};

#[test]
fn a_file_is_read_in_its_place() {
    Scene::new()
        .config("rotate 1\ninclude {etc}/more\n{dir}/b.log {\n}")
        .config_file("more", "{dir}/a.log {\n}\nrotate 0\n")
        .log("a.log", "a\n")
        .log("b.log", "b\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log.1", "a\n")]);
}

#[test]
fn the_files_of_a_directory_are_read_in_order_of_their_names() {
    Scene::new()
        .config("include {etc}/conf.d\n")
        .config_dir("conf.d")
        .config_file("conf.d/20-b", "{dir}/b.log {\n}\n")
        .config_file("conf.d/10-a", "rotate 1\n")
        .log("b.log", "b\n")
        .run(["-f"])
        .quiet()
        .expect_files([("b.log.1", "b\n")]);
}

#[test]
fn a_broken_file_of_a_directory_does_not_stop_the_others() {
    Scene::new()
        .config("include {etc}/conf.d\n{dir}/c.log {\nrotate 1\n}\n")
        .config_dir("conf.d")
        .config_file("conf.d/10-a", "rotate x\n{dir}/a.log {\nrotate 1\n}\n")
        .config_file("conf.d/20-b", "{dir}/b.log {\nrotate 1\n}\n")
        .log("a.log", "a\n")
        .log("b.log", "b\n")
        .log("c.log", "c\n")
        .run(["-f"])
        .status(1)
        .stderr_has("error: 10-a:1 bad rotation count 'x'\n")
        .stderr_line("error: found error in file 10-a, skipping")
        .expect_files([("a.log", "a\n"), ("b.log.1", "b\n"), ("c.log.1", "c\n")]);
}

#[test]
fn settings_of_a_file_with_an_error_are_put_back() {
    Scene::new()
        .config("rotate 1\ninclude {etc}/more\n{dir}/b.log {\n}\n")
        .config_file("more", "rotate 0\nsize x\n")
        .log("b.log", "b\n")
        .run(["-f"])
        .status(1)
        .expect_files([("b.log.1", "b\n")]);
}

#[test]
fn a_directory_below_is_not_read() {
    Scene::new()
        .config("include {etc}/conf.d\n")
        .config_dir("conf.d")
        .config_dir("conf.d/below")
        .config_file("conf.d/below/a", "{dir}/a.log {\nrotate 1\n}\n")
        .log("a.log", "a\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log", "a\n")]);
}

#[test]
fn a_missing_file_is_an_error_and_the_rest_goes_on() {
    Scene::new()
        .config("include {etc}/none\n{dir}/a.log {\nrotate 1\n}\n")
        .log("a.log", "a\n")
        .run(["-f"])
        .status(1)
        .stderr_has("{etc}/none")
        .stderr_has("No such file or directory")
        .expect_files([("a.log.1", "a\n")]);
}

#[test]
fn a_file_can_be_included_in_a_block() {
    Scene::new()
        .config("{dir}/a.log {\ninclude {etc}/more\n}\n{dir}/b.log {\nrotate 1\n}\n")
        .config_file("more", "rotate 1\ncreate\n")
        .log("a.log", "a\n")
        .log("b.log", "b\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.log", ""), ("a.log.1", "a\n"), ("b.log.1", "b\n")]);
}

#[test]
fn a_file_that_includes_itself_ends_in_an_error() {
    Scene::new()
        .config("include {config}\n{dir}/a.log {\nrotate 1\n}\n")
        .log("a.log", "a\n")
        .run(["-f"])
        .status(1)
        .stderr_has("error: {config}:1 include nesting too deep");
}

#[test]
fn a_failing_include_drops_the_block_by_its_name() {
    differs("B-23", || {
        Scene::new()
            .config("{dir}/a.log {\nrotate 1\ninclude {etc}/more\n}\n")
            .config_file("more", "rotate x\n")
            .log("a.log", "a\n")
            .run(["-f"])
            .status(1)
            .stderr_has("bad rotation count 'x'")
            .stderr_line("error: found error in {dir}/a.log, skipping")
            .expect_files([("a.log", "a\n")]);
    });
}

/// Compat CFG-5, CFG-61.
#[test]
fn a_dangling_link_in_a_directory_is_an_error_and_the_others_are_read() {
    Scene::new()
        .config("include {etc}/conf.d\n")
        .config_dir("conf.d")
        .config_file("conf.d/b", "{dir}/b.log {\nrotate 1\n}\n")
        .then(|scene| {
            let link = scene.root().join("etc/conf.d/a");
            std::os::unix::fs::symlink("nowhere", link).expect("a link");
        })
        .log("b.log", "b\n")
        .run(["-f"])
        .status(1)
        .stderr_has("error: failed to open config file a: No such file or directory\n")
        .stderr_line("error: found error in file a, skipping")
        .expect_files([("b.log.1", "b\n")]);
}

#[test]
fn a_tilde_is_the_home_directory() {
    Scene::new()
        .config("include ~/more\n")
        .home_file("more", "rotate x\n")
        .run([])
        .status(1)
        .stderr_has("/home/more:1 bad rotation count 'x'");
}

/// Compat CFG-2, CFG-62.
#[test]
fn empty_files_and_directories_below_are_told_with_verbose() {
    Scene::new()
        .config("include {etc}/conf.d\n")
        .config_dir("conf.d")
        .config_dir("conf.d/sub")
        .config_file("conf.d/empty", "")
        .config_file("conf.d/x.bak", "rotate x\n")
        .run(["-v"])
        .status(0)
        .stderr_line("including {etc}/conf.d")
        .stderr_line("Ignoring empty because it's empty.")
        .stderr_line("Ignoring sub because it's not a regular file.")
        .stderr_line("Ignoring x.bak, because of *.bak pattern match");
}

#[test]
fn a_block_in_a_file_that_a_block_includes_starts_as_a_copy_of_it() {
    Scene::new()
        .config("{dir}/a.log {\nrotate 1\ninclude {etc}/more\n}\n")
        .config_file("more", "{dir}/b.log {\n}\nextension .log\n")
        .log("a.log", "a\n")
        .log("b.log", "b\n")
        .run(["-f"])
        .quiet()
        .expect_files([("a.1.log", "a\n"), ("b.log.1", "b\n")]);
}
