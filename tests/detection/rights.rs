use super::{CONFIG, Writer, compressed_at_once, postponed_until_it_ends};
use crate::scene::Scene;

/// A user without any rights of its own.
const NOBODY: &[&str] = &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

/// The capabilities that a container gets by default: root may become anybody, but may not look into
/// everybody's processes, and may not take a lease on everybody's files.
const CONTAINER: &[&str] = &[
    "setpriv",
    "--bounding-set=-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,\
     +net_bind_service,+net_raw,+sys_chroot,+mknod,+audit_write,+setfcap",
];

/// Everything belongs to one user, who has a log to rotate.
fn scene(uid: u32) -> Scene {
    let mut scene = Scene::new().config(CONFIG);
    for name in ["logs", "etc", "var", "out", "home", "etc/logrotate.conf", "logs/a.log"] {
        let path = scene.root().join(name);
        if name == "logs/a.log" {
            scene = scene.log("a.log", "x\n");
        }
        std::os::unix::fs::chown(path, Some(uid), Some(uid)).expect("owner");
    }
    scene
}

#[test]
fn a_plain_user_is_told_who_writes_his_log() {
    drop(compressed_at_once(scene(65534), NOBODY));
    let scene = scene(65534);
    let writer = Writer::start(NOBODY, &scene.log_path("a.log"));
    let named = format!("process {} (sh)", writer.pid());
    drop(postponed_until_it_ends(scene, NOBODY, writer, &named));
}

#[test]
fn a_plain_user_waits_for_a_writer_that_he_may_not_look_at() {
    let scene = scene(65534);
    let writer = Writer::start(&[], &scene.log_path("a.log"));
    let named = "a process that cannot be seen from here";
    drop(postponed_until_it_ends(scene, NOBODY, writer, named));
}

#[test]
fn in_a_container_another_users_log_is_asked_about_as_that_user() {
    let log_of = |uid| {
        let scene = Scene::new().config(CONFIG).log("a.log", "x\n").owner(uid, uid);
        scene.mode(0o644)
    };
    drop(compressed_at_once(log_of(65534), CONTAINER));
    let scene = log_of(65534);
    let writer = Writer::start(NOBODY, &scene.log_path("a.log"));
    let named = format!("process {} (sh)", writer.pid());
    drop(postponed_until_it_ends(scene, CONTAINER, writer, &named));
}

#[test]
fn a_writer_outside_our_namespace_is_noticed_and_called_so() {
    let inside = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];
    let scene = Scene::new().config(CONFIG).log("a.log", "x\n");
    let writer = Writer::start(&[], &scene.log_path("a.log"));
    let named = "a process outside this namespace";
    drop(postponed_until_it_ends(scene, &inside, writer, named));
}

#[test]
fn a_writer_in_a_namespace_of_its_own_is_named_by_the_number_that_it_has_here() {
    let inside = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--ipc", "--uts"];
    let scene = Scene::new().config(CONFIG).log("a.log", "x\n");
    let writer = Writer::start(&inside, &scene.log_path("a.log"));
    let named = format!("process {} (sh)", writer.pid());
    drop(postponed_until_it_ends(scene, &[], writer, &named));
}
