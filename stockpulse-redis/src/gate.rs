//! The admission gate on Redis.

mod clock;
mod request;

use std::num::NonZeroU16;
use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use futures::future::try_join_all;
use stockpulse_core::model::{ReservationId, StockKey};
use stockpulse_core::port::{Admission, AdmissionGate, AdmitRequest, GateLevel};
use stockpulse_core::{Error, Result};

use self::clock::{Clock, SLICE};
use self::request::{Answer, Part, Request, named, units};
use crate::RedisConnection;
use crate::cache::digits;
use crate::lua::{Lua, ScriptCall, bucket_of};

macro_rules! about_places {
    ($file:literal) => {
        LazyLock::new(|| Lua::new(concat!(include_str!("gate/lua/places.lua"), include_str!($file))))
    };
}

static ADMIT: LazyLock<Lua> = LazyLock::new(|| Lua::new(include_str!("gate/lua/admit.lua")));
static SETTLE: LazyLock<Lua> = about_places!("gate/lua/settle.lua");
static RELEASE: LazyLock<Lua> = about_places!("gate/lua/release.lua");
static SWEEP: LazyLock<Lua> = about_places!("gate/lua/sweep.lua");
static RECONCILE: LazyLock<Lua> = LazyLock::new(|| Lua::new(include_str!("gate/lua/reconcile.lua")));

/// How many items one run of a script is about at most: everybody else waits while it runs.
const PER_RUN: usize = 256;
/// How many places one run ends at most.
const SWEPT: u64 = 100;

/// An admission gate on Redis, which many processes share. Clones share the connection.
///
/// It decides as [`MemoryGate`](stockpulse_core::memory::MemoryGate) does, whose page says how the gate meets the database.
/// One script judges a whole batch, each request with all its lines or none.
///
/// Places end by the server's clock, so that the clocks of processes do not matter. A process asks for it ten times a second
/// while it is used, by a round trip before the others, and that gives back what has run out: a hundred places at a time,
/// at most half a second late while the gate is asked. Until then who had such a place is let through with it.
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
    /// The clock of each shard.
    clocks: Arc<[Clock]>,
}

impl RedisGate {
    /// A gate over this connection. Its keys begin with the options' prefix and `gate:`.
    #[must_use]
    pub fn new(connection: RedisConnection) -> Self {
        Self { connection, shards: NonZeroU16::MIN, clocks: [Clock::default()].into() }
    }

    /// Sets over how many slots of a cluster the levels are spread; 1 unless set. All processes have to say the same: a gate
    /// with another number knows nothing of this one's levels.
    #[must_use]
    pub fn with_shards(mut self, shards: NonZeroU16) -> Self {
        self.shards = shards;
        self.clocks = std::iter::repeat_with(Clock::default).take(shards.get().into()).collect();
        self
    }

    fn shards(&self) -> std::ops::Range<u16> {
        0..self.shards.get()
    }

    fn shard_of(&self, key: &StockKey) -> u16 {
        // Nobody has to look at the name of what can only be in one place.
        if self.shards == NonZeroU16::MIN { 0 } else { bucket_of(named(key).to_string().as_bytes(), self.shards.get()) }
    }

    fn call(&self, shard: u16) -> ScriptCall {
        let mut call = ScriptCall::default();
        // The number of shards is part of the name: another number is another gate.
        call.key(format!("{}gate:{{{shard}/{}}}", self.connection.options().prefix, self.shards));
        call
    }

    /// The time of a shard, after ending what has run out there if nobody did so of late.
    async fn now(&self, shard: u16) -> Result<u64> {
        let sweep = || async move {
            let mut call = self.call(shard);
            call.written(format_args!("{SLICE}"));
            call.written(format_args!("{SWEPT}"));
            let (now, more): (u64, u8) = self.connection.script(&SWEEP, &call).await?;
            Ok((now, more != 0))
        };
        match self.clocks.get(usize::from(shard)) {
            Some(clock) => clock.now(sweep).await,
            None => Err(Error::invalid(format!("the gate has no shard {shard}"))),
        }
    }

    /// Asks one shard for its part of requests.
    async fn ask(&self, shard: u16, parts: &[Part<'_, '_>]) -> Result<Vec<Answer>> {
        if parts.is_empty() {
            return Ok(Vec::new());
        }
        let now = self.now(shard).await?;
        let mut answers = Vec::with_capacity(parts.len());
        for parts in parts.chunks(PER_RUN) {
            let mut call = self.call(shard);
            for part in parts {
                part.write(now, &mut call);
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
            let mine = |request: &&Request<'_>| request.only_shard() == Some(shard);
            let parts: Vec<Part<'_, '_>> = requests.iter().filter(mine).map(|request| request.part(shard)).collect();
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
            let answer = self.ask(shard, &[request.part(shard)]).await?.pop();
            match answer {
                Some(Answer::Taken) => taken.push(shard),
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
            .map(|(index, request)| Request::new(index, request, |key| self.shard_of(key)))
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
        let tells = self.shards().map(|shard| {
            let mine: Vec<&GateLevel> = levels.iter().filter(|level| self.shard_of(&level.key) == shard).collect();
            async move {
                for levels in mine.chunks(PER_RUN) {
                    let mut call = self.call(shard);
                    for level in levels {
                        call.written(format_args!("{}", named(&level.key)));
                        call.written(format_args!("{}", units(level.sellable)));
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
