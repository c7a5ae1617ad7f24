//! Publishing much at once.

use stockpulse_core::model::Envelope;

use crate::support::{Place, broker_or_skip, event, fresh, handle, options};

#[tokio::test(flavor = "multi_thread")]
async fn more_than_librdkafka_has_room_for_is_published_in_its_order() {
    let Some(broker) = broker_or_skip("more_than_librdkafka_has_room_for_is_published_in_its_order") else { return };
    let small = options(&broker, &fresh("test")).with_producer_setting("queue.buffering.max.messages", "10");
    let place = Place::with(small, 1).await;
    let sent: Vec<Envelope> = (0..200).map(|number| event("key", number)).collect();
    place.publish(&sent).await;
    assert_eq!(handle(place.join("readers").await.as_mut(), 200).await, sent);
}
