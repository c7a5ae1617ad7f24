//! Who comes to the shop: customers with orders, customers with carts, and the staff.

use std::sync::Arc;
use std::time::Duration;

use super::front::{Front, changed};
use super::goods::Goods;
use super::violation::Rule;
use crate::engine::order::{OrderAction, OrderParts, PaymentResult, Place};
use crate::engine::stock::{Decision, Parts, Reserve, StockAction, StockOutcome};
use crate::model::{
    CustomerId, LocationId, Order, OrderId, OrderStatus, PaymentStatus, Policy, ReservationId, SkuQuantity, Sourcing,
    StockKey, Strategy,
};

/// How often a customer looks at an order before he leaves it alone.
const LOOKS: u32 = 40;

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A customer with one order.
pub(super) struct Shopper {
    front: Arc<Front>,
    place: Place,
    habits: Habits,
}

/// What a customer does, apart from ordering.
struct Habits {
    cancels: Cancels,
    pays: bool,
    /// Ships in two parcels.
    in_parts: bool,
    returns: bool,
    /// Nobody ever ships it.
    forgotten: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cancels {
    Never,
    First,
    Soon,
    Later,
}

impl Shopper {
    pub(super) fn new(front: Arc<Front>, goods: &Goods, customers: u64) -> Self {
        let order = OrderId::new(front.next_id());
        let world = Arc::clone(&front.world);
        let mut dice = world.dice();
        let mut place = Place::new(order);
        if dice.roll(10) > 0 {
            place = place.with_customer(CustomerId::from_u128(u128::from(dice.roll(customers)) + 1));
        }
        for _ in 0..=dice.roll(3) {
            let units = u32::try_from(dice.roll(3) + 1).unwrap_or(1);
            if let Some(sku) = dice.pick(&goods.for_sale) {
                place = place.with_line(sku.clone(), units, goods.price);
            }
        }
        let policies = [Policy::AllOrNothing, Policy::Partial, Policy::Backorder];
        place = place.with_policy(dice.pick(&policies).copied().unwrap_or_default());
        if dice.chance(0.5) {
            let strategies = [Strategy::Priority, Strategy::SingleSource, Strategy::FewestSplits];
            let strategy = dice.pick(&strategies).cloned().unwrap_or_default();
            place = place.with_sourcing(Sourcing { strategy, locations: goods.locations.clone() });
        }
        if dice.chance(0.5) {
            place = place.prepaid(dice.between(millis(3_000), millis(25_000)));
        }
        let habits = Habits {
            cancels: match dice.roll(16) {
                0 => Cancels::First,
                1 => Cancels::Soon,
                2 | 3 => Cancels::Later,
                _ => Cancels::Never,
            },
            pays: dice.chance(0.8),
            in_parts: dice.chance(0.3),
            returns: dice.chance(0.3),
            forgotten: dice.chance(0.1),
        };
        drop(dice);
        Self { front, place, habits }
    }

    pub(super) async fn run(self, start: Duration) {
        tokio::time::sleep(start).await;
        let world = &self.front.world;
        if self.habits.cancels == Cancels::First {
            self.cancel().await;
        }
        let Some(decision) = self.front.order(OrderAction::Place(self.place.clone())).await else {
            world.count("orders nobody waited for", 1);
            return;
        };
        match decision {
            Decision::Accepted(_) => world.count("orders accepted", 1),
            Decision::Refused(_) => {
                world.count("orders refused", 1);
                return;
            }
        }
        if self.habits.cancels == Cancels::Soon {
            self.cancel().await;
        }
        for look in 0..LOOKS {
            let Some(order) = self.front.read(self.place.order).await else { return };
            let Some(order) = order else {
                let what = format!("order {} was accepted, and is not there", self.place.order);
                world.violated(Rule::AcceptedIsThere, what);
                return;
            };
            if self.habits.cancels == Cancels::Later && look == 3 {
                self.cancel().await;
            } else if !self.go_on(&order).await {
                return;
            }
            let pause = world.dice().between(millis(200), millis(3_000));
            tokio::time::sleep(pause).await;
        }
    }

    async fn cancel(&self) {
        let reason = Some("changed my mind".to_owned());
        self.front.order(OrderAction::Cancel { order: self.place.order, reason }).await;
    }

    /// Does what comes next, if anything. Answers whether more may come.
    async fn go_on(&self, order: &Order) -> bool {
        let id = order.id;
        match (order.status, order.payment) {
            (OrderStatus::Placed, _) => true,
            (OrderStatus::Confirmed | OrderStatus::PartlyShipped, PaymentStatus::Due) if self.habits.pays => {
                let window = self.front.world.dice().between(millis(1_000), millis(8_000));
                self.front.order(OrderAction::BeginPayment { order: id, window }).await;
                true
            }
            (OrderStatus::Confirmed | OrderStatus::PartlyShipped, PaymentStatus::Started) => {
                let failed = self.front.world.dice().chance(0.2);
                let result = if failed { PaymentResult::Failed } else { PaymentResult::Paid };
                self.front.order(OrderAction::RecordPayment { order: id, result }).await;
                true
            }
            (OrderStatus::Confirmed | OrderStatus::PartlyShipped, payment) if payment.is_settled() => {
                if self.habits.forgotten {
                    return false;
                }
                self.front.order(OrderAction::Ship { order: id, parts: self.parcel(order) }).await;
                true
            }
            (OrderStatus::Shipped, _) if self.habits.returns => {
                let location = LocationId::main();
                let take_back = OrderAction::Return { order: id, parts: OrderParts::All, location };
                self.front.order(take_back).await.is_some_and(|decision| changed(&decision))
            }
            (OrderStatus::Expired | OrderStatus::Cancelled, payment) if payment != PaymentStatus::RefundDue => {
                // The bank's message comes late.
                if self.habits.pays && self.front.world.dice().chance(0.3) {
                    let paid = OrderAction::RecordPayment { order: id, result: PaymentResult::Paid };
                    self.front.order(paid).await;
                }
                false
            }
            _ => false,
        }
    }

    /// All that is there, or at first one unit of it.
    fn parcel(&self, order: &Order) -> OrderParts {
        let first = order.lines.iter().find(|line| !line.shippable().is_zero());
        match first {
            Some(line) if self.habits.in_parts && order.status == OrderStatus::Confirmed => {
                OrderParts::Lines(vec![SkuQuantity::new(line.sku.clone(), 1.into())])
            }
            _ => OrderParts::All,
        }
    }
}

/// A customer with a cart: claims stock past the orders, through the gate.
pub(super) async fn fill_cart(front: Arc<Front>, goods: Arc<Goods>, start: Duration) {
    tokio::time::sleep(start).await;
    let world = Arc::clone(&front.world);
    let reservation = ReservationId::new(front.next_id());
    let keys: Vec<StockKey> = goods.stocked.iter().cloned().map(StockKey::main).collect();
    front.browse(&keys).await;
    let request = || {
        let mut dice = world.dice();
        let units = u32::try_from(dice.roll(4) + 1).unwrap_or(1);
        let hold = dice.between(millis(2_000), millis(20_000));
        dice.pick(&goods.stocked).map(|sku| Reserve::new(reservation).with_line(sku.clone(), units).with_hold(hold))
    };
    let Some(first) = request() else { return };
    match front.stock(StockAction::Reserve(first)).await {
        Some(StockOutcome::Reserved(_)) => world.count("carts held", 1),
        Some(_) => return world.count("carts refused", 1),
        None => return,
    }
    for _ in 0..4 {
        let pause = world.dice().between(millis(100), millis(4_000));
        tokio::time::sleep(pause).await;
        let next = world.dice().roll(7);
        let action = match next {
            0 => match request() {
                Some(request) => StockAction::Reserve(request.replacing()),
                None => return,
            },
            1 => {
                let hold = crate::engine::stock::Hold::For(millis(10_000));
                StockAction::Extend { reservation, hold }
            }
            2 | 3 => StockAction::Allocate { reservation },
            4 => StockAction::Fulfil { reservation, parts: Parts::All },
            5 => StockAction::Release { reservation, parts: Parts::All, tombstone: false },
            // The cart is left where it is.
            _ => return,
        };
        front.stock(action).await;
    }
    front.stock(StockAction::Release { reservation, parts: Parts::All, tombstone: true }).await;
}

/// Goods come in, are counted, moved and lost, until then.
pub(super) async fn keep_stock(front: Arc<Front>, goods: Arc<Goods>, end: Duration) {
    let world = Arc::clone(&front.world);
    while world.elapsed() < end {
        let pause = world.dice().between(millis(500), millis(6_000));
        tokio::time::sleep(pause).await;
        let action = {
            let mut dice = world.dice();
            let (Some(sku), Some(location)) =
                (dice.pick(&goods.stocked).cloned(), dice.pick(&goods.locations).cloned())
            else {
                return;
            };
            let key = StockKey::new(sku, location);
            let units = u32::try_from(dice.roll(5) + 1).unwrap_or(1);
            match dice.roll(6) {
                0..=2 => goods.receipt(key, units.into()),
                3 => StockAction::Adjust { key, change: -i64::from(units), reason: Some("lost".into()) },
                4 => StockAction::Count { key, counted: (units * 3).into(), reason: None },
                _ => {
                    let to = goods.locations.iter().find(|other| **other != key.location).cloned();
                    let Some(to) = to else { return };
                    StockAction::Transfer { sku: key.sku, from: key.location, to, quantity: units.into() }
                }
            }
        };
        front.stock(action).await;
    }
}
