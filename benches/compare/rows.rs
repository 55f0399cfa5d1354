//! The rows of the table.

use super::bare::Bare;
use super::work::{Named, Work};

/// What is asked of a row.
#[derive(Debug, Clone, Copy)]
pub enum Wanted {
    /// So many times as fast.
    Faster(f64),
    /// At most this share of the other's time.
    Share(f64),
}

/// One row.
pub struct Row {
    /// What is done; `{n}` is the number of logs, `{mib}` the length of each.
    pub name: &'static str,
    /// The files.
    pub work: Work,
    /// What the bare prototype does.
    pub bare: Bare,
    /// What is required.
    pub wanted: Wanted,
    /// How often a run is repeated on the same files.
    pub times: usize,
    /// The ending of the files whose size is compared.
    pub ending: &'static str,
    /// Whether its growth is a row too.
    pub grows: bool,
}

const IDLE: Work = Work {
    logs: 30_000,
    bytes: 0,
    old: 0,
    due: false,
    named: Named::Glob,
    directives: "daily\nrotate 5",
    theirs: None,
};

const DUE: Work = Work { logs: 10_000, due: true, ..IDLE };

/// A run that has nothing to do.
pub const ONE_LOG: Work = Work { logs: 1, ..IDLE };

const DATED: &str = "daily\nrotate 5\ndateext";
const GZIP: &str = "daily\nrotate 5\ncompress";
const ZSTD: &str = "daily\nrotate 5\ncompress\ncompressor zstd";
const ZSTD_COMMAND: &str = "daily\nrotate 5\ncompress\ncompresscmd zstd\ncompressext .zst";
const SCRIPT: &str = "daily\nrotate 5\npostrotate\ntrue\nendscript";

const ROW: Row = Row {
    name: "",
    work: IDLE,
    bare: Bare::Look,
    wanted: Wanted::Faster(1.0),
    times: 1,
    ending: "",
    grows: false,
};

/// All rows.
pub const ROWS: &[Row] = &[
    Row {
        name: "nothing due, {n} logs, one glob",
        wanted: Wanted::Faster(20.0),
        times: 3,
        grows: true,
        ..ROW
    },
    Row {
        name: "nothing due, {n} blocks in one file",
        work: Work { named: Named::Blocks, ..IDLE },
        bare: Bare::Read,
        wanted: Wanted::Faster(60.0),
        times: 3,
        grows: true,
        ..ROW
    },
    Row {
        name: "nothing due, {n} files in an include directory",
        work: Work { named: Named::Files, ..IDLE },
        bare: Bare::Read,
        wanted: Wanted::Faster(25.0),
        times: 3,
        grows: true,
        ..ROW
    },
    Row {
        name: "rotate {n} logs, dateext",
        work: Work { directives: DATED, ..DUE },
        bare: Bare::Date,
        wanted: Wanted::Faster(150.0),
        grows: true,
        ..ROW
    },
    Row {
        name: "rotate {n} logs, dateext, 5 old versions each",
        work: Work { logs: 3_000, old: 5, directives: DATED, ..DUE },
        bare: Bare::Date,
        wanted: Wanted::Faster(40.0),
        grows: true,
        ..ROW
    },
    Row {
        name: "rotate {n} logs, numbered, first time",
        work: DUE,
        bare: Bare::Shift,
        wanted: Wanted::Faster(4.0),
        grows: true,
        ..ROW
    },
    Row {
        name: "rotate {n} logs, numbered, 5 old versions each",
        work: Work { old: 5, ..DUE },
        bare: Bare::Shift,
        wanted: Wanted::Faster(1.4),
        grows: true,
        ..ROW
    },
    Row { name: "one log, nothing due", work: ONE_LOG, bare: Bare::Nothing, times: 100, ..ROW },
    Row {
        name: "compress one log of {mib} MiB",
        work: Work { logs: 1, bytes: 1 << 30, directives: GZIP, ..DUE },
        bare: Bare::Gzip,
        wanted: Wanted::Faster(3.5),
        ending: ".gz",
        ..ROW
    },
    Row {
        name: "compress {n} logs of 5 MB",
        work: Work { logs: 200, bytes: 5_000_000, directives: GZIP, ..DUE },
        bare: Bare::Gzip,
        wanted: Wanted::Faster(5.0),
        ending: ".gz",
        ..ROW
    },
    Row {
        name: "zstd, {n} logs of 5 MB, against compresscmd zstd",
        work: Work {
            logs: 200,
            bytes: 5_000_000,
            directives: ZSTD,
            theirs: Some(ZSTD_COMMAND),
            ..DUE
        },
        bare: Bare::Zstd,
        wanted: Wanted::Faster(2.5),
        ending: ".zst",
        ..ROW
    },
    Row {
        name: "copytruncate one log of {mib} MiB",
        work: Work { logs: 1, bytes: 1 << 30, directives: "daily\nrotate 5\ncopytruncate", ..DUE },
        bare: Bare::Cut,
        wanted: Wanted::Share(0.95),
        ..ROW
    },
    Row {
        name: "{n} postrotate scripts",
        work: Work { logs: 1_000, directives: SCRIPT, ..DUE },
        bare: Bare::Script,
        ..ROW
    },
];
