//! A member of a consumer group.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use stockpulse_core::port::{Clock, Delivery, DeliveryTag, IdGenerator, Nack, SubscribeOptions, Subscription};
use stockpulse_core::{Error, ErrorKind, RandomIds, Result, SystemClock};
use tokio::time::Instant;

use super::fetch::{Ask, Look, look};
use super::groups::Seat;
use super::heartbeat::Heartbeat;
use super::publish::Connection;
use super::reader::Reader;
use super::settle::{Change, settle};
use crate::database::{Access, Database};

/// The least and the most of what options may ask for: less would never rest, and more is no time any more.
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// Bytes that a group's name may have.
const MAX_GROUP_BYTES: usize = 255;

/// A member of a consumer group on a [`SqlBus`](super::SqlBus). Dropping it leaves the group as soon as the database can be
/// reached; if the process ends instead, its lease runs out.
pub(super) struct SqlSubscription<D: Database> {
    connection: Arc<Connection<D>>,
    pub(super) seat: Arc<Seat>,
    pub(super) heartbeat: Heartbeat<D>,
    types: Vec<&'static str>,
    reader: Reader,
    /// A look that is under way. It outlives a call of `receive` that was given up, so that whoever never waits long
    /// still gets somewhere.
    looking: Option<BoxFuture<'static, Result<Look>>>,
    flushed: Instant,
}

impl<D: Database> fmt::Debug for SqlSubscription<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seat, partitions) = (&self.seat, self.reader.partitions());
        f.debug_struct("SqlSubscription").field("seat", seat).field("partitions", &partitions).finish_non_exhaustive()
    }
}

impl<D: Database> SqlSubscription<D> {
    /// Joins a group.
    pub(super) async fn join(connection: Arc<Connection<D>>, options: SubscribeOptions) -> Result<Self> {
        connection.check()?;
        let SubscribeOptions { group, mut event_types, start, max_in_flight } = options;
        if event_types.is_empty() || max_in_flight == 0 {
            let message = format!("group '{group}': no event types, or a max_in_flight of 0");
            return Err(Error::new(ErrorKind::Config, message));
        }
        if group.len() > MAX_GROUP_BYTES || group.contains('\0') {
            let message = format!("group '{group}': longer than {MAX_GROUP_BYTES} bytes, or with a NUL");
            return Err(Error::new(ErrorKind::Config, message));
        }
        event_types.sort_unstable();
        event_types.dedup();
        let names: Vec<&str> = event_types.iter().map(|known| known.name()).collect();
        let seat = Arc::new(Seat {
            group: group.into(),
            member: RandomIds.next_id(SystemClock.now()),
            event_types: names.join("\n"),
            start,
            lease: connection.options.lease.max(3 * SHORTEST),
            left: AtomicBool::new(false),
        });
        connection.partitions().await?;
        let heartbeat = Heartbeat::start(Arc::clone(&connection.shared), Arc::clone(&seat)).await?;
        let types = event_types.iter().flat_map(|known| [known.cloud_event_type(), known.name()]).collect();
        let reader = Reader::new(max_in_flight);
        Ok(Self { connection, seat, heartbeat, types, reader, looking: None, flushed: Instant::now() })
    }

    fn check(&self) -> Result<()> {
        self.connection.check()?;
        if self.seat.left.load(Ordering::Acquire) { Err(Error::closed("subscription")) } else { Ok(()) }
    }

    /// Begins to look for the partitions that this member reads, and for what is new in them.
    fn begin(&mut self, max: usize) -> BoxFuture<'static, Result<Look>> {
        self.reader.turn = self.reader.turn.wrapping_add(1);
        let ask = Arc::new(Ask {
            group: self.seat.group.clone(),
            member: self.seat.member,
            types: self.types.clone(),
            known: self.reader.known(),
            events: self.reader.budget(max),
            turn: self.reader.turn,
        });
        let shared = Arc::clone(&self.connection.shared);
        Box::pin(async move {
            let looked = shared.transact("bus.receive", Access::Read, move |session| {
                let ask = Arc::clone(&ask);
                Box::pin(async move { look(session, &ask).await })
            });
            looked.await
        })
    }

    /// Goes on with the look that is under way, or begins one.
    async fn look(&mut self, max: usize) -> Result<Look> {
        if self.looking.is_none() {
            self.looking = Some(self.begin(max));
        }
        let looked = match &mut self.looking {
            Some(looking) => looking.await,
            None => Ok(Look::default()),
        };
        self.looking = None;
        looked
    }

    /// Writes down the places that the database does not know yet.
    async fn flush(&mut self) -> Result<()> {
        let changes = self.reader.unwritten();
        let places: Vec<(u32, u64)> = changes.iter().map(|(index, change)| (*index, change.watermark)).collect();
        write(&self.connection, &self.seat, changes).await?;
        self.reader.wrote(places);
        self.flushed = Instant::now();
        Ok(())
    }
}

fn write<D: Database>(
    connection: &Connection<D>,
    seat: &Arc<Seat>,
    changes: BTreeMap<u32, Change>,
) -> BoxFuture<'static, Result<()>> {
    if changes.is_empty() {
        return Box::pin(async { Ok(()) });
    }
    let (shared, seat, changes) = (Arc::clone(&connection.shared), Arc::clone(seat), Arc::new(changes));
    Box::pin(async move {
        let settled = shared.transact("bus.settle", Access::Write, move |session| {
            let (seat, changes) = (Arc::clone(&seat), Arc::clone(&changes));
            Box::pin(async move { settle(session, &seat, &changes).await })
        });
        settled.await
    })
}

#[async_trait]
impl<D: Database> Subscription for SqlSubscription<D> {
    async fn receive(&mut self, max: usize) -> Result<Vec<Delivery>> {
        if max == 0 {
            return Err(Error::invalid("max is 0, and at least one event is answered").during("bus.receive"));
        }
        let connection = Arc::clone(&self.connection);
        let poll = connection.options.poll.clamp(SHORTEST, LONGEST);
        loop {
            self.check().map_err(|error| error.during("bus.receive"))?;
            // Made before the look, so that what is published after it ends the wait.
            let changed = connection.changed.notified();
            let look = self.look(max).await?;
            let any = self.reader.apply(look);
            let (deliveries, due) = self.reader.deliver(max);
            if !deliveries.is_empty() {
                return Ok(deliveries);
            }
            self.heartbeat.check().map_err(|error| error.during("bus.receive"))?;
            if any {
                continue;
            }
            if self.flushed.elapsed() >= connection.options.flush {
                self.flush().await?;
            }
            let again = Instant::now() + poll;
            tokio::select! {
                () = changed => {}
                () = tokio::time::sleep_until(due.map_or(again, |due| due.min(again))) => {}
            }
        }
    }

    async fn ack(&mut self, tags: &[DeliveryTag]) -> Result<()> {
        self.check().map_err(|error| error.during("bus.ack"))?;
        self.reader.ack(tags);
        self.flush().await.map_err(|error| error.during("bus.ack"))
    }

    async fn nack(&mut self, tags: &[(DeliveryTag, Nack)]) -> Result<()> {
        self.check().map_err(|error| error.during("bus.nack"))?;
        let (changes, next) = self.reader.nack(tags);
        write(&self.connection, &self.seat, changes).await.map_err(|error| error.during("bus.nack"))?;
        self.reader.go_on(next);
        Ok(())
    }

    async fn close(&mut self) -> Result<()> {
        if self.seat.left.load(Ordering::Acquire) {
            return Ok(());
        }
        let flushed = self.flush().await;
        self.reader.clear();
        self.looking = None;
        let left = self.heartbeat.leave().await;
        flushed.and(left).map_err(|error| error.during("bus.close"))
    }
}
