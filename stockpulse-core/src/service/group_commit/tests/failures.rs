//! Stores that fail, and callers that go.

use super::*;

#[tokio::test]
async fn an_error_reaches_every_caller_of_its_batch_and_no_other() {
    let (group, store) = start(GroupCommitOptions::default());
    store.will(&[Answer::TenTimes, Answer::Unavailable, Answer::TenTimes]);
    let before = ask(&group, 1).await;
    let (one, several) = (ask(&group, 2).await, ask_many(&group, &[3, 4]).await);
    store.let_through(1).await;
    let after = ask(&group, 5).await;
    store.let_through(2).await;
    assert_eq!(store.batches(), [vec![1], vec![2, 3, 4], vec![5]]);
    assert_eq!(before.await.unwrap().unwrap(), 10);
    let error = one.await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Unavailable, "made to fail"));
    assert_eq!(kind(several.await.unwrap()), Some(ErrorKind::Unavailable));
    assert_eq!(after.await.unwrap().unwrap(), 50);
}

#[tokio::test]
async fn where_all_fail_as_one_those_who_waited_are_answered_and_those_who_come_later_are_tried() {
    let store = Store { fails_as_one: true, ..Store::default() };
    let (group, store) = start_before(store, GroupCommitOptions { queue: some(4), ..GroupCommitOptions::default() });
    store.will(&[Answer::Unavailable, Answer::TenTimes, Answer::TenTimes, Answer::Panic]);
    for (first, answer) in [(1, Some(ErrorKind::Unavailable)), (11, None), (21, Some(ErrorKind::Unexpected))] {
        let tried = ask(&group, first).await;
        let (one, several) = (ask(&group, first + 1).await, ask_many(&group, &[first + 2, first + 3]).await);
        store.let_through(1).await;
        assert_eq!(kind(tried.await.unwrap()), answer);
        if answer.is_none() {
            store.let_through(1).await;
        }
        assert_eq!((kind(one.await.unwrap()), kind(several.await.unwrap())), (answer, answer));
    }
    assert_eq!(store.batches(), [vec![1], vec![11], vec![12, 13, 14], vec![21]]);
    store.let_through(1).await;
    assert_eq!(group.one(0, 31, Arc::default()).await.unwrap(), 310);
}

#[tokio::test]
async fn a_store_that_answers_too_little_or_too_much_is_an_error_and_gives_nobody_anothers_answer() {
    for wrong in [Answer::TooFew, Answer::TooMany] {
        let (group, store) = start(GroupCommitOptions::default());
        store.will(&[Answer::TenTimes, wrong]);
        let first = ask(&group, 1).await;
        let (one, several) = (ask(&group, 2).await, ask_many(&group, &[3, 4]).await);
        store.let_through(3).await;
        assert_eq!(first.await.unwrap().unwrap(), 10);
        assert_eq!(kind(one.await.unwrap()), Some(ErrorKind::Unexpected));
        let error = several.await.unwrap().unwrap_err();
        assert!(error.to_string().contains("of 3 commands"), "{error}");
        assert_eq!(group.one(0, 5, Arc::default()).await.unwrap(), 50);
    }
}

#[tokio::test]
async fn a_store_that_panics_fails_one_batch_and_the_queue_goes_on() {
    let (group, store) = start(GroupCommitOptions::default());
    store.will(&[Answer::TenTimes, Answer::Panic]);
    let first = ask(&group, 1).await;
    let (one, several) = (ask(&group, 2).await, ask_many(&group, &[3, 4]).await);
    store.let_through(3).await;
    assert_eq!(first.await.unwrap().unwrap(), 10);
    let error = one.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unexpected);
    assert!(error.to_string().contains("made to panic"), "{error}");
    assert_eq!(kind(several.await.unwrap()), Some(ErrorKind::Unexpected));
    assert_eq!(group.one(0, 5, Arc::default()).await.unwrap(), 50);
}

#[tokio::test]
async fn a_caller_that_goes_after_queueing_is_committed_and_disturbs_nobody() {
    let (group, store) = start(GroupCommitOptions::default());
    let under_way = ask(&group, 1).await;
    let (queued, several) = (ask(&group, 2).await, ask_many(&group, &[3, 4]).await);
    let stays = ask(&group, 5).await;
    under_way.abort();
    queued.abort();
    several.abort();
    settle().await;
    store.let_through(2).await;
    assert_eq!(store.batches(), [vec![1], vec![2, 3, 4, 5]]);
    assert_eq!(stays.await.unwrap().unwrap(), 50);
}

#[tokio::test]
async fn a_caller_that_goes_while_it_waits_for_a_place_is_not_committed() {
    let (group, store) = start(GroupCommitOptions { queue: some(1), ..GroupCommitOptions::default() });
    let (first, second) = (ask(&group, 1).await, ask(&group, 2).await);
    let waits = ask(&group, 3).await;
    let behind = ask(&group, 4).await;
    waits.abort();
    settle().await;
    store.let_through(3).await;
    assert_eq!(store.batches().concat(), [1, 2, 4]);
    for caller in [first, second, behind] {
        assert!(caller.await.unwrap().is_ok());
    }
}

#[tokio::test]
async fn a_ticket_lives_until_its_command_is_decided_whether_or_not_the_caller_does() {
    let (group, store) = start(GroupCommitOptions::default());
    let (ticket, same) = (Arc::new(()), Arc::clone(&group));
    let held = Arc::clone(&ticket);
    let caller = tokio::spawn(async move { same.one(0, 1, held).await });
    settle().await;
    caller.abort();
    settle().await;
    assert_eq!(Arc::strong_count(&ticket), 2, "the command is still under way");
    store.let_through(1).await;
    assert_eq!(Arc::strong_count(&ticket), 1);
}
