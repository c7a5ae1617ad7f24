//! Which topic an event goes to.

use std::collections::{BTreeMap, BTreeSet};

use super::event_type::{Aggregate, EventType};

/// Maps every event type to a topic. Two presets and the names of existing systems; any type can be moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicMap {
    names: BTreeMap<EventType, String>,
}

impl Default for TopicMap {
    fn default() -> Self {
        Self::per_aggregate("stockpulse")
    }
}

impl TopicMap {
    fn from_fn(name: impl Fn(EventType) -> String) -> Self {
        Self { names: EventType::ALL.iter().map(|known| (*known, name(*known))).collect() }
    }

    /// One topic per kind of thing: `<prefix>.orders`, `.reservations`, `.stock`, `.products`, `.customers`,
    /// `.notifications`. Everything about one order or SKU keeps its order.
    #[must_use]
    pub fn per_aggregate(prefix: &str) -> Self {
        Self::from_fn(|known| {
            let name = match known.aggregate() {
                Aggregate::Order => "orders",
                Aggregate::Reservation => "reservations",
                Aggregate::Stock => "stock",
                Aggregate::Product => "products",
                Aggregate::Customer => "customers",
                Aggregate::Notification => "notifications",
            };
            format!("{prefix}.{name}")
        })
    }

    /// One topic per event type, named like it: `order.placed`. Types have no order among each other.
    #[must_use]
    pub fn per_event() -> Self {
        Self::from_fn(|known| known.name().to_owned())
    }

    /// Names with dashes, as many Spring systems have them: `order-created`, `stock-updated`.
    #[must_use]
    pub fn dashed() -> Self {
        Self::from_fn(|known| known.name().replace('.', "-")).with_topic(EventType::OrderPlaced, "order-created")
    }

    /// Names with underscores, as many Python systems have them: `order_placed`, `out_of_stock`.
    #[must_use]
    pub fn underscored() -> Self {
        Self::from_fn(|known| known.name().replace('.', "_"))
            .with_topic(EventType::StockRejected, "out_of_stock")
            .with_topic(EventType::StockOut, "out_of_stock")
    }

    /// Created and updated only, as many Node systems have it: `order.created`, `order.updated`,
    /// `inventory.updated`.
    #[must_use]
    pub fn created_updated() -> Self {
        Self::from_fn(|known| match known {
            EventType::OrderPlaced => "order.created".to_owned(),
            known => match known.aggregate() {
                Aggregate::Order => "order.updated".to_owned(),
                Aggregate::Reservation | Aggregate::Stock => "inventory.updated".to_owned(),
                _ => known.name().to_owned(),
            },
        })
    }

    /// Moves one event type to another topic.
    #[must_use]
    pub fn with_topic(mut self, event_type: EventType, topic: impl Into<String>) -> Self {
        self.names.insert(event_type, topic.into());
        self
    }

    /// The topic of an event type.
    #[must_use]
    pub fn topic(&self, event_type: EventType) -> &str {
        self.names.get(&event_type).map_or("", String::as_str)
    }

    /// The topics that carry any of these event types, each once, in order of name.
    #[must_use]
    pub fn topics(&self, event_types: &[EventType]) -> Vec<&str> {
        let unique: BTreeSet<&str> = event_types.iter().map(|known| self.topic(*known)).collect();
        unique.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_have_the_names_of_existing_systems() {
        let topic = |map: &TopicMap, event_type| map.topic(event_type).to_owned();
        assert_eq!(topic(&TopicMap::default(), EventType::OrderPlaced), "stockpulse.orders");
        assert_eq!(topic(&TopicMap::per_event(), EventType::OrderPlaced), "order.placed");
        assert_eq!(topic(&TopicMap::dashed(), EventType::OrderPlaced), "order-created");
        assert_eq!(topic(&TopicMap::dashed(), EventType::StockUpdated), "stock-updated");
        assert_eq!(topic(&TopicMap::underscored(), EventType::OrderPlaced), "order_placed");
        assert_eq!(topic(&TopicMap::underscored(), EventType::StockOut), "out_of_stock");
        assert_eq!(topic(&TopicMap::created_updated(), EventType::OrderShipped), "order.updated");
        assert_eq!(topic(&TopicMap::created_updated(), EventType::StockUpdated), "inventory.updated");
    }

    #[test]
    fn topics_of_several_types_are_named_once() {
        let map = TopicMap::default();
        assert_eq!(map.topics(&[EventType::OrderPlaced, EventType::OrderShipped]), ["stockpulse.orders"]);
        let own = map.with_topic(EventType::OrderPlaced, "new-orders");
        assert_eq!(own.topics(&[EventType::OrderPlaced, EventType::OrderShipped]), ["new-orders", "stockpulse.orders"]);
    }
}
