//! The usual way: a record, a transaction, a commit. An order is inserted and published; a consumer locks the SKU's row,
//! looks whether there is enough, updates it, inserts the reservation, commits, publishes the answer and commits its place;
//! another consumer confirms the order. It knows no duplicates, no ledger, no outbox: an order whose process dies between
//! commit and publishing is lost.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::config::FromClientConfig;
use rdkafka::consumer::{CommitMode, Consumer, StreamConsumer};
use rdkafka::message::{Message, OwnedMessage};
use rdkafka::producer::{FutureProducer, FutureRecord};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use stockpulse_core::model::EventType;
use stockpulse_kafka::KafkaOptions;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::place::{PARTITIONS, Schema, new_id, same};
use crate::waiting::Waiting;

/// Connections at most.
const CONNECTIONS: u32 = 64;
/// How long a record may wait for room.
const PATIENCE: Duration = Duration::from_secs(10);
/// An event's document, about as long as StockPulse's own.
const DOCUMENT: usize = 500;

/// A shop that runs; dropped it ends.
#[derive(Debug)]
pub(crate) struct Usual {
    services: Services,
    _consumers: JoinSet<()>,
}

#[derive(Clone)]
struct Services {
    pool: PgPool,
    producer: FutureProducer,
    placed: String,
    reserved: String,
    document: Arc<str>,
    waiting: Waiting,
}

impl std::fmt::Debug for Services {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Services")
    }
}

impl Usual {
    pub(crate) async fn open(options: &KafkaOptions, schema: &Schema) -> Self {
        let connect: PgConnectOptions = schema.url.parse().expect("a URL");
        let connect = connect.options([("search_path", schema.name.as_str())]);
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect_with(connect).await;
        let pool = pool.expect("postgres answers");
        let tables = "CREATE TABLE orders (id uuid PRIMARY KEY, sku text NOT NULL, quantity bigint NOT NULL,
                status smallint NOT NULL);
            CREATE TABLE stock (sku text PRIMARY KEY, available bigint NOT NULL CHECK (available >= 0),
                reserved bigint NOT NULL) WITH (fillfactor = 50);
            CREATE TABLE reservation (id uuid PRIMARY KEY, sku text NOT NULL, quantity bigint NOT NULL);
            INSERT INTO stock VALUES ('SKU-00000', 1000000000000, 0)";
        sqlx::raw_sql(tables).execute(&pool).await.expect("tables");
        let mut config = same(options, "producer");
        // Each record is waited for, so there is nothing to collect.
        config.set("linger.ms", "0");
        let services = Services {
            pool,
            producer: FutureProducer::from_config(&config).expect("a producer"),
            placed: options.topic(EventType::OrderPlaced),
            reserved: options.topic(EventType::StockReserved),
            document: format!("{{\"order\":\"{}\"}}", "x".repeat(DOCUMENT)).into(),
            waiting: Waiting::default(),
        };
        let mut consumers = JoinSet::new();
        for _ in 0..PARTITIONS {
            let (topic, served) = (services.placed.clone(), services.clone());
            consumers.spawn(consume(options.clone(), "inventory", topic, move |record| {
                let services = served.clone();
                async move { services.reserve(&record).await }
            }));
            let (topic, served) = (services.reserved.clone(), services.clone());
            consumers.spawn(consume(options.clone(), "orders", topic, move |record| {
                let services = served.clone();
                async move { services.confirm(&record).await }
            }));
        }
        Self { services, _consumers: consumers }
    }

    /// Places an order, and waits until its confirmation was consumed.
    pub(crate) async fn confirm(&self) {
        let (services, id) = (&self.services, new_id());
        let confirmed = services.waiting.wait_for(id);
        let insert = sqlx::query("INSERT INTO orders VALUES ($1, 'SKU-00000', 1, 0)").bind(id);
        insert.execute(&services.pool).await.expect("postgres answers");
        services.publish(&services.placed, id).await;
        confirmed.await.expect("the shop goes on");
    }
}

impl Services {
    async fn publish(&self, topic: &str, order: Uuid) {
        let key = order.to_string();
        let record = FutureRecord::to(topic).key(&key).payload(&*self.document);
        self.producer.send(record, PATIENCE).await.expect("the broker answers");
    }

    async fn reserve(&self, record: &OwnedMessage) {
        let id = order(record);
        let sku = "SKU-00000";
        let mut transaction = self.pool.begin().await.expect("postgres answers");
        let lock = sqlx::query_scalar::<_, i64>("SELECT available FROM stock WHERE sku = $1 FOR UPDATE");
        let available = lock.bind(sku).fetch_one(&mut *transaction).await.expect("a SKU");
        assert!(available > 0);
        let update = sqlx::query("UPDATE stock SET available = available - 1, reserved = reserved + 1 WHERE sku = $1");
        update.bind(sku).execute(&mut *transaction).await.expect("enough");
        let insert = sqlx::query("INSERT INTO reservation VALUES ($1, $2, 1)");
        insert.bind(id).bind(sku).execute(&mut *transaction).await.expect("a new one");
        transaction.commit().await.expect("committed");
        self.publish(&self.reserved, id).await;
    }

    async fn confirm(&self, record: &OwnedMessage) {
        let id = order(record);
        let update = sqlx::query("UPDATE orders SET status = 1 WHERE id = $1").bind(id);
        update.execute(&self.pool).await.expect("postgres answers");
        self.waiting.confirmed(id);
    }
}

fn order(record: &OwnedMessage) -> Uuid {
    let key = std::str::from_utf8(record.key().expect("a key")).expect("a text");
    key.parse().expect("an order's id")
}

/// One member of a group: a record after the other, and its place committed after each.
async fn consume<F: Future<Output = ()>>(
    options: KafkaOptions,
    group: &str,
    topic: String,
    handle: impl Fn(OwnedMessage) -> F,
) {
    let mut config = same(&options, "consumer");
    config.set("group.id", options.group(group)).set("enable.auto.commit", "false");
    let consumer = StreamConsumer::from_config(&config).map(Arc::new).expect("a consumer");
    let consumer: Arc<StreamConsumer> = consumer;
    consumer.subscribe(&[&topic]).expect("a topic");
    loop {
        let record = consumer.recv().await.expect("the broker answers");
        handle(record.detach()).await;
        consumer.commit_message(&record, CommitMode::Async).expect("committed");
    }
}
