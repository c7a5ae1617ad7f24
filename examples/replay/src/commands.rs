//! From documents to commands. Every id is made from the document's place in the files, so that a document that is
//! replayed again makes the same commands.

use smallvec::SmallVec;
use stockpulse_core::engine::order::{OrderAction, OrderCommand, Place, PlaceLine};
use stockpulse_core::engine::stock::{LevelSettings, StockAction, StockCommand};
use stockpulse_core::model::{
    Command, CommandId, Currency, Money, OrderId, Quantity, Sku, StockKey, StockQuantity, Timestamp, derive,
};
use stockpulse_core::{Error, Result};
use uuid::Uuid;

use crate::args::Policy;
use crate::invoice::{AdjustmentLine, DocumentKind, OrderLine, ReturnLine, SkuId, SkuTable};

/// The SKUs of all invoices as the core knows them.
#[derive(Debug)]
pub struct Skus {
    known: Vec<(Sku, bool)>,
}

impl Skus {
    /// Takes over a table.
    ///
    /// # Errors
    /// `InvalidInput` for what is no SKU; the reader has left such rows out.
    pub fn new(table: &SkuTable) -> Result<Self> {
        let known =
            table.iter().map(|(id, name)| Ok((Sku::new(name)?, table.is_tracked(id)))).collect::<Result<_>>()?;
        Ok(Self { known })
    }

    /// The SKU of an id.
    ///
    /// # Errors
    /// `InvalidInput` for an id of another table.
    pub fn sku(&self, id: SkuId) -> Result<&Sku> {
        self.known.get(id.index()).map(|(sku, _)| sku).ok_or_else(|| Error::invalid("a SKU of another table"))
    }

    /// Whether stock is kept of a SKU.
    #[must_use]
    pub fn is_tracked(&self, id: SkuId) -> bool {
        self.known.get(id.index()).is_some_and(|(_, tracked)| *tracked)
    }

    /// The SKUs of which stock is kept.
    pub fn tracked(&self) -> impl Iterator<Item = &Sku> {
        self.known.iter().filter(|(_, tracked)| *tracked).map(|(sku, _)| sku)
    }

    /// Whether a return or adjustments change any stock, so that the orders before them have to end first.
    #[must_use]
    pub fn moves(&self, kind: &DocumentKind) -> bool {
        match kind {
            DocumentKind::Order(_) => false,
            DocumentKind::Return(lines) => lines.iter().any(|line| line.quantity > 0 && self.is_tracked(line.sku)),
            DocumentKind::Adjustments(lines) => lines.iter().any(|line| line.delta != 0 && self.is_tracked(line.sku)),
        }
    }

    /// The commands that open the shop: each tracked SKU with its opening stock, each service untracked.
    #[must_use]
    pub fn opening(&self, opening: Quantity, policy: Policy, now: Timestamp) -> Vec<StockCommand> {
        let mut commands = Vec::with_capacity(2 * self.known.len());
        for (number, (sku, tracked)) in (0..).zip(&self.known) {
            let key = StockKey::main(sku.clone());
            let backorder_limit = (policy == Policy::Backorder).then_some(Quantity::MAX);
            let settings = LevelSettings { tracked: Some(*tracked), backorder_limit, ..LevelSettings::default() };
            let base = place_id(0);
            let command = |kind, action| Command::new(CommandId::new(derive(base, kind, number)), now, action);
            commands.push(command("configure", StockAction::Configure { key: key.clone(), settings }));
            if *tracked {
                let reason = Some("opening stock".into());
                commands.push(command("open", StockAction::Count { key, counted: opening, reason }));
            }
        }
        commands
    }
}

/// An id that sorts like a document's place.
fn place_id(place: u64) -> Uuid {
    Uuid::from_u128(u128::from(place) << 80)
}

/// The id of the order that a document places.
#[must_use]
pub fn order_id(place: u64) -> OrderId {
    OrderId::new(derive(place_id(place), "order", 0))
}

/// The order that a document places.
///
/// # Errors
/// `InvalidInput` for quantities that cannot be counted; the reader has left such rows out.
pub fn place(
    skus: &Skus,
    place: u64,
    lines: &[OrderLine],
    policy: Policy,
    now: Timestamp,
) -> Result<(OrderId, OrderCommand)> {
    let base = place_id(place);
    let order = order_id(place);
    let mut request = Place::new(order).with_policy(match policy {
        Policy::AllOrNothing => stockpulse_core::model::Policy::AllOrNothing,
        Policy::Partial => stockpulse_core::model::Policy::Partial,
        Policy::Backorder => stockpulse_core::model::Policy::Backorder,
    });
    // Prices decide nothing here. An order whose total no i64 can hold is placed without any.
    let total: i128 = lines.iter().map(|line| i128::from(line.unit_price_minor) * i128::from(line.quantity)).sum();
    let priced = i64::try_from(total).is_ok();
    for line in lines {
        let minor = if priced { line.unit_price_minor } else { 0 };
        request.lines.push(PlaceLine {
            sku: skus.sku(line.sku)?.clone(),
            quantity: Quantity::new(line.quantity)?,
            unit_price: Money::new(minor, Currency::GBP),
        });
    }
    let id = CommandId::new(derive(base, "place", 0));
    Ok((order, Command::new(id, now, OrderAction::Place(request))))
}

/// The return of a document's tracked rows; `None` if it brings nothing back.
///
/// # Errors
/// As for [`place`].
pub fn take_back(skus: &Skus, place: u64, lines: &[ReturnLine], now: Timestamp) -> Result<Option<StockCommand>> {
    let mut back: SmallVec<[StockQuantity; 1]> = SmallVec::new();
    for line in lines.iter().filter(|line| line.quantity > 0 && skus.is_tracked(line.sku)) {
        back.push(StockQuantity::new(StockKey::main(skus.sku(line.sku)?.clone()), Quantity::new(line.quantity)?));
    }
    let id = CommandId::new(derive(place_id(place), "return", 0));
    let action = StockAction::Return { lines: back.clone(), order: None };
    Ok((!back.is_empty()).then(|| Command::new(id, now, action)))
}

/// The adjustments of a document's tracked rows that change anything.
///
/// # Errors
/// As for [`place`].
pub fn adjust(skus: &Skus, place: u64, lines: &[AdjustmentLine], now: Timestamp) -> Result<Vec<StockCommand>> {
    let changes = (0..).zip(lines).filter(|(_, line)| line.delta != 0 && skus.is_tracked(line.sku));
    let command = |(number, line): (u64, &AdjustmentLine)| {
        let id = CommandId::new(derive(place_id(place), "adjust", number));
        let key = StockKey::main(skus.sku(line.sku)?.clone());
        let action = StockAction::Adjust { key, change: line.delta, reason: Some("invoice".into()) };
        Ok(Command::new(id, now, action))
    };
    changes.map(command).collect()
}
