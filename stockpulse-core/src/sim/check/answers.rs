//! What callers were told.

use std::collections::BTreeMap;

use super::super::violation::Rule;
use super::super::world::World;
use crate::engine::order::OrderCommand;
use crate::engine::stock::{StockCommand, StockOutcome};
use crate::model::CommandId;
use crate::service::OrderDecision;

/// An answer with what was asked.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sim) enum Answer {
    /// By the order service.
    Order(OrderCommand, OrderDecision),
    /// By the inventory service.
    Stock(StockCommand, StockOutcome),
}

impl Answer {
    const fn command(&self) -> CommandId {
        match self {
            Self::Order(command, _) => command.id,
            Self::Stock(command, _) => command.id,
        }
    }
}

/// The answers by command.
#[derive(Debug, Default)]
pub(in crate::sim) struct Answers {
    first: BTreeMap<CommandId, Answer>,
}

impl Answers {
    /// All first answers.
    pub(in crate::sim) fn all(&self) -> Vec<Answer> {
        self.first.values().cloned().collect()
    }
}

impl World {
    /// Whether somebody was told what became of this command.
    pub(in crate::sim) fn was_answered(&self, command: CommandId) -> bool {
        self.history().answers.first.contains_key(&command)
    }

    /// Somebody was told this. It must be what he was told before.
    pub(in crate::sim) fn answered(&self, answer: &Answer) {
        let before = {
            let mut history = self.history();
            history.answers.first.entry(answer.command()).or_insert_with(|| answer.clone()).clone()
        };
        if before != *answer {
            self.violated(Rule::SameAnswer, format!("first {before:?}, then {answer:?}"));
        }
    }
}
