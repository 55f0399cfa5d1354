//! All descriptors that `/proc` shows, looked at once for many files: for messages and for small choices,
//! as in [`holders`].
//!
//! To look for one file is to look at every descriptor there is. A program that holds thousands of logs
//! open would make that a look at thousands of descriptors for each of its thousands of logs.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use hashbrown::HashMap;

use super::file::facts;
use super::holders::{self, Holder, Sought};
use super::{Stopwatch, identity};

/// A census is good for as long as this many times what it took: so no more than a tenth of a run is
/// spent on taking it, and on most machines it is a few hundredths of a second old at most.
const GOOD_FOR: u32 = 10;

/// A process and one of its descriptors.
type Descriptor = (u32, OsString);

/// Who had what open a moment ago. What it says of a file is looked at again before it is told.
#[derive(Debug, Default)]
pub struct Census {
    taken: Option<Taken>,
}

#[derive(Debug)]
struct Taken {
    since: Stopwatch,
    /// How long it took.
    cost: Duration,
    by_inode: HashMap<u64, Vec<Descriptor>>,
    /// Those of which the kernel does not tell the inode.
    others: Vec<Descriptor>,
    /// Whether every process there is here could be looked into.
    complete: bool,
}

impl Census {
    /// The processes other than ours that have a file open, as far as the invoker may see them; none where
    /// there is no `/proc`. Who opened it just now may be missing if others hold it.
    pub fn holders(&mut self, file: &File) -> Vec<Holder> {
        self.look(file, |_| true)
    }

    /// Those that can write it. Who opened it just now may be missing if others write it.
    pub fn writers(&mut self, file: &File) -> Vec<Holder> {
        self.look(file, |holder| holder.writes)
    }

    fn look(&mut self, file: &File, wanted: impl Fn(&Holder) -> bool) -> Vec<Holder> {
        let Ok(facts) = facts(file) else { return Vec::new() };
        let inode = facts.id.inode;
        let mut sought = Sought::default();
        sought.add(&facts.id);
        let mut found = |times| -> Vec<Holder> {
            let holders = self.good_for(times).holders(inode, &sought).into_iter();
            holders.filter(&wanted).collect()
        };
        identity::as_invoker(|| match found(GOOD_FOR) {
            // That there is nobody would be told as a fact, so it has to be a fresh one.
            nobody if nobody.is_empty() => found(1),
            somebody => somebody,
        })
        .unwrap_or_default()
    }

    /// Whether the invoker may look into every process there is here: what holds a file then, and is none
    /// of them, is in another namespace.
    pub fn is_complete(&mut self) -> bool {
        identity::as_invoker(|| self.good_for(GOOD_FOR).complete).unwrap_or(false)
    }

    /// The last one if it is not older than so many times what it took, else a new one.
    fn good_for(&mut self, times: u32) -> &Taken {
        let good = |taken: &Taken| taken.since.elapsed() <= taken.cost * times;
        let last = self.taken.take().filter(good);
        self.taken.insert(last.unwrap_or_else(Taken::now))
    }
}

impl Taken {
    fn now() -> Self {
        let since = Stopwatch::start();
        let (by_inode, others, complete) = (HashMap::new(), Vec::new(), true);
        let mut taken = Self { since, cost: Duration::ZERO, by_inode, others, complete };
        match holders::processes() {
            Ok(processes) => {
                for (pid, process) in processes.filter(|(pid, _)| *pid != std::process::id()) {
                    let looked =
                        holders::as_whoever_may(&process, || descriptors_of(pid, &process));
                    match looked {
                        Ok(found) => found.into_iter().for_each(|(inode, d)| taken.add(inode, d)),
                        // Else it has ended.
                        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                            taken.complete = false;
                        }
                        Err(_) => {}
                    }
                }
            }
            Err(_) => taken.complete = false,
        }
        taken.cost = since.elapsed();
        taken
    }

    fn add(&mut self, inode: Option<u64>, descriptor: Descriptor) {
        match inode {
            Some(inode) => self.by_inode.entry(inode).or_default().push(descriptor),
            None => self.others.push(descriptor),
        }
    }

    fn holders(&self, inode: u64, sought: &Sought) -> Vec<Holder> {
        let mut by_process: BTreeMap<u32, Vec<OsString>> = BTreeMap::new();
        let known = self.by_inode.get(&inode).into_iter().flatten();
        for (pid, descriptor) in known.chain(&self.others) {
            by_process.entry(*pid).or_default().push(descriptor.clone());
        }
        let look = |(pid, descriptors): (u32, Vec<OsString>)| {
            let process = PathBuf::from(format!("/proc/{pid}"));
            let holds =
                || holders::holder_among(descriptors.iter().cloned(), pid, &process, sought);
            holders::as_whoever_may(&process, holds).ok()?
        };
        by_process.into_iter().filter_map(look).collect()
    }
}

/// The descriptors of a process, each with its file's inode.
fn descriptors_of(pid: u32, process: &Path) -> io::Result<Vec<(Option<u64>, Descriptor)>> {
    let mut found = Vec::new();
    for descriptor in holders::descriptors(process)? {
        let Some(info) = holders::info(process, &descriptor)? else { continue };
        found.push((holders::inode(&info), (pid, descriptor)));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::process::{Child, Command, Stdio};

    /// A shell that reads what it has to do.
    #[expect(clippy::disallowed_methods, reason = "tests arrange processes")]
    fn shell() -> Child {
        let (input, output) = (Stdio::piped(), Stdio::piped());
        Command::new("sh").stdin(input).stdout(output).spawn().unwrap()
    }

    fn ask(shell: &mut Child, text: &str) {
        shell
            .stdin
            .as_mut()
            .unwrap()
            .write_all(format!("{text}\necho ready\n").as_bytes())
            .unwrap();
        shell.stdout.as_mut().unwrap().read_exact(&mut [0; 6]).unwrap();
    }

    fn pids(holders: &[Holder], shell: &Child) -> usize {
        holders.iter().filter(|holder| holder.pid == shell.id()).count()
    }

    #[test]
    fn who_holds_a_file_is_found_as_it_opens_and_gone_once_it_closes() {
        let (one, two) = (tempfile::NamedTempFile::new(), tempfile::NamedTempFile::new());
        let (one, two) = (one.unwrap(), two.unwrap());
        let (first, second) = (one.path().display(), two.path().display());
        let (mut census, mut shell) = (Census::default(), shell());
        ask(&mut shell, "true");
        assert_eq!(pids(&census.holders(one.as_file()), &shell), 0);
        ask(&mut shell, &format!("exec 3>>'{first}' 4<'{second}'"));
        let found = census.writers(one.as_file());
        let found: Vec<_> = found.iter().filter(|holder| holder.pid == shell.id()).collect();
        assert_eq!(found.len(), 1);
        assert!(found[0].writes && found[0].appends && !found[0].reads && found[0].command == "sh");
        assert_eq!(pids(&census.holders(two.as_file()), &shell), 1);
        assert_eq!(pids(&census.writers(two.as_file()), &shell), 0);
        // Each is looked at again before it is told; others may hold it by chance while they start.
        ask(&mut shell, "exec 3>&- 4<&-");
        assert_eq!(pids(&census.holders(one.as_file()), &shell), 0);
        // The same descriptor, another file.
        ask(&mut shell, &format!("exec 3>>'{second}'"));
        assert_eq!(pids(&census.holders(one.as_file()), &shell), 0);
        shell.kill().unwrap();
        shell.wait().unwrap();
    }

    #[test]
    fn one_census_serves_for_many_files() {
        let files: Vec<_> = (0..6).map(|_| tempfile::NamedTempFile::new().unwrap()).collect();
        let mut shell = shell();
        for (descriptor, file) in (3..).zip(&files) {
            ask(&mut shell, &format!("exec {descriptor}>>'{}'", file.path().display()));
        }
        // Good for ten hours, whatever else the machine does.
        let cost = Duration::from_secs(3600);
        let mut census = Census { taken: Some(Taken { cost, ..Taken::now() }) };
        for file in &files {
            assert_eq!(pids(&census.writers(file.as_file()), &shell), 1);
        }
        assert_eq!(census.taken.map(|taken| taken.cost), Some(cost), "another was taken");
        shell.kill().unwrap();
        shell.wait().unwrap();
    }
}
