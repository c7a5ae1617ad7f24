//! A shared port is a port, so that wrappers can be put around one that others use too.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Delivery, DeliveryTag, Nack, SubscribeOptions, Subscriber, Subscription, every_port};

macro_rules! shared {
    ($port:ident {
        $($name:literal, $size:expr, $call:ident($($arg:ident: $type:ty),*) -> $answer:ty;)*
        $(direct $direct:ident();)*
    }) => {
        #[async_trait]
        impl<P: $port + ?Sized> $port for Arc<P> {
            $(async fn $call(&self, $($arg: $type),*) -> Result<$answer> {
                (**self).$call($($arg),*).await
            })*
            $(async fn $direct(&self) {
                (**self).$direct().await;
            })*
        }
    };
}

every_port!(shared);

#[async_trait]
impl<P: Subscriber + ?Sized> Subscriber for Arc<P> {
    async fn subscribe(&self, options: SubscribeOptions) -> Result<Box<dyn Subscription>> {
        (**self).subscribe(options).await
    }
}

/// A subscription has one owner, so it is boxed and not shared.
#[async_trait]
impl<P: Subscription + ?Sized> Subscription for Box<P> {
    async fn receive(&mut self, max: usize) -> Result<Vec<Delivery>> {
        (**self).receive(max).await
    }

    async fn ack(&mut self, tags: &[DeliveryTag]) -> Result<()> {
        (**self).ack(tags).await
    }

    async fn nack(&mut self, tags: &[(DeliveryTag, Nack)]) -> Result<()> {
        (**self).nack(tags).await
    }

    async fn close(&mut self) -> Result<()> {
        (**self).close().await
    }
}
