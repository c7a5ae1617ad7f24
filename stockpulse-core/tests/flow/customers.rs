//! What customers do, each with the same command ids after a crash as before it.

use std::time::Duration;

use stockpulse_core::Result;
use stockpulse_core::engine::order::{OrderAction, OrderParts, PaymentResult, Place};
use stockpulse_core::model::{
    Command, CommandId, Component, CustomerId, Kit, LocationId, Order, OrderId, OrderStatus, PaymentStatus, Policy,
    SkuQuantity,
};

use crate::support::shop::Shop;
use crate::support::{euro, sku};

pub(super) const SKUS: [&str; 4] = ["CUP", "POT", "TRAY", "SPOON"];
pub(super) const CUSTOMERS: u128 = 5;

/// A small generator of numbers that look random and are the same in every run (SplitMix64, Steele et al., 2014).
#[derive(Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }
}

/// What one customer has in mind.
#[derive(Clone)]
pub(super) struct Plan {
    pub(super) place: Place,
    /// Pays, if it has to be paid first.
    pays: bool,
    /// Cancels as soon as it is placed, or even before.
    cancels: bool,
    /// Sends everything back.
    returns: bool,
}

impl Plan {
    pub(super) fn new(number: u64, dice: &mut Dice) -> Self {
        let customer = CustomerId::from_u128(u128::from(dice.roll(5)) + 1);
        let mut place = Place::new(OrderId::from_u128(u128::from(number) + 1)).with_customer(customer);
        for _ in 0..=dice.roll(2) {
            let name = SKUS[usize::try_from(dice.roll(4)).unwrap()];
            place = place.with_line(sku(name), u32::try_from(dice.roll(3) + 1).unwrap(), euro(100));
        }
        if dice.roll(5) == 0 {
            let part = |name, units: u32| Component { sku: sku(name), quantity: units.into() };
            place = place.with_line(sku("SET"), 1, euro(900));
            place.kits.push(Kit { sku: sku("SET"), components: vec![part("CUP", 2), part("POT", 1)] });
        }
        let policies = [Policy::AllOrNothing, Policy::Partial, Policy::Backorder];
        place = place.with_policy(policies[usize::try_from(dice.roll(3)).unwrap()]);
        if dice.roll(2) == 0 {
            place = place.prepaid(Duration::from_secs(600));
        }
        Self { place, pays: dice.roll(4) > 0, cancels: dice.roll(6) == 0, returns: dice.roll(5) == 0 }
    }

    pub(super) fn order(&self) -> OrderId {
        self.place.order
    }

    /// A command with an id of its own for each step.
    fn command(&self, shop: &Shop, step: u128, action: OrderAction) -> Command<OrderAction> {
        let id = CommandId::from_u128(self.order().as_uuid().as_u128() * 1_000 + step);
        Command::new(id, shop.stores.clock.now(), action)
    }

    /// Answers whether that changed the order, when it was first asked.
    async fn ask(&self, shop: &Shop, step: u128, action: OrderAction) -> Result<bool> {
        let decision = shop.orders.execute(self.command(shop, step, action)).await?;
        Ok(decision.accepted().is_some_and(|state| state.changed))
    }

    /// Orders. Asked again after a crash, it is the same order.
    pub(super) async fn begin(&self, shop: &Shop) -> Result<()> {
        if self.cancels && self.order().as_uuid().as_u128().is_multiple_of(3) {
            self.cancel(shop).await?;
        }
        self.ask(shop, 1, OrderAction::Place(self.place.clone())).await?;
        if self.cancels {
            self.cancel(shop).await?;
        }
        Ok(())
    }

    async fn cancel(&self, shop: &Shop) -> Result<bool> {
        self.ask(shop, 2, OrderAction::Cancel { order: self.order(), reason: None }).await
    }

    /// Does whatever comes next, as the order stands, and answers whether there was anything.
    pub(super) async fn go_on(&self, shop: &Shop) -> Result<bool> {
        let Some(order) = shop.orders.order(self.order()).await? else { return Ok(false) };
        let (id, step) = (order.id, u128::from(order.version) * 10);
        match (order.status, order.payment) {
            (OrderStatus::Confirmed, PaymentStatus::Due) if self.pays => {
                let window = Duration::from_secs(300);
                self.ask(shop, step, OrderAction::BeginPayment { order: id, window }).await
            }
            (OrderStatus::Confirmed, PaymentStatus::Started) => {
                self.ask(shop, step, OrderAction::RecordPayment { order: id, result: PaymentResult::Paid }).await
            }
            (OrderStatus::Confirmed | OrderStatus::PartlyShipped, payment) if payment.is_settled() => {
                self.ask(shop, step, OrderAction::Ship { order: id, parts: self.parcel(&order) }).await
            }
            (OrderStatus::Shipped, _) if self.returns => {
                let (parts, location) = (OrderParts::All, LocationId::main());
                self.ask(shop, step, OrderAction::Return { order: id, parts, location }).await
            }
            _ => Ok(false),
        }
    }

    /// Sometimes only one unit of the first line at first.
    fn parcel(&self, order: &Order) -> OrderParts {
        let first = order.lines.iter().find(|line| !line.shippable().is_zero());
        match first {
            Some(line) if order.status == OrderStatus::Confirmed && self.returns => {
                OrderParts::Lines(vec![SkuQuantity::new(line.sku.clone(), 1.into())])
            }
            _ => OrderParts::All,
        }
    }
}
