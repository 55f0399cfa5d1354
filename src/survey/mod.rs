//! What is on the disk, read only: the pure part's only view of it.

pub mod expand;
pub mod facts;
pub mod glob;
pub mod index;
pub mod matching;
pub mod old_dir;
mod plain;
pub mod rotated;

pub use expand::names;
pub use facts::{LogFacts, ParentFacts, log_facts};
pub use index::{Index, Listing, Names};
pub use matching::{Finding, Matched, MatchedLog, match_blocks};
pub use old_dir::{Promised, verify_old_dir};
pub use rotated::{Generation, OldVersions, RotatedFile, old_versions};
