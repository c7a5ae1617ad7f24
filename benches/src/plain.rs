//! The baseline: what people write first.

use std::collections::HashMap;
use std::sync::Mutex;

use stockpulse_core::engine::stock::Reserve;
use stockpulse_core::model::{ReservationId, Sku};

/// A lock around a map of counters and a map of reservations, with room for them from the beginning. No command ids, no
/// movements, no events, nothing that expires: the least that can be done, and no more than that.
#[derive(Debug)]
pub struct Plain(Mutex<Maps>);

#[derive(Debug)]
struct Maps {
    available: HashMap<Sku, i64>,
    reserved: HashMap<ReservationId, Vec<(Sku, i64)>>,
}

impl Plain {
    /// Endless stock of these SKUs, and room for so many reservations.
    #[must_use]
    pub fn new(skus: &[Sku], room: usize) -> Self {
        let available = skus.iter().map(|sku| (sku.clone(), i64::MAX)).collect();
        Self(Mutex::new(Maps { available, reserved: HashMap::with_capacity(room) }))
    }

    /// Forgets the reservations and keeps the memory.
    pub fn clear(&self) {
        self.0.lock().unwrap().reserved.clear();
    }

    /// Reserves all lines, or none. Answers whether it did.
    pub fn reserve(&self, request: &Reserve) -> bool {
        let mut guard = self.0.lock().unwrap();
        let maps = &mut *guard;
        let enough = |sku: &Sku, units: i64| maps.available.get(sku).is_some_and(|available| *available >= units);
        if !request.lines.iter().all(|line| enough(&line.sku, line.quantity.get())) {
            return false;
        }
        let mut lines = Vec::with_capacity(request.lines.len());
        for line in &request.lines {
            if let Some(available) = maps.available.get_mut(&line.sku) {
                *available -= line.quantity.get();
            }
            lines.push((line.sku.clone(), line.quantity.get()));
        }
        maps.reserved.insert(request.reservation, lines);
        true
    }
}
