//! Every port, inside a layer.

use async_trait::async_trait;

use super::call::{Call, With, arguments};
use super::layered::{Layer, Layered};
use crate::port::every_port;

macro_rules! layered {
    ($port:ident {
        $($name:literal, $size:expr, $call:ident($($arg:ident: $type:ty),*) -> $answer:ty;)*
        $(direct $direct:ident();)*
    }) => {
        #[async_trait]
        impl<P: $port, L: Layer> $port for Layered<P, L> {
            $(async fn $call(&self, $($arg: $type),*) -> Result<$answer> {
                let size = $size;
                let state = (&self.inner, Some(($($arg,)*)));
                let mut make = With::new(state, |(inner, kept): &mut (&P, Option<_>)| {
                    match arguments(kept, L::REPEATS) {
                        Ok(($($arg,)*)) => inner.$call($($arg),*),
                        Err(error) => Box::pin(async move { Err(error.during($name)) }),
                    }
                });
                self.layer.around(Call::new($name, size, &mut make)).await
            })*
            $(async fn $direct(&self) {
                self.inner.$direct().await;
            })*
        }
    };
}

every_port!(layered);
