//! The frame of commands in tables: who asked, what it followed from, and what was decided.

use serde::Serialize;
use serde::de::DeserializeOwned;
use stockpulse_core::engine::Decided;
use stockpulse_core::model::{Actor, Cause, CommandId, Timestamp};
use stockpulse_core::{Error, Result, codec};

use crate::failure::Failure;
use crate::table::Kind::{Bytes, Id, Int};
use crate::table::Table;
use crate::value::{Cells, Value};

/// The table of what was decided about the commands of a context.
const fn commands(name: &'static str) -> Table {
    Table { name, columns: &[("id", Id), ("fingerprint", Int), ("outcome", Bytes), ("decided_at", Int)], key: 1 }
}

pub(crate) static STOCK_COMMAND: Table = commands("stock_command");
pub(crate) static ORDER_COMMAND: Table = commands("order_command");
pub(crate) static PRODUCT_COMMAND: Table = commands("product_command");
pub(crate) static CUSTOMER_COMMAND: Table = commands("customer_command");

/// The stored form of an actor: nothing for the system itself, otherwise what it is and who, as `staff:ann`.
pub(crate) fn actor(actor: &Actor) -> Value {
    match actor {
        Actor::System => Value::Null,
        Actor::Customer(id) => Value::Text(format!("customer:{id}")),
        Actor::Staff(name) => Value::Text(format!("staff:{name}")),
        Actor::Service(name) => Value::Text(format!("service:{name}")),
    }
}

pub(crate) fn read_actor(text: Option<String>) -> Result<Actor> {
    let Some(text) = text else { return Ok(Actor::System) };
    let wrong = || Error::corrupt(format!("{text:?} is no actor"));
    match text.split_once(':').ok_or_else(wrong)? {
        ("customer", id) => Ok(Actor::Customer(id.parse().map_err(|_| wrong())?)),
        ("staff", name) => Ok(Actor::Staff(name.into())),
        ("service", name) => Ok(Actor::Service(name.into())),
        _ => Err(wrong()),
    }
}

/// The stored form of a cause: nothing for a request, otherwise what it was and which, as `event:…`.
pub(crate) fn cause(cause: Cause) -> Value {
    match cause {
        Cause::Request => Value::Null,
        Cause::Event(id) => Value::Text(format!("event:{id}")),
        Cause::Command(id) => Value::Text(format!("command:{id}")),
    }
}

pub(crate) fn read_cause(text: Option<String>) -> Result<Cause> {
    let Some(text) = text else { return Ok(Cause::Request) };
    let wrong = || Error::corrupt(format!("{text:?} is no cause"));
    match text.split_once(':').ok_or_else(wrong)? {
        ("event", id) => Ok(Cause::Event(id.parse().map_err(|_| wrong())?)),
        ("command", id) => Ok(Cause::Command(id.parse().map_err(|_| wrong())?)),
        _ => Err(wrong()),
    }
}

/// The row of a command's outcome: the columns of every `…_command` table.
pub(crate) fn outcome_row<O: Serialize>(id: CommandId, decided: &Decided<O>, at: Timestamp) -> Result<[Value; 4]> {
    Ok([
        Value::Id(id.as_uuid()),
        Value::Int(decided.fingerprint.cast_signed()),
        Value::Bytes(codec::encode(&decided.outcome)?),
        Value::Int(at.as_micros()),
    ])
}

pub(crate) fn read_outcome<O: DeserializeOwned>(row: &impl Cells) -> Result<(CommandId, Decided<O>), Failure> {
    let id = CommandId::new(row.id(0)?);
    let fingerprint = row.int(1)?.cast_unsigned();
    let outcome = codec::decode(&row.bytes(2)?).map_err(|error| named(error, "command", &id))?;
    Ok((id, Decided { fingerprint, outcome }))
}

/// An error about a stored row says which.
pub(crate) fn named(error: Error, what: &str, id: &dyn std::fmt::Display) -> Error {
    Error::corrupt(format!("stored {what} {id} cannot be read")).with_source(error)
}

#[cfg(test)]
mod tests {
    use stockpulse_core::model::{CustomerId, EventId};

    use super::*;

    #[test]
    fn actors_and_causes_come_back() {
        let text = |value| if let Value::Text(text) = value { Some(text) } else { None };
        for who in [
            Actor::System,
            Actor::Customer(CustomerId::from_u128(7)),
            Actor::Staff("ann:b".into()),
            Actor::Service("shop".into()),
        ] {
            assert_eq!(read_actor(text(actor(&who))).unwrap(), who);
        }
        for why in [Cause::Request, Cause::Event(EventId::from_u128(1)), Cause::Command(CommandId::from_u128(2))] {
            assert_eq!(read_cause(text(cause(why))).unwrap(), why);
        }
        assert!(read_actor(Some("ann".into())).unwrap_err().to_string().contains("ann"));
        assert!(read_cause(Some("event:x".into())).is_err());
    }
}
