//! The replay from outside: its inputs, its rejections, its command line, and its rules against a
//! plain model of them.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

mod command;
mod documents;
mod drive;
mod figures;
mod inputs;
mod known;
mod oracle;
mod rejections;
mod stores;
mod support;
