//! How many partitions a member should read.

/// So many of `partitions` go to the member at this place among so many: nobody gets more than one more than anybody else.
pub(super) fn share(partitions: usize, place: usize, members: usize) -> usize {
    let members = members.max(1);
    partitions / members + usize::from(place < partitions % members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_even_and_nothing_is_left_over() {
        for partitions in 0..20 {
            for members in 1..8 {
                let shares: Vec<usize> = (0..members).map(|place| share(partitions, place, members)).collect();
                assert_eq!(shares.iter().sum::<usize>(), partitions);
                assert!(shares.iter().max().unwrap() - shares.iter().min().unwrap() <= 1, "{shares:?}");
            }
        }
    }
}
