//! What the database knows, and how it meets what the gate does.

use std::sync::Arc;

use super::doorman::{Doorman, LONG, figure, levels};
use crate::conformance::{Harness, Violation};
use crate::port::AdmissionGate;

type Opens<'a> = dyn Harness<Arc<dyn AdmissionGate>> + 'a;

pub(super) async fn a_higher_version_is_believed(harness: &Opens<'_>) -> Result<(), Violation> {
    let doorman = Doorman::open(harness).await?;
    let [key, other] = levels()?;
    doorman.reconcile(&other, 3, 1).await?;
    for (version, sellable) in [(1, 10), (2, 30), (9, 4), (10, 0), (100, 7)] {
        doorman.reconcile(&key, sellable, version).await?;
        let expected = usize::try_from(sellable).unwrap_or(usize::MAX);
        ensure_eq!(doorman.free(&key).await?, expected, "what is left when the database told of version {version}");
    }
    ensure_eq!(doorman.free(&other).await?, 3, "what is left of another level");
    Ok(())
}

pub(super) async fn an_old_version_changes_nothing(harness: &Opens<'_>) -> Result<(), Violation> {
    let doorman = Doorman::open(harness).await?;
    let [key, both] = levels()?;
    doorman.reconcile(&key, 10, 10).await?;
    for (version, sellable) in [(9, 20), (10, 20), (1, 0), (9, 5)] {
        doorman.reconcile(&key, sellable, version).await?;
        ensure_eq!(doorman.free(&key).await?, 10, "what is left when version {version} came behind 10");
    }
    doorman.gate.reconcile(&[figure(&both, 5, 3), figure(&key, 6, 11), figure(&both, 9, 2)]).await?;
    let left = [doorman.free(&both).await?, doorman.free(&key).await?];
    ensure_eq!(left, [5, 6], "what is left when a batch had a level's version 2 behind 3");
    Ok(())
}

pub(super) async fn a_place_outlives_a_reconciliation(harness: &Opens<'_>) -> Result<(), Violation> {
    let doorman = Doorman::open(harness).await?;
    let [key] = levels()?;
    doorman.reconcile(&key, 10, 1).await?;
    let place = doorman.enter(&[(&key, 4)], LONG).await?;
    doorman.reconcile(&key, 12, 2).await?;
    ensure_eq!(doorman.free(&key).await?, 8, "what is left when goods came in while four wait for the database");
    doorman.reconcile(&key, 3, 3).await?;
    ensure_eq!(doorman.free(&key).await?, 0, "what is left when the database has fewer than were let through");
    doorman.gate.release(&[place]).await?;
    ensure_eq!(doorman.free(&key).await?, 3, "what is left when they were released");
    Ok(())
}

/// What happens around a grant of four of ten: it is settled; goods came in; the database's figure has the grant.
#[derive(Clone, Copy, Debug)]
enum Step {
    Settled,
    GoodsCameIn,
    Granted,
}

pub(super) async fn a_grant_counts_once_in_the_end(harness: &Opens<'_>) -> Result<(), Violation> {
    use Step::{GoodsCameIn, Granted, Settled};
    let doorman = Doorman::open(harness).await?;
    // The figures in the order of their versions, and against it: they are read and told side by side.
    let orders = [
        [Settled, GoodsCameIn, Granted],
        [GoodsCameIn, Settled, Granted],
        [GoodsCameIn, Granted, Settled],
        [Settled, Granted, GoodsCameIn],
        [Granted, Settled, GoodsCameIn],
        [Granted, GoodsCameIn, Settled],
    ];
    for order in orders {
        let [key] = levels()?;
        doorman.reconcile(&key, 10, 1).await?;
        let place = doorman.enter(&[(&key, 4)], LONG).await?;
        for step in order {
            match step {
                Settled => doorman.gate.settle(&[place]).await?,
                GoodsCameIn => doorman.reconcile(&key, 15, 2).await?,
                Granted => doorman.reconcile(&key, 11, 3).await?,
            }
        }
        ensure_eq!(doorman.free(&key).await?, 11, "what is left of 10 less 4 and 5 more, after {order:?}");
    }
    Ok(())
}

pub(super) async fn what_the_figure_has_is_not_given_back_again(harness: &Opens<'_>) -> Result<(), Violation> {
    let doorman = Doorman::open(harness).await?;
    let [key] = levels()?;
    doorman.reconcile(&key, 10, 1).await?;
    let place = doorman.enter(&[(&key, 4)], LONG).await?;
    doorman.gate.settle(&[place]).await?;
    doorman.reconcile(&key, 6, 2).await?;
    // The order is cancelled: the database's next version gives the units back.
    doorman.gate.release(&[place]).await?;
    ensure_eq!(doorman.free(&key).await?, 6, "what is left before the database told of the release");
    doorman.reconcile(&key, 10, 3).await?;
    ensure_eq!(doorman.free(&key).await?, 10, "what is left when it told");
    Ok(())
}
