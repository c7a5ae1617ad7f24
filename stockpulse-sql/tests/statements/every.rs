//! Every statement of this crate, on every database: it is sent in a test, it can be prepared, and it reads by keys.

use std::collections::HashSet;

use stockpulse_core::conformance::{
    Harness, Rule, bus, catalog_store, customer_store, inventory_store, notification_log, order_store, outbox, run,
};

use super::recorder::{alone, recorded, tokens};
use super::source::{normal, texts};
use super::tables::{Column, Connection, place, tables};
use super::tour::beyond_the_rules;
use crate::conformance::harness::{Database, mysql, postgres, sqlite};
use crate::support::Kind;

async fn all_hold<B, H>(rules: &[Rule<B>], harness: H)
where
    B: Clone + std::fmt::Debug + Send + Sync + 'static,
    H: Harness<B>,
{
    let report = run(rules, &harness).await;
    assert!(report.broken.is_empty(), "{:?}", report.broken);
}

/// The statements about rows in what was sent, each by itself.
fn statements<'a>(sent: &'a [String], columns: &[Column]) -> Vec<&'a str> {
    let tables = tables(columns);
    let names_one = |part: &str| tokens(part).into_iter().any(|word| tables.iter().any(|table| table == word));
    let parts = sent.iter().flat_map(|text| text.split(';')).map(str::trim);
    let verbs = ["SELECT", "WITH", "INSERT", "UPDATE", "DELETE"];
    parts.filter(|part| verbs.iter().any(|verb| part.starts_with(verb)) && names_one(part)).collect()
}

/// Every text of the source was sent, and every table was written and read.
fn nothing_is_missing(kind: Kind, sent: &[String], columns: &[Column]) {
    let normal: Vec<String> = sent.iter().map(|text| normal(text)).collect();
    let texts = texts(kind);
    assert!(texts.len() > 50, "{texts:#?}");
    let missing: Vec<_> =
        texts.iter().filter(|text| !text.is_in(&normal)).map(|text| (&text.file, &text.text)).collect();
    assert!(missing.is_empty(), "never sent: {missing:#?}");
    let mut pairs = HashSet::new();
    for text in sent {
        pairs.extend(tokens(text).windows(2).map(|pair| (pair[0], pair[1])));
    }
    for table in tables(columns) {
        let table = table.as_str();
        assert!(pairs.contains(&("INTO", table)), "never written: {table}");
        assert!(pairs.contains(&("FROM", table)) || pairs.contains(&("JOIN", table)), "never read: {table}");
    }
}

async fn all_read_by_keys(connection: &mut Connection, statements: &[&str], columns: &[Column], own: bool) {
    let mut wrong = Vec::new();
    for statement in statements {
        let whole = connection.reads_whole(statement, columns, own).await;
        if !whole.is_empty() {
            wrong.push(format!("{whole:?} as a whole: {statement:.400}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

async fn every_statement_is_sent_and_prepared_and_reads_by_keys(kind: Kind, database: fn() -> Database) {
    tokio::join!(
        all_hold(inventory_store::RULES, database()),
        all_hold(outbox::RULES, database()),
        all_hold(order_store::RULES, database()),
        all_hold(catalog_store::RULES, database()),
        all_hold(customer_store::RULES, database()),
        all_hold(notification_log::RULES, database()),
        all_hold(bus::RULES, database()),
    );
    let place = place(kind).await;
    let mut connection = Connection::open(kind, &place).await;
    let columns = connection.columns().await;
    assert!(columns.len() > 200, "{columns:?}");
    let ports = place.connect(&[]).await.unwrap();
    beyond_the_rules(&ports).await;
    drop(ports);

    let sent = recorded();
    nothing_is_missing(kind, &sent, &columns);
    let statements = statements(&sent, &columns);
    for statement in &statements {
        connection.prepare(statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }

    // PostgreSQL keeps the plan that it made while the tables were empty, and on other people's connections it may plan
    // as it likes.
    if kind == Kind::Postgres {
        all_read_by_keys(&mut connection, &statements, &columns, true).await;
    }
    connection.fill(&columns).await;
    all_read_by_keys(&mut connection, &statements, &columns, false).await;
    if kind == Kind::Postgres {
        all_read_by_keys(&mut connection, &statements, &columns, true).await;
    }

    // And it would be noticed.
    let index = match kind {
        Kind::Postgres => "DROP INDEX stock_reservation_live",
        Kind::MySql => "DROP INDEX stock_reservation_live ON stock_reservation",
        Kind::Sqlite => "DROP INDEX stock_reservation_held",
    };
    connection.run(index).await.unwrap();
    let expiring = statements.iter().find(|statement| statement.contains("ORDER BY expires_at")).unwrap();
    assert_eq!(connection.reads_whole(expiring, &columns, false).await, ["stock_reservation"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres() {
    if !Kind::Postgres.skips() && alone("statements::every::on_postgres") {
        every_statement_is_sent_and_prepared_and_reads_by_keys(Kind::Postgres, postgres).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_mysql() {
    if !Kind::MySql.skips() && alone("statements::every::on_mysql") {
        every_statement_is_sent_and_prepared_and_reads_by_keys(Kind::MySql, mysql).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite() {
    if alone("statements::every::on_sqlite") {
        every_statement_is_sent_and_prepared_and_reads_by_keys(Kind::Sqlite, sqlite).await;
    }
}
