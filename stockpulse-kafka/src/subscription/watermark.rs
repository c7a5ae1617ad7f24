//! How far a partition is done.

use std::collections::VecDeque;

/// The place of a group in one partition: everything before it is done with, and it never passes what is not.
///
/// Offsets begin in their order, with gaps (a compacted log has them), and are done in any order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Watermark {
    /// What was begun from the first on that is not done, and whether it is done.
    begun: VecDeque<(u64, bool)>,
    /// The offset after the last one that was seen.
    next: Option<u64>,
    /// The place that was told last.
    told: Option<u64>,
}

impl Watermark {
    /// Everything before this offset is done, which nobody was told yet.
    pub(crate) fn at(offset: u64) -> Self {
        Self { next: Some(offset), ..Self::default() }
    }

    /// Whether an offset lies behind what was seen already.
    pub(crate) fn has_seen(&self, offset: u64) -> bool {
        self.next.is_some_and(|next| offset < next)
    }

    /// An offset is to be done. One that was seen already is ignored.
    pub(crate) fn begin(&mut self, offset: u64) {
        if !self.has_seen(offset) {
            self.begun.push_back((offset, false));
            self.next = Some(offset + 1);
        }
    }

    /// An offset needs nothing done.
    pub(crate) fn skip(&mut self, offset: u64) {
        if !self.has_seen(offset) {
            self.next = Some(offset + 1);
        }
    }

    /// An offset is done. Answers whether it was open.
    pub(crate) fn done(&mut self, offset: u64) -> bool {
        let Ok(index) = self.begun.binary_search_by_key(&offset, |(offset, _)| *offset) else { return false };
        let Some((_, done)) = self.begun.get_mut(index) else { return false };
        let was_open = !std::mem::replace(done, true);
        while self.begun.front().is_some_and(|(_, done)| *done) {
            self.begun.pop_front();
        }
        was_open
    }

    /// The place: the first offset that is not done.
    pub(crate) fn place(&self) -> Option<u64> {
        self.begun.front().map(|(offset, _)| *offset).or(self.next)
    }

    /// The place, if it is another one than was told last.
    pub(crate) fn moved(&mut self) -> Option<u64> {
        let place = self.place();
        if place == self.told {
            return None;
        }
        self.told = place;
        place
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn seven_done_while_five_runs_keeps_the_place_at_five() {
        let mut watermark = Watermark::default();
        for offset in 3..=7 {
            watermark.begin(offset);
        }
        assert_eq!(watermark.moved(), Some(3));
        for offset in [3, 7, 4, 6] {
            assert!(watermark.done(offset));
        }
        assert_eq!(watermark.moved(), Some(5));
        assert_eq!(watermark.moved(), None);
        assert!(watermark.done(5));
        assert_eq!(watermark.moved(), Some(8));
    }

    #[test]
    fn a_place_is_told_before_anything_was_seen_if_it_was_given() {
        let mut watermark = Watermark::at(12);
        assert!(watermark.has_seen(11));
        assert_eq!(watermark.moved(), Some(12));
    }

    #[test]
    fn what_is_skipped_moves_the_place_and_never_past_what_is_open() {
        let mut watermark = Watermark::default();
        watermark.skip(9);
        assert_eq!(watermark.place(), Some(10));
        watermark.begin(12);
        watermark.skip(15);
        assert_eq!(watermark.place(), Some(12));
        assert!(watermark.done(12));
        assert_eq!(watermark.place(), Some(16));
        assert!(!watermark.done(12), "twice");
        assert!(!watermark.done(15), "never begun");
    }

    proptest! {
        /// Against the plain definition: the first offset that is open, or else the one after the last seen.
        #[test]
        fn the_place_is_the_first_open_offset(steps in prop::collection::vec((0..3_u8, 0..4_u64, 0..40_usize), 1..200)) {
            let mut watermark = Watermark::default();
            let (mut open, mut begun, mut next) = (BTreeSet::new(), Vec::new(), 0);
            for (kind, gap, which) in steps {
                match kind {
                    0 => {
                        next += gap;
                        watermark.begin(next);
                        open.insert(next);
                        begun.push(next);
                        next += 1;
                    }
                    1 => {
                        next += gap;
                        watermark.skip(next);
                        next += 1;
                    }
                    _ => {
                        if let Some(offset) = begun.get(which) {
                            prop_assert_eq!(watermark.done(*offset), open.remove(offset));
                        }
                    }
                }
                let seen = next > 0;
                let expected = open.first().copied().or(seen.then_some(next));
                prop_assert_eq!(watermark.place(), expected);
            }
        }
    }
}
