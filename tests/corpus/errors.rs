//! Whether two programs complain of the same, and if not, which known difference explains it.

use std::collections::BTreeSet;

use super::sandbox::Run;
use super::text::Text;

/// The ids of differences.
pub type Ids = BTreeSet<&'static str>;

/// A difference in what is said: its id, a part of what only ours says, a part of what only theirs
/// says (empty: nothing), and what follows from it.
struct Known {
    id: &'static str,
    ours: &'static str,
    theirs: &'static str,
}

const KNOWN: [Known; 3] = [
    // Of two unknown names, the other one is told (compat CFG-93).
    Known { id: "D-2", ours: "unknown group '", theirs: "unknown user '" },
    // What is wrong with a mode that is no octal number.
    Known { id: "D-2", ours: "invalid mode '", theirs: "extra arguments for create" },
    Known { id: "compress-nothing", ours: "", theirs: "(read-only) for compression: No such file" },
];

/// The mistakes that a run told, as `(line number if any, text)`.
fn errors(run: &Run, level: &str) -> BTreeSet<(Option<u32>, String)> {
    let mut found = BTreeSet::new();
    let mut lines = run.stderr.lines();
    while let Some(line) = lines.next() {
        let Some(text) = line.strip_prefix(level) else { continue };
        let mut text = text.to_owned();
        // A list of several lines is quoted as it is.
        while text.starts_with("found error in ") && !text.ends_with("skipping") {
            let Some(more) = lines.next() else { break };
            text = text + "\n" + more;
        }
        // The blank before the brace is part of 3.21's pattern.
        if let Some(list) = text.strip_suffix(", skipping") {
            text = list.trim_end().to_owned() + ", skipping";
        }
        // A pattern may spell a directory with two slashes.
        found.insert(split_number(&text.replace("//", "/")));
    }
    found
}

/// `F:12 text` without its number.
fn split_number(text: &str) -> (Option<u32>, String) {
    let parts = text.split_once(':').and_then(|(file, rest)| {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        Some((rest[..end].parse().ok()?, format!("{file}{}", &rest[end..])))
    });
    match parts {
        Some((number, text)) => (Some(number), text),
        None => (None, text.to_owned()),
    }
}

fn texts(set: BTreeSet<(Option<u32>, String)>) -> BTreeSet<String> {
    set.into_iter().map(|(_, text)| text).collect()
}

/// The ids that explain how the errors of the two differ, or what is left.
pub fn explain(ours: &Run, theirs: &Run, config: &Text) -> Result<Ids, String> {
    let mut ids = Ids::new();
    let (left, mut right) = (errors(ours, "error: "), errors(theirs, "error: "));
    if left.iter().any(|(_, text)| text.ends_with("is not supported yet")) {
        return Ok(["unsupported"].into());
    }
    // An unknown directive is a warning today.
    let warned = texts(errors(ours, "warning: "));
    right.retain(|(_, text)| {
        let same = text.contains("unknown option '") && warned.contains(text);
        if same {
            ids.insert("D-1");
        }
        !same
    });
    let mut status_explained = false;
    if left != right {
        let (left, right) = (texts(left), texts(right));
        if left == right {
            ids.insert("B-33");
        }
        let mut ours_only: Vec<_> = left.difference(&right).cloned().collect();
        let mut theirs_only: Vec<_> = right.difference(&left).cloned().collect();
        for known in &KNOWN {
            let has = |all: &[String], part: &str| {
                part.is_empty() || all.iter().any(|text| text.contains(part))
            };
            if has(&ours_only, known.ours) && has(&theirs_only, known.theirs) {
                ours_only.retain(|t| known.ours.is_empty() || !t.contains(known.ours));
                theirs_only.retain(|t| known.theirs.is_empty() || !t.contains(known.theirs));
                ids.insert(known.id);
                status_explained = true;
            }
        }
        if config.has_day_of_month() {
            let refused = |t: &String| {
                t.contains("lines must begin with a keyword") || t.starts_with("found error in ")
            };
            if theirs_only.iter().any(refused) {
                theirs_only.retain(|t| !refused(t));
                // The block is alive for us alone.
                ours_only.retain(|t| !t.starts_with("stat of "));
                ids.insert("D-2");
                status_explained = true;
            }
        }
        if !ours_only.is_empty() || !theirs_only.is_empty() {
            return Err(format!(
                "ours exits with {}, theirs with {}\n  only ours says: {ours_only:#?}\n  \
                 only theirs says: {theirs_only:#?}",
                ours.status, theirs.status
            ));
        }
    }
    if ours.status == theirs.status || status_explained {
        return Ok(ids);
    }
    Err(format!("ours exits with {}, theirs with {}", ours.status, theirs.status))
}

/// The id for logs that 3.21 does not rotate, because of what it says.
pub fn left_alone(theirs: &Run) -> Option<&'static str> {
    let all = texts(errors(theirs, "error: "));
    let says = |part: &str| all.iter().any(|text| text.contains(part));
    if says("duplicate log entry for ") {
        Some("B-53")
    } else if says("error verifying olddir path") {
        Some("B-32")
    } else if says("lines must begin with a keyword") {
        Some("D-2")
    } else {
        None
    }
}
