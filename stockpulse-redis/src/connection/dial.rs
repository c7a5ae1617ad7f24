//! Making a connection, to one server, a primary behind Sentinel or a cluster.

use redis::aio::{ConnectionLike, MultiplexedConnection};
#[cfg(feature = "cluster")]
use redis::cluster::ClusterClient;
#[cfg(feature = "cluster")]
use redis::cluster_async::ClusterConnection;
use redis::io::tcp::{TcpSettings, socket2::TcpKeepalive};
use redis::{AsyncConnectionConfig, Client, Cmd, ConnectionInfo, IntoConnectionInfo, ProtocolVersion, RedisFuture};
use redis::{Pipeline, RedisConnectionInfo, RedisResult, Value};
use stockpulse_core::Result;
#[cfg(any(not(feature = "cluster"), not(feature = "sentinel")))]
use stockpulse_core::{Error, ErrorKind};

use crate::error::failure;
use crate::{RedisOptions, RedisServers};

/// Whom to call.
pub(super) enum Target {
    Single(Box<Client>),
    #[cfg(feature = "sentinel")]
    Sentinel {
        sentinels: Vec<ConnectionInfo>,
        primary: String,
        node: Box<redis::sentinel::SentinelNodeConnectionInfo>,
    },
    #[cfg(feature = "cluster")]
    Cluster(Box<ClusterClient>),
}

impl Target {
    pub(super) fn new(options: &RedisOptions) -> Result<Self> {
        #[cfg(feature = "tls")]
        install_provider();
        match &options.servers {
            RedisServers::Single(url) => {
                let info = address(url, options).map_err(failure)?;
                let login = login(info.redis_settings().clone(), options);
                Ok(Self::Single(Box::new(Client::open(info.set_redis_settings(login)).map_err(failure)?)))
            }
            RedisServers::Sentinel { sentinels, primary } => Self::sentinel(sentinels, primary, options),
            RedisServers::Cluster(nodes) => Self::cluster(nodes, options),
        }
    }

    #[cfg(feature = "sentinel")]
    fn sentinel(sentinels: &[String], primary: &str, options: &RedisOptions) -> Result<Self> {
        use redis::sentinel::SentinelNodeConnectionInfo;

        let infos: RedisResult<Vec<ConnectionInfo>> = sentinels.iter().map(|url| address(url, options)).collect();
        let settings = RedisConnectionInfo::default().set_db(options.database).set_protocol(ProtocolVersion::RESP3);
        let mut node = SentinelNodeConnectionInfo::default()
            .set_redis_connection_info(login(settings, options))
            .set_tcp_settings(tcp(options));
        if sentinels.iter().any(|url| url.starts_with("rediss:")) {
            node = node.set_tls_mode(redis::TlsMode::Secure);
        }
        Ok(Self::Sentinel { sentinels: infos.map_err(failure)?, primary: primary.to_owned(), node: Box::new(node) })
    }

    #[cfg(not(feature = "sentinel"))]
    fn sentinel(_: &[String], _: &str, _: &RedisOptions) -> Result<Self> {
        Err(Error::new(ErrorKind::Config, "Redis Sentinel needs the feature `sentinel`"))
    }

    #[cfg(feature = "cluster")]
    fn cluster(nodes: &[String], options: &RedisOptions) -> Result<Self> {
        let infos: RedisResult<Vec<ConnectionInfo>> = nodes.iter().map(|url| address(url, options)).collect();
        let mut builder = ClusterClient::builder(infos.map_err(failure)?)
            .use_protocol(ProtocolVersion::RESP3)
            .tcp_settings(tcp(options))
            .connection_timeout(options.connect_timeout)
            .response_timeout(options.response_timeout);
        if let Some(username) = &options.username {
            builder = builder.username(username);
        }
        if let Some(password) = &options.password {
            builder = builder.password(password);
        }
        Ok(Self::Cluster(Box::new(builder.build().map_err(failure)?)))
    }

    #[cfg(not(feature = "cluster"))]
    fn cluster(_: &[String], _: &RedisOptions) -> Result<Self> {
        Err(Error::new(ErrorKind::Config, "Redis Cluster needs the feature `cluster`"))
    }

    pub(super) async fn dial(&self, options: &RedisOptions) -> RedisResult<Link> {
        match self {
            Self::Single(client) => node(client, options).await,
            #[cfg(feature = "sentinel")]
            Self::Sentinel { sentinels, primary, node: settings } => {
                let mut sentinel = redis::sentinel::Sentinel::build(sentinels.clone())?;
                node(&sentinel.async_master_for(primary, Some(settings)).await?, options).await
            }
            #[cfg(feature = "cluster")]
            Self::Cluster(client) => Ok(Link::Cluster(client.get_async_connection().await?)),
        }
    }
}

async fn node(client: &Client, options: &RedisOptions) -> RedisResult<Link> {
    // Each call has a timeout around it already, the same one.
    let config =
        AsyncConnectionConfig::new().set_connection_timeout(Some(options.connect_timeout)).set_response_timeout(None);
    Ok(Link::Node(client.get_multiplexed_async_connection_with_config(&config).await?))
}

fn address(url: &str, options: &RedisOptions) -> RedisResult<ConnectionInfo> {
    let info = url.into_connection_info()?;
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    Ok(info.set_tcp_settings(tcp(options)).set_redis_settings(settings))
}

fn login(mut settings: RedisConnectionInfo, options: &RedisOptions) -> RedisConnectionInfo {
    if let Some(username) = &options.username {
        settings = settings.set_username(username);
    }
    if let Some(password) = &options.password {
        settings = settings.set_password(password);
    }
    settings
}

fn tcp(options: &RedisOptions) -> TcpSettings {
    let keepalive = TcpKeepalive::new().with_time(options.keepalive).with_interval(options.keepalive);
    TcpSettings::default().set_nodelay(true).set_keepalive(keepalive)
}

/// An application that chose its own way of TLS keeps it.
#[cfg(feature = "tls")]
fn install_provider() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Somebody else was quicker; it is there.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    }
}

/// A connection that was made.
#[derive(Clone)]
pub(super) enum Link {
    Node(MultiplexedConnection),
    #[cfg(feature = "cluster")]
    Cluster(ClusterConnection),
}

impl ConnectionLike for Link {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Node(node) => node.req_packed_command(command),
            #[cfg(feature = "cluster")]
            Self::Cluster(cluster) => cluster.req_packed_command(command),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        commands: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Node(node) => node.req_packed_commands(commands, offset, count),
            #[cfg(feature = "cluster")]
            Self::Cluster(cluster) => cluster.req_packed_commands(commands, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Node(node) => node.get_db(),
            #[cfg(feature = "cluster")]
            Self::Cluster(cluster) => cluster.get_db(),
        }
    }
}
