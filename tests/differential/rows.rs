//! The directives that cases are made of: one row each.

use super::random::Random;

/// A directive and how often it is used.
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// In how many blocks of a hundred it stands.
    pub percent: u64,
    /// What follows the name: nothing, or a blank and the argument, or a script.
    pub argument: fn(&mut Random) -> String,
}

const fn row(name: &'static str, percent: u64, argument: fn(&mut Random) -> String) -> Row {
    Row { name, percent, argument }
}

fn none(_: &mut Random) -> String {
    String::new()
}

macro_rules! one_of {
    ($($text:literal),+ $(,)?) => { |random| format!(" {}", random.pick(&[$($text),+])) };
}

/// A script that notes how it was called; a few fail.
fn script(name: &'static str, random: &mut Random) -> String {
    let status = if random.chance(6) { "exit 3\n" } else { "" };
    format!(
        "\nprintf '{name} %s %s' \"$0\" \"$#\" >> {{out}}/calls\nprintf ' <%s>' \"$@\" >> {{out}}/calls\n\
         echo >> {{out}}/calls\n{status}endscript"
    )
}

/// Directives that no case has, and why.
pub const LEFT_OUT: &[(&str, &str)] = &[
    ("minutes", "3.21 does not know it (D-2)"),
    ("nodateyesterday", "3.21 does not know it (D-2)"),
    ("nodatehourago", "3.21 does not know it (D-2)"),
    ("every", "our own"),
    ("minutely", "our own"),
    ("writers", "our own"),
    ("compressor", "our own"),
    ("compressjobs", "our own"),
    ("timeout", "our own"),
    ("signal", "our own"),
    ("nosignal", "our own"),
];

/// The others, but for `include`, `tabooext` and `taboopat`, which are about files.
pub const ROWS: &[Row] = &[
    row("hourly", 12, none),
    row("daily", 45, none),
    row("weekly", 15, |random| random.pick(&["", "", " 0", " 1", " 3", " 6", " 7"]).into()),
    row("monthly", 12, none),
    row("yearly", 5, none),
    row("size", 12, one_of!("1", "100", "1k", "0", "+100", "0x10")),
    row("minsize", 8, one_of!("1", "100", "1k", "0")),
    row("maxsize", 8, one_of!("1", "100", "1k", "0")),
    row("minage", 5, one_of!("0", "1", "3")),
    row("maxage", 10, one_of!("0", "1", "3", "10", "40")),
    row("rotate", 92, one_of!("0", "1", "2", "3", "3", "4", "4", "7", "7", "12", "-1")),
    row("start", 10, one_of!("0", "1", "2", "5")),
    row("ifempty", 10, none),
    row("notifempty", 35, none),
    row("missingok", 60, none),
    row("nomissingok", 3, none),
    row("ignoreduplicates", 4, none),
    row("allowhardlink", 6, none),
    row("noallowhardlink", 2, none),
    row("compress", 45, none),
    row("nocompress", 6, none),
    row("delaycompress", 25, none),
    row("nodelaycompress", 4, none),
    row("compresscmd", 5, one_of!("/bin/gzip", "/bin/cat", "/usr/bin/gzip", "/bin/false")),
    row("compressext", 4, one_of!(".gz", ".x", ".zst", "")),
    row("compressoptions", 4, one_of!("-9", "-1 -n", "-n")),
    row("copy", 6, none),
    row("nocopy", 3, none),
    row("copytruncate", 14, none),
    row("nocopytruncate", 3, none),
    row("renamecopy", 6, none),
    row("norenamecopy", 2, none),
    row("create", 35, |random| {
        let text = ["", "", " 0640", " 640 root adm", " root root", " 0600 www-data www-data"];
        random.pick(&text).into()
    }),
    row("nocreate", 6, none),
    row(
        "olddir",
        16,
        one_of!("old", "{dir}/old", "{dir}/old", "{dir}/old", "missing", "missing/deep", "{other}"),
    ),
    row("noolddir", 3, none),
    row("createolddir", 8, |random| {
        random.pick(&[" 0750", " 0755 root root", " 700 www-data adm", " 0755", ""]).into()
    }),
    row("nocreateolddir", 1, none),
    row("su", 6, one_of!("root adm", "root root", "www-data www-data", "www-data adm")),
    row("dateext", 35, none),
    row("nodateext", 5, none),
    row(
        "dateformat",
        15,
        one_of!(
            "-%Y%m%d",
            "-%Y%m%d%H",
            "-%Y-%m-%d",
            ".%Y%m%d-%s",
            "-%d.%m.%Y",
            "_%V",
            "-%H%M%S",
            "-%%Y",
            "-%Y%m%d%z",
            ".%s"
        ),
    ),
    row("dateyesterday", 6, none),
    row("nodateext", 2, none),
    row("datehourago", 5, none),
    row("extension", 6, one_of!(".log", "log", ".x", "txt")),
    row("addextension", 6, one_of!(".log", ".x", "og")),
    row("sharedscripts", 20, none),
    row("nosharedscripts", 4, none),
    row("firstaction", 10, |random| script("firstaction", random)),
    row("prerotate", 15, |random| script("prerotate", random)),
    row("postrotate", 25, |random| script("postrotate", random)),
    row("lastaction", 10, |random| script("lastaction", random)),
    row("preremove", 8, |random| script("preremove", random)),
    row("mail", 8, one_of!("ops@localhost", "ops@localhost", "ops@localhost", "fail@localhost")),
    row("nomail", 2, none),
    row("mailfirst", 6, none),
    row("maillast", 2, none),
    row("uncompresscmd", 3, one_of!("/bin/gunzip", "/bin/zcat")),
    row("errors", 1, one_of!("nobody")),
    row("shred", 8, none),
    row("noshred", 2, none),
    row("shredcycles", 5, one_of!("0", "1", "2", "1", "9", "= 03")),
];
