//! The rules of a bus.

use super::harness::kafka;

stockpulse_core::bus_conformance!(kafka());
