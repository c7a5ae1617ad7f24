//! Running a shop for a while, with crashes and without.

use std::sync::Arc;
use std::time::Duration;

use stockpulse_core::Result;
use stockpulse_core::engine::stock::LevelSettings;
use stockpulse_core::memory::MemoryBus;

use super::check;
use super::customers::{CUSTOMERS, Dice, Plan, SKUS};
use crate::support::shop::{Shop, Stores};
use crate::support::{level, sku};

const ORDERS: u64 = 150;
/// Enough for some, not for all.
const UNITS: u32 = 60;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn plans(seed: u64) -> Vec<Arc<Plan>> {
    let mut dice = Dice::new(seed);
    (0..ORDERS).map(|number| Arc::new(Plan::new(number, &mut dice))).collect()
}

async fn stock_up(stores: &Stores) {
    stores.add_customers(1..=CUSTOMERS).await;
    let (inventory, _orders) = stores.services();
    for name in SKUS {
        inventory.receive(sku(name), UNITS).await.unwrap();
        let settings = LevelSettings { backorder_limit: Some(20.into()), ..LevelSettings::default() };
        inventory.configure(sku(name), settings).await.unwrap();
    }
}

/// Waits until every event was handled. Time passes slowly, for the pauses after failures.
async fn rest(shop: &Shop) {
    for _ in 0..20_000 {
        if shop.is_idle() {
            return;
        }
        shop.stores.time.advance(Duration::from_millis(1));
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
    panic!("never at rest");
}

/// All customers order, all at once.
async fn begin(shop: &Arc<Shop>, plans: &[Arc<Plan>]) {
    let customers = plans.iter().map(|plan| {
        let (shop, plan) = (Arc::clone(shop), Arc::clone(plan));
        tokio::spawn(async move { plan.begin(&shop).await })
    });
    for customer in customers.collect::<Vec<_>>() {
        customer.await.unwrap().unwrap();
    }
}

/// All customers do what comes next, all at once, until nobody has anything left to do.
async fn go_on(shop: &Arc<Shop>, plans: &[Arc<Plan>]) {
    for _ in 0..50 {
        rest(shop).await;
        let customers = plans.iter().map(|plan| {
            let (shop, plan) = (Arc::clone(shop), Arc::clone(plan));
            tokio::spawn(async move { plan.go_on(&shop).await })
        });
        let mut busy = false;
        for customer in customers.collect::<Vec<_>>() {
            busy |= customer.await.unwrap().unwrap();
        }
        if !busy && shop.is_idle() {
            return;
        }
    }
    panic!("somebody always has something left to do");
}

/// A customer who goes on until the crash.
async fn busy(shop: Arc<Shop>, plan: Arc<Plan>) -> Result<()> {
    plan.begin(&shop).await?;
    loop {
        plan.go_on(&shop).await?;
        tokio::time::sleep(Duration::from_micros(500)).await;
    }
}

/// Lets every order come to its end: paid and shipped, returned, expired, or waiting for goods.
async fn finish(shop: Shop, plans: &[Arc<Plan>], exactly: bool) {
    let shop = Arc::new(shop);
    begin(&shop, plans).await;
    go_on(&shop, plans).await;
    // Who has not paid by now never will.
    shop.stores.time.advance(Duration::from_secs(3_600));
    for _ in 0..3 {
        shop.stores.time.advance(Duration::from_secs(2));
        tokio::time::sleep(Duration::from_millis(2)).await;
        go_on(&shop, plans).await;
    }
    check::stock(&shop).await;
    for plan in plans {
        check::order(&shop, plan).await;
    }
    check::notifications(&shop, exactly).await;
    let reserved = level(&shop.inventory, "CUP").await.reserved;
    assert!(reserved.get() <= i64::from(UNITS) + 20);
    let shop = Arc::into_inner(shop).unwrap();
    assert!(shop.supervisor.shutdown(Duration::from_secs(3_600)).await.is_clean());
}

#[test]
fn without_crashes_each_customer_is_told_exactly_once_though_events_come_twice() {
    for (duplicates, seed) in [(0.0, 1), (0.5, 2)] {
        let runtime = runtime();
        let stores = Stores::new(MemoryBus::new().with_duplicates(duplicates, seed).with_partitions(4));
        runtime.block_on(async {
            stock_up(&stores).await;
            finish(stores.open(), &plans(seed), true).await;
        });
    }
}

#[test]
fn with_crashes_nothing_is_lost_sold_twice_or_left_behind() {
    for seed in 1..=4 {
        let mut dice = Dice::new(seed * 1_000);
        let plans = plans(seed);
        let stores = Stores::new(MemoryBus::new().with_duplicates(0.3, seed).with_partitions(4));
        runtime().block_on(stock_up(&stores));
        for round in 1..=8 {
            let runtime = runtime();
            let begun = usize::try_from(ORDERS * round / 8).unwrap();
            runtime.block_on(async {
                let shop = Arc::new(stores.open());
                for plan in &plans[..begun] {
                    let (shop, plan) = (Arc::clone(&shop), Arc::clone(plan));
                    tokio::spawn(busy(shop, plan));
                }
                if dice.roll(3) == 0 {
                    stores.bus.fail_next_publishes(dice.roll(30));
                }
                tokio::time::sleep(Duration::from_micros(dice.roll(20_000))).await;
                stores.time.advance(Duration::from_millis(dice.roll(3_000)));
                tokio::time::sleep(Duration::from_micros(dice.roll(5_000))).await;
            });
            // The runtime goes, and with it every task at whichever await it is.
            drop(runtime);
        }
        runtime().block_on(async { finish(stores.open(), &plans, false).await });
    }
}
