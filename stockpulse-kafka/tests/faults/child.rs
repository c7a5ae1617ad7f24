//! A member in a process of its own, which is killed or stopped: this test once more, told by a variable what to do.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions};
use stockpulse_core::model::{Envelope, EventId};
use stockpulse_core::port::{SubscribeOptions, Subscriber};
use stockpulse_kafka::{KafkaBus, KafkaOptions};

use crate::support::{Place, TYPE, broker_or_skip, event, handle, options, receive};

/// The variable: what is to be done with events, the broker and the prefix.
const ORDERS: &str = "STOCKPULSE_KAFKA_CHILD";
const TEST: &str = "faults::child::runs_only_as_a_child";

/// What a child does with events that it has handled, which is that it says so.
#[derive(Clone, Copy, Debug)]
enum Then {
    Acknowledge,
    /// What it handles is handled once more by somebody else, as when it dies in between.
    Nothing,
}

/// A member, which ends with its owner.
struct Member {
    child: Child,
    handled: Receiver<EventId>,
}

impl Member {
    fn start(options: &KafkaOptions, then: Then) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args([TEST, "--exact", "--nocapture", "--test-threads=1"]);
        command.env(ORDERS, format!("{then:?}\n{}\n{}", options.brokers, options.prefix));
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let output = child.stdout.take().unwrap();
        let (say, handled) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // The test's name stands in front of the first one.
                if let Some((_, id)) = line.split_once("HANDLED ") {
                    let _ = say.send(id.parse().unwrap());
                }
            }
        });
        Self { child, handled }
    }

    fn signal(&self, signal: Signal) {
        rustix::process::kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn stop(&self) {
        self.signal(Signal::STOP);
        rustix::process::waitpid(Some(Pid::from_child(&self.child)), WaitOptions::UNTRACED).unwrap();
    }

    /// What it handled since this was asked last; at least so many.
    fn handled(&self, least: usize) -> Vec<EventId> {
        let first = (0..least).map(|_| self.handled.recv_timeout(Duration::from_secs(60)).unwrap());
        let first: Vec<EventId> = first.collect();
        first.into_iter().chain(self.handled.try_iter()).collect()
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ids(events: &[Envelope]) -> BTreeSet<EventId> {
    events.iter().map(|event| event.id).collect()
}

fn batch(from: u64) -> Vec<Envelope> {
    (from..from + 200).map(|number| event(&format!("key-{}", number % 20), number)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_only_as_a_child() {
    let Ok(orders) = std::env::var(ORDERS) else { return };
    let [then, broker, prefix] = orders.split('\n').collect::<Vec<_>>().try_into().unwrap();
    let bus = KafkaBus::new(options(broker, prefix)).unwrap();
    let mut subscription = bus.subscribe(SubscribeOptions::new("readers", [TYPE])).await.unwrap();
    loop {
        let deliveries = receive(subscription.as_mut()).await;
        for delivery in &deliveries {
            // Its effect: seen by the parent whatever becomes of this process.
            let mut out = std::io::stdout().lock();
            writeln!(out, "HANDLED {}", delivery.envelope.id).unwrap();
            out.flush().unwrap();
        }
        if then == "Acknowledge" {
            subscription.ack(&deliveries.iter().map(|delivery| delivery.tag).collect::<Vec<_>>()).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_process_handled_and_did_not_commit_comes_again() {
    let test = "what_a_killed_process_handled_and_did_not_commit_comes_again";
    let Some(broker) = broker_or_skip(test) else { return };
    let place = Place::new(&broker, 4).await;
    let sent = batch(0);
    place.publish(&sent).await;
    let mut child = Member::start(&place.options, Then::Nothing);
    let (child, handled) = tokio::task::spawn_blocking(move || {
        let handled = child.handled(200);
        child.child.kill().unwrap();
        child.child.wait().unwrap();
        (child, handled)
    })
    .await
    .unwrap();
    assert_eq!(handled.into_iter().collect::<BTreeSet<_>>(), ids(&sent));
    // The brokers give it up after its session, and nothing of it counts.
    let again = handle(place.join("readers").await.as_mut(), 200).await;
    assert_eq!(ids(&again), ids(&sent));
    drop(child);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_is_added_and_one_is_killed_under_load_and_nothing_is_lost() {
    let test = "a_member_is_added_and_one_is_killed_under_load_and_nothing_is_lost";
    let Some(broker) = broker_or_skip(test) else { return };
    let place = Place::new(&broker, 4).await;
    let mut sent = batch(0);
    place.publish(&sent).await;
    let child = Member::start(&place.options, Then::Acknowledge);
    let (child, mut handled) = tokio::task::spawn_blocking(move || {
        let handled = child.handled(200);
        (child, handled)
    })
    .await
    .unwrap();
    let mut subscription = place.join("readers").await;
    for round in 1..10 {
        let batch = batch(round * 200);
        place.publish(&batch).await;
        sent.extend(batch);
        if round == 5 {
            child.signal(Signal::KILL);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let all = ids(&sent);
    loop {
        handled.extend(child.handled(0));
        if handled.iter().copied().collect::<BTreeSet<_>>() == all {
            break;
        }
        handled.extend(handle(subscription.as_mut(), 1).await.iter().map(|event| event.id));
    }
    assert!(!child.handled.try_iter().any(|id| !all.contains(&id)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zombie_neither_skips_events_nor_takes_the_group_back() {
    let test = "a_zombie_neither_skips_events_nor_takes_the_group_back";
    let Some(broker) = broker_or_skip(test) else { return };
    let place = Place::new(&broker, 2).await;
    let first = batch(0);
    place.publish(&first).await;
    let zombie = Member::start(&place.options, Then::Acknowledge);
    let zombie = tokio::task::spawn_blocking(move || {
        zombie.handled(200);
        zombie.stop();
        zombie
    })
    .await
    .unwrap();
    // Its session ends meanwhile, and another member takes over: what was not committed, and what is new.
    let second = batch(200);
    place.publish(&second).await;
    let mut subscription = place.join("readers").await;
    let mut taken = BTreeSet::new();
    while !taken.is_superset(&ids(&second)) {
        taken.extend(ids(&handle(subscription.as_mut(), 1).await));
    }
    zombie.signal(Signal::CONT);
    // It comes back as a member like any other. Everything that follows is handled by one of them.
    let third = batch(400);
    place.publish(&third).await;
    let mut left = ids(&third);
    while !left.is_empty() {
        let received = tokio::time::timeout(Duration::from_millis(200), subscription.receive(1_000)).await;
        for delivery in received.map_or(Ok(Vec::new()), |received| received).unwrap() {
            left.remove(&delivery.envelope.id);
            subscription.ack(&[delivery.tag]).await.unwrap();
        }
        zombie.handled(0).iter().for_each(|id| {
            left.remove(id);
        });
    }
    subscription.close().await.unwrap();
    drop(zombie);
    // The group's place is behind all of it but for what the zombie had no time to commit when it was killed at last.
    place.publish(&batch(600)).await;
    let rest = handle(place.join("readers").await.as_mut(), 200).await;
    let old = ids(&first).union(&ids(&second)).copied().collect::<BTreeSet<_>>();
    assert_eq!(ids(&rest).intersection(&old).count(), 0, "the zombie's late commit took the group back");
}
