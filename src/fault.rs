//! An operation that the system refused: verb, path, cause.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One failed operation, ready to be shown and to be kept in an outcome.
///
/// Its text is the whole sentence after `error: `, in the reference's words where it has any
/// (compat section 8), else `cannot VERB PATH: CAUSE`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The sentence.
    pub message: String,
    /// The system's error number, if the system said one.
    pub errno: Option<i32>,
    /// What the user can do about it, if we know.
    pub hint: Option<String>,
}

impl Fault {
    /// A fault without a system error behind it.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), errno: None, hint: None }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// All of it in one line, for what is not an error.
    pub fn in_one_line(&self) -> String {
        match &self.hint {
            Some(hint) => format!("{} ({hint})", self.message),
            None => self.message.clone(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}
