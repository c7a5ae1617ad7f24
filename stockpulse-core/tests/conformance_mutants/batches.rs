//! What can be wrong with the batches of any store.

use std::future::Future;
use std::sync::atomic::Ordering;

use stockpulse_core::model::{Command, CommandId, Timestamp};
use stockpulse_core::port::IdGenerator;
use stockpulse_core::{Error, ErrorKind, RandomIds, Result};

use super::broken::{Broken, Fault};

pub(crate) fn fresh() -> CommandId {
    CommandId::new(RandomIds.next_id(Timestamp::from_secs(1_700_000_000)))
}

impl<P: ?Sized> Broken<P> {
    /// Executes a batch by `execute`, with whatever is wrong with it.
    pub(crate) async fn batch<A, O, F>(
        &self,
        mut batch: Vec<Command<A>>,
        is_refused: fn(&O) -> bool,
        execute: impl Fn(Vec<Command<A>>) -> F,
    ) -> Result<Vec<O>>
    where
        A: Clone,
        F: Future<Output = Result<Vec<O>>>,
    {
        let ids: Vec<_> = batch.iter().map(|command| command.id.as_uuid()).collect();
        let known = self.memory.commands.lock().unwrap().clone();
        let seen = |command: &Command<A>| known.contains(&command.id.as_uuid());
        match self.fault {
            Fault::EmptyBatchFails if batch.is_empty() => {
                return Err(Error::new(ErrorKind::Unexpected, "INSERT without VALUES"));
            }
            Fault::OutcomesReversed => {
                let mut outcomes = execute(batch).await?;
                outcomes.reverse();
                return Ok(outcomes);
            }
            Fault::BatchReversed => {
                batch.reverse();
                let mut outcomes = execute(batch).await?;
                outcomes.reverse();
                return Ok(outcomes);
            }
            Fault::LargeBatchInPieces | Fault::EndOfLargeBatchLost if batch.len() > 300 => {
                let mut outcomes = Vec::new();
                for piece in batch.chunks(300) {
                    outcomes.extend(execute(piece.to_vec()).await?);
                    if self.is(Fault::EndOfLargeBatchLost) {
                        break;
                    }
                }
                return Ok(outcomes);
            }
            Fault::TwoTransactions if batch.len() > 1 => {
                let rest = batch.split_off(1);
                let mut outcomes = execute(batch).await?;
                tokio::task::yield_now().await;
                outcomes.extend(execute(rest).await?);
                return Ok(outcomes);
            }
            Fault::ForgetsCommands => batch.iter_mut().filter(|command| seen(command)).for_each(|c| c.id = fresh()),
            Fault::ForgetsOldCommands => {
                let old = known.get(..known.len().saturating_sub(40)).unwrap_or_default();
                let forgotten = batch.iter_mut().filter(|command| old.contains(&command.id.as_uuid()));
                forgotten.for_each(|command| command.id = fresh());
            }
            Fault::ForgetsRefusals => {
                let refused = self.memory.refused.lock().unwrap().clone();
                let forgotten = batch.iter_mut().filter(|command| refused.contains(&command.id.as_uuid()));
                forgotten.for_each(|command| command.id = fresh());
            }
            Fault::MissesDuplicatesInBatch => {
                for index in 0..batch.len() {
                    if ids[..index].contains(&ids[index]) {
                        batch[index].id = fresh();
                    }
                }
            }
            Fault::IgnoresContents => {
                // What is known by its id is not looked at; what was first under it is left out here.
                let fresh_ones: Vec<_> = batch.iter().filter(|command| !seen(command)).cloned().collect();
                if fresh_ones.len() < batch.len() && !fresh_ones.is_empty() {
                    self.memory.commands.lock().unwrap().extend(ids);
                    return execute(fresh_ones).await;
                }
                if fresh_ones.is_empty() {
                    batch.iter_mut().for_each(|command| command.id = fresh());
                }
            }
            Fault::ChecksBeforeItLocks => {
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
                batch.iter_mut().filter(|command| !seen(command)).for_each(|command| command.id = fresh());
            }
            Fault::FailsWhenBusy => {
                let busy = self.memory.busy.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
                let outcomes = execute(batch).await;
                self.memory.busy.fetch_sub(1, Ordering::SeqCst);
                return if busy > 0 { Err(Error::new(ErrorKind::Contention, "deadlock")) } else { outcomes };
            }
            _ => {}
        }
        self.memory.commands.lock().unwrap().extend(&ids);
        let outcomes = execute(batch).await?;
        let refused = ids.iter().zip(&outcomes).filter(|(_, outcome)| is_refused(outcome));
        self.memory.refused.lock().unwrap().extend(refused.map(|(id, _)| *id));
        Ok(outcomes)
    }
}
