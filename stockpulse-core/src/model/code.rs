//! The numbers that stores write for the states of things.

/// Gives enums with numbered variants their way to the number and back. A variant that is missing in the list is found
/// by the compiler.
macro_rules! coded {
    ($($name:ident { $($variant:ident),+ $(,)? })+) => {$(
        impl $name {
            /// The number a store writes for it; it never changes.
            #[must_use]
            pub const fn code(self) -> u8 {
                match self {
                    $(Self::$variant => Self::$variant as u8,)+
                }
            }

            /// What a stored number stands for.
            #[must_use]
            pub const fn from_code(code: u8) -> Option<Self> {
                $(if code == Self::$variant as u8 {
                    return Some(Self::$variant);
                })+
                None
            }
        }
    )+};
}

use super::order::{OrderChange, OrderStatus, PaymentStatus};
use super::reservation::ReservationState;
use super::stock::MovementKind;

coded! {
    ReservationState { Held, Allocated, Fulfilled, Released, Expired }
    MovementKind {
        Received, Adjusted, Counted, TransferredOut, TransferredIn, Reserved, Released, Expired, Fulfilled, Returned,
        Filled, Configured, Retired, Reconciled,
    }
    PaymentStatus { NotRequired, Due, Started, Paid, RefundDue }
    OrderStatus { Placed, Confirmed, PartlyShipped, Shipped, Rejected, Cancelled, Expired, Returned }
    OrderChange {
        Placed, Confirmed, Adjusted, Rejected, PaymentStarted, Paid, PaymentFailed, PaidLate, PaidAgain, ShippedPartly,
        Shipped, Cancelled, Returned, Expired, HoldLost, Filled, Allocated,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_leads_back_to_where_it_came_from() {
        for code in 0..=u8::MAX {
            assert!(MovementKind::from_code(code).is_none_or(|kind| kind.code() == code));
        }
        assert_eq!(MovementKind::from_code(MovementKind::Reconciled.code()), Some(MovementKind::Reconciled));
        assert_eq!(ReservationState::from_code(0), None);
        assert_eq!(OrderChange::Allocated.code(), 17);
    }
}
