//! Everything on real databases: PostgreSQL and MariaDB or MySQL at the addresses that the environment names, and SQLite.
//!
//! # Which test shows what
//! Of the twenty faults that an order has to survive, those in which a database takes part. `…` stands for the databases.
//!
//! | fault | shown by |
//! |---|---|
//! | 1: ten units, a thousand orders at once | `databases::faults::…::a_thousand_want_ten` |
//! | 2: killed between the order's commit and its publication | `kills::shops::…::while_orders_are_taken` |
//! | 3: published, and the relay dies before it deletes | `kills::shops::…::while_events_are_published`, `kills::processes::…::around_publishing` |
//! | 4: an order that was rolled back is not told of | `kills::shops::…::while_orders_are_taken`, `databases::join` |
//! | 6: two relays with one lease | `databases::faults::…::two_relays_publish_the_same` |
//! | 7: one row that cannot be published | the rules `keys` and `aside` of the outbox, in `conformance::inventory` |
//! | 8: a lower id that is committed later | `databases::faults::on_…_a_lower_id_that_comes_later_is_published` |
//! | 9: one `order.placed` five times, while members come and go | `databases::faults::…::one_order_comes_five_times` |
//! | 10: killed between the effect's commit and its acknowledgement | `kills::shops::…::while_events_are_handled` |
//! | 13: the database is away for a while | `kills::away`; killed under load: `kills::servers` |
//! | 14: the connection is cut during COMMIT | `kills::connections::…::an_answer_to_commit_is_lost` |
//! | 15: a caller goes away while a transaction begins | `kills::connections::…::callers_go_away` |
//! | 16: {A, B} and {B, A} at once | `kills::crossed` |
//! | 19: cancelled before it came; expiry against confirmation | the rule `a_tombstone_is_kept` of order stores; `databases::faults::…::expiry_races_confirmation` |
//! | 20: everything comes again | `databases::faults::…::all_comes_again` |

#![cfg(all(feature = "postgres", feature = "mysql", feature = "sqlite"))]

#[cfg(test)]
mod support;

#[cfg(test)]
mod conformance {
    mod bus;
    pub(crate) mod harness;
    mod inventory;
    mod layers;
    mod notifications;
    mod orders;
    mod records;
}

#[cfg(test)]
mod databases {
    mod ahead;
    mod connecting;
    #[cfg(unix)]
    mod faults;
    mod join;

    mod prune;
    mod remembered;
    mod reports;
    mod scenarios;
    mod texts;
}

#[cfg(unix)]
#[cfg(test)]
mod kills {
    mod away;
    pub(crate) mod books;
    mod child;
    mod connections;
    mod crossed;
    mod kill_at;
    mod processes;
    mod proxy;
    mod server;
    mod servers;
    pub(crate) mod shop;
    mod shops;
}

#[cfg(test)]
mod statements {
    mod every;
    mod plans;
    mod recorder;
    mod source;
    mod tables;
    mod tour;
}
