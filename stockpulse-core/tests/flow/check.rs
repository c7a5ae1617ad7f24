//! What must hold when everything has come to rest.

use std::collections::{BTreeMap, HashSet};

use stockpulse_core::engine::saga;
use stockpulse_core::model::{EventData, MovementKind, NotificationKind, OrderStatus, PaymentStatus, ReservationState};

use super::customers::{Plan, SKUS};
use crate::support::shop::{Shop, seen};
use crate::support::{key, level, some};

const ORDER_EVENTS: [&str; 9] = [
    "order.placed",
    "order.confirmed",
    "order.adjusted",
    "order.rejected",
    "order.cancelled",
    "order.expired",
    "order.shipped",
    "order.returned",
    "order.updated",
];

/// Nothing oversold, every level explained by its ledger and its claims, nothing put aside.
pub(super) async fn stock(shop: &Shop) {
    shop.assert_consistent().await;
    for name in SKUS {
        let level = level(&shop.inventory, name).await;
        assert!(!level.is_oversold(), "{level:?}");
        let movements = shop.inventory.movements(&key(name), 0, some(100_000)).await.unwrap().items;
        assert!(movements.iter().all(|movement| movement.kind != MovementKind::Reconciled));
        let commands: HashSet<_> =
            movements.iter().map(|movement| (movement.command, movement.reservation, movement.kind)).collect();
        let backorders = movements.iter().filter(|movement| movement.kind == MovementKind::Filled).count();
        assert!(commands.len() + backorders >= movements.len(), "{name}: a command moved the same claim twice");
    }
}

/// The order and its reservation tell the same story.
pub(super) async fn order(shop: &Shop, plan: &Plan) {
    let order = shop.orders.order(plan.order()).await.unwrap().expect("an order that was taken is there");
    let claim = shop.inventory.reservation(order.reservation()).await.unwrap();
    let (state, open) = claim.as_ref().map_or((None, 0), |claim| (Some(claim.state), claim.open()));
    match order.status {
        OrderStatus::Placed => panic!("never answered: {order:?}"),
        OrderStatus::Confirmed | OrderStatus::PartlyShipped => {
            assert_eq!(state, Some(ReservationState::Allocated), "{order:?}");
            assert!(!order.waiting.is_empty(), "there is nothing to wait for: {order:?}");
        }
        OrderStatus::Shipped | OrderStatus::Returned => {
            assert_eq!((state, open), (Some(ReservationState::Fulfilled), 0), "{order:?}");
        }
        OrderStatus::Rejected => assert_eq!(open, 0, "{order:?} {claim:?}"),
        OrderStatus::Cancelled | OrderStatus::Expired => {
            assert_eq!(open, 0, "{order:?} {claim:?}");
            assert!(order.payment != PaymentStatus::Paid, "the money has to go back: {order:?}");
        }
    }
    let history = shop.orders.history(order.id).await.unwrap();
    let versions: Vec<u64> = history.iter().map(|entry| entry.version).collect();
    assert_eq!(versions, (1..=order.version).collect::<Vec<_>>());
    let ends = history.iter().filter(|entry| entry.status.is_dead()).map(|entry| entry.status).collect::<Vec<_>>();
    assert!(ends.iter().all(|end| *end == order.status), "an order ends once: {ends:?}");
}

/// Each customer was told of each event once, and of nothing else. Without a crash in between, that is exact.
pub(super) async fn notifications(shop: &Shop, exactly: bool) {
    let mut expected: BTreeMap<String, NotificationKind> = BTreeMap::new();
    for name in ORDER_EVENTS {
        for (id, data) in seen(&shop.stores.bus, name).await {
            let bytes = serde_json::to_vec(&data).unwrap();
            let EventData::Order(event) = EventData::from_json(name.parse().unwrap(), &bytes).unwrap() else {
                panic!("{name} is no order event");
            };
            if let (Some(kind), Some(_)) = (saga::notification(&event), event.customer) {
                expected.insert(id, kind);
            }
        }
    }
    let mut told: BTreeMap<String, NotificationKind> = BTreeMap::new();
    let mut again = 0;
    for sent in shop.stores.notifier.sent() {
        again += usize::from(told.insert(sent.event.to_string(), sent.kind).is_some());
    }
    assert_eq!(told, expected);
    assert!(!exactly || again == 0, "{again} were told twice");
    assert!(shop.stores.told.settled() >= told.len() as u64, "and each was written down");
}
