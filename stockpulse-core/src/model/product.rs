//! Products: what the catalog knows about a SKU.

use serde::{Deserialize, Serialize};

use super::money::Money;
use super::quantity::{Quantity, Scale};
use super::sku::Sku;
use super::time::Timestamp;
use crate::error::{Error, Result};

/// One component of a kit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    /// The component's SKU; never itself a kit.
    pub sku: Sku,
    /// How many of it one kit takes; at least one.
    pub quantity: Quantity,
}

/// A kit: a SKU made of other SKUs, at the moment it was ordered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kit {
    /// The kit's own SKU.
    pub sku: Sku,
    /// What one of it takes.
    pub components: Vec<Component>,
}

/// A product of the catalog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// Its SKU.
    pub sku: Sku,
    /// What people call it.
    pub name: String,
    /// The list price of one unit.
    pub price: Money,
    /// The decimal places of its quantities.
    pub scale: Scale,
    /// Whether stock is counted; a service is not tracked and is always available.
    pub tracked: bool,
    /// What it is made of, empty unless it is a kit.
    pub components: Vec<Component>,
    /// How many units one customer may have on order over time, if limited.
    pub purchase_limit: Option<Quantity>,
    /// At how many available units `stock.low` is raised, if at all.
    pub low_stock_at: Option<Quantity>,
    /// Whether it can be ordered.
    pub active: bool,
    /// Counts its changes, from 1; 0 before it was stored.
    pub version: u64,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Product {
    /// A tracked, active product sold by the piece.
    #[must_use]
    pub fn new(sku: Sku, name: impl Into<String>, price: Money) -> Self {
        Self {
            sku,
            name: name.into(),
            price,
            scale: Scale::PIECES,
            tracked: true,
            components: Vec::new(),
            purchase_limit: None,
            low_stock_at: None,
            active: true,
            version: 0,
            updated_at: Timestamp::default(),
        }
    }

    /// Makes it a kit of these components.
    #[must_use]
    pub fn with_components(mut self, components: Vec<Component>) -> Self {
        self.components = components;
        self
    }

    /// Limits how many units one customer may have on order.
    #[must_use]
    pub fn with_purchase_limit(mut self, limit: Quantity) -> Self {
        self.purchase_limit = Some(limit);
        self
    }

    /// The kit it is, if it is one.
    #[must_use]
    pub fn kit(&self) -> Option<Kit> {
        (!self.components.is_empty()).then(|| Kit { sku: self.sku.clone(), components: self.components.clone() })
    }

    /// Checks what must hold of any product.
    ///
    /// # Errors
    /// `InvalidInput` that names the product and what is wrong with it.
    pub fn validate(&self) -> Result<()> {
        let wrong = |what: String| Err(Error::invalid(format!("product {}: {what}", self.sku)));
        if self.name.trim().is_empty() || self.name.len() > 1024 {
            return wrong("name is empty or longer than 1024 bytes".to_owned());
        }
        if self.price.minor < 0 {
            return wrong(format!("price {} is negative", self.price));
        }
        for component in &self.components {
            if component.quantity.is_zero() {
                return wrong(format!("component {} has quantity 0", component.sku));
            }
            if component.sku == self.sku {
                return wrong("is a component of itself".to_owned());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::money::Currency;

    #[test]
    fn a_kit_may_not_hold_itself_or_nothing() {
        let sku = Sku::new("SET").unwrap();
        let product = Product::new(sku.clone(), "Set", Money::new(100, Currency::EUR));
        assert!(product.validate().is_ok());
        let with = |sku, quantity| product.clone().with_components(vec![Component { sku, quantity }]).validate();
        assert!(with(sku, Quantity::ONE).unwrap_err().to_string().contains("itself"));
        assert!(with(Sku::new("CUP").unwrap(), Quantity::ZERO).unwrap_err().to_string().contains("CUP"));
    }
}
