//! What the tests must know of a configuration that somebody wrote: whom it names, which logs it
//! wants, and the same without the effects of its scripts. A rough reading is enough: both programs
//! get what comes out of it.

use std::collections::BTreeSet;

const SCRIPTS: [&str; 5] = ["prerotate", "postrotate", "firstaction", "lastaction", "preremove"];

/// A configuration's text.
#[derive(Debug, Clone)]
pub struct Text(pub String);

impl Text {
    /// The same with `true` in place of every script.
    pub fn harmless(&self) -> String {
        let mut out = String::new();
        let mut inside = false;
        for line in self.0.split_inclusive('\n') {
            let word = line.split_whitespace().next().unwrap_or("");
            if inside && word.starts_with("endscript") {
                inside = false;
            } else if inside {
                continue;
            }
            out.push_str(line);
            if SCRIPTS.contains(&word) {
                inside = true;
                out.push_str("true\n");
            }
        }
        out
    }

    /// The lines that are in no script.
    fn lines(&self) -> Vec<String> {
        let text = self.harmless();
        text.lines().map(|l| l.trim().to_owned()).filter(|l| !l.starts_with('#')).collect()
    }

    /// The arguments of every line that is this directive.
    fn arguments(&self, directive: &str) -> Vec<Vec<String>> {
        let lines = self.lines();
        let words = lines.iter().map(|l| l.split_whitespace().map(str::to_owned).collect());
        words
            .filter(|w: &Vec<String>| w.first().is_some_and(|f| f == directive))
            .map(|w| w[1..].to_vec())
            .collect()
    }

    /// Whether it says `monthly D`.
    pub fn has_day_of_month(&self) -> bool {
        let mut all = self.arguments("monthly").into_iter();
        all.any(|words| words.first().is_some_and(|day| day.parse::<u32>().is_ok()))
    }

    /// Whether scripts are shared, and a pattern matches the numbered old versions of its own logs.
    pub fn matches_old_versions(&self) -> bool {
        let lines = self.lines();
        let ends_in_star = |line: &String| {
            words(line.trim_end_matches('{')).iter().any(|word| word.ends_with("/*"))
        };
        lines.iter().any(|line| line == "sharedscripts") && lines.iter().any(ends_in_star)
    }

    /// The users and groups that it names.
    pub fn names(&self) -> BTreeSet<String> {
        let lines = ["su", "create", "createolddir"].into_iter().flat_map(|d| self.arguments(d));
        let is_name = |word: &String| {
            word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && word.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
                && word != "root"
        };
        lines.flatten().filter(is_name).collect()
    }

    /// The user and group of its first `su`.
    pub fn su(&self) -> Option<(String, String)> {
        let all = self.arguments("su");
        let first = all.first()?;
        Some((first.first()?.clone(), first.get(1)?.clone()))
    }

    /// The directories that it moves old versions to.
    pub fn old_dirs(&self) -> Vec<String> {
        self.arguments("olddir").into_iter().filter_map(|w| w.into_iter().next()).collect()
    }

    /// Names of logs that its patterns match: two for each wildcard.
    pub fn logs(&self) -> BTreeSet<String> {
        let mut logs = BTreeSet::new();
        let (mut list, mut open) = (String::new(), false);
        for line in self.lines() {
            if open {
                open = !line.contains('}');
                continue;
            }
            if list.is_empty() && !line.starts_with(['/', '"', '\'', '~']) {
                continue;
            }
            let Some((end, rest)) = line.split_once('{') else {
                list = list + " " + &line;
                continue;
            };
            list = list + " " + end;
            open = !rest.contains('}');
            for word in words(&list) {
                logs.extend(["one", "two"].map(|star| matching(&word, star)));
            }
            list.clear();
        }
        logs.retain(|l| l.starts_with('/') && !l.contains("..") && !l.ends_with('/'));
        logs
    }
}

/// The words of a list of names.
fn words(list: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in list.chars() {
        let word = words.last_mut().expect("never empty");
        match (c, quote) {
            (c, Some(q)) if c == q => quote = None,
            ('"' | '\'', None) => quote = Some(c),
            (c, None) if c.is_whitespace() => words.push(String::new()),
            (c, _) => word.push(c),
        }
    }
    words.retain(|w| !w.is_empty());
    words
}

/// A name that the pattern matches.
fn matching(pattern: &str, star: &str) -> String {
    let pattern = pattern.strip_prefix('~').map_or_else(|| pattern.into(), |p| format!("/root{p}"));
    let mut name = String::new();
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        match c {
            '*' => name.push_str(star),
            '?' => name.push('x'),
            '\\' => name.extend(rest.next()),
            '[' => {
                let set: String = rest.by_ref().take_while(|c| *c != ']').collect();
                let first = set.chars().next().unwrap_or('x');
                name.push(if "^!".contains(first) { '~' } else { first });
            }
            c => name.push(c),
        }
    }
    name
}
