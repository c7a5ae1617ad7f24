//! Everything on real databases: PostgreSQL and MariaDB or MySQL at the addresses that the environment names, and SQLite.

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
    mod books;
    mod child;
    mod connections;
    mod crossed;
    mod processes;
    mod proxy;
    mod server;
    mod servers;
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
