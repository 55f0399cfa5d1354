//! What the lines of a case come to, as far as the generator and the listed differences ask.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Datelike, Duration, Timelike};
use chrono_tz::Tz;

use super::case::{Block, Case};

/// The settings of one block.
pub struct Settings<'a> {
    lines: Vec<(&'static str, &'a str)>,
    pub compress: bool,
    pub delay: bool,
    pub dated: bool,
    pub shared: bool,
    /// `copy` or `copytruncate`.
    pub copies: bool,
    pub copy: bool,
    pub missing_ok: bool,
    pub rotate: i64,
    pub start: usize,
    pub old_dir: Option<&'a str>,
    pub create_old_dir: bool,
    pub rename_copy: bool,
    /// User and group of `su`.
    pub su: Option<(u32, u32)>,
    /// The address of `mail`.
    pub mail: Option<&'a str>,
    pub mail_first: bool,
    pub compress_ending: String,
}

impl<'a> Settings<'a> {
    /// Those of a block of the case.
    pub fn of(case: &'a Case, block: &'a Block) -> Self {
        let lines: Vec<_> = case
            .globals
            .iter()
            .chain(&block.lines)
            .map(|(name, rest)| (*name, rest.trim()))
            .collect();
        let mut settings = Self {
            lines,
            compress: false,
            delay: false,
            dated: false,
            shared: false,
            copies: false,
            copy: false,
            missing_ok: false,
            rotate: 0,
            start: 1,
            old_dir: None,
            create_old_dir: false,
            rename_copy: false,
            su: None,
            mail: None,
            mail_first: false,
            compress_ending: ".gz".into(),
        };
        settings.compress = settings.on("compress");
        settings.delay = settings.on("delaycompress");
        settings.dated = settings.on("dateext");
        settings.shared = settings.on("sharedscripts");
        settings.create_old_dir = settings.on("createolddir");
        settings.missing_ok = settings.on("missingok");
        settings.rotate = settings.value("rotate").and_then(|v| v.parse().ok()).unwrap_or(0);
        settings.start = settings.value("start").and_then(|v| v.parse().ok()).unwrap_or(1);
        let (mut copy, mut truncate) = (false, false);
        for &(name, rest) in &settings.lines {
            match name {
                "copy" => copy = true,
                "nocopy" => copy = false,
                "copytruncate" => (truncate, settings.rename_copy) = (true, false),
                "nocopytruncate" => truncate = false,
                "renamecopy" => (truncate, settings.rename_copy) = (false, true),
                "norenamecopy" => settings.rename_copy = false,
                "su" => settings.su = Some(ids(rest)),
                "mail" => settings.mail = Some(rest),
                "nomail" => settings.mail = None,
                "mailfirst" => settings.mail_first = true,
                "maillast" => settings.mail_first = false,
                "olddir" => settings.old_dir = Some(rest),
                "noolddir" => settings.old_dir = None,
                "compressext" if !rest.is_empty() => settings.compress_ending = rest.into(),
                "compresscmd" if rest.ends_with("gzip") => settings.compress_ending = ".gz".into(),
                _ => {}
            }
        }
        settings.copies = copy || truncate;
        settings.copy = copy;
        settings
    }

    /// Whether this is switched on in the end.
    pub fn on(&self, name: &str) -> bool {
        let last =
            self.lines.iter().rev().find(|(n, _)| *n == name || n.strip_prefix("no") == Some(name));
        last.is_some_and(|(n, _)| *n == name)
    }

    /// The last argument of this directive.
    pub fn value(&self, name: &str) -> Option<&'a str> {
        self.lines.iter().rev().find(|(n, _)| *n == name).map(|(_, rest)| *rest)
    }

    /// All arguments of this directive.
    pub fn values(&self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.lines.iter().filter(move |(n, _)| *n == name).map(|(_, rest)| *rest)
    }

    /// What decides when a log is due: the last of these lines, and its argument.
    pub fn trigger(&self) -> (&'static str, &'a str) {
        const NAMES: &[&str] = &["hourly", "daily", "weekly", "monthly", "yearly", "size"];
        self.lines.iter().rev().find(|(n, _)| NAMES.contains(n)).copied().unwrap_or(("size", "1M"))
    }

    /// A log's name without its extension, and the extension.
    pub fn stem<'n>(&self, log: &'n [u8]) -> (&'n [u8], &'a str) {
        let (mut stem, mut ending) = (log, "");
        if let Some(text) = self.value("addextension") {
            stem = stem.strip_suffix(text.as_bytes()).unwrap_or(stem);
            ending = text;
        }
        if let Some((text, cut)) =
            self.value("extension").and_then(|t| Some((t, stem.strip_suffix(t.as_bytes())?)))
        {
            (stem, ending) = (cut, text);
        }
        (stem, ending)
    }

    /// The directory of old versions, for logs in this one.
    pub fn place(&self, dir: &str) -> PathBuf {
        match self.old_dir {
            Some("{dir}/old") => Path::new(dir).join("old"),
            Some("{other}") => Path::new("other").join(dir),
            Some(below) => Path::new(dir).join(below),
            None => dir.into(),
        }
    }

    /// Whether what it compresses is in gzip's format.
    pub fn packs(&self) -> bool {
        self.value("compresscmd").is_none_or(|command| command.ends_with("gzip"))
    }

    /// Whether the directory of old versions does not exist from the start.
    pub fn is_place_missing(&self) -> bool {
        self.old_dir.is_some_and(|dir| dir.starts_with("missing"))
    }

    /// The format of dated names.
    pub fn format(&self) -> &'a str {
        let usual = if self.trigger().0 == "hourly" { "-%Y%m%d%H" } else { "-%Y%m%d" };
        self.value("dateformat").unwrap_or(usual)
    }

    /// The date in the name of a version that was made then.
    pub fn suffix(&self, at: DateTime<Tz>) -> String {
        // The first is done first.
        let at = if self.on("dateyesterday") {
            (at - Duration::days(1)).with_hour(12).unwrap_or(at)
        } else {
            at
        };
        let at = if self.on("datehourago") { at - Duration::hours(1) } else { at };
        at.format(&self.format().replace("%%Y", &format!("%%{}", at.year()))).to_string()
    }
}

/// User and group of Debian's accounts.
fn ids(names: &str) -> (u32, u32) {
    let id = |name| match name {
        "root" => 0,
        "adm" => 4,
        "www-data" => 33,
        other => panic!("{other} is no account that cases use"),
    };
    let (user, group) = names.split_once(' ').expect("a user and a group");
    (id(user), id(group))
}
