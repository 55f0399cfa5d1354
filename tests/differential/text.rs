//! What a case has its programs read: configuration and state.

use super::case::{Block, Case};

/// Where a case lives.
#[derive(Clone, Debug)]
pub struct Site {
    pub root: String,
    /// A directory on another device, if there is one.
    pub other: String,
}

/// Lines of a configuration.
fn lines(lines: &[(&str, String)], indent: &str, dir: &str, site: &Site) -> Vec<u8> {
    let mut text = Vec::new();
    for (name, rest) in lines {
        let rest = rest
            .replace("{dir}", &format!("{}/{dir}", site.root))
            .replace("{out}", &format!("{}/out", site.root))
            .replace("{other}", &format!("{}/{dir}", site.other));
        text.extend(format!("{indent}{name}{rest}\n").bytes());
    }
    text
}

impl Block {
    /// Its list of patterns, and the brace.
    fn head(&self, site: &Site) -> Vec<u8> {
        let mut text = Vec::new();
        for pattern in &self.patterns {
            let mut word = format!("{}/{}/", site.root, self.dir).into_bytes();
            for &byte in pattern {
                if byte == b'"' {
                    word.push(b'\\');
                }
                word.push(byte);
            }
            // No blank before the brace: 3.21 would keep it in the pattern (D-1).
            text.extend([b" \"".as_slice(), &word, b"\""].concat());
        }
        text.extend(b"{\n");
        text
    }
}

impl Case {
    /// The files of the configuration, by their names in `etc`; the first is the one that the
    /// programs get.
    pub fn config(&self, site: &Site) -> Vec<(String, Vec<u8>)> {
        let mut main = lines(&self.globals, "", "logs", site);
        let mut files = Vec::new();
        if self.blocks.iter().any(|block| block.file.is_some()) {
            if let Some((name, rest, left_out)) = self.taboo {
                main.extend(format!("{name}{rest}\n").bytes());
                for name in left_out {
                    let text = format!("{}/logs/*.log {{\nrotate 0\nhourly\n}}\n", site.root);
                    files.push((format!("conf.d/{name}"), text.into_bytes()));
                }
            }
            main.extend(format!("include {}/etc/conf.d\n", site.root).bytes());
        }
        for (number, block) in self.blocks.iter().enumerate() {
            let mut text = block.head(site);
            let (part, rest) = block.lines.split_at(block.included);
            if !part.is_empty() {
                let name = format!("part{number}");
                text.extend(format!("    include {}/etc/{name}\n", site.root).bytes());
                files.push((name, lines(part, "", block.dir, site)));
            }
            text.extend(lines(rest, "    ", block.dir, site));
            text.extend(b"}\n");
            match block.file {
                None => main.extend(text),
                Some(name) => {
                    let name = format!("conf.d/{name}");
                    match files.iter_mut().find(|(other, _)| *other == name) {
                        Some((_, content)) => content.extend(text),
                        None => files.push((name, text)),
                    }
                }
            }
        }
        files.insert(0, ("logrotate.conf".into(), main));
        files
    }

    /// The state file, if there is one.
    pub fn state(&self, root: &str) -> Option<Vec<u8>> {
        let mut text = b"logrotate state -- version 2\n".to_vec();
        for line in self.state.as_ref()? {
            let at = line.windows(6).position(|w| w == b"{root}");
            match at {
                Some(at) => text.extend([&line[..at], root.as_bytes(), &line[at + 6..]].concat()),
                None => text.extend(line),
            }
            text.push(b'\n');
        }
        Some(text)
    }
}
