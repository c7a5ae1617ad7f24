//! The rules of a bus.

use super::harness::redis;

stockpulse_core::bus_conformance!(redis());
