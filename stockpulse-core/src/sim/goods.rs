//! What the simulated shop sells, and what it begins with.

use std::sync::Arc;

use super::check::ALL;
use super::shop::Shop;
use super::world::WorldClock;
use crate::engine::record::Expected;
use crate::engine::stock::{LevelSettings, StockAction};
use crate::error::Result;
use crate::memory::SequentialIds;
use crate::model::{
    Component, Currency, Customer, CustomerId, LocationId, Money, Product, Quantity, Sku, StockKey, StockQuantity,
};
use crate::port::Clock;
use crate::service::{Catalog, Customers, Inventory};

/// Units that lie everywhere at first: enough for some, not for all.
const UNITS: u32 = 8;
/// Units that may be promised beyond that.
const BACKORDERS: u32 = 5;
/// What there is a purchase limit for.
pub(super) const LIMITED: &str = "RARE";
/// Units of it that one customer may have on order.
pub(super) const LIMIT: u32 = 3;
/// Where the numbers of these commands begin, far from those of nodes and clients.
const FIRST_ID: u64 = 1 << 60;

#[derive(Debug)]
pub(super) struct Goods {
    /// What has stock.
    pub(super) stocked: Vec<Sku>,
    /// Everything: with a kit, a service, and something of which each customer gets only a few.
    pub(super) for_sale: Vec<Sku>,
    pub(super) locations: Vec<LocationId>,
    pub(super) price: Money,
}

impl Goods {
    pub(super) fn new() -> Result<Self> {
        let stocked = ["CUP", "POT", "TRAY", LIMITED].map(Sku::new).into_iter().collect::<Result<Vec<_>>>()?;
        let mut for_sale = stocked.clone();
        for name in ["SET", "ADVICE"] {
            for_sale.push(Sku::new(name)?);
        }
        let locations = vec![LocationId::main(), LocationId::new("annex")?];
        Ok(Self { stocked, for_sale, locations, price: Money::new(100, Currency::EUR) })
    }

    /// Goods come in at one level.
    pub(super) fn receipt(&self, key: StockKey, units: Quantity) -> StockAction {
        StockAction::Receive { lines: std::iter::once(StockQuantity::new(key, units)).collect() }
    }

    /// Puts products, customers and goods into the empty stores, before anything can go wrong.
    pub(super) async fn set_up(&self, shop: &Shop, customers: u64) -> Result<()> {
        let clock: Arc<dyn Clock> = Arc::new(WorldClock(Arc::clone(&shop.world)));
        let ids = Arc::new(SequentialIds::starting_at(FIRST_ID));
        let catalog = Catalog::new(Arc::clone(&shop.stores.catalog)).with_clock(Arc::clone(&clock));
        let catalog = catalog.with_ids(Arc::<SequentialIds>::clone(&ids));
        for sku in &self.for_sale {
            let mut product = Product::new(sku.clone(), sku.as_str(), self.price);
            match sku.as_str() {
                LIMITED => product.purchase_limit = Some(LIMIT.into()),
                "ADVICE" => product.tracked = false,
                "SET" => {
                    let part = |sku: &Sku, units: u32| Component { sku: sku.clone(), quantity: units.into() };
                    let parts = self.stocked.iter().zip([2, 1]).map(|(sku, units)| part(sku, units));
                    product = product.with_components(parts.collect());
                }
                _ => product.low_stock_at = Some(2.into()),
            }
            catalog.put(product, Expected::Any).await?;
        }
        let people = Customers::new(Arc::clone(&shop.stores.customers)).with_clock(Arc::clone(&clock));
        let people = people.with_ids(Arc::<SequentialIds>::clone(&ids));
        for number in 1..=customers {
            let customer = Customer::new(CustomerId::from_u128(u128::from(number)), format!("customer {number}"));
            people.put(customer, Expected::Any).await?;
        }
        let inventory = Inventory::builder(Arc::clone(&shop.stores.inventory)).with_clock(clock).with_ids(ids).start();
        let backorders = LevelSettings { backorder_limit: Some(BACKORDERS.into()), ..LevelSettings::default() };
        for sku in &self.stocked {
            for location in &self.locations {
                let key = StockKey::new(sku.clone(), location.clone());
                inventory.receive(key.clone(), UNITS).await?;
                inventory.configure(key, backorders).await?;
            }
        }
        let advice = LevelSettings { tracked: Some(false), ..LevelSettings::default() };
        for sku in self.for_sale.iter().filter(|sku| sku.as_str() == "ADVICE") {
            inventory.configure(StockKey::main(sku.clone()), advice).await?;
        }
        Ok(())
    }

    /// Units that somebody waits for, by level.
    pub(super) async fn missing(&self, shop: &Shop) -> Result<Vec<(StockKey, Quantity)>> {
        let levels = shop.stores.inventory.list_levels(None, ALL).await?.items;
        let waiting = levels.into_iter().filter(|level| !level.backordered.is_zero());
        Ok(waiting.map(|level| (level.key, level.backordered)).collect())
    }
}
