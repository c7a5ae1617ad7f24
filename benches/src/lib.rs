//! Benchmarks of StockPulse; see `benches/`.
