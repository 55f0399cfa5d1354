//! What is kept of old versions, how they are named, and how they are compressed.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use super::Argument::{None as Bare, Raw, Value};
use super::Directive::{self, Switch as Set};
use super::{Row, Switch, needs, row, wants};
use crate::config::policy::{Effort, Packer};
use crate::config::value::{self, Bad, Reading, count, printable, shown, unsigned};
use crate::units::{Days, KeepCount};

pub(super) const ROWS: &[Row] = &[
    row(
        "rotate",
        Value(needs("rotate count"), rotate),
        "Keeps so many old versions; -1 keeps all.",
    ),
    row(
        "start",
        Value(needs("start count"), |text, _| {
            unsigned(text, "bad-start-count", "start count").map(Directive::Start)
        }),
        "The number of the newest old version.",
    ),
    row(
        "maxage",
        Value(needs("maxage count"), |text, _| {
            unsigned(text, "bad-maximum-age", "maximum age").map(Days).map(Directive::MaxAge)
        }),
        "Removes old versions after so many days.",
    ),
    row("dateext", Bare(|| Set(Switch::Dated, true)), "Old versions are named after dates."),
    row("nodateext", Bare(|| Set(Switch::Dated, false)), "Old versions are numbered."),
    row(
        "dateformat",
        Value(wants("dateformat"), |text, _| Ok(Directive::DateFormat(text.to_vec()))),
        "How dates are written in names.",
    ),
    row("dateyesterday", Bare(|| Set(Switch::Yesterday, true)), "Names take yesterday's date."),
    row("nodateyesterday", Bare(|| Set(Switch::Yesterday, false)), "Names take today's date."),
    row("datehourago", Bare(|| Set(Switch::HourAgo, true)), "Names take the hour before."),
    row("nodatehourago", Bare(|| Set(Switch::HourAgo, false)), "Names take this hour."),
    row(
        "extension",
        Value(needs("extension name"), |text, reading| {
            reading.debug.push(format!("extension is now {}", shown(text)));
            Ok(Directive::Extension(text.to_vec()))
        }),
        "An ending of the log that goes behind the number or date.",
    ),
    row(
        "addextension",
        Value(needs("addextension name"), |text, reading| {
            reading.debug.push(format!("addextension is now {}", shown(text)));
            Ok(Directive::AddExtension(text.to_vec()))
        }),
        "An ending that old versions get behind the number or date.",
    ),
    row("olddir", Value(needs("olddir"), old_dir), "The directory for old versions."),
    row("noolddir", Bare(|| Directive::OldDir(None)), "Old versions stay beside the log."),
    row("createolddir", Raw(create_old_dir), "Makes the directory for old versions."),
    row(
        "nocreateolddir",
        Bare(|| Set(Switch::CreateOldDir, false)),
        "Makes no directory for old versions.",
    ),
    row("compress", Bare(|| Set(Switch::Compress, true)), "Old versions are compressed."),
    row("nocompress", Bare(|| Set(Switch::Compress, false)), "Old versions are not compressed."),
    row(
        "delaycompress",
        Bare(|| Set(Switch::DelayCompress, true)),
        "The newest old version is compressed at the next rotation.",
    ),
    row(
        "nodelaycompress",
        Bare(|| Set(Switch::DelayCompress, false)),
        "The newest old version is compressed at once.",
    ),
    row("compresscmd", Value(needs("compress"), command), "The program that compresses."),
    row(
        "compressor",
        Value(needs("compressor"), compressor),
        "What compresses without a program: gzip, zstd or none.",
    ),
    row(
        "compressjobs",
        Value(needs("compressjobs"), jobs),
        "How many threads compress, and whether only on an idle disk.",
    ),
    row(
        "uncompresscmd",
        Value(needs("uncompress"), |text, reading| {
            let program = printable(text, "bad-uncompress", "uncompress path")?;
            reading.debug.push(format!("uncompress_prog is now {}", shown(program)));
            Ok(Directive::UncompressCommand(OsString::from_vec(program.to_vec())))
        }),
        "The program that uncompresses for mail.",
    ),
    row("compressoptions", Raw(options), "Arguments for the program that compresses."),
    row(
        "compressext",
        Value(needs("compress-ext"), |text, reading| {
            let ending = printable(text, "bad-compress-ext", "compress-ext path")?;
            reading.debug.push(format!("compress_ext is now {}", shown(ending)));
            Ok(Directive::CompressExtension(ending.to_vec()))
        }),
        "The ending of compressed versions.",
    ),
];

fn rotate(text: &[u8], _: &mut Reading<'_>) -> Result<Directive, Bad> {
    let number = count(text, -1, "bad-rotation-count", "rotation count")?;
    // The only number that does not fit is -1.
    Ok(Directive::Rotate(u32::try_from(number).map_or(KeepCount::All, KeepCount::Last)))
}

fn old_dir(text: &[u8], reading: &mut Reading<'_>) -> Result<Directive, Bad> {
    let text = printable(text, "bad-olddir", "olddir path")?;
    let path = value::expand_home(text, reading);
    reading.debug.push(format!("olddir is now {}", crate::names::Shown::path(&path)));
    Ok(Directive::OldDir(Some(path)))
}

fn create_old_dir(text: &[u8], reading: &mut Reading<'_>) -> Result<Directive, Bad> {
    let (mode, owner) = super::change::mode_and_owner("createolddir", text, reading)?;
    Ok(Directive::CreateOldDir { mode, owner })
}

fn command(text: &[u8], reading: &mut Reading<'_>) -> Result<Directive, Bad> {
    let program = printable(text, "bad-compress", "compress path").map_err(|bad| {
        bad.with_hint("give the program alone; its arguments belong into `compressoptions`")
    })?;
    reading.debug.push(format!("compress_prog is now {}", shown(program)));
    let extension = match program.rsplit(|&b| b == b'/').next() {
        Some(b"gzip") => Some(".gz"),
        Some(b"bzip2") => Some(".bz2"),
        Some(b"xz") => Some(".xz"),
        Some(b"zstd") => Some(".zst"),
        Some(b"compress") => Some(".Z"),
        Some(b"zip") => Some(".zip"),
        _ => None,
    };
    if let Some(extension) = extension {
        reading.debug.push(format!("compress_ext was changed to {extension}"));
    }
    Ok(Directive::CompressCommand { program: OsString::from_vec(program.to_vec()), extension })
}

/// The highest levels that make a difference.
const HIGHEST_GZIP: u8 = 9;
const HIGHEST_ZSTD: u8 = 19;

fn compressor(text: &[u8], _: &mut Reading<'_>) -> Result<Directive, Bad> {
    let bad = |hint: &str| {
        Bad::new("bad-compressor", format!("bad compressor '{}'", shown(text))).with_hint(hint)
    };
    let usage = "write `compressor gzip`, `compressor gzip members`, `compressor zstd`, each with a \
                 level behind it if you like, or `compressor none`; `compresscmd` names any other \
                 program";
    let level = |text: &[u8], highest: u8| {
        let number = std::str::from_utf8(text).ok().and_then(|text| text.parse::<u8>().ok());
        let digits = text.iter().all(u8::is_ascii_digit);
        let level = number.filter(|number| digits && (1..=highest).contains(number));
        level.ok_or_else(|| bad(&format!("its levels are 1 (fast) to {highest} (small)")))
    };
    let words: Vec<&[u8]> =
        text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect();
    let packer = match words[..] {
        [b"none"] => Packer::Nothing,
        [b"gzip"] => Packer::Gzip { members: false, level: None },
        [b"gzip", b"members"] => Packer::Gzip { members: true, level: None },
        [b"gzip", b"members", number] => {
            Packer::Gzip { members: true, level: Some(level(number, HIGHEST_GZIP)?) }
        }
        [b"gzip", number] => {
            Packer::Gzip { members: false, level: Some(level(number, HIGHEST_GZIP)?) }
        }
        [b"zstd"] => Packer::Zstd { level: None },
        [b"zstd", number] => Packer::Zstd { level: Some(level(number, HIGHEST_ZSTD)?) },
        _ => return Err(bad(usage)),
    };
    Ok(Directive::Compressor(packer))
}

/// More would need more memory than is good for something that runs in the background.
const MOST_JOBS: u8 = 8;

fn jobs(text: &[u8], _: &mut Reading<'_>) -> Result<Directive, Bad> {
    let bad = || {
        Bad::new("bad-compressjobs", format!("bad compressjobs '{}'", shown(text))).with_hint(
            "write how many threads (1 to 8), `idle` to wait for an idle disk, or both: \
             `compressjobs 2 idle`",
        )
    };
    let count = |word: &[u8]| {
        let number = std::str::from_utf8(word).ok()?.parse::<u8>().ok()?;
        let digits = word.iter().all(u8::is_ascii_digit);
        (digits && (1..=MOST_JOBS).contains(&number)).then_some(number)
    };
    let words: Vec<&[u8]> =
        text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect();
    let effort = match words[..] {
        [b"idle"] => Effort { jobs: None, idle: true },
        [number] => Effort { jobs: Some(count(number).ok_or_else(bad)?), idle: false },
        [number, b"idle"] => Effort { jobs: Some(count(number).ok_or_else(bad)?), idle: true },
        _ => return Err(bad()),
    };
    Ok(Directive::CompressJobs(effort))
}

fn options(text: &[u8], reading: &mut Reading<'_>) -> Result<Directive, Bad> {
    let words = value::words(text)
        .map(|words| words.all)
        .filter(|all| !all.is_empty())
        .ok_or_else(|| {
            Bad::new("bad-compress-options", "invalid compression options")
                .with_hint("write the options behind it: `compressoptions -9`")
        })?;
    reading.debug.push(format!("compress_options is now {}", shown(text)));
    let words = words.into_iter().map(|word| OsString::from_vec(word.text));
    Ok(Directive::CompressOptions(words.collect()))
}

#[cfg(test)]
mod tests {
    use crate::config::directive::{Argument, Directive, find};
    use crate::config::policy::{Effort, Packer, RotateAs};
    use crate::config::value::Reading;
    use crate::system::SystemAccounts;

    #[test]
    fn compressor_takes_a_name_and_a_level_that_it_has() {
        let Some(Argument::Value(_, read)) = find(b"compressor").map(|row| row.argument) else {
            panic!("compressor takes a value");
        };
        let gzip = |members, level| Some(Packer::Gzip { members, level });
        for (text, expected) in [
            ("gzip", gzip(false, None)),
            ("gzip 9", gzip(false, Some(9))),
            ("gzip  members", gzip(true, None)),
            ("gzip members 1", gzip(true, Some(1))),
            ("zstd", Some(Packer::Zstd { level: None })),
            ("zstd 19", Some(Packer::Zstd { level: Some(19) })),
            ("none", Some(Packer::Nothing)),
            ("gzip 0", None),
            ("gzip 10", None),
            ("gzip -9", None),
            ("gzip +9", None),
            ("gzip 9 members", None),
            ("zstd 20", None),
            ("zstd 300", None),
            ("zstd members", None),
            ("none 1", None),
            ("xz", None),
        ] {
            let rotate_as = RotateAs::Invoker;
            let mut reading = Reading { accounts: &SystemAccounts, debug: Vec::new(), rotate_as };
            let found = read(text.as_bytes(), &mut reading).ok();
            assert_eq!(found, expected.map(Directive::Compressor), "{text}");
        }
    }

    #[test]
    fn compressjobs_takes_a_number_of_threads_and_a_word() {
        let Some(Argument::Value(_, read)) = find(b"compressjobs").map(|row| row.argument) else {
            panic!("compressjobs takes a value");
        };
        for (text, expected) in [
            ("1", Some((Some(1), false))),
            ("8", Some((Some(8), false))),
            ("2  idle", Some((Some(2), true))),
            ("idle", Some((None, true))),
            ("0", None),
            ("9", None),
            ("+2", None),
            ("two", None),
            ("idle 2", None),
            ("2 busy", None),
        ] {
            let rotate_as = RotateAs::Invoker;
            let mut reading = Reading { accounts: &SystemAccounts, debug: Vec::new(), rotate_as };
            let found = read(text.as_bytes(), &mut reading).ok();
            let expected = expected.map(|(jobs, idle)| Effort { jobs, idle });
            assert_eq!(found, expected.map(Directive::CompressJobs), "{text}");
        }
    }
}
