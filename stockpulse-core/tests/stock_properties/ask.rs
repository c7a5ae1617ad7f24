//! What is asked: random histories.

use std::time::Duration;

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use stockpulse_core::engine::stock::{
    Candidate, Existing, Hold, LevelSettings, Parts, Reserve, ReserveLine, SourcingStrategy, StockAction, StockCommand,
};
use stockpulse_core::engine::{Engine, Limits};
use stockpulse_core::model::{
    Command, CommandId, Component, Kit, LocationId, OrderId, Policy, Quantity, ReservationId, ReservationState, Sku,
    SkuQuantity, Sourcing, StockKey, StockQuantity, Strategy as Source, Timestamp,
};

use crate::store::Store;

pub(crate) const MAX_LINES: usize = 4;
const START: i64 = 1_000;

/// The engine under test: few lines, and one strategy of the application's own.
pub(crate) fn engine() -> Engine {
    let limits = Limits::default().with_max_lines(MAX_LINES);
    Engine::new().with_limits(limits).with_sourcing("reversed", Reversed)
}

#[derive(Debug)]
struct Reversed;

impl SourcingStrategy for Reversed {
    fn rank(&self, _: &Sku, _: Quantity, candidates: &mut [Candidate]) {
        candidates.reverse();
    }
}

/// The kits of the catalog.
pub(crate) fn kits() -> Vec<Kit> {
    let part = |name: &str, units: u32| Component { sku: sku(name), quantity: units.into() };
    vec![
        Kit { sku: sku("K"), components: vec![part("A", 2), part("B", 1)] },
        Kit { sku: sku("L"), components: vec![part("B", 1), part("C", 3)] },
    ]
}

/// Commands, and the sizes of the batches in which they are decided.
#[derive(Clone, Debug)]
pub(crate) struct History {
    pub(crate) asks: Vec<Ask>,
    pub(crate) cuts: Vec<usize>,
}

/// One thing asked, so many seconds after the one before.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    after: i64,
    what: What,
    /// Which reservation it is about, among those that it could be about; otherwise any, known or not.
    aim: Option<Index>,
}

#[derive(Clone, Debug)]
enum What {
    New(StockAction),
    /// An earlier command once more.
    Again(Index),
    /// The id of an earlier command, for this.
    Otherwise(Index, StockAction),
    /// What an audit that just ran, or one that ran too long ago, would repair.
    Reconcile(StockKey, bool),
}

impl Ask {
    /// The command that it means after these, with this in store.
    pub(crate) fn command(&self, earlier: &[StockCommand], store: &Store) -> StockCommand {
        let now = earlier.last().map_or(START, |command| command.at.as_micros() / 1_000_000) + self.after;
        let now = Timestamp::from_secs(now);
        let id = CommandId::from_u128(earlier.len() as u128 + 1);
        match &self.what {
            What::New(action) => Command::new(id, now, self.aimed(action.clone(), store)),
            What::Again(_) | What::Otherwise(..) if earlier.is_empty() => {
                Command::new(id, now, StockAction::Retire { sku: sku("A") })
            }
            What::Again(which) => Command { at: now, ..which.get(earlier).clone() },
            What::Otherwise(which, action) => Command::new(which.get(earlier).id, now, action.clone()),
            What::Reconcile(key, stale) => {
                let (ledger, claims) = (store.ledger(key), store.claims(key));
                let version = store.levels.get(key).map_or(0, |level| level.version);
                let version = if *stale { u64::MAX } else { version };
                Command::new(id, now, StockAction::Reconcile { key: key.clone(), version, ledger, claims })
            }
        }
    }
}

impl Ask {
    fn aimed(&self, mut action: StockAction, store: &Store) -> StockAction {
        let (id, states) = match &mut action {
            StockAction::Allocate { reservation }
            | StockAction::Extend { reservation, .. }
            | StockAction::Expire { reservation } => (reservation, [ReservationState::Held; 2]),
            StockAction::Fulfil { reservation, .. } => (reservation, [ReservationState::Allocated; 2]),
            StockAction::Release { reservation, .. } => {
                (reservation, [ReservationState::Held, ReservationState::Allocated])
            }
            _ => return action,
        };
        let fitting = store.reservations.values().filter(|reservation| states.contains(&reservation.state));
        let fitting: Vec<_> = fitting.map(|reservation| reservation.id).collect();
        if let (Some(aim), false) = (self.aim, fitting.is_empty()) {
            *id = *aim.get(&fitting);
        }
        action
    }
}

/// Some stock to begin with, then anything.
pub(crate) fn history() -> impl Strategy<Value = History> {
    let stocked = weighted(0.9, (0_u32..7, weighted(0.7, settings())));
    let begin = vec(stocked, 9).prop_map(|levels| {
        let keys = ["A", "B", "C"].into_iter().flat_map(|sku| ["main", "east", "west"].map(|place| key(sku, place)));
        let asks =
            keys.zip(levels).filter_map(|(key, stocked)| stocked.map(|(units, settings)| (key, units, settings)));
        let asks = asks.flat_map(|(key, units, settings)| {
            let count = StockAction::Count { key: key.clone(), counted: units.into(), reason: None };
            let configure = settings.map(|settings| StockAction::Configure { key, settings });
            std::iter::once(count).chain(configure)
        });
        asks.map(|action| Ask { after: 1, what: What::New(action), aim: None }).collect::<Vec<_>>()
    });
    let what = prop_oneof![
        40 => action().prop_map(What::New),
        2 => any::<Index>().prop_map(What::Again),
        1 => (any::<Index>(), action()).prop_map(|(which, action)| What::Otherwise(which, action)),
        1 => (keys(), any::<bool>()).prop_map(|(key, stale)| What::Reconcile(key, stale)),
    ];
    let ask = (0_i64..12, what, weighted(0.8, any::<Index>()));
    let asks = vec(ask.prop_map(|(after, what, aim)| Ask { after, what, aim }), 10..70);
    (begin, asks, vec(1_usize..9, 1..6)).prop_map(|(begin, then, cuts)| {
        let asks = begin.into_iter().chain(then).collect();
        History { asks, cuts }
    })
}

fn sku(name: &str) -> Sku {
    Sku::new(name).unwrap()
}

fn key(sku: &str, location: &str) -> StockKey {
    StockKey::new(self::sku(sku), LocationId::new(location).unwrap())
}

fn stocked_skus() -> impl Strategy<Value = Sku> {
    select(vec!["A", "A", "A", "B", "C"]).prop_map(sku)
}

fn locations() -> impl Strategy<Value = LocationId> {
    select(vec!["main", "main", "main", "east", "west"]).prop_map(|name| LocationId::new(name).unwrap())
}

fn keys() -> impl Strategy<Value = StockKey> {
    (stocked_skus(), locations()).prop_map(|(sku, location)| StockKey::new(sku, location))
}

/// Mostly a few; seldom none, which makes no sense.
fn units() -> impl Strategy<Value = Quantity> {
    prop_oneof![1 => Just(0_u32), 60 => 1_u32..4, 60 => 1_u32..9].prop_map(Quantity::from)
}

fn reservations() -> impl Strategy<Value = ReservationId> {
    (1_u128..13).prop_map(ReservationId::from_u128)
}

/// Mostly one line or two; seldom none or one too many, which makes no sense.
fn lines<T: std::fmt::Debug>(line: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<T>> {
    let many = prop_oneof![40 => Just(1), 24 => Just(2), 14 => 3..=MAX_LINES, 1 => Just(0), 1 => Just(MAX_LINES + 1)];
    (many, vec(line, MAX_LINES + 1)).prop_map(|(many, mut lines)| {
        lines.truncate(many);
        lines
    })
}

fn stock_lines() -> impl Strategy<Value = Vec<StockQuantity>> {
    lines((keys(), units()).prop_map(|(key, quantity)| StockQuantity::new(key, quantity)))
}

fn settings() -> impl Strategy<Value = LevelSettings> {
    let limit =
        prop_oneof![1 => Just(Quantity::ZERO), 3 => (1_u32..12).prop_map(Quantity::from), 2 => Just(Quantity::MAX)];
    let safety = (0_u32..4).prop_map(Quantity::from);
    let low = weighted(0.7, (0_u32..4).prop_map(Quantity::from));
    let flags = (weighted(0.1, weighted_bool(0.7)), weighted(0.1, weighted_bool(0.2)));
    (weighted(0.4, safety), weighted(0.7, limit), weighted(0.3, low), flags).prop_map(
        |(safety_stock, backorder_limit, low_stock_at, (tracked, retired))| LevelSettings {
            safety_stock,
            backorder_limit,
            low_stock_at,
            tracked,
            retired,
        },
    )
}

fn weighted_bool(probability: f64) -> impl Strategy<Value = bool> {
    proptest::bool::weighted(probability)
}

fn hold() -> impl Strategy<Value = Hold> {
    prop_oneof![
        2 => Just(Hold::Forever),
        6 => (1_u64..60).prop_map(|seconds| Hold::For(Duration::from_secs(seconds))),
        1 => (0_i64..600).prop_map(|seconds| Hold::Until(Timestamp::from_secs(START + seconds))),
    ]
}

fn parts() -> impl Strategy<Value = Parts> {
    let skus = prop_oneof![4 => stocked_skus(), 1 => select(vec!["K", "L"]).prop_map(sku)];
    let skus = lines((skus, units()).prop_map(|(sku, quantity)| SkuQuantity::new(sku, quantity)));
    prop_oneof![3 => Just(Parts::All), 2 => skus.prop_map(Parts::Skus), 2 => stock_lines().prop_map(Parts::Levels)]
}

fn reserve() -> impl Strategy<Value = StockAction> {
    let name = prop_oneof![12 => stocked_skus(), 3 => select(vec!["K", "L"]).prop_map(sku)];
    let name = prop_oneof![40 => name, 1 => Just(sku("X"))];
    let line = (name, units(), weighted(0.15, locations()));
    let line = line.prop_map(|(sku, quantity, location)| ReserveLine { sku, quantity, location });
    let policy =
        select(vec![Policy::AllOrNothing, Policy::Partial, Policy::Backorder, Policy::Backorder, Policy::Backorder]);
    let strategy = prop_oneof![
        16 => Just(Source::Priority),
        10 => Just(Source::SingleSource),
        10 => Just(Source::FewestSplits),
        10 => Just(Source::Custom("reversed".to_owned())),
        1 => Just(Source::Custom("unknown".to_owned())),
    ];
    let sourcing = (strategy, vec(locations(), 0..4));
    let sourcing = sourcing.prop_map(|(strategy, locations)| Sourcing { strategy, locations });
    let existing = prop_oneof![2 => Just(Existing::Refuse), 1 => Just(Existing::Replace)];
    (reservations(), lines(line), policy, sourcing, hold(), existing).prop_map(
        |(reservation, lines, policy, sourcing, hold, existing)| {
            let number = reservation.as_uuid().as_u128();
            let mut request = Reserve::new(reservation).with_policy(policy).with_sourcing(sourcing);
            request.order = number.is_multiple_of(2).then(|| OrderId::from_u128(number));
            request.lines = lines.into_iter().collect();
            (request.hold, request.existing, request.kits) = (hold, existing, kits());
            StockAction::Reserve(request)
        },
    )
}

fn action() -> impl Strategy<Value = StockAction> {
    let reservation = reservations;
    let fulfil = (reservation(), parts()).prop_map(|(reservation, parts)| StockAction::Fulfil { reservation, parts });
    let release = (reservation(), parts(), weighted_bool(0.3));
    let adjust = (keys(), -6_i64..7).prop_map(|(key, change)| StockAction::Adjust { key, change, reason: None });
    let count = (keys(), 0_u32..14);
    let transfer = (stocked_skus(), locations(), locations(), units());
    prop_oneof![
        30 => reserve(),
        14 => reservation().prop_map(|reservation| StockAction::Allocate { reservation }),
        16 => fulfil,
        8 => release.prop_map(|(reservation, parts, tombstone)| StockAction::Release { reservation, parts, tombstone }),
        6 => reservation().prop_map(|reservation| StockAction::Expire { reservation }),
        3 => (reservation(), hold()).prop_map(|(reservation, hold)| StockAction::Extend { reservation, hold }),
        10 => stock_lines().prop_map(|lines| StockAction::Receive { lines: lines.into_iter().collect() }),
        3 => stock_lines().prop_map(|lines| StockAction::Return { lines: lines.into_iter().collect(), order: None }),
        4 => adjust,
        3 => count.prop_map(|(key, counted)| StockAction::Count { key, counted: counted.into(), reason: None }),
        4 => transfer.prop_map(|(sku, from, to, quantity)| StockAction::Transfer { sku, from, to, quantity }),
        4 => (keys(), settings()).prop_map(|(key, settings)| StockAction::Configure { key, settings }),
        1 => stocked_skus().prop_map(|sku| StockAction::Retire { sku }),
    ]
}
