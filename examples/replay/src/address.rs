//! Which store and which bus a command line names.

use std::fmt;
use std::path::PathBuf;

use crate::args::Args;
use crate::error::ReplayError;

/// What `--store` takes.
pub(crate) const STORES: &str = "memory, sqlite:FILE, postgres://…, mysql://…";

/// What `--bus` takes.
pub(crate) const BUSES: &str = match (cfg!(feature = "kafka"), cfg!(feature = "redis")) {
    (true, true) => "memory, sql, kafka://…, redis://…",
    (true, false) => "memory, sql, kafka://…",
    (false, true) => "memory, sql, redis://…",
    (false, false) => "memory, sql",
};

/// The name of a replay on Kafka or Redis, unless the address has one.
#[cfg(any(feature = "kafka", feature = "redis"))]
const NAME: &str = "replay";

/// Where stock and orders are kept. `Debug` shows no secrets.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreKind {
    /// The reference store, in this process.
    Memory,
    /// A SQLite file.
    Sqlite(PathBuf),
    /// PostgreSQL, by its URL.
    Postgres(String),
    /// MySQL or MariaDB, by its URL.
    MySql(String),
}

/// What carries the events.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BusKind {
    /// The reference bus, in this process.
    Memory,
    /// The bus in the store's database.
    Sql,
    /// Kafka.
    #[cfg(feature = "kafka")]
    Kafka(KafkaAddress),
    /// Redis Streams.
    #[cfg(feature = "redis")]
    Redis(RedisAddress),
}

/// A replay on Kafka.
#[cfg(feature = "kafka")]
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KafkaAddress {
    /// The brokers to begin with, as `host:port,host:port`.
    pub brokers: String,
    /// What the names of its topic and groups begin with.
    pub name: String,
}

/// A replay on Redis. `Debug` shows no secrets.
#[cfg(feature = "redis")]
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RedisAddress {
    /// The server, as `redis://[user:password@]host:port[/database]`.
    pub url: String,
    /// What the names of its keys begin with.
    pub name: String,
}

#[cfg(feature = "redis")]
impl fmt::Debug for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisAddress").field("url", &without_secrets(&self.url)).field("name", &self.name).finish()
    }
}

impl fmt::Debug for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("Memory"),
            Self::Sqlite(file) => f.debug_tuple("Sqlite").field(file).finish(),
            Self::Postgres(url) => f.debug_tuple("Postgres").field(&without_secrets(url)).finish(),
            Self::MySql(url) => f.debug_tuple("MySql").field(&without_secrets(url)).finish(),
        }
    }
}

impl Args {
    /// The store and the bus that were asked for.
    ///
    /// # Errors
    /// [`ReplayError::UnknownBackend`] if this build has no such store or bus, [`ReplayError::Options`] if they do not
    /// go together.
    pub fn backends(&self) -> Result<(StoreKind, BusKind), ReplayError> {
        let store = self.store_kind()?;
        let bus = match self.bus.as_deref() {
            None if store == StoreKind::Memory => BusKind::Memory,
            None | Some("sql") => BusKind::Sql,
            Some("memory") => BusKind::Memory,
            #[cfg(feature = "kafka")]
            Some(other) if other.starts_with("kafka://") => BusKind::Kafka(kafka(&other["kafka://".len()..])?),
            #[cfg(feature = "redis")]
            Some(other) if other.starts_with("redis://") => BusKind::Redis(redis("--bus", other)?),
            Some(other) => {
                return Err(ReplayError::UnknownBackend {
                    option: "--bus",
                    value: without_secrets(other),
                    known: BUSES,
                });
            }
        };
        let wrong = |reason| Err(ReplayError::Options(reason));
        if self.schema.is_some() && !matches!(store, StoreKind::Postgres(_)) {
            return wrong("--schema is for a PostgreSQL store");
        }
        match (&store, &bus) {
            (StoreKind::Memory, BusKind::Sql) => {
                wrong("--bus sql lies in the store's database; --store memory has none")
            }
            (StoreKind::Memory, BusKind::Memory) => Ok((store, bus)),
            (_, BusKind::Memory) if self.resume => {
                wrong("--resume needs a durable bus: what the memory bus carried is lost with its process")
            }
            _ => Ok((store, bus)),
        }
    }

    fn store_kind(&self) -> Result<StoreKind, ReplayError> {
        let store = self.store.as_str();
        if let Some(file) = store.strip_prefix("sqlite:") {
            let file = file.strip_prefix("//").unwrap_or(file);
            return match file {
                "" | ":memory:" => Err(ReplayError::Options("--store sqlite: names no file; without one, use memory")),
                file => Ok(StoreKind::Sqlite(file.into())),
            };
        }
        match store.split_once("://") {
            None if store == "memory" => Ok(StoreKind::Memory),
            Some(("postgres" | "postgresql", _)) => Ok(StoreKind::Postgres(store.to_owned())),
            Some(("mysql" | "mariadb", rest)) => Ok(StoreKind::MySql(format!("mysql://{rest}"))),
            _ => {
                let value = without_secrets(store);
                Err(ReplayError::UnknownBackend { option: "--store", value, known: STORES })
            }
        }
    }

    /// The bus as it may be shown.
    #[must_use]
    pub fn shown_bus(&self) -> String {
        without_secrets(self.bus.as_deref().unwrap_or_default())
    }

    /// The store as it may be shown.
    #[must_use]
    pub fn shown_store(&self) -> String {
        without_secrets(&self.store)
    }
}

/// Reads what follows `kafka://`: brokers, and the name of the replay if there is one.
#[cfg(feature = "kafka")]
fn kafka(address: &str) -> Result<KafkaAddress, ReplayError> {
    let (brokers, name) = match address.split_once('/') {
        None | Some((_, "")) => (address.trim_end_matches('/'), NAME),
        Some(both) => both,
    };
    let is_broker = |broker: &str| {
        let (host, port) = broker.rsplit_once(':').unwrap_or_default();
        !host.is_empty() && !host.contains('@') && port.parse::<u16>().is_ok_and(|port| port > 0)
    };
    if !brokers.split(',').all(is_broker) {
        return Err(ReplayError::Options("--bus kafka:// names brokers as host:port, separated by commas"));
    }
    if !is_name(name) {
        return Err(ReplayError::Options("--bus kafka://…/NAME: up to 100 of a-z, A-Z, 0-9, '.', '_' and '-'"));
    }
    Ok(KafkaAddress { brokers: brokers.to_owned(), name: name.to_owned() })
}

/// Reads a URL of Redis, and the name of the replay behind `#` if there is one.
#[cfg(feature = "redis")]
pub(crate) fn redis(option: &str, address: &str) -> Result<RedisAddress, ReplayError> {
    let (url, name) = match address.rsplit_once('#') {
        None => (address, NAME),
        Some((url, "")) => (url, NAME),
        Some(both) => both,
    };
    if !is_name(name) {
        return Err(ReplayError::Options(match option {
            "--cache" => "--cache redis://…#NAME: up to 100 of a-z, A-Z, 0-9, '.', '_' and '-'",
            "--gate" => "--gate redis://…#NAME: up to 100 of a-z, A-Z, 0-9, '.', '_' and '-'",
            _ => "--bus redis://…#NAME: up to 100 of a-z, A-Z, 0-9, '.', '_' and '-'",
        }));
    }
    Ok(RedisAddress { url: url.to_owned(), name: name.to_owned() })
}

#[cfg(any(feature = "kafka", feature = "redis"))]
fn is_name(name: &str) -> bool {
    let is_legal = |char: char| char.is_ascii_alphanumeric() || matches!(char, '.' | '_' | '-');
    name.len() <= 100 && name.chars().all(is_legal)
}

/// A URL without user, password and parameters, any of which may be a secret.
pub(crate) fn without_secrets(url: &str) -> String {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), url),
    };
    // A password may hold any of these marks unescaped: what comes before the last @ is not shown.
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    let place = place.split(['?', '#']).next().unwrap_or_default();
    let hidden = if place.len() == rest.len() { "" } else { "…" };
    match rest.contains('@') {
        true => format!("{scheme}…@{place}"),
        false => format!("{scheme}{place}{hidden}"),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn chosen(options: &[&str]) -> Result<(StoreKind, BusKind), String> {
        let args = ["stockpulse-replay", "sales.csv"].iter().chain(options);
        Args::parse_from(args).backends().map_err(|error| error.to_string())
    }

    #[test]
    fn stores_go_by_their_urls_and_the_bus_follows_the_store() {
        use {BusKind as Bus, StoreKind as Store};
        let postgres = |url: &str| Store::Postgres(url.into());
        for (options, expected) in [
            (&[][..], (Store::Memory, Bus::Memory)),
            (&["--store", "sqlite:a.db"], (Store::Sqlite("a.db".into()), Bus::Sql)),
            (&["--store", "sqlite:///tmp/a.db", "--resume"], (Store::Sqlite("/tmp/a.db".into()), Bus::Sql)),
            (&["--store", "sqlite:a.db", "--bus", "memory"], (Store::Sqlite("a.db".into()), Bus::Memory)),
            (&["--store", "postgres://h/d", "--schema", "s"], (postgres("postgres://h/d"), Bus::Sql)),
            (&["--store", "postgresql://h/d", "--bus", "sql"], (postgres("postgresql://h/d"), Bus::Sql)),
            (&["--store", "mariadb://h/d"], (Store::MySql("mysql://h/d".into()), Bus::Sql)),
            (&["--resume"], (Store::Memory, Bus::Memory)),
        ] {
            assert_eq!(chosen(options), Ok(expected), "{options:?}");
        }
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        for (options, reason) in [
            (&["--bus", "sql"][..], "--bus sql lies in"),
            (&["--store", "sqlite:a.db", "--bus", "memory", "--resume"], "--resume needs a durable bus"),
            (&["--schema", "s"], "--schema is for a PostgreSQL"),
            (&["--store", "sqlite:a.db", "--schema", "s"], "--schema is for a PostgreSQL"),
            (&["--store", "sqlite:"], "--store sqlite: names no file"),
            (&["--store", "sqlite::memory:"], "--store sqlite: names no file"),
        ] {
            let refused = chosen(options).unwrap_err();
            assert!(refused.starts_with(reason), "{refused}");
        }
    }

    #[cfg(feature = "kafka")]
    #[test]
    fn kafka_is_named_by_its_brokers_and_the_name_of_a_replay() {
        for (bus, brokers, name) in [
            ("kafka://127.0.0.1:9092", "127.0.0.1:9092", "replay"),
            ("kafka://127.0.0.1:9092/", "127.0.0.1:9092", "replay"),
            ("kafka://a:9092,b:9093/half-year", "a:9092,b:9093", "half-year"),
            ("kafka://[::1]:9092/x", "[::1]:9092", "x"),
        ] {
            let address = KafkaAddress { brokers: brokers.into(), name: name.into() };
            let expected = (StoreKind::Memory, BusKind::Kafka(address.clone()));
            assert_eq!(chosen(&["--bus", bus]), Ok(expected), "{bus}");
            let expected = (StoreKind::Sqlite("a.db".into()), BusKind::Kafka(address));
            assert_eq!(chosen(&["--store", "sqlite:a.db", "--resume", "--bus", bus]), Ok(expected), "{bus}");
        }
        for bus in ["kafka://", "kafka://host", "kafka:///name", "kafka://host:0", "kafka://a:1,", "kafka://me:pw@h:1"]
        {
            let refused = chosen(&["--bus", bus]).unwrap_err();
            assert!(refused.starts_with("--bus kafka:// names brokers"), "{bus}: {refused}");
        }
        for bus in ["kafka://h:1/a b", "kafka://h:1/a/b", &format!("kafka://h:1/{}", "x".repeat(101))] {
            let refused = chosen(&["--bus", bus]).unwrap_err();
            assert!(refused.starts_with("--bus kafka://…/NAME"), "{bus}: {refused}");
        }
    }

    #[cfg(feature = "redis")]
    #[test]
    fn redis_is_named_by_its_url_and_the_name_of_a_replay() {
        for (bus, url, name) in [
            ("redis://127.0.0.1:6379", "redis://127.0.0.1:6379", "replay"),
            ("redis://h:1/3#", "redis://h:1/3", "replay"),
            ("redis://me:se#same@h:1/3#half-year", "redis://me:se#same@h:1/3", "half-year"),
        ] {
            let address = RedisAddress { url: url.into(), name: name.into() };
            assert!(!format!("{address:?}").contains("same"), "{address:?}");
            let expected = (StoreKind::Sqlite("a.db".into()), BusKind::Redis(address));
            assert_eq!(chosen(&["--store", "sqlite:a.db", "--resume", "--bus", bus]), Ok(expected), "{bus}");
        }
        for bus in ["redis://h:1#a b", "redis://h:1#a{b}", &format!("redis://h:1#{}", "x".repeat(101))] {
            let refused = chosen(&["--bus", bus]).unwrap_err();
            assert!(refused.starts_with("--bus redis://…#NAME"), "{bus}: {refused}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        for (url, shown) in [
            ("pigeon", "pigeon"),
            ("pigeon://loft", "pigeon://loft"),
            ("postgres://me:sesame@host:5432/shop?sslkey=sesame", "postgres://…@host:5432/shop"),
            ("postgres://me:ses@me/?x@host/shop", "postgres://…@host/shop"),
            ("postgres://host/shop?password=sesame", "postgres://host/shop…"),
            ("me:sesame@host", "…@host"),
        ] {
            assert_eq!(without_secrets(url), shown);
        }
        let unknown = chosen(&["--store", "postgress://me:sesame@host/shop"]).unwrap_err();
        assert_eq!(unknown, format!("--store postgress://…@host/shop: unknown; this build has: {STORES}"));
        let debug = format!("{:?}", chosen(&["--store", "mysql://me:sesame@host/shop"]).unwrap());
        assert!(!debug.contains("sesame"), "{debug}");
    }
}
