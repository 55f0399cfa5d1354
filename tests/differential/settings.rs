//! What the lines of a case come to, as far as the generator and the listed differences ask.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Duration, Timelike};
use chrono_tz::Tz;

use super::case::{Block, Case};

/// The settings of one block.
pub struct Settings<'a> {
    lines: Vec<(&'static str, &'a str)>,
    pub compress: bool,
    pub delay: bool,
    pub dated: bool,
    pub shared: bool,
    pub copies: bool,
    pub missing_ok: bool,
    pub rotate: i64,
    pub start: usize,
    pub old_dir: Option<&'a str>,
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
            missing_ok: false,
            rotate: 0,
            start: 1,
            old_dir: None,
            compress_ending: ".gz".into(),
        };
        settings.compress = settings.on("compress");
        settings.delay = settings.on("delaycompress");
        settings.dated = settings.on("dateext");
        settings.shared = settings.on("sharedscripts");
        settings.copies = settings.on("copy") || settings.on("copytruncate");
        settings.missing_ok = settings.on("missingok");
        settings.rotate = settings.value("rotate").and_then(|v| v.parse().ok()).unwrap_or(0);
        settings.start = settings.value("start").and_then(|v| v.parse().ok()).unwrap_or(1);
        for &(name, rest) in &settings.lines {
            match name {
                "olddir" => settings.old_dir = Some(rest),
                "noolddir" => settings.old_dir = None,
                "compressext" if !rest.is_empty() => settings.compress_ending = rest.into(),
                "compresscmd" if rest.ends_with("gzip") => settings.compress_ending = ".gz".into(),
                _ => {}
            }
        }
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
            Some("old" | "{dir}/old") => Path::new(dir).join("old"),
            _ => dir.into(),
        }
    }

    /// The format of dated names.
    pub fn format(&self) -> &'a str {
        let usual = if self.trigger().0 == "hourly" { "-%Y%m%d%H" } else { "-%Y%m%d" };
        self.value("dateformat").unwrap_or(usual)
    }

    /// The date in the name of a version that was made then.
    pub fn suffix(&self, at: DateTime<Tz>) -> String {
        let ago = ["dateyesterday", "datehourago"];
        let at = match self.lines.iter().rev().find(|(name, _)| ago.contains(name)) {
            Some(("dateyesterday", _)) => (at - Duration::days(1)).with_hour(12).unwrap_or(at),
            Some(("datehourago", _)) => at - Duration::hours(1),
            _ => at,
        };
        at.format(&self.format().replace("%%Y", "%%2024")).to_string()
    }
}
