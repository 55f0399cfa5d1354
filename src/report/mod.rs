//! What people read: observers that turn events into text.

pub mod diagnostic;
pub mod messages;
pub mod text;

pub use messages::{Level, Messages};
pub use text::Text;
