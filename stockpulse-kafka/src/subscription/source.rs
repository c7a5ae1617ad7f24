//! The topics that a subscription reads, and what is behind each.

use std::sync::Arc;
use std::time::Duration;

use crate::topics;

/// A topic of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// The topic itself.
    pub(crate) topic: Arc<str>,
    /// The topic that its records were first published to: itself, unless it is one for retries.
    pub(crate) base: Arc<str>,
    /// How long its records wait before they are delivered.
    pub(crate) delay: Option<Duration>,
    /// Where its records go to be tried again; `None` where they are tried again in place.
    pub(crate) next: Option<Arc<str>>,
    /// Whether its records become dead letters instead, as it is the last one for retries.
    pub(crate) is_last: bool,
}

/// Every topic that a group reads: those of its events, and for each those of its retries.
pub(crate) fn sources(bases: &[String], group: &str, delays: &[Duration]) -> Vec<Source> {
    let mut sources = Vec::new();
    for base in bases {
        let base: Arc<str> = base.as_str().into();
        let mut topics = vec![(Arc::clone(&base), None)];
        topics.extend(delays.iter().map(|delay| (topics::retry_topic(&base, group, *delay).into(), Some(*delay))));
        for (index, (topic, delay)) in topics.iter().enumerate() {
            let next = topics.get(index + 1).map(|(next, _)| Arc::clone(next));
            let is_last = next.is_none() && !delays.is_empty();
            sources.push(Source { topic: Arc::clone(topic), base: Arc::clone(&base), delay: *delay, next, is_last });
        }
    }
    sources
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_retry_topics_an_event_is_tried_again_in_place() {
        let [source] = sources(&["orders".to_owned()], "inventory", &[]).try_into().unwrap();
        assert_eq!((&*source.topic, source.delay, source.next, source.is_last), ("orders", None, None, false));
    }

    #[test]
    fn retry_topics_follow_each_other_and_the_last_leads_to_the_dead_letters() {
        let delays = [5, 60].map(Duration::from_secs);
        let sources = sources(&["orders".to_owned()], "inventory", &delays);
        let names: Vec<_> =
            sources.iter().map(|source| (&*source.topic, source.next.as_deref(), source.is_last)).collect();
        let (first, second) = ("orders.inventory.retry.5s", "orders.inventory.retry.1m");
        assert_eq!(names, [("orders", Some(first), false), (first, Some(second), false), (second, None, true)]);
        assert!(sources.iter().all(|source| &*source.base == "orders"));
        assert_eq!(sources[2].delay, Some(delays[1]));
    }
}
