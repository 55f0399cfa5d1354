//! A case as a shell script that anybody can run.

use std::fmt::Write;

use super::case::{Case, Thing};
use super::text::Site;

/// The script: `sh FILE PROGRAM` makes the case below `/tmp/case` and runs the program on it.
pub fn script(case: &Case) -> String {
    let mut text = format!(
        "#!/bin/sh\n# seed {}; run as root: sh this PROGRAM\nset -e; rm -rf /tmp/case; mkdir -p /tmp/case\n\
         cd /tmp/case; mkdir -p bin etc/conf.d var out other; umask 022\n\
         : > out/calls; chmod 666 out/calls; export PATH=$PWD/bin:$PATH\n",
        case.seed
    );
    for entry in &case.entries {
        let path = quoted(&entry.path);
        let _ = match &entry.thing {
            Thing::Dir => write!(text, "mkdir {path}; "),
            Thing::Symlink(target) => {
                let _ = writeln!(text, "ln -s {target} {path}");
                continue;
            }
            Thing::HardLink(file) => {
                let _ = writeln!(text, "ln {} {path}", quoted(file));
                continue;
            }
            Thing::File(content) => write!(text, "printf %s {} > {path}; ", quoted(content)),
        };
        let (user, group) = entry.owner;
        let _ = writeln!(
            text,
            "chown {user}:{group} {path}; chmod {:o} {path}; touch -d @{} {path}",
            entry.mode, entry.time
        );
    }
    let site = Site { root: "/tmp/case".into(), other: "/tmp/case/other".into() };
    for (name, content) in case.config(&site) {
        let _ = writeln!(text, "printf %s {} > etc/{name}", quoted(&content));
    }
    let site = "/tmp/case";
    for (name, program) in
        [("mailer", super::world::mailer(site)), ("shred", super::world::shredder(site))]
    {
        let program = quoted(program.as_bytes());
        let _ = writeln!(text, "printf %s {program} > bin/{name}; chmod 755 bin/{name}");
    }
    if let Some(state) = case.state("/tmp/case") {
        let _ = writeln!(text, "printf %s {} > var/state; chmod 640 var/state", quoted(&state));
    }
    let _ = writeln!(
        text,
        "export LC_ALL=C TZ={} NO_FAKE_STAT=1 FAKETIME_FMT=%s\npreload={}",
        case.zone.name(),
        super::world::FAKETIME
    );
    for run in &case.runs {
        for (path, content) in &run.writes {
            let path = quoted(path);
            let _ = writeln!(
                text,
                "printf %s {} >> {path}; touch -d @{} {path}",
                quoted(content),
                run.at - 7
            );
        }
        let force = if run.force { " -f" } else { "" };
        let _ = writeln!(
            text,
            "LD_PRELOAD=$preload FAKETIME={} \"$1\" -m /tmp/case/bin/mailer -s var/state{force} /tmp/case/etc/logrotate.conf || echo \"exit $?\"\n\
             ls -lAR --time-style=full-iso logs more third other; cat var/state out/calls",
            run.at
        );
    }
    text
}

/// Bytes as one word of the shell.
fn quoted(bytes: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return format!("'{}'", text.replace('\'', r"'\''"));
    }
    let octal = bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "\\{byte:03o}");
        text
    });
    format!("\"$(printf '{octal}')\"")
}
