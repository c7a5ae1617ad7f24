//! The rules of a gate, where the levels of a request are in several shards.

use super::harness::sharded_gates;

stockpulse_core::gate_conformance!(sharded_gates());
