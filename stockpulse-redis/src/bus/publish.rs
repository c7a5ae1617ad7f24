//! Publishing.

use std::collections::BTreeMap;

use futures::future::join_all;
use stockpulse_core::bus::partition_of;
use stockpulse_core::model::Envelope;
use stockpulse_core::port::Published;
use stockpulse_core::{Error, Result};

use super::keys::Partition;
use super::options::millis;
use super::script::{PUBLISH, call};
use super::shared::Shared;
use super::wire::add;

/// Events and bytes of one call, which keeps the server from everything else while it runs.
const EVENTS: usize = 256;
const BYTES: usize = 1 << 20;

impl Shared {
    /// Appends each event to the partition of its key, and the events of a partition in their order.
    pub(super) async fn publish(&self, batch: &[Envelope]) -> Result<Vec<Published>> {
        // Closing waits for what is under way.
        let _open = self.publishing.read().await;
        self.check()?;
        let partitions = self.partitions().await?;
        let mut answers = vec![Published::Acknowledged; batch.len()];
        let mut routed: BTreeMap<(&str, u32), Vec<(usize, &Envelope)>> = BTreeMap::new();
        for (index, (envelope, answer)) in batch.iter().zip(&mut answers).enumerate() {
            match envelope.validate(self.options.max_event_bytes).and_then(|()| envelope.event_type()) {
                Err(reason) => *answer = Published::Refused(reason.to_string()),
                Ok(known) => {
                    let place = (self.options.topics.topic(known), partition_of(&envelope.partition_key, partitions));
                    routed.entry(place).or_default().push((index, envelope));
                }
            }
        }
        let parts = routed.len();
        let calls = routed.into_iter().map(|((topic, number), events)| async move {
            let partition = Partition::new(self.connection.options(), topic, number);
            let (done, result) = self.append(&partition, &events).await;
            (events.into_iter().skip(done), result)
        });
        let mut errors: Vec<Error> = Vec::new();
        for (left, result) in join_all(calls).await {
            let Err(error) = result else { continue };
            for (index, _) in left {
                if let Some(answer) = answers.get_mut(index) {
                    *answer = Published::Failed(error.to_string());
                }
            }
            errors.push(error);
        }
        let none = !answers.contains(&Published::Acknowledged);
        match errors.pop() {
            // Nothing went: that concerns the whole batch.
            Some(error) if none && errors.len() + 1 == parts => Err(error),
            _ => Ok(answers),
        }
    }

    /// Answers how many events are on the bus for certain, and why not all.
    async fn append(&self, partition: &Partition, events: &[(usize, &Envelope)]) -> (usize, Result<()>) {
        let window = millis(self.options.remember);
        let mut done = 0;
        while let Some(rest) = events.get(done..).filter(|rest| !rest.is_empty()) {
            let mut append = call([&partition.stream, &partition.ids()], [&window]);
            let (mut count, mut bytes) = (0, 0);
            for (_, envelope) in rest {
                bytes += envelope.data.len();
                if count == EVENTS || (count > 0 && bytes > BYTES) {
                    break;
                }
                append.argument(envelope.id.to_string());
                add(envelope, &mut append);
                count += 1;
            }
            if let Err(error) = self.connection.script::<i64>(&PUBLISH, &append).await {
                return (done, Err(error));
            }
            done += count;
        }
        (done, Ok(()))
    }
}
