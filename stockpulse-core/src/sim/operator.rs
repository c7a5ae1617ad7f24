//! Who starts nodes, and to whom the larger accidents happen.

use std::sync::Arc;
use std::time::Duration;

use compact_str::CompactString;

use super::faults::Fault;
use super::front::Front;
use super::shop::{Role, Running, Shop};
use super::violation::Rule;
use super::world::Place;
use crate::port::{SubscribeOptions, Subscriber};

/// How often it is decided what happens next.
const TICK: Duration = Duration::from_millis(250);
/// How long the bus waits for a node that it has not heard of.
const SESSION: Duration = Duration::from_secs(3);

/// Two nodes of each kind.
const ROLES: [Role; 4] = [Role::Inventory, Role::Orders, Role::Inventory, Role::Orders];

pub(super) struct Operator {
    shop: Arc<Shop>,
    front: Arc<Front>,
    slots: Vec<Slot>,
    started: u64,
}

/// Where one node after the other runs.
struct Slot {
    role: Role,
    running: Option<Running>,
    /// When the next one starts, if none runs.
    start_at: Duration,
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

impl Operator {
    pub(super) fn new(shop: Arc<Shop>, front: Arc<Front>) -> Self {
        let slots = ROLES.map(|role| Slot { role, running: None, start_at: Duration::ZERO });
        Self { shop, front, slots: slots.into(), started: 0 }
    }

    /// Runs the shop until then, while things go wrong.
    pub(super) async fn run_until(&mut self, end: Duration) {
        let world = Arc::clone(&self.shop.world);
        while world.elapsed() < end {
            self.start_due();
            self.accidents();
            tokio::time::sleep(TICK).await;
        }
    }

    /// Ends every outage, and has every node running.
    pub(super) fn heal(&mut self) {
        self.shop.world.calm_down();
        self.shop.bus.set_available(true);
        self.shop.bus.fail_next_publishes(0);
        for slot in 0..self.slots.len() {
            if self.running(slot).is_some_and(|running| running.node.is_hung()) {
                self.crash(slot);
            }
            if let Some(slot) = self.slots.get_mut(slot) {
                slot.start_at = Duration::ZERO;
            }
        }
        self.start_due();
    }

    /// Shuts every node down, which must end well by now.
    pub(super) async fn close(&mut self) {
        for slot in &mut self.slots {
            let Some(running) = slot.running.take() else { continue };
            let report = running.supervisor.shutdown(Duration::from_secs(60)).await;
            if !report.is_clean() {
                let what = format!("{} did not shut down in order: {report:?}", running.node.name());
                self.shop.world.violated(Rule::ComesToRest, what);
            }
        }
    }

    fn running(&self, slot: usize) -> Option<&Running> {
        self.slots.get(slot)?.running.as_ref()
    }

    fn start_due(&mut self) {
        let now = self.shop.world.elapsed();
        for (number, slot) in self.slots.iter_mut().enumerate() {
            if slot.running.is_none() && slot.start_at <= now {
                self.started += 1;
                let running = self.shop.start(slot.role, self.started);
                self.front.open(number, running.inventory.clone(), running.orders.clone());
                slot.running = Some(running);
            }
        }
    }

    /// Whether a fault that has a probability per second strikes in this tick.
    fn strikes(&self, fault: Fault) -> bool {
        let world = &self.shop.world;
        let probability = world.faults().probability(fault) * TICK.as_secs_f64();
        let strikes = world.dice().chance(probability);
        if strikes {
            world.injected(fault);
        }
        strikes
    }

    fn some_time(&self, least: u64, most: u64) -> Duration {
        self.shop.world.dice().between(millis(least), millis(most))
    }

    fn some_slot(&self) -> usize {
        let slots: Vec<usize> = (0..self.slots.len()).collect();
        self.shop.world.dice().pick(&slots).copied().unwrap_or(0)
    }

    fn accidents(&mut self) {
        for slot in 0..self.slots.len() {
            let hung = self.running(slot).is_some_and(|running| running.node.is_hung());
            if hung && self.shop.world.dice().chance(0.05) {
                self.crash(slot);
            }
        }
        if self.strikes(Fault::Crash) {
            self.crash(self.some_slot());
        }
        if self.strikes(Fault::Restart) {
            self.restart(self.some_slot());
        }
        if self.strikes(Fault::Pause) {
            self.pause(self.some_slot());
        }
        if self.strikes(Fault::StoreOutage) {
            let place = self.shop.world.dice().pick(&[Place::Inventory, Place::Orders]).copied();
            let duration = self.some_time(200, 5_000);
            self.shop.world.say(format_args!("{place:?} cannot be reached for {} ms", duration.as_millis()));
            self.shop.world.cut_off(place.unwrap_or(Place::Orders), duration);
        }
        if self.strikes(Fault::BusOutage) {
            self.bus_outage(self.some_time(200, 5_000));
        }
        if self.strikes(Fault::PublishFailed) {
            let events = self.shop.world.dice().roll(20) + 1;
            self.shop.world.say(format_args!("the bus takes none of the next {events} events"));
            self.shop.bus.fail_next_publishes(events);
        }
        if self.strikes(Fault::Rebalance)
            && let Some((group, options)) = self.some_group()
        {
            self.rebalance(&group, options);
        }
        if self.strikes(Fault::Rewind)
            && let Some((group, _)) = self.some_group()
        {
            self.shop.world.say(format_args!("{group} begins anew"));
            self.shop.bus.rewind(&group);
        }
        if self.strikes(Fault::CacheWiped) {
            self.shop.world.say(format_args!("the cache is empty"));
            self.shop.cache.wipe();
        }
        if self.strikes(Fault::GateWiped) {
            self.shop.world.say(format_args!("the gate knows nothing"));
            self.shop.gate.wipe();
        }
    }

    fn some_group(&self) -> Option<(CompactString, SubscribeOptions)> {
        let groups = self.shop.groups();
        let (group, types) = self.shop.world.dice().pick(&groups).cloned()?;
        Some((group.clone(), SubscribeOptions::new(group, types)))
    }

    /// Takes a node out of its slot; the next one starts a while later.
    fn take(&mut self, slot: usize) -> Option<Running> {
        let down = self.some_time(0, 4_000);
        let slot = self.slots.get_mut(slot)?;
        slot.start_at = self.shop.world.elapsed() + down;
        slot.running.take()
    }

    /// The node is gone at once; the bus hears of it when its session has ended. Callers go on calling it until the
    /// next one is there.
    fn crash(&mut self, slot: usize) {
        let Some(running) = self.take(slot) else { return };
        running.node.die();
        let session = self.some_time(500, 3_000);
        drop(tokio::spawn(async move {
            tokio::time::sleep(session).await;
            running.node.lose_sessions();
            drop(running);
        }));
    }

    /// The node ends in order, if that can be done in time, and is killed then.
    fn restart(&mut self, slot: usize) {
        let Some(running) = self.take(slot) else { return };
        self.shop.world.say(format_args!("{} is shut down", running.node.name()));
        let deadline = self.some_time(10, 3_000);
        drop(tokio::spawn(async move {
            let Running { node, supervisor, .. } = running;
            supervisor.shutdown(deadline).await;
            node.die();
            node.lose_sessions();
        }));
    }

    fn pause(&self, slot: usize) {
        let duration = self.some_time(100, 12_000);
        let Some(running) = self.running(slot) else { return };
        running.node.freeze(duration);
        if duration > SESSION {
            let node = Arc::clone(&running.node);
            drop(tokio::spawn(async move {
                tokio::time::sleep(SESSION).await;
                node.lose_sessions();
            }));
        }
    }

    fn bus_outage(&self, duration: Duration) {
        self.shop.world.say(format_args!("the bus cannot be reached for {} ms", duration.as_millis()));
        self.shop.bus.set_available(false);
        let bus = self.shop.bus.clone();
        drop(tokio::spawn(async move {
            tokio::time::sleep(duration).await;
            bus.set_available(true);
        }));
    }

    /// Somebody joins and leaves again without having done anything.
    fn rebalance(&self, group: &CompactString, options: SubscribeOptions) {
        let stay = self.some_time(1, 3_000);
        self.shop.world.say(format_args!("somebody joins {group} for {} ms", stay.as_millis()));
        let bus = self.shop.bus.clone();
        drop(tokio::spawn(async move {
            let member = bus.subscribe(options).await;
            tokio::time::sleep(stay).await;
            drop(member);
        }));
    }
}
