//! Each SKU once, and a small id for it everywhere else.

use std::collections::HashMap;
use std::sync::Arc;

/// A SKU of one [`SkuTable`]; ids count up from 0 in order of first appearance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SkuId(u32);

impl SkuId {
    /// The place of this SKU in its table, for use as an index.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Every SKU that an accepted row names. SKUs compare byte for byte: `85114a` is not `85114A`.
#[derive(Debug, Clone, Default)]
pub struct SkuTable {
    names: Vec<Arc<str>>,
    ids: HashMap<Arc<str>, SkuId>,
}

impl SkuTable {
    /// The id of `name`, which joins the table if it is new; `None` if the table is full.
    pub(super) fn intern(&mut self, name: &str) -> Option<SkuId> {
        if let Some(id) = self.ids.get(name) {
            return Some(*id);
        }
        let id = SkuId(u32::try_from(self.names.len()).ok()?);
        let name: Arc<str> = name.into();
        self.names.push(Arc::clone(&name));
        self.ids.insert(name, id);
        Some(id)
    }

    /// The SKU itself. `id` has to come from this table.
    #[must_use]
    pub fn name(&self, id: SkuId) -> &str {
        &self.names[id.index()]
    }

    /// Whether stock is kept of this SKU: see [`is_tracked`].
    #[must_use]
    pub fn is_tracked(&self, id: SkuId) -> bool {
        is_tracked(self.name(id))
    }

    /// Every SKU, tracked or not, in order of first appearance.
    pub fn iter(&self) -> impl Iterator<Item = (SkuId, &str)> {
        let ids = (0_u32..).map(SkuId);
        ids.zip(&self.names).map(|(id, name)| (id, &**name))
    }

    /// How many SKUs there are, tracked or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is no SKU at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

/// A SKU is tracked when it begins with an ASCII digit; otherwise it is a service, such as postage,
/// and always available.
#[must_use]
pub fn is_tracked(sku: &str) -> bool {
    sku.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_get_the_same_id() {
        let mut table = SkuTable::default();
        let upper = table.intern("85114A").unwrap();
        let lower = table.intern("85114a").unwrap();
        assert_ne!(upper, lower);
        assert_eq!(table.intern("85114A"), Some(upper));
        assert_eq!((table.name(upper), table.name(lower)), ("85114A", "85114a"));
        assert_eq!((upper.index(), lower.index(), table.len()), (0, 1, 2));
        assert!(table.iter().eq([(upper, "85114A"), (lower, "85114a")]));
    }

    #[test]
    fn a_leading_ascii_digit_makes_a_sku_tracked() {
        for (sku, tracked) in [
            ("22423", true),
            ("15056BL", true),
            ("0", true),
            ("POST", false),
            ("C2", false),
            (" 22423", false),
            ("٣٤", false),
            ("gift_0001_20", false),
        ] {
            assert_eq!(is_tracked(sku), tracked, "{sku}");
        }
    }
}
