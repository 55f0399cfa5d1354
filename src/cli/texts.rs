//! What the program says about itself and about a command line that it cannot use (compat CLI-2,
//! CLI-4, CLI-5, CLI-7, CLI-7b, CLI-8). Texts only; nothing is printed here.

use std::ffi::OsStr;
use std::fmt::Write;
use std::path::Path;

use crate::cli::args::defaults::{COMPRESS_COMMAND, UNCOMPRESS_COMMAND, mail_command, state_file};
use crate::cli::args::table::{Effect, HELP_OPTIONS, OPTIONS, OptionRow, rows};
use crate::config::policy::Compression;

/// The warning that comes with `-d`, without its `warning: `. An empty line follows it (compat CLI-8).
pub const DEBUG_WARNING: &str = "logrotate in debug mode does nothing except printing debug messages!  \
     Consider using verbose mode (-v) instead if this is not what you want.";

/// The program runs with rights that its caller lacks.
pub const BORROWED_RIGHTS: &str = "error: refusing to run set-uid, set-gid or with capabilities of \
     its file: whoever starts this program chooses what it does\n";

/// Both lock options together (compat CLI-5).
pub const LOCK_OPTIONS_EXCLUDE_EACH_OTHER: &str = "logrotate: options --skip-state-lock and \
     --wait-for-state-lock are mutually exclusive\n";

/// The release of logrotate whose behaviour the program follows.
const FOLLOWED_VERSION: &str = "3.22.0";

/// Whether new files get the access control list of the old ones.
const KEEPS_ACCESS_LISTS: bool = true;

/// Whether new files get the security label of the old ones.
const KEEPS_SECURITY_LABELS: bool = true;

/// Lines have at most this many columns, as those of the reference.
const WIDTH: usize = 77;

/// The column at which descriptions start in `--help`, counted from 0.
const ABOUT_COLUMN: usize = 32;

/// The name that the program was started under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program(String);

impl Program {
    /// Takes the name from the first word of the command line: what follows its last slash.
    pub fn started_as(word: Option<&OsStr>) -> Self {
        let name = word.and_then(|word| Path::new(word).file_name()).map(OsStr::to_string_lossy);
        Self(name.map_or_else(|| env!("CARGO_PKG_NAME").into(), String::from))
    }

    /// Name and version. Started as `logrotate`, it begins with the version of logrotate that it
    /// follows, since scripts read it.
    pub fn identity(&self) -> String {
        let own = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));
        if self.0 == "logrotate" {
            format!("logrotate {FOLLOWED_VERSION} ({own})")
        } else {
            own.into()
        }
    }

    /// The answer to `--version` (compat CLI-7b).
    pub fn version(&self) -> String {
        let compression = Compression::default();
        let yes_or_no = |held: bool| if held { "yes" } else { "no" }.to_owned();
        let pairs = [
            ("Default mail command:", mail_command().to_owned()),
            ("Default compress command:", COMPRESS_COMMAND.to_owned()),
            ("Default uncompress command:", UNCOMPRESS_COMMAND.to_owned()),
            (
                "Default compress extension:",
                String::from_utf8_lossy(&compression.extension).into_owned(),
            ),
            ("Default state file path:", state_file().to_owned()),
            ("ACL support:", yes_or_no(KEEPS_ACCESS_LISTS)),
            ("SELinux support:", yes_or_no(KEEPS_SECURITY_LABELS)),
        ];
        let mut text = self.identity() + "\n\n";
        for (label, value) in pairs {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "    {label:<27} {value}");
        }
        text
    }

    /// The answer to `--usage` (compat CLI-7).
    pub fn usage(&self) -> String {
        let mut text = format!("Usage: {}", self.0);
        let mut column = text.chars().count();
        let switches: String = rows().filter(|r| !takes_value(r)).filter_map(|r| r.short).collect();
        let words = std::iter::once(format!("[-{switches}]"))
            .chain(rows().map(in_brackets))
            .chain(std::iter::once("[OPTION...] <configfile>".into()));
        for word in words {
            if column + 1 + word.len() > WIDTH {
                text += "\n       ";
                column = 7;
            }
            column += 1 + word.len();
            text.push(' ');
            text += &word;
        }
        text + "\n"
    }

    /// The answer to `--help` (compat CLI-7).
    pub fn help(&self) -> String {
        let mut text = format!("Usage: {} [OPTION...] <configfile>\n", self.0);
        text.extend(OPTIONS.iter().map(help_line));
        text += "\nHelp options:\n";
        text.extend(HELP_OPTIONS.iter().map(help_line));
        text
    }

    /// What is said if no configuration is named (compat CLI-4).
    pub fn no_configuration(&self) -> String {
        format!(
            "{} - rotates logs as logrotate(8) does\n\
             You may use it under the MIT license or under the Apache License 2.0\n\n{}",
            self.identity(),
            self.usage()
        )
    }
}

/// An option that does not exist, lacks its value or has one too many (compat CLI-2). The cause is
/// always the same, as the reference has it (compat B-40). Bytes that are not text are replaced.
pub fn bad_argument(argument: &OsStr) -> String {
    format!("logrotate: bad argument {}: unknown error\n", argument.to_string_lossy())
}

fn takes_value(row: &OptionRow) -> bool {
    matches!(row.effect, Effect::Value { .. })
}

/// `--long`, or `--long=word`.
fn long_form(row: &OptionRow) -> String {
    match row.effect {
        Effect::Value { word, .. } => format!("--{}={word}", row.long),
        Effect::Switch(_) | Effect::Answer(_) => format!("--{}", row.long),
    }
}

fn in_brackets(row: &OptionRow) -> String {
    match row.short {
        Some(letter) => format!("[-{letter}|{}]", long_form(row)),
        None => format!("[{}]", long_form(row)),
    }
}

fn help_line(row: &OptionRow) -> String {
    let letter = row.short.map_or_else(|| "    ".into(), |letter| format!("-{letter}, "));
    let names = format!("  {letter}{}", long_form(row));
    format!("{names:<ABOUT_COLUMN$}{}\n", row.about)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Program {
        Program::started_as(Some(OsStr::new(name)))
    }

    #[test]
    fn usage_has_the_shape_of_the_reference() {
        assert_eq!(
            named("/usr/sbin/logrotate").usage(),
            "\
Usage: logrotate [-dfv?] [-d|--debug] [-f|--force] [-m|--mail=command]
        [-s|--state=statefile] [--skip-state-lock] [--wait-for-state-lock]
        [-v|--verbose] [-l|--log=logfile] [--version] [-?|--help] [--usage]
        [OPTION...] <configfile>
"
        );
    }

    #[test]
    fn help_has_one_line_an_option_and_its_text_in_column_33() {
        let help = named("logrotate").help();
        let lines: Vec<_> = help.lines().collect();
        assert_eq!(lines[0], "Usage: logrotate [OPTION...] <configfile>");
        assert_eq!(lines[10..12], ["", "Help options:"]);
        let options: Vec<_> = lines.iter().filter(|line| line.starts_with("  ")).collect();
        assert_eq!(options.len(), rows().count());
        for line in options {
            assert_eq!(line.as_bytes()[31], b' ', "{line}");
            assert_ne!(line.as_bytes()[32], b' ', "{line}");
            assert!(line.len() <= WIDTH, "{line}");
        }
        assert!(help.contains("\n  -s, --state=statefile         "));
        assert!(help.contains("\n      --wait-for-state-lock     "));
        assert!(help.contains("\n  -?, --help                    "));
    }

    #[test]
    fn version_begins_with_the_name_that_scripts_look_for() {
        for (started_as, first) in [
            (
                "/usr/sbin/logrotate",
                concat!("logrotate 3.22.0 (logrotate-rs ", env!("CARGO_PKG_VERSION"), ")"),
            ),
            (
                "logrotate",
                concat!("logrotate 3.22.0 (logrotate-rs ", env!("CARGO_PKG_VERSION"), ")"),
            ),
            ("./logrotate-rs", concat!("logrotate-rs ", env!("CARGO_PKG_VERSION"))),
            ("/opt/logrotate/run", concat!("logrotate-rs ", env!("CARGO_PKG_VERSION"))),
            ("", concat!("logrotate-rs ", env!("CARGO_PKG_VERSION"))),
        ] {
            assert_eq!(named(started_as).version().lines().next(), Some(first), "{started_as}");
        }
    }

    #[test]
    fn version_shows_the_built_in_defaults_in_one_column() {
        let version = named("logrotate-rs").version();
        let lines: Vec<_> = version.lines().collect();
        assert_eq!(lines[1], "");
        assert_eq!(lines.len(), 9);
        for (line, label) in lines[2..].iter().zip([
            "Default mail command:",
            "Default compress command:",
            "Default uncompress command:",
            "Default compress extension:",
            "Default state file path:",
            "ACL support:",
            "SELinux support:",
        ]) {
            assert_eq!(line.strip_prefix("    ").map(|rest| rest[..27].trim_end()), Some(label));
            assert_eq!(line.as_bytes()[31], b' ', "{line}");
            assert_ne!(line.as_bytes()[32], b' ', "{line}");
        }
        assert!(
            version.ends_with(
                "ACL support:                yes\n    SELinux support:            yes\n"
            )
        );
        assert!(version.contains(state_file()) && version.contains(mail_command()));
    }

    #[test]
    fn a_program_without_a_name_has_its_own() {
        assert_eq!(Program::started_as(None), named("logrotate-rs"));
    }
}
