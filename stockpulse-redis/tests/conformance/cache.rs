//! The rules of a cache.

use super::harness::caches;

stockpulse_core::cache_conformance!(caches());
