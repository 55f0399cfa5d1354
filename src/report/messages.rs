//! Where messages go: standard error from a level on, and copies of everything (compat 8.1, 1.3).

use std::io::Write;

use crate::fault::Fault;
use crate::system::log_copy::{Syslog, SyslogLevel};

/// How important a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Only with `-v`.
    Debug,
    /// A remark that deserves a line.
    Note,
    /// Something is odd; the exit status stays.
    Warning,
    /// Something failed.
    Error,
}

impl Level {
    fn prefix(self) -> &'static str {
        match self {
            Self::Debug => "",
            Self::Note => "note: ",
            Self::Warning => "warning: ",
            Self::Error => "error: ",
        }
    }
}

/// A sink that gets a copy of every message, whatever `-v` says (compat CLI-30).
pub trait Copies {
    /// Takes one message with its prefix, without its newline.
    fn take(&mut self, level: Level, line: &str);
}

/// `-l syslog`: pieces of a message are separate records (compat CLI-32).
impl Copies for Syslog {
    fn take(&mut self, level: Level, line: &str) {
        let severity = match level {
            Level::Debug => SyslogLevel::Info,
            Level::Note => SyslogLevel::Notice,
            Level::Warning => SyslogLevel::Warning,
            Level::Error => SyslogLevel::Error,
        };
        for piece in line.lines().filter(|piece| !piece.trim().is_empty()) {
            self.send(severity, piece);
        }
    }
}

/// Writes messages, each at once and in one piece.
pub struct Messages {
    verbose: bool,
    error_stream: Box<dyn Write>,
    copies: Vec<Box<dyn Copies>>,
    file: Option<Box<dyn Write>>,
}

impl Messages {
    /// Messages to a stream: from notes on, or all of them with `verbose`.
    pub fn new(error_stream: Box<dyn Write>, verbose: bool) -> Self {
        Self { verbose, error_stream, copies: Vec::new(), file: None }
    }

    /// Whether debug messages are shown.
    pub fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// Whether debug messages reach anybody: the stream, or a copy.
    pub fn wants_debug(&self) -> bool {
        self.verbose || self.file.is_some() || !self.copies.is_empty()
    }

    /// Adds a sink.
    pub fn copy_to(&mut self, sink: Box<dyn Copies>) {
        self.copies.push(sink);
    }

    /// Copies go to this file from now on; an earlier one receives no more (compat CLI-32).
    pub fn copy_to_file(&mut self, file: Box<dyn Write>) {
        self.file = Some(file);
    }

    /// Says one line, with the prefix of its level.
    pub fn say(&mut self, level: Level, line: &str) {
        if level == Level::Debug && !self.wants_debug() {
            return;
        }
        self.say_prefixed(level, &format!("{}{line}", level.prefix()));
    }

    /// Says text that has its prefix already.
    pub fn say_prefixed(&mut self, level: Level, text: &str) {
        if level > Level::Debug || self.verbose {
            // Nothing is left to tell it to if standard error is gone.
            let _ = self.error_stream.write_all(format!("{text}\n").as_bytes());
        }
        // A log that cannot be written must not stop the rotation; standard error has the message.
        if let Some(file) = &mut self.file {
            let _ = file.write_all(format!("{text}\n").as_bytes());
        }
        for sink in &mut self.copies {
            sink.take(level, text);
        }
    }

    /// Says that something failed, and what to do about it.
    pub fn fault(&mut self, fault: &Fault) {
        let hint = fault.hint.as_ref().map(|h| format!("\n  = help: {h}")).unwrap_or_default();
        self.say(Level::Error, &format!("{fault}{hint}"));
    }

    /// Passes text on to standard error only (compat CLI-33).
    pub fn raw(&mut self, text: &[u8]) {
        let _ = self.error_stream.write_all(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::rc::Rc;

    #[derive(Clone, Default)]
    struct Kept(Rc<RefCell<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.borrow_mut().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Copies for Kept {
        fn take(&mut self, _: Level, line: &str) {
            let _ = writeln!(self, "{line}");
        }
    }

    #[test]
    fn debug_lines_reach_the_copy_but_not_a_quiet_stream() {
        let (stream, copy) = (Kept::default(), Kept::default());
        let mut messages = Messages::new(Box::new(stream.clone()), false);
        messages.copy_to(Box::new(copy.clone()));
        messages.say(Level::Debug, "considering log a");
        messages.say(Level::Error, "bad");
        assert_eq!(stream.0.borrow().as_slice(), b"error: bad\n");
        assert_eq!(copy.0.borrow().as_slice(), b"considering log a\nerror: bad\n");
    }
}
