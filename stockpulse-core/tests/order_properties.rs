//! Orders and inventory under random interleavings: whatever clients do, however late, doubled or interleaved
//! events are delivered, and whenever holds run out, both sides agree in the end.

#[cfg(test)]
#[path = "order_world/mod.rs"]
#[expect(dead_code, reason = "shared by two test binaries, each of which uses a part")]
mod world;

#[cfg(test)]
mod order_properties {
    use std::time::Duration;

    use proptest::collection::vec;
    use proptest::prelude::*;
    use stockpulse_core::engine::order::{OrderAction, OrderOutcome, OrderParts, PurchaseLimit};
    use stockpulse_core::engine::stock::{LevelSettings, StockAction};
    use stockpulse_core::model::{LocationId, OrderId, Policy, Quantity, Sourcing, StockQuantity, Strategy as Sources};

    use crate::world::{
        World, at, begin_payment, cancel, check, key, pay, payment_fails, place, ship, sku, take_back, units,
    };

    const ORDERS: u8 = 3;
    /// What can be ordered: two things, the kit of both, and a service.
    const SKUS: [&str; 4] = ["CUP", "SAUCER", "SET", "HELP"];
    const LIMIT: u32 = 12;

    #[derive(Clone, Debug)]
    enum Step {
        Place { order: u8, lines: Vec<(usize, u32)>, policy: Policy, prepaid: Option<u32>, anywhere: bool },
        BeginPayment { order: u8, minutes: u32 },
        Pay(u8),
        PaymentFails(u8),
        Ship { order: u8, line: Option<(usize, u32)> },
        Cancel(u8),
        Return { order: u8, line: Option<(usize, u32)>, east: bool },
        Expire(u8),
        Receive { sku: usize, units: u32, east: bool },
        Wait { minutes: u32 },
        SweepHolds,
        SweepOrders,
        ToStock { key: usize, events: u8 },
        ToOrders { key: usize, events: u8 },
        AgainToStock(usize),
        AgainToOrders(usize),
        Settle,
    }

    fn line() -> impl Strategy<Value = (usize, u32)> {
        (prop_oneof![3 => Just(0), 2 => Just(1), 2 => Just(2), 1 => Just(3)], 1..5_u32)
    }

    fn steps() -> impl Strategy<Value = Step> {
        let order = || 0..ORDERS;
        let policy = prop_oneof![Just(Policy::AllOrNothing), Just(Policy::Partial), Just(Policy::Backorder)];
        let part = || proptest::option::of(line());
        let prepaid = proptest::option::weighted(0.7, 1..20_u32);
        let placed = (order(), vec(line(), 1..3), policy, prepaid, any::<bool>());
        prop_oneof![
            6 => placed.prop_map(|(order, lines, policy, prepaid, anywhere)| {
                Step::Place { order, lines, policy, prepaid, anywhere }
            }),
            3 => (order(), 1..20_u32).prop_map(|(order, minutes)| Step::BeginPayment { order, minutes }),
            5 => order().prop_map(Step::Pay),
            1 => order().prop_map(Step::PaymentFails),
            6 => (order(), part()).prop_map(|(order, line)| Step::Ship { order, line }),
            2 => order().prop_map(Step::Cancel),
            2 => (order(), part(), any::<bool>()).prop_map(|(order, line, east)| Step::Return { order, line, east }),
            1 => order().prop_map(Step::Expire),
            3 => (0..2_usize, 1..6_u32, any::<bool>()).prop_map(|(sku, units, east)| Step::Receive { sku, units, east }),
            4 => (1..20_u32).prop_map(|minutes| Step::Wait { minutes }),
            3 => Just(Step::SweepHolds),
            2 => Just(Step::SweepOrders),
            8 => (any::<usize>(), 1..4_u8).prop_map(|(key, events)| Step::ToStock { key, events }),
            8 => (any::<usize>(), 1..4_u8).prop_map(|(key, events)| Step::ToOrders { key, events }),
            2 => any::<usize>().prop_map(Step::AgainToStock),
            2 => any::<usize>().prop_map(Step::AgainToOrders),
            2 => Just(Step::Settle),
        ]
    }

    fn id(order: u8) -> OrderId {
        OrderId::from_u128(100 + u128::from(order))
    }

    fn minutes(minutes: u32) -> Duration {
        Duration::from_secs(60 * u64::from(minutes))
    }

    fn parts(line: Option<(usize, u32)>) -> OrderParts {
        line.map_or(OrderParts::All, |(sku, quantity)| OrderParts::Lines(units(&[(SKUS[sku], quantity)])))
    }

    fn placing(order: u8, lines: &[(usize, u32)], policy: Policy, prepaid: Option<u32>, anywhere: bool) -> OrderAction {
        let lines: Vec<(&str, u32)> = lines.iter().map(|(sku, quantity)| (SKUS[*sku], *quantity)).collect();
        let mut place = place(id(order), &lines).with_policy(policy);
        place.limits = vec![PurchaseLimit { sku: sku("CUP"), limit: LIMIT.into() }];
        if let Some(pay_within) = prepaid {
            place = place.prepaid(minutes(pay_within));
        }
        if anywhere {
            let locations = vec![LocationId::new("east").unwrap(), LocationId::main()];
            place = place.with_sourcing(Sourcing { strategy: Sources::FewestSplits, locations });
        }
        OrderAction::Place(place)
    }

    fn location(east: bool) -> LocationId {
        if east { LocationId::new("east").unwrap() } else { LocationId::main() }
    }

    /// Events about a SKU are no orders' matter, and would only crowd out the others.
    fn about_orders(keys: Vec<String>) -> Vec<String> {
        keys.into_iter().filter(|key| key.parse::<OrderId>().is_ok()).collect()
    }

    /// A client's command is refused and changes nothing, or accepted.
    fn client(world: &mut World, action: OrderAction) {
        let before = world.snapshot();
        let refused = match world.ask(action) {
            OrderOutcome::Accepted(state) => !state.changed,
            _ => true,
        };
        if refused {
            assert!(world.snapshot().same_rows(&before));
        }
    }

    fn take(world: &mut World, step: &Step) {
        match step {
            Step::Place { order, lines, policy, prepaid, anywhere } => {
                client(world, placing(*order, lines, *policy, *prepaid, *anywhere));
            }
            Step::BeginPayment { order, minutes: window } => client(world, begin_payment(id(*order), minutes(*window))),
            Step::Pay(order) => client(world, pay(id(*order))),
            Step::PaymentFails(order) => client(world, payment_fails(id(*order))),
            Step::Ship { order, line } => client(world, ship(id(*order), parts(*line))),
            Step::Cancel(order) => client(world, cancel(id(*order))),
            Step::Return { order, line, east } => {
                let action = match take_back(id(*order), parts(*line)) {
                    OrderAction::Return { order, parts, .. } => {
                        OrderAction::Return { order, parts, location: location(*east) }
                    }
                    other => other,
                };
                client(world, action);
            }
            Step::Expire(order) => client(world, OrderAction::Expire { order: id(*order) }),
            Step::Receive { sku, units, east } => {
                let key = at(SKUS[*sku], if *east { "east" } else { "main" });
                world.ask_stock(StockAction::Receive { lines: [StockQuantity::new(key, (*units).into())].into() });
            }
            Step::Wait { minutes: wait } => {
                world.after(minutes(*wait));
            }
            Step::SweepHolds => {
                world.sweep_holds();
            }
            Step::SweepOrders => {
                world.sweep_orders();
            }
            Step::ToStock { key, events } => {
                let ready = about_orders(world.order_events.ready());
                if let Some(key) = ready.get(key % ready.len().max(1)) {
                    (0..*events).for_each(|_| world.deliver_to_stock(key));
                }
            }
            Step::ToOrders { key, events } => {
                let ready = about_orders(world.stock_events.ready());
                if let Some(key) = ready.get(key % ready.len().max(1)) {
                    (0..*events).for_each(|_| world.deliver_to_orders(key));
                }
            }
            Step::AgainToStock(index) => {
                let delivered = world.order_events.delivered();
                if let Some(envelope) = delivered.get(index % delivered.len().max(1)) {
                    let before = world.snapshot();
                    world.handle_order_event(envelope);
                    assert_eq!(world.snapshot(), before, "a duplicate changed something");
                }
            }
            Step::AgainToOrders(index) => {
                let delivered = world.stock_events.delivered();
                if let Some(envelope) = delivered.get(index % delivered.len().max(1)) {
                    let before = world.snapshot();
                    world.handle_stock_event(envelope);
                    assert_eq!(world.snapshot(), before, "a duplicate changed something");
                }
            }
            Step::Settle => {
                world.settle();
            }
        }
    }

    /// A world with some stock at two locations, some of which may be backordered, and a service.
    fn open(stock: [u32; 4], backorders: [u32; 2]) -> World {
        let mut world = World::new();
        let places = [at("CUP", "main"), at("SAUCER", "main"), at("CUP", "east"), at("SAUCER", "east")];
        for (key, units) in places.into_iter().zip(stock) {
            if units > 0 {
                world.ask_stock(StockAction::Receive { lines: [StockQuantity::new(key, units.into())].into() });
            }
        }
        world.backorder_up_to("CUP", backorders[0].into());
        world.backorder_up_to("SAUCER", if backorders[1] > 6 { Quantity::MAX } else { backorders[1].into() });
        for service in [key("HELP"), at("HELP", "east")] {
            world.configure(service, LevelSettings { tracked: Some(false), ..LevelSettings::default() });
        }
        world
    }

    /// What counts against the limit is what the customer has or will get.
    fn counted(world: &World) {
        for order in world.orders.orders() {
            for line in order.lines.iter().filter(|line| line.sku == sku("CUP")) {
                let gets = if order.status.is_dead() { line.shipped } else { line.granted };
                assert_eq!(line.counted, gets.saturating_sub(line.returned), "{order:?}");
            }
        }
    }

    fn run(mut world: World, steps: &[Step]) {
        for step in steps {
            take(&mut world, step);
            check::always(&world);
            let counted = world.orders.all_purchases().map(|(_, units)| units);
            assert!(counted.max().unwrap_or_default() <= LIMIT.into());
        }
        check::at_rest(world.settle());
        counted(&world);
        // Everything that can ship does; what was not paid runs out of time, in more than one wave, because a payment
        // that has begun may have asked for stock again.
        for order in 0..ORDERS {
            client(&mut world, ship(id(order), OrderParts::All));
        }
        check::at_rest(world.settle());
        for _ in 0..4 {
            world.after(minutes(120)).sweep_holds();
            world.sweep_orders();
            world.settle();
        }
        check::at_the_end(&world);
        counted(&world);
        assert_eq!((world.sweep_holds(), world.sweep_orders()), (0, 0));
        assert!(world.refused_claims().is_empty(), "{:#?}", world.refused_claims());
        let before = world.snapshot();
        world.redeliver_everything();
        assert_eq!(world.snapshot(), before, "duplicates changed something");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(512), ..ProptestConfig::default() })]

        #[test]
        fn orders_and_stock_agree_in_the_end(
            stock in [0..12_u32, 0..12_u32, 0..6_u32, 0..6_u32],
            backorders in [0..6_u32, 0..9_u32],
            steps in vec(steps(), 10..80),
        ) {
            run(open(stock, backorders), &steps);
        }
    }
}
