//! A thread that gives files their new names while somebody else plans what comes next.
//!
//! A rename is the system's work, and takes as long as all of ours for a log; so the two go on side by side.
//! The thread does what it is told in the order in which it is told, stops a row at the first rename that did
//! not come out as it should, and judges nothing: whoever gave the row goes on with it.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::time::Duration;

use super::dir::Dir;
use super::file::{self, Renamed};
use super::{process, queue};
use crate::facts::FileKind;
use crate::names::FileName;
use crate::units::FileId;

/// How long either side rests when it has nothing to do.
const PAUSE: Duration = Duration::from_micros(50);

/// So many rows may be on their way, and no more than this share of the files that may be open, since each
/// holds a directory.
const MOST: u64 = 128;
const SHARE_OF_OPEN: u64 = 16;

/// A rename within a directory.
#[derive(Debug)]
pub struct Rename {
    /// The directory.
    pub dir: Arc<Dir>,
    /// The present name.
    pub from: FileName,
    /// The new name.
    pub to: FileName,
    /// The file that is to be moved, which is regular.
    pub id: FileId,
}

impl Rename {
    /// Whether it came out as it should.
    fn is_made(&self, renamed: &Renamed) -> bool {
        let Ok(Ok(Some(there))) = renamed else { return false };
        there.id.is(&self.id) && there.kind == FileKind::Regular
    }
}

/// Renames that are made one after the other, as long as each comes out as it should.
#[derive(Debug)]
pub struct Row {
    /// The renames.
    pub renames: Vec<Rename>,
    /// What became of them; of those behind the last one here, nothing.
    pub made: Vec<Renamed>,
}

impl Row {
    /// A row of which nothing is done.
    pub fn new(renames: Vec<Rename>) -> Self {
        let made = Vec::with_capacity(renames.len());
        Self { renames, made }
    }

    fn make(&mut self) {
        for rename in &self.renames {
            let renamed = file::rename_and_look(&rename.dir, &rename.from, &rename.to);
            let went_well = rename.is_made(&renamed);
            self.made.push(renamed);
            if !went_well {
                return;
            }
        }
    }
}

/// The thread. It is started when it is needed, and ends with this, once it has done what it was given.
#[derive(Debug, Default)]
pub struct Mover {
    thread: Option<Thread>,
    /// There was none to be had.
    refused: bool,
}

#[derive(Debug)]
struct Thread {
    give: Sender<Row>,
    take: Receiver<Row>,
    /// How many rows have not come back.
    given: u64,
    most: u64,
}

impl Mover {
    /// Whether a row may be given without waiting for another one.
    pub fn has_room(&self) -> bool {
        self.thread.as_ref().is_none_or(|thread| thread.given < thread.most)
    }

    /// Gives a row; it comes back as it is if there is no thread to be had.
    pub fn give(&mut self, row: Row) -> Option<Row> {
        if self.thread.is_none() && !self.refused {
            self.thread = start();
            self.refused = self.thread.is_none();
        }
        let Some(thread) = &mut self.thread else { return Some(row) };
        match thread.give.send(row) {
            Ok(()) => {
                thread.given += 1;
                None
            }
            Err(back) => Some(back.0),
        }
    }

    /// The next row that is done, in the order in which they were given; `None` if it is not done yet. What a
    /// thread that died took with it comes back as nothing at all: the disk tells what became of it.
    pub fn take(&mut self) -> Option<Vec<Renamed>> {
        match self.thread.as_mut().map(|thread| (thread.take.try_recv(), &mut thread.given)) {
            Some((Ok(row), given)) => {
                *given -= 1;
                Some(row.made)
            }
            Some((Err(TryRecvError::Empty), _)) => None,
            Some((Err(TryRecvError::Disconnected), _)) | None => {
                (self.thread, self.refused) = (None, true);
                Some(Vec::new())
            }
        }
    }

    /// Waits a little for the next row.
    pub fn pause(&self) {
        std::thread::sleep(PAUSE);
    }
}

fn start() -> Option<Thread> {
    let ((give, rows), (done, take)) = (channel(), channel());
    std::thread::Builder::new().spawn(move || work(&rows, &done)).ok()?;
    let most = (process::most_open() / SHARE_OF_OPEN).clamp(1, MOST);
    Some(Thread { give, take, given: 0, most })
}

/// Until whoever gives the rows is gone.
fn work(rows: &Receiver<Row>, done: &Sender<Row>) {
    queue::work_off(rows, PAUSE, |mut row| {
        row.make();
        // Nobody may be there to hear of it.
        let _ = done.send(row);
    });
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests arrange files")]
mod tests {
    use super::*;

    fn name(text: &str) -> FileName {
        FileName::new(text).unwrap()
    }

    fn next(mover: &mut Mover) -> Vec<Renamed> {
        loop {
            match mover.take() {
                Some(made) => return made,
                None => mover.pause(),
            }
        }
    }

    #[test]
    fn a_row_ends_at_the_first_rename_that_does_not_come_out_as_it_should() {
        let temp = tempfile::tempdir().unwrap();
        for file in ["a", "b", "c", "d"] {
            std::fs::write(temp.path().join(file), file).unwrap();
        }
        let dir = Arc::new(Dir::open(temp.path()).unwrap());
        let id = |file| dir.facts(&name(file)).unwrap().unwrap().id;
        let rename =
            |from, to, id| Rename { dir: Arc::clone(&dir), from: name(from), to: name(to), id };
        let (a, b, c) = (id("a"), id("b"), id("c"));
        let mut mover = Mover::default();
        // The name is taken; the file is another one; all is well.
        let rows = [
            vec![rename("a", "d", a), rename("b", "x", b)],
            vec![rename("b", "e", c), rename("c", "y", c)],
            vec![rename("a", "f", a), rename("f", "g", a)],
        ];
        for row in rows {
            assert!(mover.give(Row::new(row)).is_none());
        }
        assert!(matches!(next(&mut mover)[..], [Err(nix::errno::Errno::EEXIST)]));
        let made = next(&mut mover);
        assert!(matches!(made[..], [Ok(Ok(Some(there)))] if there.id.is(&b)), "{made:?}");
        assert_eq!(next(&mut mover).len(), 2);
        let mut names: Vec<_> = dir.names().unwrap();
        names.sort_unstable();
        assert_eq!(names, ["c", "d", "e", "g"].map(name));
    }

    #[test]
    fn no_more_rows_than_allowed_are_on_their_way() {
        let mut mover = Mover::default();
        let mut given = 0;
        while mover.has_room() && given <= MOST {
            assert!(mover.give(Row::new(Vec::new())).is_none());
            given += 1;
        }
        assert!((1..=MOST).contains(&given), "{given}");
        assert_eq!(next(&mut mover), []);
        assert!(mover.has_room());
    }
}
