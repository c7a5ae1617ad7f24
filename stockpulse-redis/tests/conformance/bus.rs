//! The rules of a bus.

use super::harness::buses;

stockpulse_core::bus_conformance!(buses());
