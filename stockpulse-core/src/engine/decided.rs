//! A stored outcome.

use serde::{Deserialize, Serialize};

/// An outcome as it is stored with its command's id, in the deciding transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided<O> {
    /// The fingerprint of what was asked, to tell a retry from a conflict.
    pub fingerprint: u64,
    /// What was decided.
    pub outcome: O,
}
