//! Room for a new dated version: its name must be free, `delaycompress`, the count and `maxage`
//! (compat 5.4, 5.5).

use crate::fault::Fault;
use crate::names::Shown;
use crate::survey::rotated::Generation;

use super::generations::Held;
use super::sequence::Sequence;
use super::step::{Place, Why};
use super::{Subject, retention};

impl Sequence<'_> {
    /// Checks the new version's name, and lets go of what is not kept.
    pub(super) fn prepare_dated(&mut self, index: u32, subject: &Subject) -> Result<(), Fault> {
        self.check_date(index, subject)?;
        self.clear_compressed(index, subject);
        self.compress_dated(index, subject);
        self.prune_dated(index, subject);
        Ok(())
    }

    /// A clash on the name of the new version leaves the log where it is (compat ROT-45, B-28); any
    /// file of that date is a clash, compressed or not (fixes B-04).
    fn check_date(&mut self, index: u32, subject: &Subject) -> Result<(), Fault> {
        let Some(target) = self.target(subject) else {
            return Err(self.no_name(subject));
        };
        let dir = self.draft.dir(&subject.old_dir);
        let date = self.request.date.map(|d| d.text().to_vec()).unwrap_or_default();
        let same_date = self
            .versions(subject)
            .dated
            .get(&date)
            .and_then(|files| files.first())
            .map(|f| f.name.clone());
        let in_the_way = same_date.or_else(|| {
            Some(target).filter(|name| self.draft.taken(&Place { dir, name: name.clone() }))
        });
        match in_the_way {
            None => Ok(()),
            Some(name) => {
                self.clashes.push(index);
                let path = subject.old_dir.join(&name);
                Err(Fault::new(format!(
                    "destination {} already exists, skipping rotation",
                    Shown::path(&path)
                ))
                .with_hint("use a dateformat that names every rotation differently, such as -%Y%m%d-%H%M%S"))
            }
        }
    }

    pub(super) fn no_name(&self, subject: &Subject) -> Fault {
        let date = self.request.date.map(|d| d.text().to_vec()).unwrap_or_default();
        Fault::new(format!(
            "cannot rotate {}: the date {} makes no file name",
            subject.log,
            Shown(&date)
        ))
        .with_hint("a dateformat must not contain a slash")
    }

    /// Whatever is no file and stands where a compressed version is to be is kept under another name:
    /// it must not keep that version plain for ever.
    fn clear_compressed(&mut self, index: u32, subject: &Subject) {
        let compression = &self.request.policy.compression;
        if !compression.is_on() {
            return;
        }
        for other in subject.occupied.iter().filter(|o| o.ending == compression.extension) {
            let Generation::Dated(date) = &other.place else { continue };
            let scope = if compression.delayed {
                let files = self.versions(subject).dated.get(date);
                if !files.is_some_and(|files| files.iter().any(Held::is_plain)) {
                    continue;
                }
                self.draft.version_scope(index)
            } else if self.request.date.is_some_and(|today| today.text() == date) {
                self.scope(index)
            } else {
                continue;
            };
            self.put_aside(&Held::from_occupied(other), subject, scope);
        }
    }

    /// `delaycompress`: every plain dated version is compressed, oldest first (compat ROT-31).
    fn compress_dated(&mut self, index: u32, subject: &Subject) {
        let compression = &self.request.policy.compression;
        if !(compression.is_on() && compression.delayed) {
            return;
        }
        let dates = self.dates_oldest_first(subject);
        let plain = |files: &Vec<Held>| files.iter().any(Held::is_plain);
        if !self.versions(subject).dated.values().any(plain) {
            self.remarks.push("glob finding logs to compress failed".into());
        }
        for date in dates {
            let files = self.versions(subject).dated.remove(&date).unwrap_or_default();
            // Only a plain file that is about to take the name makes the compressed one step aside.
            let twin = files.iter().any(|f| f.ending.is_empty())
                && files.iter().any(|f| f.ending == compression.extension);
            let (aside, kept): (Vec<_>, Vec<_>) =
                files.into_iter().partition(|f| twin && f.ending == compression.extension);
            for held in aside {
                let scope = self.draft.version_scope(index);
                self.put_aside(&held, subject, scope);
            }
            let mut left = Vec::new();
            for held in kept {
                left.extend(self.compress_old(index, subject, held));
            }
            self.versions(subject).dated.insert(date, left);
        }
    }

    fn dates_oldest_first(&mut self, subject: &Subject) -> Vec<Vec<u8>> {
        let mut dates: Vec<_> = self.versions(subject).dated.keys().cloned().collect();
        if let Some(date) = self.request.date {
            dates.sort_by_key(|text| date.parse(text).map(|d| d.age));
        }
        dates
    }

    fn prune_dated(&mut self, index: u32, subject: &Subject) {
        let retention = &self.request.policy.retention;
        let max_age = retention.max_age.as_ref().map(|s| s.value);
        let dates = self.dates_oldest_first(subject);
        if dates.is_empty() {
            self.remarks.push("glob finding old rotated logs failed".into());
        }
        let now = self.request.now;
        let count = self.count();
        let versions = self.versions(subject);
        let ages: Vec<_> = dates
            .iter()
            .map(|date| {
                let files = versions.dated.get(date).map_or(&[][..], |f| f);
                files.iter().find_map(|f| retention::expired(f.facts?.modified, now, max_age))
            })
            .collect();
        let go = retention::dated(count, &ages);
        for i in go.first {
            let files = self.versions(subject).dated.remove(&dates[i]).unwrap_or_default();
            let why = ages[i].map_or(Why::Count, |days| Why::Age { days });
            for held in &files {
                self.remove(index, subject, held, why);
            }
        }
        let Some(last) = go.last.map(|i| dates[i].clone()) else { return };
        let files = self.versions(subject).dated.remove(&last).unwrap_or_default();
        if self.goes_early(subject, &files) {
            for held in &files {
                self.let_go_early(index, subject, held);
            }
            return;
        }
        self.versions(subject).dated.insert(last.clone(), files);
        self.versions(subject).leaving_date = Some(last);
    }
}
