//! The C library's words for an error, which messages have always used (compat CLI-25).

use nix::errno::Errno;

/// Says what an error number means.
pub trait Words {
    /// The C library's words: `No such file or directory`.
    fn words(self) -> String;
}

impl Words for Errno {
    fn words(self) -> String {
        let text = std::io::Error::from_raw_os_error(self as i32).to_string();
        // The standard library puts the number behind them.
        match text.rfind(" (os error ") {
            Some(end) => text[..end].to_owned(),
            None => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_in_the_words_of_the_c_library() {
        for (errno, words) in [
            (Errno::ENOENT, "No such file or directory"),
            (Errno::EIO, "Input/output error"),
            (Errno::ELOOP, "Too many levels of symbolic links"),
            (Errno::ENOSPC, "No space left on device"),
        ] {
            assert_eq!(errno.words(), words);
        }
    }
}
