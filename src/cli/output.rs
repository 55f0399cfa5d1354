//! What the command line itself says.

use std::io::Write;

use crate::config::{Config, Notice};
use crate::diagnostic::{Diagnostic, Severity};
use crate::report::diagnostic::render;
use crate::report::{Level, Messages};
use crate::survey::matching::Finding;
use crate::system::log_copy::{Syslog, open_file};

use super::args::{Args, LogSink, Printed};

/// What `-d` says first (compat CLI-8).
const DRY: &str = "logrotate in debug mode does nothing except printing debug messages!  \
    Consider using verbose mode (-v) instead if this is not what you want.";

/// Opens the streams and says what `-d` means. Options act in the order in which they were given:
/// a log that is named after `-d` does not receive its warning.
pub(super) fn messages(args: &Args) -> Messages {
    let mut messages = Messages::new(Box::new(std::io::stderr()), args.verbose);
    let (before, after) =
        args.log_sinks.split_at(args.warning_before_sinks.min(args.log_sinks.len()));
    add_sinks(before, &mut messages);
    if args.debug {
        messages.say(Level::Warning, &format!("{DRY}\n"));
    }
    add_sinks(after, &mut messages);
    messages
}

/// Of several files only the last receives text, but each is truncated (compat CLI-32).
fn add_sinks(sinks: &[LogSink], messages: &mut Messages) {
    for sink in sinks {
        match sink {
            LogSink::File(path) => match open_file(path) {
                Ok(file) => messages.copy_to_file(Box::new(file)),
                Err(error) => {
                    let path = crate::names::Shown::path(path);
                    let line = format!("error opening log file {path}: {error}");
                    messages.say(Level::Error, &line);
                }
            },
            LogSink::Syslog => match Syslog::connect() {
                Ok(syslog) => messages.copy_to(Box::new(syslog)),
                Err(error) => {
                    messages.say(Level::Warning, &format!("cannot reach the system log: {error}"));
                }
            },
        }
    }
}

/// Prints what a run without a rotation prints; gives its exit status.
pub(super) fn print(text: &Printed) -> u8 {
    let mut messages = Messages::new(Box::new(std::io::stderr()), false);
    add_sinks(&text.log_sinks, &mut messages);
    // A closed pipe is no reason for another status.
    let _ = std::io::stdout().write_all(text.stdout.as_bytes());
    let _ = std::io::stderr().write_all(text.stderr.as_bytes());
    text.status
}

/// Says what the configuration's reading brought; gives whether it had no errors.
pub(super) fn say_config(config: &Config, messages: &mut Messages) -> bool {
    let mut well = true;
    for notice in &config.notices {
        match notice {
            Notice::Debug(line) => messages.say(Level::Debug, line),
            Notice::Diagnostic(diagnostic) => well &= say(diagnostic, messages),
        }
    }
    well
}

/// Says what the matching of the patterns brought; gives whether it had no errors.
pub(super) fn say_findings(findings: &[Finding], messages: &mut Messages) -> bool {
    let mut well = true;
    for finding in findings {
        match finding {
            Finding::Debug(line) => messages.say(Level::Debug, line),
            Finding::Diagnostic(diagnostic) => well &= say(diagnostic, messages),
        }
    }
    well
}

fn say(diagnostic: &Diagnostic, messages: &mut Messages) -> bool {
    let level = match diagnostic.severity {
        Severity::Note => Level::Debug,
        Severity::Warning => Level::Warning,
        Severity::HarmlessError | Severity::Error => Level::Error,
    };
    // It begins with its own `error: ` or `warning: `.
    if let Some(text) = render(diagnostic, true) {
        messages.say_prefixed(level, &text);
    }
    diagnostic.severity != Severity::Error
}
