use std::fs;

use super::{CONFIG, Writer, compressed_at_once, postponed_until_it_ends};
use crate::scene::{Mounted, Scene};

/// An image with a file system, mounted where the logs are.
fn on_image(megabytes: u64, make: &str) {
    let scene = Scene::new();
    let image = scene.root().join("image");
    let mounted = Mounted::of_image(&image, megabytes, make, &scene.log_path(""));
    works(scene, mounted);
}

/// A writer is noticed and named; without one nothing waits.
fn works(scene: Scene, mounted: Mounted) {
    let scene = scene.config(CONFIG).log("a.log", "x\n");
    let writer = Writer::start(&[], &scene.log_path("a.log"));
    let named = format!("process {} (sh)", writer.pid());
    let scene = postponed_until_it_ends(scene, &[], writer, &named);
    fs::remove_file(scene.log_path("a.log.1.gz")).expect("remove");
    let scene = compressed_at_once(scene.log("a.log", "x\n"), &[]);
    drop(mounted);
    drop(scene);
}

#[test]
fn a_writer_is_noticed_on_ext4() {
    on_image(20, "mkfs.ext4");
}

#[test]
fn a_writer_is_noticed_on_xfs() {
    on_image(320, "mkfs.xfs");
}

#[test]
fn a_writer_is_noticed_on_btrfs() {
    on_image(120, "mkfs.btrfs");
}

#[test]
fn a_writer_is_noticed_on_tmpfs() {
    let scene = Scene::new();
    let mounted = Mounted::in_memory(&scene.log_path(""));
    works(scene, mounted);
}

#[test]
fn a_writer_is_noticed_on_overlayfs() {
    let scene = Scene::new();
    let below = Mounted::in_memory(&scene.log_path(""));
    fs::create_dir(scene.log_path("lower")).expect("directory");
    fs::write(scene.log_path("lower/a.log"), "x\n").expect("log");
    let mounted = Mounted::overlay(&scene.log_path(""));
    let scene = scene.config(&CONFIG.replace("{dir}", "{dir}/merged"));
    // From the lower layer: what is renamed is a copy that the upper layer gets then.
    let writer = Writer::start(&[], &scene.log_path("merged/a.log"));
    let note = format!("a.log.1 is still written by process {} (sh)", writer.pid());
    let scene = scene.run(["-f"]).status(0).stderr_has(&note);
    drop(writer);
    let scene = scene.run([]).quiet().expect_file("merged/a.log.1.gz", "x\n");
    drop((mounted, below));
    drop(scene);
}
