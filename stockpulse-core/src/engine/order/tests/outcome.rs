//! What an answer says of itself.

use super::desk::{ORDER, sku};
use crate::engine::order::OrderRefusal;
use crate::model::{OrderStatus, PaymentStatus};

#[test]
fn a_refusal_says_in_words_what_is_wrong() {
    let refusals = [
        (OrderRefusal::UnknownOrder(ORDER), "unknown order 00000000-0000-0000-0000-000000000007"),
        (OrderRefusal::OrderExists(OrderStatus::Placed), "the order exists already and is Placed"),
        (OrderRefusal::WrongState(OrderStatus::Cancelled), "the order is Cancelled"),
        (OrderRefusal::WrongPayment(PaymentStatus::Due), "the order's payment is Due"),
        (
            OrderRefusal::NotEnough { sku: sku("CUP"), requested: 3.into(), available: 1.into() },
            "CUP: 3 asked, the order has 1",
        ),
        (
            OrderRefusal::PurchaseLimit { sku: sku("CUP"), limit: 5.into(), ordered: 4.into() },
            "CUP: a customer may have 5, and has 4 on order",
        ),
        (OrderRefusal::NotDue, "the time to pay is not over"),
        (OrderRefusal::Invalid("no lines".to_owned()), "no lines"),
    ];
    for (refusal, words) in refusals {
        assert_eq!(refusal.to_string(), words);
    }
}
