//! An event handler of one's own: it orders more when stock runs low.

#![expect(clippy::print_stdout, reason = "a how-to program shows what happens")]

use std::collections::HashSet;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use stockpulse_core::SystemClock;
use stockpulse_core::engine::stock::{LevelSettings, Reserve};
use stockpulse_core::model::{EventData, EventId, EventType, Sku, StockEvent};
use stockpulse_core::worker::{Handled, Handler, Incoming};
use stockpulse_howto::{Shop, check, within};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// Writes to the purchasing department when a level runs low.
#[derive(Debug)]
struct Purchasing {
    letters: UnboundedSender<String>,
    /// Events come at least once: remember which were handled. A real one keeps this where the letters are.
    written: Mutex<HashSet<EventId>>,
}

#[async_trait]
impl Handler for Purchasing {
    /// Each group gets every event once; members of one group share them.
    fn group(&self) -> &str {
        "purchasing"
    }

    fn event_types(&self) -> Vec<EventType> {
        vec![EventType::StockLow, EventType::StockOut]
    }

    async fn handle(&self, batch: &[Incoming]) -> stockpulse_core::Result<Vec<Handled>> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let answers = batch.iter().map(|event| {
            let (EventData::Stock(StockEvent::Low(news) | StockEvent::Out(news)), true) =
                (&event.data, written.insert(event.envelope.id))
            else {
                return Handled::Done;
            };
            let letter = format!("{}: {} available, please send more", news.key, news.available);
            match self.letters.send(letter) {
                Ok(()) => Handled::Done,
                Err(_) => Handled::Failed("purchasing has gone home".to_owned()),
            }
        });
        Ok(answers.collect())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut shop = Shop::open(Arc::new(SystemClock));
    let (letters, mut inbox) = unbounded_channel();
    shop.handle(Purchasing { letters, written: Mutex::default() });

    let mug = Sku::new("MUG-RED")?;
    shop.inventory.receive(mug.clone(), 10).await?;
    let settings = LevelSettings { low_stock_at: Some(Some(3.into())), ..LevelSettings::default() };
    shop.inventory.configure(mug.clone(), settings).await?;

    let mut received = Vec::new();
    for units in [5, 3, 2] {
        let request = Reserve::new(shop.inventory.new_reservation_id()).with_line(mug.clone(), units);
        shop.inventory.reserve(request).await?.accepted().ok_or("not enough")?;
        println!("{units} sold, {} left", shop.inventory.sellable(mug.clone()).await?);
        if units != 5 {
            let letter = within("a letter", async { inbox.recv().await.ok_or("purchasing has gone home") }).await?;
            println!("  {letter}");
            received.push(letter);
        }
    }
    check("one letter each for low and out", received.len() == 2 && inbox.try_recv().is_err())?;
    shop.close().await
}
