//! Small programs; see `src/bin`.
