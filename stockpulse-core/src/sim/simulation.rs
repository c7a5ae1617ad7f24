//! One simulation: from the seed to the report.

use std::fmt;

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;

use super::bug::Bug;
use super::check::rest;
use super::clients::{Shopper, fill_cart, keep_stock};
use super::faults::Faults;
use super::front::Front;
use super::goods::Goods;
use super::operator::Operator;
use super::report::Report;
use super::shop::Shop;
use super::stores::Stores;
use super::violation::Rule;
use super::world::{World, WorldClock};
use crate::error::{Error, ErrorKind, Result};
use crate::port::Clock;

/// How many customers there are.
const CUSTOMERS: u64 = 4;
/// How many orders are placed.
const ORDERS: u64 = 30;
/// How many carts are filled.
const CARTS: u64 = 10;
/// How long things go wrong.
const TROUBLE: Duration = Duration::from_secs(50);
/// By when the last client has come.
const LAST_CLIENT: Duration = Duration::from_secs(40);
/// When nothing goes wrong any more, everything comes to rest within so long.
const PATIENCE: Duration = Duration::from_secs(300);
/// For so many seconds nothing is under way before that counts as rest: longer than a node stands still, and than
/// the reconciler's pause.
const QUIET: u32 = 25;
/// Longer than the time to live of anything in a cache or gate.
const OBLIVION: Duration = Duration::from_secs(65);

type MakeStores = Arc<dyn Fn(&Arc<dyn Clock>) -> Stores + Send + Sync>;

/// A simulation of a whole shop. The same seed, faults and bug give the same history, to the letter.
#[derive(Clone)]
pub struct Simulation {
    seed: u64,
    faults: Faults,
    bug: Option<Bug>,
    keep_trace: bool,
    stores: MakeStores,
}

impl fmt::Debug for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Simulation");
        debug.field("seed", &self.seed).field("faults", &self.faults).field("bug", &self.bug).finish_non_exhaustive()
    }
}

impl Simulation {
    /// A simulation on the memory stores, under [`Faults::wild`].
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let stores = Arc::new(Stores::memory);
        Self { seed, faults: Faults::default(), bug: None, keep_trace: false, stores }
    }

    /// Sets how likely each fault is.
    #[must_use]
    pub fn with_faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }

    /// Plants a mistake, which should be found.
    #[must_use]
    pub fn with_bug(mut self, bug: Bug) -> Self {
        self.bug = Some(bug);
        self
    }

    /// Keeps the trace as text, for the report.
    #[must_use]
    pub fn with_trace(mut self) -> Self {
        self.keep_trace = true;
        self
    }

    /// Simulates other stores than the memory ones: `stores` makes empty ones, whose leases end by the given clock.
    #[must_use]
    pub fn with_stores(mut self, stores: impl Fn(&Arc<dyn Clock>) -> Stores + Send + Sync + 'static) -> Self {
        self.stores = Arc::new(stores);
        self
    }

    /// Runs it, on a runtime of its own in this thread.
    ///
    /// # Errors
    /// `Config` within another tokio runtime, `Unexpected` if none can be made, and whatever the stores report when
    /// nothing is made to fail: then the simulation itself could not be set up or looked at.
    pub fn run(&self) -> Result<Report> {
        if tokio::runtime::Handle::try_current().is_ok() {
            return Err(Error::new(ErrorKind::Config, "a simulation cannot run within a tokio runtime"));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let runtime = runtime.map_err(|error| Error::new(ErrorKind::Unexpected, "no runtime").with_source(error))?;
        runtime.block_on(self.live())
    }

    async fn live(&self) -> Result<Report> {
        let world = Arc::new(World::new(self.seed, self.faults.clone(), self.bug, self.keep_trace));
        let clock: Arc<dyn Clock> = Arc::new(WorldClock(Arc::clone(&world)));
        let shop = Arc::new(Shop::new(&world, (self.stores)(&clock)));
        let goods = Arc::new(Goods::new()?);
        goods.set_up(&shop, CUSTOMERS).await?;
        let front = Front::new(Arc::clone(&world));
        let clients = come(&front, &goods);
        let mut operator = Operator::new(Arc::clone(&shop), Arc::clone(&front));
        operator.run_until(TROUBLE).await;
        operator.heal();
        let supplier = tokio::spawn(supply(Arc::clone(&shop), Arc::clone(&goods), front));
        join_all(clients).await;
        supplier.abort();
        rest_of(&shop).await?;
        operator.close().await;
        tokio::time::sleep(OBLIVION).await;
        rest::look(&shop).await?;
        Ok(self.report(&shop))
    }

    fn report(&self, shop: &Shop) -> Report {
        let world = &shop.world;
        world.count("published", shop.bus.published());
        let tally = world.tally().clone();
        let mut trace = world.trace();
        Report {
            seed: self.seed,
            digest: trace.digest(),
            steps: trace.steps(),
            simulated: world.elapsed(),
            injected: tally.injected,
            happened: tally.happened,
            violations: tally.violations,
            more_violations: tally.more_violations,
            trace: trace.take_text(),
        }
    }
}

/// All clients come, each in its time.
fn come(front: &Arc<Front>, goods: &Arc<Goods>) -> Vec<tokio::task::JoinHandle<()>> {
    let start = || front.world.dice().between(Duration::ZERO, LAST_CLIENT);
    let mut clients = Vec::new();
    for _ in 0..ORDERS {
        let shopper = Shopper::new(Arc::clone(front), goods, CUSTOMERS);
        clients.push(tokio::spawn(shopper.run(start())));
    }
    for _ in 0..CARTS {
        clients.push(tokio::spawn(fill_cart(Arc::clone(front), Arc::clone(goods), start())));
    }
    clients.push(tokio::spawn(keep_stock(Arc::clone(front), Arc::clone(goods), TROUBLE)));
    clients
}

/// Brings what somebody waits for, so that it can ship.
async fn supply(shop: Arc<Shop>, goods: Arc<Goods>, front: Arc<Front>) -> Result<()> {
    loop {
        for (key, units) in goods.missing(&shop).await? {
            front.stock(goods.receipt(key, units)).await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Waits until nothing is under way any more, and nothing was for a while.
async fn rest_of(shop: &Shop) -> Result<()> {
    let end = shop.world.elapsed() + PATIENCE;
    let mut quiet = 0;
    while quiet < QUIET {
        if shop.world.elapsed() > end {
            let lags: Vec<_> = shop.groups().into_iter().map(|(group, _)| shop.bus.lag(&group)).collect();
            let what = format!("still busy after {} s; lags {lags:?}", PATIENCE.as_secs());
            shop.world.violated(Rule::ComesToRest, what);
            return Ok(());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        quiet = if rest::is_idle(shop).await? { quiet + 1 } else { 0 };
    }
    Ok(())
}
