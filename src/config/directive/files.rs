//! Which configuration files are read.

use super::Argument::{Include, Obsolete, Taboo as List};
use super::{Row, Taboo, needs, row, wants};

pub(super) const ROWS: &[Row] = &[
    row(
        "include",
        Include(needs("include")),
        "Reads a file, or the files of a directory, in place.",
    ),
    row(
        "tabooext",
        List(wants("tabooext"), Taboo::Endings),
        "Files with these endings are left out of directories.",
    ),
    row(
        "taboopat",
        List(wants("taboopat"), Taboo::Patterns),
        "Files that match these patterns are left out of directories.",
    ),
    row("errors", Obsolete, "Does nothing any more."),
];
