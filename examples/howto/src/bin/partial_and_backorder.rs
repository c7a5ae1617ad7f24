//! When there is not enough: take what there is, or wait for what comes in, first in, first out.

#![expect(clippy::print_stdout, reason = "a how-to program shows what happens")]

use std::error::Error;
use std::sync::Arc;

use stockpulse_core::engine::stock::{LevelSettings, Parts, Reserve};
use stockpulse_core::memory::MemoryInventoryStore;
use stockpulse_core::model::{Policy, Sku};
use stockpulse_core::service::Inventory;
use stockpulse_howto::check;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let inventory = Inventory::builder(Arc::new(MemoryInventoryStore::default())).start();
    let mug = Sku::new("MUG-RED")?;
    inventory.receive(mug.clone(), 3).await?;
    // Ten units may be promised beyond what is there. Without this, Backorder is as strict as AllOrNothing.
    let settings = LevelSettings { backorder_limit: Some(10.into()), ..LevelSettings::default() };
    inventory.configure(mug.clone(), settings).await?;

    let request = |units: u32, policy| {
        let id = inventory.new_reservation_id();
        (id, Reserve::new(id).with_line(mug.clone(), units).with_policy(policy))
    };
    for (name, units, policy) in
        [("anna", 5, Policy::Partial), ("ben", 4, Policy::Backorder), ("cleo", 7, Policy::Backorder)]
    {
        match inventory.reserve(request(units, policy).1).await?.accepted() {
            Some(held) => {
                let line = &held.lines[0];
                println!("{name} asks for {units}: granted {}, of them waiting {}", line.granted, line.backordered);
            }
            None => println!("{name} asks for {units}: refused"),
        }
    }

    // Ben waits for 4. Dora waits behind him, and 5 units come in.
    let (dora, ask) = request(2, Policy::Backorder);
    inventory.reserve(ask).await?;
    let moved = inventory.receive(mug.clone(), 5).await?.accepted().ok_or("not received")?;
    let filled: Vec<i64> = moved.filled.iter().map(|claim| claim.quantity.get()).collect();
    println!("5 come in and cover, in order: {filled:?}");
    check("ben first, then dora", filled == [4, 1])?;

    // What is there can ship; what waits cannot yet.
    inventory.allocate(dora).await?;
    let shipped = inventory.fulfil(dora, Parts::All).await?.accepted().ok_or("not shipped")?;
    println!("dora gets {} now, and her reservation is {:?}", shipped.lines[0].quantity, shipped.state);
    inventory.receive(mug.clone(), 1).await?;
    let shipped = inventory.fulfil(dora, Parts::All).await?.accepted().ok_or("not shipped")?;
    println!("dora gets {} later, and her reservation is {:?}", shipped.lines[0].quantity, shipped.state);

    let level = inventory.levels(&[mug.into()]).await?.remove(0).ok_or("no level")?;
    check("nobody waits", level.backordered.is_zero())?;
    check("nothing is oversold", !level.is_oversold())
}
