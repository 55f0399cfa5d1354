//! What is held open while logs are rotated, and how little of that there may be.

use crate::scene::Scene;

fn numbered(text: &str, count: usize) -> String {
    (0..count).map(|number| text.replace('N', &number.to_string())).collect()
}

#[test]
fn hundreds_of_directories_fit_into_a_small_limit_of_open_files() {
    for limit in [32, 64, 280] {
        let config = numbered("{dir}/N/a.log\n", 300) + "{\nrotate 2\nsize 1\n}\n";
        let mut scene = Scene::new().config(&config);
        for number in 0..300 {
            scene = scene.dir(&number.to_string());
            for name in ["a.log", "a.log.1", "a.log.2"] {
                scene = scene.log(&format!("{number}/{name}"), name);
            }
        }
        let run = scene.expand(&format!("ulimit -n {limit}; exec \"$0\" -s {{state}} {{config}}"));
        let ran = scene.start("sh", ["-c", &run, crate::scene::program()]).end();
        let scene = scene.ended(ran).quiet();
        scene
            .expect_file("299/a.log.1", "a.log")
            .expect_file("299/a.log.2", "a.log.1")
            .expect_no_file("299/a.log.3");
    }
}

/// Its room is there, and the file system can be made read-only.
#[test]
fn a_script_finds_no_removed_file_held() {
    let script = "ls -l /proc/$PPID/fd | grep -c deleted > {out}/held; true";
    let config = format!(
        "{{dir}}/*.log {{\nrotate 1\nsize 1\nsharedscripts\nlastaction\n{script}\nendscript\n}}\n"
    );
    let mut scene = Scene::new().config(&config);
    for number in 0..100 {
        scene = scene.log(&format!("{number}.log"), "new");
        scene = scene.log(&format!("{number}.log.1"), &"old".repeat(10_000));
    }
    scene.run([]).quiet().expect_out("held", "0\n").expect_no_file("99.log.2");
}
