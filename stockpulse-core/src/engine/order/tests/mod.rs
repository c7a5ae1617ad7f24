//! The rules of orders, one file per stage of an order's life.

mod cancel;
mod desk;
mod fingerprint;
mod history;
mod load_plan;
mod outcome;
mod payment;
mod place;
mod purchases;
mod reservation;
mod rows;
mod ship;
