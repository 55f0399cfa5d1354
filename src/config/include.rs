//! Finding and opening configuration files: arguments, `include`, directories (compat 2.1, 2.6).

mod trust;

use std::path::{Path, PathBuf};
use std::rc::Rc;

use hashbrown::HashSet;

use super::directive::Directive;
use super::item::Item;
use super::parser::Parser;
use super::policy::RotateAs;
use super::taboo::TabooList;
use super::value::Reading;
use super::{Accounts, Notice};
use crate::diagnostic::{Diagnostic, Prefix, Severity};
use crate::names::Shown;
use crate::source::{SourceFile, Span};
use crate::system::Words;
use crate::system::{ConfigFault, ConfigFile, ConfigKind, Dir, ReadFault};

/// The longest file that is read (compat CFG-3).
const MOST_BYTES: u64 = 16_777_215;

/// A file and sixteen levels of `include` below it (compat CFG-65).
const MOST_OPEN: usize = 17;

/// More files than any machine has: files that include each other many times over must end.
const MOST_FILES: usize = 500_000;

/// Where relative names are looked up: the start directory, or the directory that is being read.
#[derive(Debug, Clone, Default)]
pub struct Place {
    dir: Option<Rc<Dir>>,
    path: Option<Rc<Path>>,
    /// A directory on the way to `dir` in which others can replace what leads there.
    exposed: Option<Rc<Path>>,
}

impl Place {
    /// The path of the directory that is being read; `None` for the start directory.
    pub fn path(&self) -> Option<&Path> {
        self.dir.as_ref().map(|dir| dir.path())
    }

    /// The same path, for many to keep.
    pub fn shared_path(&self) -> Option<Rc<Path>> {
        self.path.clone()
    }

    /// A path that is valid from the start directory.
    pub fn join(&self, path: &Path) -> PathBuf {
        self.path().map_or_else(|| path.into(), |dir| dir.join(path))
    }
}

/// Reads files, and keeps what outlives a single one.
pub struct Loader<'a> {
    /// Users, groups, home directories.
    pub accounts: &'a dyn Accounts,
    /// The names left out of directories; never restored (compat CFG-42).
    pub taboo: TabooList,
    wants_debug: bool,
    out: &'a mut dyn FnMut(Item),
    /// The files that are being read, outermost first.
    open: Vec<(u64, u64)>,
    files: usize,
    /// Whether the file that is being read has had a block, or something that may have been meant for one.
    has_block: bool,
    /// See [`super::Config::without_blocks`].
    pub without_blocks: Vec<PathBuf>,
    /// See [`super::Config::directories`].
    pub directories: Vec<PathBuf>,
    /// The directories that were warned of.
    warned: HashSet<Rc<Path>>,
    /// The `su` in force.
    rotate_as: RotateAs,
    /// The same outside of what is open: files and blocks.
    around: Vec<RotateAs>,
}

impl<'a> Loader<'a> {
    /// Items go to `out` in the order of the text.
    pub fn new(
        accounts: &'a dyn Accounts,
        wants_debug: bool,
        out: &'a mut dyn FnMut(Item),
    ) -> Self {
        Self {
            accounts,
            wants_debug,
            taboo: TabooList::default(),
            out,
            open: Vec::new(),
            files: 0,
            has_block: false,
            without_blocks: Vec::new(),
            directories: Vec::new(),
            warned: HashSet::new(),
            rotate_as: RotateAs::Invoker,
            around: Vec::new(),
        }
    }

    /// What values are read with at this point of the text.
    pub fn reading(&self) -> Reading<'a> {
        Reading { accounts: self.accounts, rotate_as: self.rotate_as, debug: Vec::new() }
    }

    /// Reads a file or directory that the command line names.
    pub fn read(&mut self, path: &Path) {
        self.read_at(path, &Place::default(), None);
    }

    /// Reads a file or directory that an `include` names; whether all of it could be used.
    pub fn include(&mut self, path: &Path, place: &Place, span: &Span) -> bool {
        self.debug(|| format!("including {}", Shown::path(path)));
        if self.open.len() >= MOST_OPEN || self.files >= MOST_FILES {
            self.too_deep(span, None);
            return false;
        }
        self.read_at(path, place, Some(span))
    }

    /// Passes an item on.
    pub fn item(&mut self, item: Item) {
        self.has_block |= match &item {
            Item::BlockStarted(_) => true,
            Item::Notice(Notice::Diagnostic(found)) => found.severity != Severity::Note,
            _ => false,
        };
        self.follow_su(&item);
        (self.out)(item);
    }

    /// A bare `su` repeats the one around it, so it must be known while values are read.
    fn follow_su(&mut self, item: &Item) {
        match item {
            Item::FileStarted | Item::BlockStarted(_) => self.around.push(self.rotate_as),
            Item::FileEnded { abandoned: false } => drop(self.around.pop()),
            Item::FileEnded { abandoned: true } | Item::BlockEnded { .. } => {
                self.rotate_as = self.around.pop().unwrap_or_default();
            }
            Item::Set { directive: Directive::RotateAs(rotate_as), .. } => {
                self.rotate_as = *rotate_as;
            }
            Item::Set { .. } | Item::Notice(_) => {}
        }
    }

    /// Says a line at debug level, if anybody wants such lines.
    pub fn debug(&mut self, line: impl FnOnce() -> String) {
        if self.wants_debug {
            self.item(Item::Notice(Notice::Debug(line())));
        }
    }

    /// Reports a finding.
    pub fn say(&mut self, diagnostic: Diagnostic) {
        self.item(Item::Notice(Notice::Diagnostic(diagnostic)));
    }

    fn too_deep(&mut self, span: &Span, hint: Option<&str>) {
        self.say(Diagnostic {
            code: "include-too-deep",
            severity: Severity::Error,
            prefix: Prefix::Line,
            message: "include nesting too deep".into(),
            span: Some(span.clone()),
            hint: hint.map(Into::into),
        });
    }

    fn error(
        &mut self,
        code: &'static str,
        message: String,
        span: Option<&Span>,
        hint: Option<String>,
    ) {
        self.say(Diagnostic {
            code,
            severity: Severity::Error,
            prefix: Prefix::Bare,
            message,
            span: span.cloned(),
            hint,
        });
    }

    fn read_at(&mut self, path: &Path, place: &Place, span: Option<&Span>) -> bool {
        match ConfigFile::open(place.dir.as_deref(), path) {
            Ok(file) if file.kind == ConfigKind::Directory => {
                self.read_directory(file, path, place, span)
            }
            Ok(file) => self.read_file(file, path, place, span),
            Err(ConfigFault::Stat(errno)) => {
                let message = format!("cannot stat {}: {}", Shown::path(path), errno.words());
                self.error("no-such-config", message, span, None);
                false
            }
            Err(ConfigFault::Open(errno)) => self.unopened(path, &errno.words(), span),
        }
    }

    fn unopened(&mut self, path: &Path, cause: &str, span: Option<&Span>) -> bool {
        let message = format!("failed to open config file {}: {cause}", Shown::path(path));
        self.error("unreadable-config", message, span, None);
        false
    }

    /// Reads all files of a directory in the order of their names' bytes (compat CFG-61); one that is
    /// abandoned does not keep the others from being read (compat CFG-52).
    fn read_directory(
        &mut self,
        found: ConfigFile,
        path: &Path,
        place: &Place,
        span: Option<&Span>,
    ) -> bool {
        if !self.trusts_way(&found, &Shown::path(path).to_string(), span) {
            return false;
        }
        let exposed = Self::exposed(&found, place);
        let listed = found.into_dir().and_then(|dir| dir.names().map(|names| (dir, names)));
        let (dir, mut names) = match listed {
            Ok(listed) => listed,
            Err(errno) => {
                let shown = Shown::path(path);
                let message = format!("cannot open directory {shown}: {}", errno.words());
                self.error("unreadable-directory", message, span, None);
                return false;
            }
        };
        names.sort_unstable();
        names.retain(|name| match self.taboo.find(name.as_bytes()) {
            None => true,
            Some(pattern) => {
                let pattern = pattern.to_vec();
                self.debug(|| {
                    format!("Ignoring {name}, because of {} pattern match", Shown(&pattern))
                });
                false
            }
        });
        self.directories.push(dir.path().to_path_buf());
        let path = Some(dir.path().into());
        let inside = Place { dir: Some(Rc::new(dir)), path, exposed };
        let mut fine = true;
        for name in names {
            if !self.read_member(name.as_ref(), &inside, span) {
                let message = format!("found error in file {name}, skipping");
                self.error("file-skipped", message, None, None);
                fine = false;
            }
        }
        fine
    }

    fn read_member(&mut self, name: &Path, place: &Place, span: Option<&Span>) -> bool {
        match ConfigFile::open(place.dir.as_deref(), name) {
            Ok(file) => self.read_file(file, name, place, span),
            Err(ConfigFault::Stat(errno) | ConfigFault::Open(errno)) => {
                self.unopened(name, &errno.words(), span)
            }
        }
    }

    fn read_file(
        &mut self,
        file: ConfigFile,
        path: &Path,
        place: &Place,
        span: Option<&Span>,
    ) -> bool {
        let name = Shown::path(path).to_string();
        if file.kind != ConfigKind::Regular {
            self.debug(|| format!("Ignoring {name} because it's not a regular file."));
            return true;
        }
        if file.size == 0 {
            self.debug(|| format!("Ignoring {name} because it's empty."));
            self.without_blocks.push(place.join(path));
            return true;
        }
        if let Some(span) = span
            && self.open.contains(&file.id)
        {
            self.too_deep(span, Some("the file includes itself: it is being read already"));
            return false;
        }
        if !self.trusts_way(&file, &name, span) || !self.trusted(&file, &name, place, span) {
            return false;
        }
        if !file.lock() {
            self.say(Diagnostic {
                code: "config-locked",
                severity: Severity::HarmlessError,
                prefix: Prefix::Bare,
                message: format!("Could not lock file {name} for reading"),
                span: None,
                hint: None,
            });
        }
        let id = file.id;
        if file.size > MOST_BYTES {
            let message = format!("file {name} too large, probably not a config file.");
            self.error("config-too-large", message, span, None);
            return false;
        }
        let bytes = match file.read() {
            Ok(bytes) => bytes,
            Err(ReadFault::System(errno)) => return self.unopened(path, &errno.words(), span),
            Err(ReadFault::Changed) => {
                let message = format!("config file {name} changed while it was read");
                let hint = "write a new file and rename it: so it is never read by half";
                self.error("config-changed", message, span, Some(hint.into()));
                return false;
            }
        };
        self.debug(|| format!("reading config file {name}"));
        self.open.push(id);
        self.files += 1;
        let outer = std::mem::take(&mut self.has_block);
        let whole =
            Parser::new(self, place, SourceFile::found_in(place.shared_path(), path, bytes))
                .parse();
        if whole && !self.has_block {
            self.without_blocks.push(place.join(path));
        }
        self.has_block = outer;
        self.open.pop();
        whole
    }
}
