//! Asking again: a command that is kept can be sent as often as it takes, and is decided once.

#![expect(clippy::print_stdout, reason = "a how-to program shows what happens")]

use std::error::Error;
use std::sync::Arc;

use stockpulse_core::engine::stock::{Refusal, Reserve, StockAction, StockOutcome};
use stockpulse_core::memory::MemoryInventoryStore;
use stockpulse_core::model::{ReservationId, Sku};
use stockpulse_core::service::Inventory;
use stockpulse_howto::check;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let inventory = Inventory::builder(Arc::new(MemoryInventoryStore::default())).start();
    let mug = Sku::new("MUG-RED")?;
    inventory.receive(mug.clone(), 10).await?;
    let reserve = |id: ReservationId, units: u32| StockAction::Reserve(Reserve::new(id).with_line(mug.clone(), units));

    // Keep the command, not only the request: its id is what makes it the same question.
    let command = inventory.command(reserve(inventory.new_reservation_id(), 4));
    let first = inventory.execute(command.clone()).await?;
    let again = inventory.execute(command.clone()).await?;
    println!("asked twice, the same answer: {}", first == again);
    println!("sellable: {}", inventory.sellable(mug.clone()).await?);
    check("four were claimed once", inventory.sellable(mug.clone()).await? == 6.into())?;

    // A refusal is an answer too, and stays the answer when there is more stock by now.
    let greedy = inventory.command(reserve(inventory.new_reservation_id(), 7));
    let refused = inventory.execute(greedy.clone()).await?;
    inventory.receive(mug.clone(), 100).await?;
    let still_refused = inventory.execute(greedy.clone()).await? == refused;
    println!("refused before the delivery, and after it: {still_refused}");
    check("the first answer stands", still_refused)?;

    // To decide anew, ask anew: a new command with the same contents.
    let anew = inventory.execute(inventory.command(greedy.action.clone())).await?;
    println!("asked anew, it is granted: {}", matches!(anew, StockOutcome::Reserved(_)));

    // The same id for something else is a mistake of the caller, and is refused.
    let mut mistaken = command;
    mistaken.action = reserve(inventory.new_reservation_id(), 5);
    let conflict = inventory.execute(mistaken).await?;
    println!("another question under an old id: {conflict:?}");
    check("it is a conflict", conflict == StockOutcome::Refused(Refusal::Conflict))
}
