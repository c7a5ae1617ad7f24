//! Customers, as far as orders and notifications need them.

use serde::{Deserialize, Serialize};

use super::id::CustomerId;
use super::time::Timestamp;
use crate::error::{Error, Result};

/// A customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// Its identity.
    pub id: CustomerId,
    /// The name to greet with.
    pub name: String,
    /// Where notifications go, if anywhere.
    pub email: Option<String>,
    /// Whether the customer may order.
    pub active: bool,
    /// Counts its changes, from 1; 0 before it was stored.
    pub version: u64,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Customer {
    /// An active customer.
    #[must_use]
    pub fn new(id: CustomerId, name: impl Into<String>) -> Self {
        Self { id, name: name.into(), email: None, active: true, version: 0, updated_at: Timestamp::default() }
    }

    /// Sets the address for notifications.
    #[must_use]
    pub fn with_email(mut self, email: impl Into<String>) -> Self {
        self.email = Some(email.into());
        self
    }

    /// Checks what must hold of any customer.
    ///
    /// # Errors
    /// `InvalidInput` that names the customer and what is wrong.
    pub fn validate(&self) -> Result<()> {
        let wrong = |what: &str| Err(Error::invalid(format!("customer {}: {what}", self.id)));
        if self.name.trim().is_empty() || self.name.len() > 1024 {
            return wrong("name is empty or longer than 1024 bytes");
        }
        match &self.email {
            Some(email) if email.len() > 320 || !email.contains('@') || email.chars().any(char::is_control) => {
                wrong("email is no address of at most 320 bytes")
            }
            _ => Ok(()),
        }
    }
}
