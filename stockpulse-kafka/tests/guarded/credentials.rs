//! Clients that have to show who they are, and want to know whom they talk to: TLS and SASL on a broker of their own.

use std::time::Duration;

use stockpulse_core::ErrorKind;
use stockpulse_core::port::{Nack, Published, Publisher};
use stockpulse_kafka::{DeadLetters, KafkaAdmin, KafkaBus, KafkaOptions};
use tokio::task::JoinSet;

use super::certificates::{Certificates, PASSWORD};
use crate::broker::{Broker, Guarded};
use crate::support::{Place, TYPE, event, fresh, handle, options, receive, skip};

const USER: &str = "shop";
const SECRET: &str = "correct-horse";
const WRONG: &str = "battery-staple";

/// A listener that takes the user's password in two ways, and the certificates of its broker.
fn guarded(certificates: &Certificates) -> Guarded {
    let modules = "org.apache.kafka.common.security";
    let settings = format!(
        "ssl.keystore.type=PKCS12\nssl.keystore.location={}\nssl.keystore.password={PASSWORD}\n\
         sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512\n\
         listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={modules}.scram.ScramLoginModule required;\n\
         listener.name.sasl_ssl.plain.sasl.jaas.config={modules}.plain.PlainLoginModule required user_{USER}=\"{SECRET}\";\n",
        certificates.key_store().display()
    );
    let user = format!("SCRAM-SHA-512=[name={USER},password={SECRET}]");
    Guarded { protocol: "SASL_SSL", settings, format: vec!["--add-scram".to_owned(), user] }
}

/// What the documentation says that a managed Kafka wants.
fn right(broker: &Broker, certificates: &Certificates, mechanism: &str) -> KafkaOptions {
    let mut options = options(&broker.guarded(), &fresh("test"))
        .with_setting("security.protocol", "SASL_SSL")
        .with_setting("sasl.mechanisms", mechanism)
        .with_setting("sasl.username", USER)
        .with_setting("sasl.password", SECRET)
        .with_setting("ssl.ca.location", certificates.right().display().to_string());
    options.request_timeout = Duration::from_secs(2);
    options.delivery_timeout = Duration::from_secs(2);
    options
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_come_in_does_and_who_may_not_is_told_why() {
    let test = "who_may_come_in_does_and_who_may_not_is_told_why";
    if !cfg!(feature = "ssl") {
        return skip(test, "librdkafka was built without the feature `ssl`");
    }
    let started = tokio::task::spawn_blocking(move || {
        let certificates = Certificates::new(test)?;
        let guarded = guarded(&certificates);
        Some((Broker::with(test, Some(guarded))?, certificates))
    });
    let Some((broker, certificates)) = started.await.unwrap() else { return };
    let mut clients = JoinSet::new();
    for mechanism in ["PLAIN", "SCRAM-SHA-512"] {
        let mut patient = right(&broker, &certificates, mechanism);
        patient.request_timeout = Duration::from_secs(60);
        patient.delivery_timeout = Duration::from_secs(60);
        clients.spawn(everything_works(patient));
    }
    for (options, kind, reason) in wrong(&broker, &certificates) {
        clients.spawn(who_asks_is_told(options.clone(), kind, reason));
        clients.spawn(who_publishes_is_told(options, reason));
    }
    clients.join_all().await;
    let without = right(&broker, &certificates, "PLAIN").with_setting("ssl.ca.location", "/nowhere");
    let error = KafkaBus::new(without).map(|_| ()).unwrap_err();
    assert!(error.kind() == ErrorKind::Config && error.to_string().contains("ssl.ca.location"), "{error}");
}

/// Every client that there is gets in: those that make topics, publish, receive, and look after dead letters.
async fn everything_works(options: KafkaOptions) {
    let place = Place::with(options.clone(), 1).await;
    let sent = [event("a", 1), event("a", 2)];
    place.publish(&sent).await;
    let mut subscription = place.join("readers").await;
    let first = receive(subscription.as_mut()).await.remove(0);
    assert_eq!(first.envelope, sent[0]);
    subscription.nack(&[(first.tag, Nack::DeadLetter("no such customer".to_owned()))]).await.unwrap();
    let letters = DeadLetters::new(options.clone()).unwrap();
    let topic = letters.topic(options.topics.topic(TYPE), "readers");
    let listed = letters.list(&topic).await.unwrap();
    assert_eq!(letters.replay(&topic, &[listed[0].id.clone()]).await.unwrap(), 1);
    subscription.close().await.unwrap();
    assert_eq!(handle(place.join("readers").await.as_mut(), 2).await, [sent[1].clone(), sent[0].clone()]);
    let admin = KafkaAdmin::new(options.clone()).unwrap();
    assert!(admin.health().await.unwrap().is_ready());
    let shown = format!("{options:?} {:?} {admin:?} {:?} {letters:?}", options.effective(), place.bus);
    assert!(!shown.contains(SECRET), "{shown}");
}

/// What may be wrong, what kind of failure it is, and what has to be said about it.
fn wrong(broker: &Broker, certificates: &Certificates) -> Vec<(KafkaOptions, ErrorKind, &'static str)> {
    let right = |mechanism| right(broker, certificates, mechanism);
    let stranger = certificates.wrong().display().to_string();
    // The certificate is for 127.0.0.1.
    let mut elsewhere = right("PLAIN").with_setting("broker.address.family", "v4");
    elsewhere.brokers = elsewhere.brokers.replace("127.0.0.1", "localhost");
    let mut open = right("PLAIN");
    open.brokers = broker.address();
    let password = |mechanism| right(mechanism).with_setting("sasl.password", WRONG);
    let protocol = |protocol| right("PLAIN").with_setting("security.protocol", protocol);
    vec![
        (password("PLAIN"), ErrorKind::Config, "Authentication failed: Invalid username or password"),
        (password("SCRAM-SHA-512"), ErrorKind::Config, "invalid credentials with SASL mechanism SCRAM-SHA-512"),
        (right("SCRAM-SHA-256"), ErrorKind::Config, "supported mechanisms: PLAIN,SCRAM-SHA-512"),
        (right("PLAIN").with_setting("ssl.ca.location", stranger), ErrorKind::Config, "certificate verify failed"),
        (elsewhere, ErrorKind::Config, "certificate verify failed"),
        (protocol("PLAINTEXT"), ErrorKind::Unavailable, "the broker may expect TLS"),
        (protocol("SASL_PLAINTEXT"), ErrorKind::Unavailable, "the broker may expect TLS"),
        (protocol("SSL"), ErrorKind::Unavailable, "the broker may expect SASL"),
        (open, ErrorKind::Unavailable, "connecting to a PLAINTEXT broker listener?"),
    ]
}

/// The machine may be so busy that the broker does not get to say it at once.
const TRIES: usize = 30;

/// Who asks after the cluster learns the reason, and no password. Whether nobody answered or a question was not answered in
/// time is a matter of chance; that it does not help to ask again is not.
async fn who_asks_is_told(options: KafkaOptions, kind: ErrorKind, reason: &str) {
    let admin = KafkaAdmin::new(options).unwrap();
    let (mut told, mut is_config) = (String::new(), false);
    for _ in 0..TRIES {
        let error = admin.health().await.unwrap_err();
        told = format!("{error} {error:?}");
        is_config = error.kind() == ErrorKind::Config;
        if told.contains(reason) {
            break;
        }
    }
    assert!(told.contains(reason) && is_config == (kind == ErrorKind::Config), "{kind:?}, {reason}: {told}");
    assert!(![SECRET, WRONG].iter().any(|secret| told.contains(secret)), "{told}");
}

/// Who publishes learns it as well; it may help to try again.
async fn who_publishes_is_told(options: KafkaOptions, reason: &str) {
    let bus = KafkaBus::new(options).unwrap();
    let mut told = String::new();
    for _ in 0..TRIES {
        let answers = bus.publish(&[event("a", 1)]).await.unwrap();
        assert!(matches!(answers[..], [Published::Failed(_)]), "{answers:?}");
        told = format!("{answers:?}");
        if told.contains(reason) {
            break;
        }
    }
    assert!(told.contains(reason), "{reason}: {told}");
    assert!(![SECRET, WRONG].iter().any(|secret| told.contains(secret)), "{told}");
}
