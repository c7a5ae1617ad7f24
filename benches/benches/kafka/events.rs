//! The events that are published and consumed: of orders, as the order service writes them.

use std::num::NonZeroUsize;
use std::time::Duration;

use stockpulse_core::SystemClock;
use stockpulse_core::engine::Engine;
use stockpulse_core::engine::order::{OrderAction, Place};
use stockpulse_core::memory::MemoryOrderStore;
use stockpulse_core::model::{Command, CommandId, Currency, Envelope, Money, OrderId, Sku};
use stockpulse_core::port::{Clock, OrderStore, Outbox};

use crate::place::new_id;

/// An order of one unit of the SKU that all want.
pub(crate) fn order(sku: &Sku) -> Place {
    Place::new(OrderId::new(new_id())).with_line(sku.clone(), 1, Money::new(1_999, Currency::EUR))
}

/// The events of so many new orders.
pub(crate) async fn placed(orders: usize) -> Vec<Envelope> {
    let (store, sku) = (MemoryOrderStore::default(), Sku::new("SKU-00000").expect("a SKU"));
    let place = || {
        let action = OrderAction::Place(order(&sku));
        Command::new(CommandId::new(new_id()), SystemClock.now(), action)
    };
    let commands = std::iter::repeat_with(place).take(orders).collect();
    store.execute(&Engine::new(), commands).await.expect("orders in memory");
    let all = NonZeroUsize::new(orders).expect("some orders");
    let claim = store.outbox().claim("bench", Duration::from_secs(60), all).await.expect("an outbox in memory");
    claim.rows.iter().map(|row| Envelope::seal(&row.event, "/bench/orders").expect("an envelope")).collect()
}
