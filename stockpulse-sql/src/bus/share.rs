//! Who reads which partition.

use std::collections::BTreeMap;

use uuid::Uuid;

/// Shares partitions out among members, so that nobody reads more than one more than anybody else. It starts from who
/// reads what at present, and moves as few as it can.
pub(super) fn share_out(members: &[Uuid], owners: &mut [Option<Uuid>]) {
    let mut load: BTreeMap<Uuid, usize> = members.iter().map(|member| (*member, 0)).collect();
    for owner in owners.iter_mut() {
        match owner.and_then(|member| load.get_mut(&member)) {
            Some(count) => *count += 1,
            None => *owner = None,
        }
    }
    loop {
        let weighed = load.iter().map(|(member, count)| (*count, *member));
        let (Some((lowest, least)), Some((highest, most))) = (weighed.clone().min(), weighed.max()) else { return };
        let free = owners.iter_mut().find(|owner| owner.is_none());
        let moved = match free {
            Some(free) => free,
            None if highest > lowest + 1 => {
                let Some(last) = owners.iter_mut().rfind(|owner| **owner == Some(most)) else { return };
                load.entry(most).and_modify(|count| *count -= 1);
                last
            }
            None => return,
        };
        *moved = Some(least);
        load.entry(least).and_modify(|count| *count += 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(members: &[Uuid], owners: &[Option<Uuid>]) -> Vec<usize> {
        members.iter().map(|member| owners.iter().filter(|owner| **owner == Some(*member)).count()).collect()
    }

    #[test]
    fn partitions_are_shared_evenly_and_few_of_them_move() {
        let members: Vec<Uuid> = (1..=5).map(Uuid::from_u128).collect();
        let mut owners = vec![None; 16];
        share_out(&members[..3], &mut owners);
        assert_eq!(counts(&members[..3], &owners), [6, 5, 5]);
        let before = owners.clone();
        share_out(&members[..4], &mut owners);
        assert_eq!(counts(&members[..4], &owners), [4, 4, 4, 4]);
        assert_eq!(before.iter().zip(&owners).filter(|(before, after)| before != after).count(), 4);
        let before = owners.clone();
        share_out(&members[1..4], &mut owners);
        assert_eq!(before.iter().zip(&owners).filter(|(before, after)| before != after).count(), 4);
        share_out(&[], &mut owners);
        assert_eq!(owners, [None; 16]);
    }

    #[test]
    fn more_members_than_partitions_leave_some_idle() {
        let members: Vec<Uuid> = (1..=5).map(Uuid::from_u128).collect();
        let mut owners = vec![None; 2];
        share_out(&members, &mut owners);
        assert_eq!(counts(&members, &owners), [1, 1, 0, 0, 0]);
    }
}
