//! Reading in pages.

/// One page of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T, C> {
    /// The items, in the order of their keys.
    pub items: Vec<T>,
    /// Where the next page begins: pass it as `after`. `None` when this was the last.
    pub next: Option<C>,
}

impl<T, C> Page<T, C> {
    /// A page of at most `limit` of the items that an iterator over `limit + 1` gives.
    pub fn collect(items: impl Iterator<Item = T>, limit: usize, cursor: impl Fn(&T) -> C) -> Self {
        let mut items: Vec<T> = items.take(limit.saturating_add(1)).collect();
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(cursor) } else { None };
        Self { items, next }
    }
}
