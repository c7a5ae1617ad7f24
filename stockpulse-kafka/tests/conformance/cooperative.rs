//! The rules about members again, with the assignor that moves partitions one by one.

use stockpulse_core::conformance::bus;

use super::harness::kafka;
use crate::support::broker_or_skip;

#[tokio::test(flavor = "multi_thread")]
async fn members_share_and_pass_on_with_the_cooperative_assignor() {
    if broker_or_skip("members_share_and_pass_on_with_the_cooperative_assignor").is_none() {
        return;
    }
    let harness = kafka().with_consumer_setting("partition.assignment.strategy", "cooperative-sticky");
    let names = [
        "members_share_the_events",
        "who_leaves_passes_events_on",
        "who_is_dropped_passes_events_on",
        "nothing_is_lost_while_members_come_and_go",
        "tags_of_an_older_generation_are_ignored",
        "a_new_group_may_begin_with_the_next",
    ];
    for name in names {
        let rule = bus::RULES.iter().find(|rule| rule.name == name).unwrap();
        rule.check(&harness).await.unwrap();
    }
}
