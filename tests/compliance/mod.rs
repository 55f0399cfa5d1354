//! The same behaviour as the reference: one file a directive or option.
//!
//! A test that 3.21 cannot pass is wrapped in `differs` with the reason's id; under
//! `LOGROTATE_UNDER_TEST=theirs` the suite checks that 3.21 indeed fails it.

mod access_lists;
mod addextension;
mod allowhardlink;
mod arguments;
mod command_line;
mod compress;
mod compress_readers;
mod compresscmd;
mod compressjobs;
mod compressor;
mod config_lock;
mod copy;
mod copytruncate;
mod create;
mod createolddir;
mod daily;
mod dateext;
mod dateformat;
mod datehourago;
mod dateyesterday;
mod debug;
mod delaycompress;
mod every;
mod exit_status;
mod extension;
mod firstaction;
mod force;
mod grammar;
mod hourly;
mod ifempty;
mod ignoreduplicates;
mod include;
mod lastaction;
mod lock;
mod log_option;
mod mail;
mod mailfirst;
mod maxage;
mod maxsize;
mod minage;
mod minsize;
mod minutely;
mod minutes;
mod missingok;
mod monthly;
mod olddir;
mod parent;
mod patterns;
mod postrotate;
mod preremove;
mod prerotate;
mod renamecopy;
mod rotate;
mod sharedscripts;
mod signal;
mod shred;
mod size;
mod start;
mod state_file;
mod su;
mod taboo;
mod timeout;
mod uncompresscmd;
mod verbose;
mod weekly;
mod writers;
mod yearly;

use chrono::NaiveDateTime;

use crate::scene::Scene;

/// Whether a log with these directives, last rotated then, is rotated by a run now.
fn rotates(directives: &str, last: NaiveDateTime) -> bool {
    let scene = Scene::new()
        .config(&format!("{{dir}}/a.log {{\n{directives}\nrotate 1\n}}"))
        .log("a.log", "x\n")
        .state("a.log", last)
        .run(["-v"])
        .status(0);
    let due = scene.log_path("a.log.1").exists();
    let said = if due { "  log needs rotating" } else { "  log does not need rotating" };
    scene.stderr_has(said);
    due
}
