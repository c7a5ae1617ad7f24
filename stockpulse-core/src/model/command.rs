//! The frame around every command: its id, its time, who asked and why.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::id::{CommandId, CustomerId, EventId};
use super::time::Timestamp;

/// Who asked for something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// StockPulse itself: a worker.
    #[default]
    System,
    /// A customer.
    Customer(CustomerId),
    /// A person of the staff, by the name the application knows.
    Staff(CompactString),
    /// Another service, by its name.
    Service(CompactString),
}

/// What made somebody ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Nothing before it: a request from outside.
    #[default]
    Request,
    /// An event that was received.
    Event(EventId),
    /// An earlier command, for example the one that a repair follows from.
    Command(CommandId),
}

/// A W3C trace context: what the `traceparent` header carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TraceContext {
    /// The trace, 16 bytes.
    pub trace_id: [u8; 16],
    /// The parent span, 8 bytes.
    pub span_id: [u8; 8],
    /// The flags; bit 0 says "sampled".
    pub flags: u8,
}

impl TraceContext {
    /// Reads a `traceparent` header of version 00.
    ///
    /// Returns `None` when it is malformed, as the W3C recommendation asks: a broken header is ignored.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        let mut parts = header.split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        if version != "00" || parts.next().is_some() {
            return None;
        }
        let (trace_id, span_id, [flags]) = (hex(trace)?, hex(span)?, hex(flags)?);
        (trace_id != [0; 16] && span_id != [0; 8]).then_some(Self { trace_id, span_id, flags })
    }

    /// Writes the `traceparent` header.
    #[must_use]
    pub fn header(&self) -> String {
        use std::fmt::Write;
        let mut text = String::with_capacity(55);
        text.push_str("00-");
        for byte in self.trace_id {
            let _ = write!(text, "{byte:02x}");
        }
        text.push('-');
        for byte in self.span_id {
            let _ = write!(text, "{byte:02x}");
        }
        let _ = write!(text, "-{:02x}", self.flags);
        text
    }
}

fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let lower_hex = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    if text.len() != 2 * N || !text.as_bytes().iter().all(lower_hex) {
        return None;
    }
    let mut bytes = [0; N];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(bytes)
}

/// A command: what is asked (`action`), in its frame.
///
/// The id makes it idempotent: its outcome is stored in the deciding transaction, and the same id gets the
/// same outcome again. Two commands with one id but different actions are a conflict; a different time, actor
/// or cause is not, because a retry has those.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command<A> {
    /// The command's identity.
    pub id: CommandId,
    /// When it was asked for; the engine knows no other clock.
    pub at: Timestamp,
    /// Who asks.
    pub actor: Actor,
    /// Why.
    pub cause: Cause,
    /// The trace it belongs to.
    pub trace: Option<TraceContext>,
    /// What is asked.
    pub action: A,
}

impl<A> Command<A> {
    /// A command by [`Actor::System`], at a time.
    #[must_use]
    pub const fn new(id: CommandId, at: Timestamp, action: A) -> Self {
        Self { id, at, actor: Actor::System, cause: Cause::Request, trace: None, action }
    }

    /// Says who asks.
    #[must_use]
    pub fn with_actor(mut self, actor: Actor) -> Self {
        self.actor = actor;
        self
    }

    /// Says what it follows from.
    #[must_use]
    pub fn with_cause(mut self, cause: Cause) -> Self {
        self.cause = cause;
        self
    }

    /// Attaches a trace.
    #[must_use]
    pub fn with_trace(mut self, trace: Option<TraceContext>) -> Self {
        self.trace = trace;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traceparent_round_trips_and_a_broken_one_is_ignored() {
        let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(TraceContext::parse(header).unwrap().header(), header);
        for broken in [
            "",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "00-é-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceContext::parse(broken), None, "{broken:?}");
        }
    }
}
