//! What is committed together, and who gets which answer.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_lone_caller_waits_for_nobody() {
    let (group, store) = start(GroupCommitOptions::default());
    store.let_through(3).await;
    let before = tokio::time::Instant::now();
    for number in 1..=3 {
        assert_eq!(group.one(0, number, Arc::default()).await.unwrap(), number * 10);
    }
    assert_eq!(before.elapsed().as_nanos(), 0, "any timer would have moved the paused time");
    assert_eq!(store.batches(), [[1], [2], [3]]);
}

#[tokio::test]
async fn those_who_come_during_a_commit_share_the_next_and_each_gets_his_own_answer() {
    let (group, store) = start(GroupCommitOptions::default());
    let mut callers = Vec::new();
    for number in 1..=6 {
        callers.push(ask(&group, number).await);
    }
    assert_eq!(store.batches(), [[1]]);
    store.let_through(1).await;
    assert_eq!(store.batches(), [vec![1], vec![2, 3, 4, 5, 6]]);
    store.let_through(1).await;
    for (number, caller) in (1..).zip(callers) {
        assert_eq!(caller.await.unwrap().unwrap(), number * 10);
    }
    assert_eq!(store.batches().len(), 2);
}

#[tokio::test]
async fn several_commands_stay_together_and_in_order_among_others() {
    let (group, store) = start(GroupCommitOptions::default());
    let first = ask(&group, 1).await;
    let one = ask(&group, 2).await;
    let several = ask_many(&group, &[5, 3, 4]).await;
    let last = ask(&group, 6).await;
    store.let_through(2).await;
    assert_eq!(store.batches(), [vec![1], vec![2, 5, 3, 4, 6]]);
    assert_eq!(several.await.unwrap().unwrap(), [50, 30, 40]);
    for (caller, answer) in [(first, 10), (one, 20), (last, 60)] {
        assert_eq!(caller.await.unwrap().unwrap(), answer);
    }
}

#[tokio::test]
async fn no_batch_is_larger_than_it_may_be_unless_one_request_is() {
    let (group, store) = start(GroupCommitOptions { max_batch: some(4), ..GroupCommitOptions::default() });
    let first = ask(&group, 0).await;
    let three = ask_many(&group, &[1, 2, 3]).await;
    let two = ask_many(&group, &[4, 5]).await;
    let six = ask_many(&group, &[6, 7, 8, 9, 10, 11]).await;
    let mut rest = Vec::new();
    for number in 12..18 {
        rest.push(ask(&group, number).await);
    }
    store.let_through(10).await;
    let sizes: Vec<usize> = store.batches().iter().map(Vec::len).collect();
    assert_eq!(store.batches().concat(), (0..18).collect::<Vec<_>>());
    assert_eq!(sizes[..4], [1, 3, 2, 6]);
    assert!(sizes[4..].iter().all(|size| *size <= 4), "{sizes:?}");
    assert_eq!(first.await.unwrap().unwrap(), 0);
    assert_eq!(three.await.unwrap().unwrap(), [10, 20, 30]);
    assert_eq!(two.await.unwrap().unwrap(), [40, 50]);
    assert_eq!(six.await.unwrap().unwrap().len(), 6);
    for (number, caller) in (12..).zip(rest) {
        assert_eq!(caller.await.unwrap().unwrap(), number * 10);
    }
}

#[tokio::test]
async fn a_full_queue_makes_callers_wait() {
    let (group, store) = start(GroupCommitOptions { queue: some(2), ..GroupCommitOptions::default() });
    let mut callers = Vec::new();
    for number in 1..=5 {
        callers.push(ask(&group, number).await);
    }
    store.let_through(1).await;
    assert_eq!(store.batches(), [vec![1], vec![2, 3]]);
    store.let_through(5).await;
    assert_eq!(store.batches().concat(), [1, 2, 3, 4, 5]);
    for (number, caller) in (1..).zip(callers) {
        assert_eq!(caller.await.unwrap().unwrap(), number * 10);
    }
}

#[tokio::test]
async fn or_refuses_them_as_they_chose() {
    let backpressure = Backpressure::Refuse;
    let (group, store) = start(GroupCommitOptions { queue: some(2), backpressure, ..GroupCommitOptions::default() });
    let mut callers = Vec::new();
    for number in 1..=3 {
        callers.push(ask(&group, number).await);
    }
    assert_eq!(kind(group.one(0, 4, Arc::default()).await), Some(ErrorKind::Contention));
    assert_eq!(kind(group.many(0, vec![5, 6], Arc::default()).await), Some(ErrorKind::Contention));
    store.let_through(2).await;
    assert_eq!(store.batches().concat(), [1, 2, 3], "who was refused is not committed");
    store.let_through(1).await;
    assert_eq!(group.one(0, 7, Arc::default()).await.unwrap(), 70, "there is room again");
}

#[tokio::test]
async fn shards_commit_side_by_side() {
    let (group, store) = start(GroupCommitOptions { shards: some(2), ..GroupCommitOptions::default() });
    let (one, other) = (Arc::clone(&group), Arc::clone(&group));
    let one = tokio::spawn(async move { one.one(0, 1, Arc::default()).await });
    let other = tokio::spawn(async move { other.one(1, 2, Arc::default()).await });
    settle().await;
    assert_eq!(store.batches(), [[1], [2]], "neither waits for the other");
    store.let_through(2).await;
    assert_eq!((one.await.unwrap().unwrap(), other.await.unwrap().unwrap()), (10, 20));
    assert_eq!(kind(group.one(2, 3, Arc::default()).await), Some(ErrorKind::Closed), "there is no such shard");
}

/// So many that commute, each in a request of its own.
async fn ask_commuting(group: &Group, numbers: std::ops::Range<u32>) -> Vec<JoinHandle<Result<u32>>> {
    let mut callers = Vec::new();
    for number in numbers {
        callers.push(ask(group, COMMUTING + number).await);
    }
    callers
}

#[tokio::test]
async fn while_a_large_batch_is_committed_the_next_is_handed_over_if_their_order_does_not_matter() {
    let (group, store) = start(GroupCommitOptions::default());
    let first = ask_commuting(&group, 0..1).await;
    // They wait for the first, and go together.
    let second = ask_commuting(&group, 1..81).await;
    store.let_through(1).await;
    assert_eq!(store.batches().last().map(Vec::len), Some(80));
    let third = ask_commuting(&group, 81..140).await;
    assert_eq!(store.batches().len(), 2, "59 are too few beside 80");
    let last = ask_commuting(&group, 140..230).await;
    assert_eq!(store.batches().len(), 3, "60 are enough, and no more than two batches are under way");
    assert_eq!(store.batches()[2].len(), 60);
    store.let_through(3).await;
    for (number, caller) in (0..).zip(first.into_iter().chain(second).chain(third).chain(last)) {
        assert_eq!(caller.await.unwrap().unwrap(), (COMMUTING + number) * 10);
    }
}

#[tokio::test]
async fn a_command_whose_order_matters_waits_for_all_before_it_and_lets_nobody_by() {
    let (group, store) = start(GroupCommitOptions::default());
    let first = ask_commuting(&group, 0..1).await;
    let second = ask_commuting(&group, 1..81).await;
    store.let_through(1).await;
    let other = ask(&group, 7).await;
    let third = ask_commuting(&group, 81..160).await;
    assert_eq!(store.batches().len(), 2);
    store.let_through(1).await;
    assert_eq!(store.batches()[2].first(), Some(&7));
    let last = ask_commuting(&group, 160..320).await;
    assert_eq!(store.batches().len(), 3);
    store.let_through(2).await;
    assert_eq!(other.await.unwrap().unwrap(), 70);
    for caller in first.into_iter().chain(second).chain(third).chain(last) {
        assert!(caller.await.unwrap().is_ok());
    }
}
