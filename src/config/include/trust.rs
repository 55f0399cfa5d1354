//! Whether root may believe a configuration file: its scripts would run as root.

use std::path::Path;
use std::rc::Rc;

use super::{Loader, Place};
use crate::diagnostic::{Diagnostic, Prefix, Severity};
use crate::names::Shown;
use crate::source::Span;
use crate::system::ConfigFile;
use crate::system::process::started_by_root;

impl Loader<'_> {
    /// Whether nobody but root can have written the file; asked only if we are root (compat CFG-4).
    pub(super) fn trusted(
        &mut self,
        file: &ConfigFile,
        name: &str,
        place: &Place,
        span: Option<&Span>,
    ) -> bool {
        if !started_by_root() {
            return true;
        }
        let mode = file.mode.0;
        if mode & 0o400 == 0 || mode & 0o7133 != 0 {
            self.say(Diagnostic {
                code: "dangerous-mode",
                severity: Severity::Warning,
                prefix: Prefix::Bare,
                message: format!("Potentially dangerous mode on {name}: {}", file.mode),
                span: None,
                hint: Some("a configuration file is best 0644 or 0600: see chmod(1)".into()),
            });
        }
        if mode & 0o022 != 0 {
            let message = format!("Ignoring {name} because it is writable by group or others.");
            let hint = "whoever may write it could run scripts as root; use `chmod go-w`";
            self.error("config-writable", message, span, Some(hint.into()));
            return false;
        }
        if file.uid != 0 {
            let message = format!(
                "Ignoring {name} because the file owner is wrong (should be root or user with uid 0)."
            );
            let hint = "its owner could run scripts as root; use `chown root`";
            self.error("config-owner", message, span, Some(hint.into()));
            return false;
        }
        let Some(dir) = Self::exposed(file, place) else { return true };
        let shown = Shown::path(&dir);
        if file.links > 1 {
            let message = format!(
                "Ignoring {name} because it has {} names and others may write {shown}.",
                file.links
            );
            let hint = "they could link any of root's files there, and its text could run as root";
            self.error("config-links", message, span, Some(hint.into()));
            return false;
        }
        if self.warned.insert(Rc::clone(&dir)) {
            self.say(Diagnostic {
                code: "config-exposed",
                severity: Severity::Warning,
                prefix: Prefix::Bare,
                message: format!("others may write {shown} and so replace {name}"),
                span: None,
                hint: Some(
                    "a configuration is best below directories that only root writes".into(),
                ),
            });
        }
        true
    }

    /// Whether nobody but root can have chosen where links lead; asked only if we are root.
    pub(super) fn trusts_way(
        &mut self,
        file: &ConfigFile,
        name: &str,
        span: Option<&Span>,
    ) -> bool {
        let Some(link) = file.doubtful_link.as_ref().filter(|_| started_by_root()) else {
            return true;
        };
        let link = Shown::path(link);
        let message =
            format!("Ignoring {name} because the symbolic link {link} may be changed by others.");
        let hint = "they could make any of root's files be read; name the file itself";
        self.error("config-link", message, span, Some(hint.into()));
        false
    }

    /// A directory in which others can replace what leads to a file; only if we are root.
    pub(super) fn exposed(file: &ConfigFile, place: &Place) -> Option<Rc<Path>> {
        let own = || file.exposed.as_deref().map(Rc::from);
        place.exposed.clone().or_else(own).filter(|_| started_by_root())
    }
}
