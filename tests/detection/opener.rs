use std::fs::OpenOptions;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::scene::Scene;

/// Whoever opens the log at the moment of the question waits a moment and goes on; the kernel's signal
/// about it does us no harm.
#[test]
fn a_process_that_opens_the_log_during_the_question_gets_no_error_and_ends_no_run() {
    const RUNS: usize = 20;
    for method in ["copytruncate", "nocreate"] {
        let config = format!("{{dir}}/a.log {{\n{method}\nrotate 3\ncompress\nwriters ignore\n}}");
        let config =
            if method == "nocreate" { config.replace("ignore", "wait 0s") } else { config };
        let mut scene = Scene::new().config(&config).log("a.log", "x\n");
        let names = ["a.log", "a.log.1"].map(|name| scene.log_path(name));
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let opener = thread::spawn(move || {
            let mut opened = 0_u32;
            while !stopped.load(Ordering::Relaxed) {
                for name in &names {
                    match OpenOptions::new().append(true).open(name) {
                        Ok(_) => opened += 1,
                        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound),
                    }
                }
            }
            opened
        });
        for _ in 0..RUNS {
            scene = scene.log("a.log", "x\n").run(["-f"]).status(0);
        }
        stop.store(true, Ordering::Relaxed);
        assert!(opener.join().expect("no error but a missing file") > 0, "it never opened it");
    }
}
