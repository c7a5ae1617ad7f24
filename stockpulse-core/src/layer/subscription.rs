//! Subscribers and their subscriptions, inside a layer.

use std::sync::Arc;

use async_trait::async_trait;

use super::call::{Call, With, arguments};
use super::layered::{Layer, Layered};
use crate::error::Result;
use crate::port::{Delivery, DeliveryTag, Nack, SubscribeOptions, Subscriber, Subscription};

const SUBSCRIBE: &str = "bus.subscribe";

#[async_trait]
impl<P: Subscriber, L: Layer> Subscriber for Layered<P, L> {
    async fn subscribe(&self, options: SubscribeOptions) -> Result<Box<dyn Subscription>> {
        let mut make = With::new((&self.inner, Some(options)), |(inner, kept): &mut (&P, Option<_>)| {
            match arguments(kept, L::REPEATS) {
                Ok(options) => inner.subscribe(options),
                Err(error) => Box::pin(async move { Err(error.during(SUBSCRIBE)) }),
            }
        });
        let inner = self.layer.around(Call::new(SUBSCRIBE, None, &mut make)).await?;
        Ok(Box::new(Layered { inner, layer: Arc::clone(&self.layer) }))
    }
}

#[async_trait]
impl<P: Subscription, L: Layer> Subscription for Layered<P, L> {
    async fn receive(&mut self, max: usize) -> Result<Vec<Delivery>> {
        let mut make = With::new(&mut self.inner, |inner: &mut &mut P| inner.receive(max));
        let delivered = |deliveries: &Vec<Delivery>| Some(deliveries.len());
        self.layer.around(Call::waiting("bus.receive", delivered, &mut make)).await
    }

    async fn ack(&mut self, tags: &[DeliveryTag]) -> Result<()> {
        let mut make = With::new((&mut self.inner, tags), |(inner, tags): &mut (&mut P, _)| inner.ack(tags));
        self.layer.around(Call::new("bus.ack", Some(tags.len()), &mut make)).await
    }

    async fn nack(&mut self, tags: &[(DeliveryTag, Nack)]) -> Result<()> {
        let mut make = With::new((&mut self.inner, tags), |(inner, tags): &mut (&mut P, _)| inner.nack(tags));
        self.layer.around(Call::new("bus.nack", Some(tags.len()), &mut make)).await
    }

    async fn close(&mut self) -> Result<()> {
        let mut make = With::new(&mut self.inner, |inner: &mut &mut P| inner.close());
        self.layer.around(Call::new("bus.leave", None, &mut make)).await
    }
}
