//! Topics and the cluster: creating, checking, health.

mod health;
mod probe;
mod settings;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::config::{ClientConfig, FromClientConfigAndContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::Metadata;
use stockpulse_core::{Error, ErrorKind, Result};

pub use self::health::{Finding, Health};
use self::probe::Probe;
pub use self::settings::TopicSettings;

use crate::client::{self, Quiet};
use crate::error::{code_kind, failure};
use crate::options::KafkaOptions;
use crate::topics;

/// Creates and checks topics, and looks after the cluster.
pub struct KafkaAdmin {
    probe: Probe,
    config: ClientConfig,
    options: KafkaOptions,
}

impl KafkaAdmin {
    /// An administrator of the cluster that the options name. It connects by itself.
    ///
    /// # Errors
    /// `Config` when librdkafka does not take the options.
    pub fn new(options: KafkaOptions) -> Result<Self> {
        let config = client::config(options.admin_properties());
        Ok(Self { probe: Probe::new(&config)?, config, options })
    }

    /// Creates the topics of all event types that do not exist yet; answers which those were, once brokers know them.
    ///
    /// # Errors
    /// What the cluster reports; some may have been created.
    ///
    /// # Cancel safety
    /// A dropped future may have created them.
    pub async fn create_topics(&self, settings: &TopicSettings) -> Result<Vec<String>> {
        self.create(&self.names(), settings).await
    }

    /// Creates topics, by their names in full, that do not exist yet; answers which those were.
    ///
    /// # Errors
    /// What the cluster reports; some may have been created.
    ///
    /// # Cancel safety
    /// A dropped future may have created them.
    pub async fn create(&self, names: &[String], settings: &TopicSettings) -> Result<Vec<String>> {
        names.iter().try_for_each(|name| topics::check(name))?;
        let there = self.all().await?;
        let missing: Vec<&String> = names.iter().filter(|name| !there.contains_key(*name)).collect();
        if missing.is_empty() {
            return Ok(Vec::new());
        }
        let properties = settings.properties();
        // -1 is the broker's default.
        let copies = settings.replication.map_or(-1, i32::from);
        let new: Vec<NewTopic<'_>> = missing
            .into_iter()
            .map(|name| {
                let new = NewTopic::new(name, settings.partitions.max(1).into(), TopicReplication::Fixed(copies));
                properties.iter().fold(new, |new, (key, value)| new.set(key, value))
            })
            .collect();
        let client = self.client()?;
        let created = client.create_topics(&new, &self.admin_options()).await;
        retire(client);
        let created = created.map_err(|error| during(&error))?;
        let mut made = Vec::new();
        for answer in created {
            match answer {
                Ok(name) => made.push(name),
                Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((name, code)) => return Err(refused(&format!("topic '{name}'"), code)),
            }
        }
        self.wait_for(names).await?;
        Ok(made)
    }

    /// Waits until brokers say that topics are there: they hear of a new one a moment after it was made.
    async fn wait_for(&self, names: &[String]) -> Result<()> {
        let known = async {
            loop {
                let all = self.all().await?;
                if names.iter().all(|name| all.contains_key(name)) {
                    return Ok(());
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let late = |_| Error::new(ErrorKind::Timeout, "new topics are not known to the brokers").during("kafka.admin");
        tokio::time::timeout(self.options.request_timeout, known).await.map_err(late)?
    }

    /// Compares the topics of all event types with how they should be.
    ///
    /// # Errors
    /// What the cluster reports.
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn check_topics(&self, settings: &TopicSettings) -> Result<Vec<Finding>> {
        let (names, metadata) = (self.names(), self.metadata().await?);
        let mut findings = Vec::new();
        let mut there = Vec::new();
        for name in &names {
            let mut find = |what: &str, expected: String, found: String| {
                if expected != found {
                    findings.push(Finding { topic: name.clone(), what: what.to_owned(), expected, found });
                }
            };
            let Some(topic) = metadata.topics().iter().find(|topic| topic.name() == name) else {
                find("exists", "true".to_owned(), "false".to_owned());
                continue;
            };
            there.push(ResourceSpecifier::Topic(name));
            find("partitions", settings.partitions.to_string(), topic.partitions().len().to_string());
            if let Some(copies) = settings.replication {
                let fewest = topic.partitions().iter().map(|partition| partition.replicas().len()).min();
                find("replication", copies.to_string(), fewest.unwrap_or(0).to_string());
            }
        }
        // librdkafka does not take an empty question.
        if there.is_empty() {
            return Ok(findings);
        }
        let client = self.client()?;
        let configs = client.describe_configs(&there, &self.admin_options()).await;
        retire(client);
        let configs = configs.map_err(|error| during(&error))?;
        for (config, topic) in configs.into_iter().zip(there) {
            let ResourceSpecifier::Topic(name) = topic else { continue };
            let config = config.map_err(|code| refused(&format!("the settings of topic '{name}'"), code))?;
            for (what, expected) in settings.properties() {
                let found = config.get(&what).and_then(|entry| entry.value.clone()).unwrap_or_default();
                if found != expected {
                    findings.push(Finding { topic: name.to_owned(), what, expected, found });
                }
            }
        }
        Ok(findings)
    }

    /// How the cluster is, as far as the topics of all event types go.
    ///
    /// # Errors
    /// `Unavailable` or `Timeout` when no broker answers.
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn health(&self) -> Result<Health> {
        let (names, metadata) = (self.names(), self.metadata().await?);
        let mut health =
            Health { brokers: metadata.brokers().len(), missing: vec![], leaderless: 0, under_replicated: 0 };
        for name in names {
            let Some(topic) = metadata.topics().iter().find(|topic| topic.name() == name) else {
                health.missing.push(name);
                continue;
            };
            for partition in topic.partitions() {
                health.leaderless += usize::from(partition.leader() < 0);
                health.under_replicated += usize::from(partition.isr().len() < partition.replicas().len());
            }
        }
        Ok(health)
    }

    /// The names of all topics of the cluster, with their partitions.
    pub(crate) async fn all(&self) -> Result<BTreeMap<String, usize>> {
        let metadata = self.metadata().await?;
        Ok(metadata.topics().iter().map(|topic| (topic.name().to_owned(), topic.partitions().len())).collect())
    }

    fn names(&self) -> Vec<String> {
        self.options.topic_names(stockpulse_core::model::EventType::ALL)
    }

    async fn metadata(&self) -> Result<Metadata> {
        let metadata = self.probe.metadata(self.options.request_timeout).await;
        metadata.map_err(|error| error.during("kafka.admin"))
    }

    /// For one question. The probe has been answered before, so that it is known why brokers cannot be reached.
    fn client(&self) -> Result<AdminClient<Quiet>> {
        AdminClient::from_config_and_context(&self.config, Quiet).map_err(|error| during(&error))
    }

    fn admin_options(&self) -> AdminOptions {
        let timeout = Some(self.options.request_timeout);
        AdminOptions::new().request_timeout(timeout).operation_timeout(timeout)
    }
}

impl fmt::Debug for KafkaAdmin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaAdmin").field("options", &self.options).finish_non_exhaustive()
    }
}

/// Lets go of a client elsewhere, as its thread is waited for.
fn retire(client: AdminClient<Quiet>) {
    drop(tokio::task::spawn_blocking(move || drop(client)));
}

fn during(error: &KafkaError) -> Error {
    failure(error).during("kafka.admin")
}

fn refused(what: &str, code: RDKafkaErrorCode) -> Error {
    Error::new(code_kind(code), format!("{what}: {code}")).during("kafka.admin")
}
