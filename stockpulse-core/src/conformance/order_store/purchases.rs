//! What customers have on order.

use super::commands::{Desk, customer, euro, order};
use super::reference::Reference;
use crate::conformance::support::sku;
use crate::conformance::{Harness, OrderBackend, Violation};
use crate::engine::order::{OrderAction, OrderOutcome, OrderRefusal, Place, PurchaseLimit, StockAnswer};
use crate::error::Result;
use crate::model::{CustomerId, OrderId};

/// An order of some units of a SKU of which a customer may have three.
pub(super) fn limited(id: OrderId, customer: CustomerId, name: &str, units: u32) -> Result<Place> {
    let place = Place::new(id).with_customer(customer).with_line(sku(name)?, units, euro(100));
    Ok(Place { limits: vec![PurchaseLimit { sku: sku(name)?, limit: 3.into() }], ..place })
}

pub(super) async fn purchases_are_counted(harness: &dyn Harness<OrderBackend>) -> Result<(), Violation> {
    let OrderBackend { store, .. } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let mut reference = Reference::default();
    let [ann, bob] = [customer(), customer()];
    let ids: Vec<OrderId> = (0..10).map(|_| order()).collect();
    let over = |ordered: u32| {
        let sku = sku("FIGURINE")?;
        let refusal = OrderRefusal::PurchaseLimit { sku, limit: 3.into(), ordered: ordered.into() };
        Ok::<_, Violation>([OrderOutcome::Refused(refusal)])
    };
    let place = |desk: &mut Desk, place: usize, who, name: &str, units| {
        Ok::<_, Violation>([desk.place(limited(ids[place], who, name, units)?)])
    };
    reference.both(&*store, &place(&mut desk, 0, ann, "FIGURINE", 2)?).await?;
    let outcomes = reference.both(&*store, &place(&mut desk, 1, ann, "FIGURINE", 2)?).await?;
    ensure_eq!(outcomes, over(2)?, "four of three, in two orders");
    // Another customer, and another SKU by its bytes, count for themselves.
    reference.both(&*store, &place(&mut desk, 2, bob, "FIGURINE", 3)?).await?;
    reference.both(&*store, &place(&mut desk, 3, ann, "figurine", 3)?).await?;
    reference.both(&*store, &place(&mut desk, 4, ann, "FIGURINE", 1)?).await?;
    let outcomes = reference.both(&*store, &place(&mut desk, 5, ann, "FIGURINE", 1)?).await?;
    ensure_eq!(outcomes, over(3)?, "one more than three");
    // An order that is off, for either reason, counts no longer.
    reference.both(&*store, &[desk.cancel(ids[0])]).await?;
    reference.both(&*store, &place(&mut desk, 6, ann, "FIGURINE", 2)?).await?;
    let (order, reservation) = (ids[6], ids[6].reservation(1));
    let rejected = OrderAction::RecordReservation { order, reservation, answer: StockAnswer::Rejected };
    reference.both(&*store, &[desk.command(rejected)]).await?;
    reference.both(&*store, &place(&mut desk, 7, ann, "FIGURINE", 2)?).await?;
    let outcomes = reference.both(&*store, &place(&mut desk, 8, ann, "FIGURINE", 1)?).await?;
    ensure_eq!(outcomes, over(3)?, "one more than three, after others were off");
    reference.agrees(&*store).await
}
