//! `compressjobs`: how many threads compress, and whether they leave the disk to others. A directive of
//! our own.

use crate::scene::{Scene, differs, program};

fn three_logs(directive: &str) -> Scene {
    let config = format!("{{dir}}/*.log {{\nrotate 3\ncompress\n{directive}\n}}");
    ["a", "b", "c"].iter().fold(Scene::new().config(&config), |scene, name| {
        scene.log(&format!("{name}.log"), &format!("{name}\n"))
    })
}

#[test]
fn any_number_of_threads_compresses_all() {
    differs("compressjobs", || {
        for jobs in ["1", "8", "2 idle", "idle"] {
            three_logs(&format!("compressjobs {jobs}")).run(["-f"]).quiet().expect_files([
                ("a.log.1.gz", "a\n"),
                ("b.log.1.gz", "b\n"),
                ("c.log.1.gz", "c\n"),
            ]);
        }
    });
}

#[test]
fn a_number_that_it_does_not_have_drops_the_block() {
    differs("compressjobs", || {
        three_logs("compressjobs 0").run(["-f"]).status(1).stderr_has("bad compressjobs '0'");
    });
}

#[test]
fn threads_stand_back_and_leave_the_disk_to_others_if_wanted() {
    differs("compressjobs", || {
        for (jobs, idle) in [("1", false), ("1 idle", true)] {
            let mut scene = three_logs(&format!("compressjobs {jobs}"));
            let args = ["-f", "-qq", "-o", "{out}/trace", "-e", "trace=setpriority,ioprio_set"];
            let args = args.into_iter().chain([program(), "-f", "-s", "{state}", "{config}"]);
            let args: Vec<String> = args.map(|a| scene.expand(a)).collect();
            let run = scene.start("strace", args).end();
            let scene = scene.ended(run).status(0).expect_file("c.log.1.gz", "c\n");
            let trace = std::fs::read_to_string(scene.out_path("trace")).expect("trace");
            assert!(trace.contains("setpriority(PRIO_PROCESS, 0, "), "{trace}");
            assert_eq!(trace.contains("IOPRIO_CLASS_IDLE"), idle, "{trace}");
        }
    });
}
