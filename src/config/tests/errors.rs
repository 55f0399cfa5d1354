//! Bad configurations: what is said, and what is left.

use super::*;

/// The text, its findings, the blocks that are left, whether the exit status is 1.
type Row<'a> = (&'a str, &'a [&'a str], &'a [&'a str], bool);

fn check(rows: &[Row<'_>]) {
    for (text, expected, left, failed) in rows {
        let config = read(text);
        assert_eq!(findings(&config), *expected, "{text}");
        assert_eq!(names(&config), *left, "{text}");
        assert_eq!(config.failed(), *failed, "{text}");
    }
}

#[test]
fn an_error_in_a_block_drops_that_block_only() {
    check(&[
        (
            "/a {\n rotate x\n}\n/b {\n}\n",
            &["F:2 bad rotation count 'x'", "found error in /a, skipping"],
            &["/b"],
            true,
        ),
        (
            "/a {\n rotate x\n  }\n/b {\n}\n",
            &["F:2 bad rotation count 'x'", "found error in /a, skipping"],
            &["/b"],
            true,
        ),
        (
            "/a {\n rotate\n}\n/b {\n}\n",
            &["F:2 argument expected after rotate count", "found error in /a, skipping"],
            &["/b"],
            true,
        ),
        (
            "/a {\n rotate 5 }\n/b {\n}\n",
            &["F:2 bad rotation count '5 }'", "found error in /a, skipping"],
            &["/b"],
            true,
        ),
        (
            "/a { rotate x } /b {\n}\n",
            &["F:1 bad rotation count 'x } /b {'", "found error in /a, skipping"],
            &["/b"],
            true,
        ),
        (
            "/a{daily}\n/b {\n}\n",
            &[
                "F:1 keyword 'daily' not properly separated, found 0x7d",
                "found error in /a, skipping",
            ],
            &["/b"],
            true,
        ),
        (
            "/a {\n weekly 8\n}\n/b {\n}\n",
            &["F:2 bad weekly directive ' 8'", "found error in /a, skipping"],
            &["/b"],
            true,
        ),
        (
            "/a {\n rotate x\n rotate y\n prerotate\n }\n endscript\n size }\n/b {\n}\n",
            &["F:2 bad rotation count 'x'", "found error in /a, skipping"],
            &["/b"],
            true,
        ),
        (
            "/a {\n daily\n rotate x",
            &["F:3 bad rotation count 'x'", "found error in /a, skipping"],
            &[],
            true,
        ),
        (
            "/a\n/b\n{\n rotate x\n}\n",
            &["F:4 bad rotation count 'x'", "found error in /a\n/b, skipping"],
            &[],
            true,
        ),
        (
            "/a {\n tabooext + .x\n}\n/b {\n}\n",
            &[
                "F:2 tabooext may not appear inside of log file definition",
                "found error in /a, skipping",
            ],
            &["/b"],
            true,
        ),
        (
            "/l/{a,b}.log {\n rotate 3\n}\n/b {\n}\n",
            &["F:1 keyword 'a' not properly separated, found 0x2c", "found error in /l/, skipping"],
            &["/b"],
            true,
        ),
    ]);
}

#[test]
fn a_block_without_its_brace_is_dropped_and_the_next_one_is_good() {
    check(&[
        (
            "/a {\n daily\n/b {\n}\n/c {\n}\n",
            &["F:3 unexpected log filename", "found error in /a, skipping"],
            &["/b", "/c"],
            true,
        ),
        (
            "/a {\n rotate x\n/b {\n}\n",
            &["F:2 bad rotation count 'x'", "found error in /a, skipping"],
            &["/b"],
            true,
        ),
        (
            "/a {\n /bin/kill -HUP\n}\n/b {\n}\n",
            &["F:2 unexpected log filename", "found error in /a, skipping"],
            &["/b"],
            true,
        ),
    ]);
}

#[test]
fn an_error_in_global_scope_abandons_the_rest_of_the_file() {
    check(&[
        ("/a {\n}\nrotate x\n/b {\n}\n", &["F:3 bad rotation count 'x'"], &["/a"], true),
        ("/a {\n}\n}\n/b {\n}\n", &["F:3 unexpected }"], &["/a"], true),
        ("/a\n/b\n", &["F:1 missing '{' after log files definition"], &[], true),
        ("/a }\n/b {\n}\n", &["F:1 unexpected } (missing previous '{')"], &[], true),
        ("'' {\n}\n", &["F:1 { expected after log file name(s)"], &[], true),
        ("/a\\\n{\n}\n", &["F:1 error parsing filename"], &[], true),
        (
            "{\n}\n",
            &["F:1 lines must begin with a keyword or a filename (possibly in double quotes)"],
            &[],
            true,
        ),
        (
            "daily 5\n",
            &["F:1 lines must begin with a keyword or a filename (possibly in double quotes)"],
            &[],
            true,
        ),
        ("rotate5\n", &["F:1 keyword 'rotate' not properly separated, found 0x35"], &[], true),
        ("weekly=3\n", &["F:1 bad weekly directive '=3'"], &[], true),
        ("rotate 3  ", &["F:1 bad rotation count '3  '"], &[], true),
        (
            "errors a@b.c\n",
            &[
                "F: 1: the errors directive is deprecated and no longer used.",
                "F:1 keyword 'a' not properly separated, found 0x40",
            ],
            &[],
            true,
        ),
    ]);
}

#[test]
fn a_script_without_end_takes_the_rest_of_the_file() {
    let message = "F:prerotate, postrotate or preremove without endscript";
    check(&[
        ("/a {\n}\n/b {\n postrotate\n x\n}\n/c {\n}\n", &[message], &["/a"], true),
        ("lastaction", &[message], &[], true),
    ]);
}

#[test]
fn findings_that_the_reference_shrugs_off_leave_the_exit_status() {
    check(&[
        ("/a {\n foo bar }\n}\n", &["F:2 unknown option 'foo' -- ignoring line"], &["/a"], false),
        ("compress=yes\n", &["F:1 unknown option 'yes' -- ignoring line"], &[], false),
        ("/a {\n} # x\n/b {\n}\n", &["F:2, unexpected text after }"], &["/a", "/b"], false),
        ("/a {} /b {}\n", &["F:1, unexpected text after }"], &["/a"], false),
        (
            "/a {\n size\n minsize =\n}\n",
            &["F:2 argument expected after size", "F:3 argument expected after minsize"],
            &["/a"],
            false,
        ),
    ]);
}

#[test]
fn what_is_off_may_be_switched_off() {
    for name in ["noshred", "norenamecopy", "nocreateolddir", "nomail"] {
        assert_eq!(findings(&read(format!("/a {{\n {name}\n}}\n"))), [""; 0]);
    }
}

#[test]
fn values_are_refused_in_the_words_of_the_reference() {
    for (line, message) in [
        ("start -1", "bad start count '-1'"),
        ("minage 5 x", "bad minimum age '5 x'"),
        ("maxage 4294967297", "bad maximum age '4294967297'"),
        ("shredcycles -1", "bad shred cycles '-1'"),
        ("shredcycles 3 x", "bad shred cycles '3 x'"),
        ("shredcycles 2147483648", "bad shred cycles '2147483648'"),
        ("shredcycles", "argument expected after shred cycles"),
        ("minutes 0", "bad minutes '0'"),
        ("minutes -1", "bad minutes '-1'"),
        ("monthly 32", "bad monthly directive ' 32'"),
        ("maxsize 5x", "unknown unit 'x'"),
        ("olddir /a b", "bad olddir path /a b"),
        ("compresscmd gzip -9", "bad compress path gzip -9"),
        ("mail root admin", "bad mail address root admin"),
        ("mail", "argument expected after mail"),
        ("uncompresscmd gunzip -f", "bad uncompress path gunzip -f"),
        ("compressext . x", "bad compress-ext path . x"),
        ("compressoptions", "invalid compression options"),
        ("create 0640 root root x", "extra arguments for create"),
        ("create 'root root", "invalid arguments for create"),
        ("create 0640 root", "unknown user '0640'"),
        ("create 9 root root", "invalid mode '9'"),
        ("create root nobody", "unknown group 'nobody'"),
        ("create = 0644", "unknown group '0644'"),
        ("createolddir 0755 root root x", "extra arguments for createolddir"),
        ("createolddir 9", "invalid mode '9'"),
        ("su", "no user for su"),
        ("su root", "no group for su"),
        ("su root root # why", "extra arguments for su"),
        ("su 'root root", "invalid arguments for su"),
        ("su nobody root", "unknown user 'nobody'"),
        ("su nobody nobody", "unknown group 'nobody'"),
        ("every 10s", "bad interval '10s': there is no unit 's'"),
        ("every 0m", "bad interval '0m'"),
        ("every 25h", "bad interval '25h'"),
        ("every +5m", "bad interval '+5m'"),
        ("every", "argument expected after every"),
        ("include", "argument expected after include"),
        ("extension", "argument expected after extension name"),
    ] {
        assert_eq!(findings(&read(format!("{line}\n"))), [format!("F:1 {message}")], "{line}");
    }
}

const REST: &str = "; the rest of this file is skipped";

#[test]
fn a_mistake_in_global_scope_says_that_the_rest_of_its_file_is_skipped() {
    let config = read("size 1 M\n/a {\n}\n");
    let hints: Vec<_> = config.diagnostics().filter_map(|d| d.hint.as_deref()).collect();
    assert!(hints.len() == 1 && hints[0].ends_with(REST), "{hints:?}");
    let config = read("/a {\nsize 1 M\n}\n");
    assert!(config.diagnostics().all(|d| d.hint.as_ref().is_none_or(|h| !h.ends_with(REST))));
}

#[test]
fn hints_say_what_to_write_instead() {
    for (text, hint) in [
        ("rotate 7 # x\n", "comments need a line of their own"),
        ("/a {\n rotate 7 }\n", "put the `}` on a line of its own"),
        ("dayly\n", "did you mean `daily`?"),
        ("daily 5\n", "`daily` takes no argument"),
        ("rotate5\n", "put a blank behind `rotate`"),
        (
            "rel.log {\n}\n",
            "if this is the name of a log, write its absolute path, or put it in quotes; \
             the rest of this file is skipped",
        ),
        ("\u{feff}daily\n", "the file begins with a byte order mark (BOM); save it without one"),
        ("/a {\r\n}\r\n", "the file has Windows line ends; convert it, with `dos2unix` for one"),
        ("/{a,b} {\n}\n", "braces in names are not expanded; write each name out"),
        ("rotate 7 ", "end the file with a newline, or remove the blanks at its end"),
    ] {
        let config = read(text);
        let hints: Vec<_> = config.diagnostics().filter_map(|d| d.hint.as_deref()).collect();
        // In global scope the hint goes on.
        let first = hints.first().map(|first| first.strip_suffix(REST).unwrap_or(first));
        assert_eq!(first, Some(hint.strip_suffix(REST).unwrap_or(hint)), "{text:?}");
    }
}
