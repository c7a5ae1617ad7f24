//! How Redis is reached.

use std::fmt;
use std::time::Duration;

/// Which servers there are.
#[derive(Clone, PartialEq, Eq)]
pub enum RedisServers {
    /// One server, as `redis://[user:password@]host:port[/database]`; `rediss://` is TLS.
    Single(String),
    /// A primary that Redis Sentinel watches over. Feature `sentinel`.
    Sentinel {
        /// The sentinels, each as a URL with its own user and password. With `rediss://` the primary is reached by TLS too.
        sentinels: Vec<String>,
        /// The primary's name, as the sentinels know it.
        primary: String,
    },
    /// A Redis Cluster, by some of its nodes. Feature `cluster`.
    Cluster(Vec<String>),
}

/// How Redis is reached: every timeout and name. A cache, a gate and a bus may share the options, and the connection.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisOptions {
    /// Which servers there are.
    pub servers: RedisServers,
    /// The user of the server's ACL; the URL's unless set. For a primary behind Sentinel it is needed here.
    pub username: Option<String>,
    /// The password; the URL's unless set.
    pub password: Option<String>,
    /// The database of a primary behind Sentinel; 0 unless set. A URL names its own, and a cluster has one only.
    pub database: i64,
    /// What stands before every key; `stockpulse:` unless set. Two shops with different prefixes share a server and
    /// nothing else.
    pub prefix: String,
    /// How long it may take to connect, with finding the primary; 1 s unless set.
    pub connect_timeout: Duration,
    /// How long an answer may take; 500 ms unless set. A command that was given up may still be done.
    pub response_timeout: Duration,
    /// After how long a silent connection is probed, and how often; 5 s unless set.
    pub keepalive: Duration,
}

impl RedisOptions {
    /// Defaults for one server, as `redis://[user:password@]host:port[/database]`.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self::of(RedisServers::Single(url.into()))
    }

    /// Defaults for a primary that sentinels watch over, by their URLs and its name.
    #[must_use]
    pub fn sentinel<U: Into<String>>(sentinels: impl IntoIterator<Item = U>, primary: impl Into<String>) -> Self {
        let sentinels = sentinels.into_iter().map(Into::into).collect();
        Self::of(RedisServers::Sentinel { sentinels, primary: primary.into() })
    }

    /// Defaults for a cluster, by the URLs of some of its nodes.
    #[must_use]
    pub fn cluster<U: Into<String>>(nodes: impl IntoIterator<Item = U>) -> Self {
        Self::of(RedisServers::Cluster(nodes.into_iter().map(Into::into).collect()))
    }

    fn of(servers: RedisServers) -> Self {
        Self {
            servers,
            username: None,
            password: None,
            database: 0,
            prefix: "stockpulse:".to_owned(),
            connect_timeout: Duration::from_secs(1),
            response_timeout: Duration::from_millis(500),
            keepalive: Duration::from_secs(5),
        }
    }

    /// Sets the user and the password.
    #[must_use]
    pub fn with_login(mut self, username: impl Into<String>, password: impl Into<String>) -> Self {
        self.username = Some(username.into());
        self.password = Some(password.into());
        self
    }

    /// Sets what stands before every key.
    #[must_use]
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets how long it may take to connect.
    #[must_use]
    pub const fn with_connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets how long an answer may take.
    #[must_use]
    pub const fn with_response_timeout(mut self, timeout: Duration) -> Self {
        self.response_timeout = timeout;
        self
    }
}

/// Without what a URL says of users and passwords.
fn redacted(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    // What follows a question mark may hold a password too.
    let place = place.split_once('?').map_or(place, |(place, _)| place);
    if scheme.is_empty() { place.to_owned() } else { format!("{scheme}://{place}") }
}

impl fmt::Debug for RedisServers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = |urls: &[String]| urls.iter().map(|url| redacted(url)).collect::<Vec<_>>();
        match self {
            Self::Single(url) => f.debug_tuple("Single").field(&redacted(url)).finish(),
            Self::Sentinel { sentinels, primary } => {
                f.debug_struct("Sentinel").field("sentinels", &all(sentinels)).field("primary", primary).finish()
            }
            Self::Cluster(nodes) => f.debug_tuple("Cluster").field(&all(nodes)).finish(),
        }
    }
}

impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisOptions")
            .field("servers", &self.servers)
            .field("username", &self.username)
            .field("password", &self.password.as_ref().map(|_| "[redacted]"))
            .field("database", &self.database)
            .field("prefix", &self.prefix)
            .field("connect_timeout", &self.connect_timeout)
            .field("response_timeout", &self.response_timeout)
            .field("keepalive", &self.keepalive)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let options = [
            RedisOptions::new("redis://app:hunter2@host:6379/1"),
            RedisOptions::new("unix:///run/redis.sock?pass=hunter2"),
            RedisOptions::cluster(["redis://:hunter2@host:7000"]),
            RedisOptions::sentinel(["redis://:hunter2@host:26379"], "shop").with_login("app", "hunter2"),
        ];
        for options in options {
            let shown = format!("{options:?}");
            assert!(!shown.contains("hunter2"), "{shown}");
            assert!(shown.contains("host:") || shown.contains("/run/redis.sock"), "{shown}");
        }
    }
}
