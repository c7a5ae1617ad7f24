//! The rules of a gate.

use super::harness::gates;

stockpulse_core::gate_conformance!(gates());
