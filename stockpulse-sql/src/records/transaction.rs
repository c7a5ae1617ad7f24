//! What is done with records in one transaction.

use std::collections::{BTreeMap, BTreeSet};

use stockpulse_core::Error;
use stockpulse_core::engine::Engine;
use stockpulse_core::engine::record::{Put, PutOutcome, Record, RecordWorkingSet};
use stockpulse_core::model::{Command, Timestamp};
use stockpulse_core::port::Page;

use super::stored::Stored;
use crate::database::{Select, Session};
use crate::failure::Failure;
use crate::frame::{outcome_row, read_outcome};
use crate::outbox;
use crate::rows::{aligned, bound, sorted};
use crate::table::Rows;
use crate::value::Cells;

/// Decides a batch: loads outcomes and then, under lock and in the order of their keys, records; saves what changed.
pub(crate) async fn decide<T: Stored, S: Session>(
    session: &mut S,
    engine: &Engine,
    batch: &[Command<Put<T>>],
) -> Result<Vec<PutOutcome>, Failure> {
    let mut set = RecordWorkingSet::default();
    let mut ids: Vec<_> = batch.iter().map(|command| command.id).collect();
    ids.sort_unstable();
    ids.dedup();
    let ids = Rows::single(ids.iter().map(|id| id.as_uuid()));
    for row in session.select(Select { table: T::TABLES.commands, lock: false }, &ids).await? {
        let (id, decided) = read_outcome(&row)?;
        set.insert_outcome(id, decided);
    }
    let keys: Vec<T::Key> = batch.iter().map(|command| command.action.record.key()).collect();
    let mut loaded = BTreeSet::new();
    for record in select(session, &keys, true).await? {
        let record: T = record;
        loaded.insert(record.key());
        set.insert(record);
    }
    let outcomes = engine.execute_puts(&mut set, batch);
    let at = batch.iter().map(|command| command.at).max().unwrap_or_default();
    save(session, &set, &loaded, at).await?;
    Ok(outcomes)
}

/// Writes what changed, by keys, the events last. A record that was not there could not be locked: it is inserted, and
/// who comes second with the same key is tried again.
async fn save<T: Stored, S: Session>(
    session: &mut S,
    set: &RecordWorkingSet<T>,
    loaded: &BTreeSet<T::Key>,
    at: Timestamp,
) -> Result<(), Failure> {
    let tables = T::TABLES;
    let (mut new, mut known) = (Rows::of(&tables.records, 0), Rows::of(&tables.records, 0));
    let changed: BTreeMap<T::Key, &T> = set.changed().map(|record| (record.key(), record)).collect();
    for (key, record) in changed {
        record.push(if loaded.contains(&key) { &mut known } else { &mut new })?;
    }
    let mut decided: Vec<_> = set.new_outcomes().collect();
    decided.sort_unstable_by_key(|(id, _)| *id);
    let mut commands = Rows::of(tables.commands, decided.len());
    for (id, decided) in decided {
        commands.push(outcome_row(id, decided, at)?);
    }
    session.insert(&tables.records, new).await?;
    session.upsert(&tables.records, known).await?;
    session.insert(tables.commands, commands).await?;
    outbox::append(session, tables.outbox, outbox::pack(set.events())?).await
}

/// Reads records, aligned with their keys.
pub(crate) async fn get<T: Stored, S: Session>(session: &mut S, keys: &[T::Key]) -> Result<Vec<Option<T>>, Failure> {
    let found = select(session, keys, false).await?;
    Ok(aligned(keys, found, Record::key))
}

/// Records in the order of their keys.
pub(crate) async fn list<T: Stored, S: Session>(
    session: &mut S,
    after: Option<&T::Key>,
    limit: usize,
) -> Result<Page<T, T::Key>, Failure> {
    let (tables, key) = (T::TABLES, T::TABLES.key());
    let bounds = if after.is_some() { format!("WHERE {key} > ?") } else { String::new() };
    let mut args: Vec<_> = after.into_iter().map(T::key_value).collect();
    args.push(bound(limit.saturating_add(1)));
    let (columns, name) = (tables.records.names(""), tables.records.name);
    let sql = format!("SELECT {columns} FROM {name} {bounds} ORDER BY {key} LIMIT ?");
    let found = session.query(&sql, &args).await?;
    let records = found.iter().map(read).collect::<Result<Vec<T>, _>>()?;
    Ok(Page::collect(records.into_iter(), limit, Record::key))
}

/// The records with these keys, as far as they exist.
async fn select<T: Stored, S: Session>(session: &mut S, keys: &[T::Key], lock: bool) -> Result<Vec<T>, Failure> {
    let keys = Rows::single(sorted(keys).iter().map(T::key_value));
    let found = session.select(Select { table: &T::TABLES.records, lock }, &keys).await?;
    found.iter().map(read).collect()
}

fn read<T: Stored>(row: &impl Cells) -> Result<T, Failure> {
    let record = serde_json::from_str(&row.text(T::TABLES.body())?);
    let wrong =
        |error| Error::corrupt(format!("a stored {} cannot be read", T::TABLES.records.name)).with_source(error);
    Ok(record.map_err(wrong)?)
}
