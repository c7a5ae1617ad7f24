//! Closing, and dropping.

use super::*;

#[tokio::test]
async fn closing_commits_what_is_queued_and_takes_nothing_more() {
    let (group, store) = start(GroupCommitOptions { queue: some(2), ..GroupCommitOptions::default() });
    let first = ask(&group, 1).await;
    let (one, several) = (ask(&group, 2).await, ask_many(&group, &[3, 4]).await);
    let waits_for_a_place = ask(&group, 5).await;
    let same = Arc::clone(&group);
    let closing = tokio::spawn(async move { same.close().await });
    store.let_through(1).await;
    assert_eq!(kind(group.one(0, 6, Arc::default()).await), Some(ErrorKind::Closed));
    assert_eq!(kind(group.many(0, vec![7], Arc::default()).await), Some(ErrorKind::Closed));
    assert!(!closing.is_finished(), "what is queued is still to be committed");
    // Whoever closes it too, after somebody who was cut short maybe, waits as well.
    closing.abort();
    let same = Arc::clone(&group);
    let again = tokio::spawn(async move { same.close().await });
    settle().await;
    assert!(!again.is_finished());
    store.let_through(2).await;
    again.await.unwrap();
    assert_eq!(first.await.unwrap().unwrap(), 10);
    assert_eq!(one.await.unwrap().unwrap(), 20);
    assert_eq!(several.await.unwrap().unwrap(), [30, 40]);
    let waited = waits_for_a_place.await.unwrap();
    assert_eq!(store.batches().concat().contains(&5), waited.is_ok(), "it was committed or told so");
    group.close().await;
}

#[tokio::test]
async fn an_idle_one_closes_at_once() {
    let (group, _store) = start(GroupCommitOptions { shards: some(3), ..GroupCommitOptions::default() });
    group.close().await;
    assert_eq!(kind(group.one(0, 1, Arc::default()).await), Some(ErrorKind::Closed));
}

#[tokio::test]
async fn when_all_have_gone_what_is_queued_is_committed_and_the_task_ends() {
    let (group, store) = start(GroupCommitOptions::default());
    let callers = [ask(&group, 1).await, ask(&group, 2).await];
    let several = ask_many(&group, &[3, 4]).await;
    for caller in &callers {
        caller.abort();
    }
    several.abort();
    drop(group);
    settle().await;
    assert_eq!(store.batches(), [[1]]);
    store.let_through(2).await;
    assert_eq!(store.batches(), [vec![1], vec![2, 3, 4]]);
    assert_eq!(Arc::strong_count(&store), 1, "the task has ended");
}
