//! Which compressor a policy asks for.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::config::policy::Compression;
use crate::names::AnyPath;

use super::step::Compressor;

/// The command that is meant where none is named.
const GZIP: &str = "/bin/gzip";

/// What gzip does without an option.
const USUAL_LEVEL: u8 = 6;

/// The built-in gzip, unless a command is named: people wrap compressors. Options that are no plain
/// level are for gzip itself.
pub(super) fn compressor(compression: &Compression) -> Compressor {
    let level = compression.options.iter().try_fold(USUAL_LEVEL, |_, option| level(option));
    match (&compression.program, level) {
        (None, Some(level)) => Compressor::Gzip { level },
        (program, _) => Compressor::Command {
            program: AnyPath(program.as_ref().map_or(Path::new(GZIP), Path::new).into()),
            options: compression.options.iter().map(|option| AnyPath(option.into())).collect(),
        },
    }
}

fn level(option: &OsString) -> Option<u8> {
    match option.as_bytes() {
        b"--fast" => Some(1),
        b"--best" => Some(9),
        [b'-', digit @ b'1'..=b'9'] => Some(digit - b'0'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(program: Option<&str>, options: &[&str]) -> Compressor {
        compressor(&Compression {
            program: program.map(Into::into),
            options: options.iter().map(Into::into).collect(),
            ..Compression::default()
        })
    }

    #[test]
    fn the_built_in_gzip_is_used_unless_a_command_or_its_options_are_named() {
        let rows: [(&[&str], u8); 6] = [
            (&[], 6),
            (&["-9"], 9),
            (&["-1"], 1),
            (&["--best"], 9),
            (&["--fast"], 1),
            (&["-9", "-3"], 3),
        ];
        for (options, level) in rows {
            assert_eq!(chosen(None, options), Compressor::Gzip { level }, "{options:?}");
        }
    }

    #[test]
    fn anything_else_runs_the_command() {
        let rows: [(Option<&str>, &[&str], &str); 7] = [
            (Some("/bin/gzip"), &[], "/bin/gzip"),
            (Some("zstd"), &["-9"], "zstd"),
            (None, &["-0"], "/bin/gzip"),
            (None, &["-10"], "/bin/gzip"),
            (None, &["-9", "--rsyncable"], "/bin/gzip"),
            (None, &["-+9"], "/bin/gzip"),
            (None, &["9"], "/bin/gzip"),
        ];
        for (program, options, runs) in rows {
            let expected = Compressor::Command {
                program: AnyPath(runs.into()),
                options: options.iter().map(|option| AnyPath(option.into())).collect(),
            };
            assert_eq!(chosen(program, options), expected, "{program:?} {options:?}");
        }
    }
}
