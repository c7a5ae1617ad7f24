//! Twelve failures that shops really had, as rules for everything that a shop runs on: stores, outboxes, bus, services
//! and workers together.
//!
//! Each rule names, in its meaning, the scenario that it belongs to: S1 to S12.

mod backend;
mod broker;
mod carts;
mod check;
mod checkouts;
mod last_unit;
mod locations;
mod lost_events;
mod payments;
mod repeats;
mod same_sku;
mod shipped;
mod shop;
mod unpaid;

pub use backend::ShopBackend;

rules! {
    $
    /// Makes a test of every acceptance scenario, for a harness of
    /// [`ShopBackend`](crate::conformance::scenarios::ShopBackend)s.
    acceptance_scenarios => scenarios: ShopBackend;
    /// S1: of ten who reserve the last unit at once, one gets it and nine are short.
    last_unit::one_of_ten_reserves_the_last_unit,
    /// S1: of ten orders for the last unit at once, one is confirmed and nine are rejected as short.
    last_unit::one_of_ten_orders_gets_the_last_unit,
    /// S2: a SKU that a request names twice, itself or in kits, counts twice: more than there is is refused as a whole.
    same_sku::a_sku_named_twice_counts_twice,
    /// S2: an order that names a SKU twice, itself or in kits, gets the sum or nothing.
    same_sku::an_order_that_names_a_sku_twice_gets_the_sum,
    /// S3: who comes back to a cart whose goods were sold meanwhile is refused before being charged.
    carts::a_stale_cart_is_refused_before_it_is_charged,
    /// S4: starting a payment extends the hold, so that an order paid after the hold's first end is confirmed and ships.
    payments::a_payment_begun_in_time_extends_the_hold,
    /// S4: an order that is paid when its stock is gone ends with a refund due; with stock left it is delivered.
    payments::a_payment_for_stock_that_is_gone_is_refunded,
    /// S4: money that comes after a payment's window is over is to be refunded, and takes no stock.
    payments::a_payment_after_its_window_is_refunded,
    /// S5: an unpaid order ends soon after its limit, once, though workers restart; cash on delivery has no limit.
    unpaid::an_unpaid_order_gives_its_stock_back_once,
    /// S6: a shipment asked for three times with one key leaves once, and each reply is the first.
    repeats::a_shipment_sent_three_times_leaves_once,
    /// S6: a refusal is repeated too, though by now it could be granted.
    repeats::a_refusal_is_repeated,
    /// S6: one key with other contents is refused as a conflict, and changes nothing.
    repeats::one_key_for_two_things_is_a_conflict,
    /// S7: cancelling gives back what has not shipped, and nothing of what has.
    shipped::cancelling_gives_back_what_has_not_shipped,
    /// S8: releasing what is not held, or twice, changes nothing; nothing drifts.
    shipped::releasing_without_a_hold_changes_nothing,
    /// S8: cancelling an order that has no reservation, or has shipped, changes no stock; nothing drifts.
    shipped::cancelling_without_a_reservation_changes_nothing,
    /// S9: an order that no location can serve alone is split, and each fulfilment consumes its own location's.
    locations::an_order_split_across_locations_ships_from_each,
    /// S9: a SKU that the first location does not keep is found at the next.
    locations::a_sku_absent_at_the_first_location_is_found_elsewhere,
    /// S10: a cart that is tried again replaces its own hold, and others still see nothing left.
    carts::a_cart_is_not_blocked_by_its_own_hold,
    /// S10: an order that is placed again keeps its hold and claims nothing more.
    carts::an_order_placed_again_keeps_its_hold,
    /// S11: carts in opposite orders end without an error, and nothing is locked while they are paid.
    checkouts::opposite_carts_end_and_lock_nothing_while_paying,
    /// S11: a hundred orders for the same goods in opposite orders are delivered or rejected as short.
    checkouts::opposite_orders_are_paid_or_rejected,
    /// S12: an order that was taken while the broker was down is confirmed after a restart, once.
    lost_events::an_order_outlives_a_broker_and_a_process,
    /// S12: an event that is published twice, because the broker's answer was lost, has its effect once.
    lost_events::an_event_published_twice_has_one_effect,
    /// S12: a late "paid" for a cancelled order changes neither status nor stock, and is in its history.
    lost_events::a_late_payment_is_recorded_and_changes_nothing,
}
