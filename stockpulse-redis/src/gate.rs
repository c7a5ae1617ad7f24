//! The admission gate on Redis.

mod request;

use std::num::NonZeroU16;
use std::sync::LazyLock;

use async_trait::async_trait;
use futures::future::try_join_all;
use stockpulse_core::model::{ReservationId, StockKey};
use stockpulse_core::port::{Admission, AdmissionGate, AdmitRequest, GateLevel};
use stockpulse_core::{Error, Result};

use self::request::{Answer, Part, Request, units};
use crate::RedisConnection;
use crate::cache::digits;
use crate::lua::{Lua, ScriptCall, bucket_of};

macro_rules! script {
    ($file:literal) => {
        LazyLock::new(|| Lua::new(concat!(include_str!("gate/prelude.lua"), include_str!($file))))
    };
}

static ADMIT: LazyLock<Lua> = script!("gate/admit.lua");
static SETTLE: LazyLock<Lua> = script!("gate/settle.lua");
static RELEASE: LazyLock<Lua> = script!("gate/release.lua");
static RECONCILE: LazyLock<Lua> = script!("gate/reconcile.lua");

/// How many items one run of a script is about at most: everybody else waits while it runs.
const PER_RUN: usize = 256;

/// An admission gate on Redis, which many processes share. Clones share the connection.
///
/// It decides as [`MemoryGate`](stockpulse_core::memory::MemoryGate) does, whose page says how the gate meets the database.
/// One script judges a whole batch, each request with all its lines or none; by the server's clock, so that the clocks of
/// processes do not matter. Places that have run out are given back by whoever calls next, a hundred at a time and at most
/// a quarter of a second late.
///
/// # What may be lost
/// All keys: a level that the gate does not know is for the database, and is known again after the next event of it, or the
/// next pass of a [`Reconciler`](stockpulse_core::worker::Reconciler) with this gate. After a failover that lost the last
/// second the gate lets too many through, or refuses what came in within that second, until then.
///
/// Nothing of it may be evicted one by one: a level whose hold was evicted refuses too much for good. The gate's keys have
/// no expiry, so every `maxmemory-policy` but the `allkeys-…` ones is safe.
///
/// # On a cluster
/// All keys of a shard lie in one slot, by a hash tag, and one shard is on one node. A gate has one shard unless
/// [`RedisGate::with_shards`] sets more; a level is in one of them by its SKU and location.
///
/// An order whose levels are in several shards asks one after the other, always in the same order, and gives back what it
/// got when a later one refuses. In between others may be refused what it then gives back; that ends with the call, or with
/// the place's time to live if the process dies. Settling and releasing ask all shards, side by side: take as many as the
/// nodes that the sale needs, and no more.
#[derive(Clone, Debug)]
pub struct RedisGate {
    connection: RedisConnection,
    shards: NonZeroU16,
}

impl RedisGate {
    /// A gate over this connection. Its keys begin with the options' prefix and `gate:`.
    #[must_use]
    pub fn new(connection: RedisConnection) -> Self {
        Self { connection, shards: NonZeroU16::MIN }
    }

    /// Sets over how many slots of a cluster the levels are spread; 1 unless set. All processes have to say the same: a gate
    /// with another number knows nothing of this one's levels.
    #[must_use]
    pub fn with_shards(mut self, shards: NonZeroU16) -> Self {
        self.shards = shards;
        self
    }

    fn shards(&self) -> std::ops::Range<u16> {
        0..self.shards.get()
    }

    fn shard_of(&self, name: &str) -> u16 {
        bucket_of(name.as_bytes(), self.shards.get())
    }

    fn call(&self, shard: u16) -> ScriptCall {
        let mut call = ScriptCall::default();
        // The number of shards is part of the name: another number is another gate.
        call.key(format!("{}gate:{{{shard}/{}}}", self.connection.options().prefix, self.shards));
        call
    }

    /// Asks one shard for its part of requests.
    async fn ask(&self, shard: u16, parts: &[Part<'_>]) -> Result<Vec<Answer>> {
        let mut answers = Vec::with_capacity(parts.len());
        for parts in parts.chunks(PER_RUN) {
            let mut call = self.call(shard);
            for part in parts {
                part.write(&mut call);
            }
            let codes: Vec<i64> = self.connection.script(&ADMIT, &call).await?;
            if codes.len() != parts.len() {
                return Err(Error::corrupt("redis answered more or fewer requests than were asked"));
            }
            answers.extend(codes.into_iter().zip(parts).map(|(code, part)| part.answer(code)));
        }
        Ok(answers)
    }

    /// Asks for requests whose levels are all in one shard.
    async fn ask_together(&self, requests: &[Request<'_>], answers: &mut [Option<Answer>]) -> Result<()> {
        let asks = self.shards().map(|shard| async move {
            let mine = |request: &&Request<'_>| request.shards() == [shard];
            let parts: Vec<Part<'_>> = requests.iter().filter(mine).map(|request| request.part(shard)).collect();
            Ok::<_, Error>((parts.iter().map(Part::index).collect::<Vec<_>>(), self.ask(shard, &parts).await?))
        });
        for (indices, asked) in try_join_all(asks).await? {
            for (index, answer) in indices.into_iter().zip(asked) {
                if let Some(place) = answers.get_mut(index) {
                    *place = Some(answer);
                }
            }
        }
        Ok(())
    }

    /// Asks for a request whose levels are in several shards, or that has none.
    async fn ask_in_turn(&self, request: &Request<'_>) -> Result<Answer> {
        let mut taken = Vec::new();
        for shard in request.shards() {
            let answer = self.ask(*shard, &[request.part(*shard)]).await?.pop();
            match answer {
                Some(Answer::Taken) => taken.push(*shard),
                Some(Answer::TakenBefore) => {}
                Some(refused) => {
                    for shard in taken {
                        self.run(&RELEASE, shard, &[request.reservation()]).await?;
                    }
                    return Ok(refused);
                }
                None => return Err(Error::corrupt("redis did not answer a request")),
            }
        }
        Ok(Answer::Taken)
    }

    async fn run(&self, script: &Lua, shard: u16, reservations: &[ReservationId]) -> Result<()> {
        for reservations in reservations.chunks(PER_RUN) {
            let mut call = self.call(shard);
            for reservation in reservations {
                call.argument(reservation.as_uuid().into_bytes());
            }
            self.connection.script::<()>(script, &call).await?;
        }
        Ok(())
    }

    async fn run_everywhere(&self, script: &Lua, reservations: &[ReservationId]) -> Result<()> {
        try_join_all(self.shards().map(|shard| self.run(script, shard, reservations))).await.map(drop)
    }
}

#[async_trait]
impl AdmissionGate for RedisGate {
    async fn admit(&self, batch: &[AdmitRequest]) -> Result<Vec<Admission>> {
        let named = |error: Error| error.during("gate.admit");
        let requests: Vec<Request<'_>> = batch
            .iter()
            .enumerate()
            .map(|(index, request)| Request::new(index, request, |name| self.shard_of(name)))
            .collect();
        let mut answers = vec![None; batch.len()];
        self.ask_together(&requests, &mut answers).await.map_err(named)?;
        // Each asks its shards in turn, and none waits for the others: a batch takes no longer than one of them.
        let asks = requests.iter().zip(answers).map(|(request, answer)| async move {
            match answer {
                Some(answer) => Ok(answer),
                None => self.ask_in_turn(request).await,
            }
        });
        let answers = try_join_all(asks).await.map_err(named)?;
        Ok(answers.into_iter().map(Admission::from).collect())
    }

    async fn settle(&self, reservations: &[ReservationId]) -> Result<()> {
        self.run_everywhere(&SETTLE, reservations).await.map_err(|error| error.during("gate.settle"))
    }

    async fn release(&self, reservations: &[ReservationId]) -> Result<()> {
        self.run_everywhere(&RELEASE, reservations).await.map_err(|error| error.during("gate.release"))
    }

    async fn reconcile(&self, levels: &[GateLevel]) -> Result<()> {
        let named: Vec<(String, &GateLevel)> = levels.iter().map(|level| (name(&level.key), level)).collect();
        let tells = self.shards().map(|shard| {
            let mine: Vec<&(String, &GateLevel)> =
                named.iter().filter(|(name, _)| self.shard_of(name) == shard).collect();
            async move {
                for levels in mine.chunks(PER_RUN) {
                    let mut call = self.call(shard);
                    for (name, level) in levels {
                        call.argument(name.as_str());
                        call.argument(units(level.sellable).to_string());
                        call.argument(digits(level.version));
                    }
                    self.connection.script::<()>(&RECONCILE, &call).await?;
                }
                Ok(())
            }
        });
        try_join_all(tells).await.map(drop).map_err(|error: Error| error.during("gate.reconcile"))
    }
}

/// A level's name in Redis. SKUs hold no control characters, so the separator is unambiguous.
fn name(key: &StockKey) -> String {
    format!("{}\u{1f}{}", key.sku, key.location)
}
