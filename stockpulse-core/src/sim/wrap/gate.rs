//! The admission gate, as a node sees it.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::super::node::Node;
use super::super::world::{Place, World, WorldClock, locked};
use crate::error::Result;
use crate::memory::MemoryGate;
use crate::model::ReservationId;
use crate::port::{Admission, AdmissionGate, AdmitRequest, GateLevel};

const PLACE: Place = Place::Elsewhere;

/// The gate that all nodes share. It can be made to forget everything.
#[derive(Debug)]
pub(in crate::sim) struct SharedGate {
    world: Arc<World>,
    inner: Mutex<MemoryGate>,
}

impl SharedGate {
    pub(in crate::sim) fn new(world: Arc<World>) -> Arc<Self> {
        let inner = Mutex::new(MemoryGate::new(Arc::new(WorldClock(Arc::clone(&world)))));
        Arc::new(Self { world, inner })
    }

    /// Forgets everything.
    pub(in crate::sim) fn wipe(&self) {
        *locked(&self.inner) = MemoryGate::new(Arc::new(WorldClock(Arc::clone(&self.world))));
    }

    /// The gate as it is at this moment.
    pub(in crate::sim) fn now(&self) -> MemoryGate {
        locked(&self.inner).clone()
    }
}

#[derive(Debug)]
pub(in crate::sim) struct NodeGate {
    pub(in crate::sim) node: Arc<Node>,
    pub(in crate::sim) shared: Arc<SharedGate>,
}

#[async_trait]
impl AdmissionGate for NodeGate {
    async fn admit(&self, batch: &[AdmitRequest]) -> Result<Vec<Admission>> {
        let admit = async {
            let answers = self.shared.now().admit(batch).await?;
            self.node.world().say(format_args!("gate: {answers:?}"));
            Ok(answers)
        };
        self.node.call(PLACE, "gate.admit", admit).await
    }

    async fn settle(&self, reservations: &[ReservationId]) -> Result<()> {
        let settle = async { self.shared.now().settle(reservations).await };
        self.node.call(PLACE, "gate.settle", settle).await
    }

    async fn release(&self, reservations: &[ReservationId]) -> Result<()> {
        let release = async { self.shared.now().release(reservations).await };
        self.node.call(PLACE, "gate.release", release).await
    }

    async fn reconcile(&self, levels: &[GateLevel]) -> Result<()> {
        let reconcile = async { self.shared.now().reconcile(levels).await };
        self.node.call(PLACE, "gate.reconcile", reconcile).await
    }
}
