//! Who reads which partition of a group.

use std::collections::BTreeMap;

use super::cursor::MemberId;

/// A partition: its topic, and who reads it.
pub(super) type Share = (usize, Option<MemberId>);

/// How many partitions each member reads.
type Load = BTreeMap<MemberId, usize>;

/// Shares the partitions of these topics out among the members, so that of each topic, and of all together, nobody
/// reads more than one more than anybody else. It starts from who reads what at present, and moves few.
pub(super) fn share_out(topics: &[usize], members: impl Iterator<Item = MemberId>, shares: &mut [Share]) {
    let mut total: Load = members.map(|member| (member, 0)).collect();
    for (_, owner) in shares.iter_mut() {
        match owner.and_then(|member| total.get_mut(&member)) {
            Some(count) => *count += 1,
            None => *owner = None,
        }
    }
    // One topic's move can unsettle another. It ends: a move makes a topic more even, or leaves it as even as it was
    // and makes the whole more even.
    while topics.iter().any(|topic| share_topic(*topic, &mut total, shares)) {}
}

/// Shares one topic out. `total` counts the partitions of all topics, and says who gets those that are left over.
/// Answers whether any moved.
fn share_topic(topic: usize, total: &mut Load, shares: &mut [Share]) -> bool {
    let mut load: Load = total.keys().map(|member| (*member, 0)).collect();
    for owner in shares.iter().filter(|share| share.0 == topic).filter_map(|share| share.1) {
        load.entry(owner).and_modify(|count| *count += 1);
    }
    let mut any = false;
    loop {
        let weighed = load.iter().map(|(member, count)| {
            let weight = (*count, total.get(member).copied().unwrap_or(0));
            (weight, *member)
        });
        let Some(((lowest, all_of_least), least)) = weighed.clone().min() else { return any };
        let Some(((highest, all_of_most), most)) = weighed.max() else { return any };
        let uneven = highest > lowest + 1 || (highest > lowest && all_of_most > all_of_least + 1);
        let index = match shares.iter().position(|share| *share == (topic, None)) {
            None if uneven => shares.iter().rposition(|share| *share == (topic, Some(most))),
            unowned => unowned,
        };
        let Some((_, owner)) = index.and_then(|index| shares.get_mut(index)) else { return any };
        for counts in [&mut load, &mut *total] {
            if let Some(owner) = *owner {
                counts.entry(owner).and_modify(|count| *count -= 1);
            }
            counts.entry(least).and_modify(|count| *count += 1);
        }
        *owner = Some(least);
        any = true;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// By how much the members' numbers of partitions differ.
    fn spread(members: &[MemberId], shares: &[Share], of: impl Fn(usize) -> bool) -> usize {
        let count = |member: &MemberId| shares.iter().filter(|share| of(share.0) && share.1 == Some(*member)).count();
        let counts: Vec<usize> = members.iter().map(count).collect();
        counts.iter().max().unwrap_or(&0) - counts.iter().min().unwrap_or(&0)
    }

    #[test]
    fn who_leaves_or_joins_moves_no_more_than_has_to() {
        let mut shares: Vec<Share> = vec![(0, None); 9];
        share_out(&[0], [1, 2, 3].into_iter(), &mut shares);
        let before = shares.clone();
        share_out(&[0], [1, 3].into_iter(), &mut shares);
        let moved = |after: &[Share]| before.iter().zip(after).filter(|(before, after)| before != after).count();
        assert_eq!(moved(&shares), 3);
        shares.clone_from(&before);
        share_out(&[0], [1, 2, 3, 4].into_iter(), &mut shares);
        assert_eq!(moved(&shares), 2);
    }

    #[test]
    fn a_topic_of_no_interest_is_nobodys() {
        let mut shares: Vec<Share> = vec![(0, None), (1, None), (1, Some(9))];
        share_out(&[0], [1].into_iter(), &mut shares);
        assert_eq!(shares, [(0, Some(1)), (1, None), (1, None)]);
        share_out(&[0], [].into_iter(), &mut shares);
        assert_eq!(shares, [(0, None), (1, None), (1, None)]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whoever_joins_or_leaves_each_topic_and_the_whole_are_shared_evenly(
            counts in prop::collection::vec(1..9_usize, 1..5),
            changes in prop::collection::vec((any::<bool>(), 0..6_usize), 1..30),
        ) {
            let topics: Vec<usize> = (0..counts.len()).collect();
            let mut shares: Vec<Share> = topics.iter().flat_map(|topic| vec![(*topic, None); counts[*topic]]).collect();
            let mut members: Vec<MemberId> = Vec::new();
            for (number, (join, which)) in (0..).zip(changes) {
                if join || members.is_empty() {
                    members.push(number);
                } else {
                    members.remove(which % members.len());
                }
                share_out(&topics, members.iter().copied(), &mut shares);
                for topic in &topics {
                    prop_assert!(spread(&members, &shares, |of| of == *topic) <= 1);
                }
                prop_assert!(spread(&members, &shares, |_| true) <= 1);
                let readers = shares.iter().filter(|share| share.1.is_some_and(|reader| members.contains(&reader)));
                prop_assert_eq!(readers.count(), if members.is_empty() { 0 } else { shares.len() });
            }
        }
    }
}
