//! Deciding within a transaction of the application's own.

use sqlx::MySqlConnection;
use stockpulse_core::Result;
use stockpulse_core::engine::Engine;
use stockpulse_core::engine::order::{OrderCommand, OrderOutcome};
use stockpulse_core::engine::stock::{StockCommand, StockOutcome};

use super::MySqlStore;
use super::session::MySqlSession;
use crate::{inventory, orders};

impl MySqlStore {
    /// Decides a batch of stock commands within a transaction that the application began on this connection: what it writes
    /// and what is decided here are committed together, or not at all. The relay finds the events when it looks next.
    ///
    /// Locks are taken as by [`execute`](stockpulse_core::port::InventoryStore::execute): reservations by id, then levels by
    /// key. An application that locks rows of its own does that before, or meets deadlocks.
    ///
    /// Begin the transaction in READ COMMITTED. In REPEATABLE READ, the server's default, a reservation that was looked for and
    /// not found keeps everybody from making new ones until the transaction ends.
    ///
    /// # Errors
    /// Infrastructure only. Afterwards the transaction has to be rolled back; after `Contention` the whole of it may be
    /// tried again.
    ///
    /// # Cancel safety
    /// A dropped future leaves the transaction in between: roll it back.
    pub async fn execute_stock_in(
        &self,
        connection: &mut MySqlConnection,
        engine: &Engine,
        batch: &[StockCommand],
    ) -> Result<Vec<StockOutcome>> {
        let mut session = MySqlSession::join(connection);
        let decided = inventory::decide_in(&mut session, engine, batch).await;
        decided.map_err(|failure| failure.error.during("inventory.execute_in"))
    }

    /// Decides a batch of order commands within a transaction of the application's own, as
    /// [`execute_stock_in`](Self::execute_stock_in) does.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn execute_orders_in(
        &self,
        connection: &mut MySqlConnection,
        engine: &Engine,
        batch: &[OrderCommand],
    ) -> Result<Vec<OrderOutcome>> {
        let mut session = MySqlSession::join(connection);
        let decided = orders::decide_in(&mut session, engine, batch).await;
        decided.map_err(|failure| failure.error.during("orders.execute_in"))
    }
}
