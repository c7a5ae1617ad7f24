//! What backends of the bus have in common, for those who write one: which partition an event goes to, and what a member
//! of a group has read and is not done with.

mod partition;
mod window;

pub use partition::partition_of;
pub use window::{Read, Window, later};
