use super::*;

fn sample() -> Report {
    Report {
        rows: 245_903,
        rows_rejected: 1,
        skus_tracked: 3_625,
        orders: OrderFigures {
            placed: 10_031,
            confirmed: 3_567,
            partially_confirmed: 2,
            rejected: 6_464,
            returns: 2_006,
        },
        units: UnitFigures {
            ordered: 2_537_615,
            shipped: 345_022,
            returned: 127_609,
            adjusted: -28_112,
            backordered: 3,
        },
        adjustments: AdjustmentFigures { applied: 671, rejected: 83, untracked: 4 },
        units_on_hand: Units::from(i64::MAX) * 2,
        stock_digest: "e577".into(),
        oversold: 0,
        ledger_consistent: true,
        events_published: 5,
        ..Report::default()
    }
    .with_elapsed(Duration::from_micros(2_500_400))
}

#[test]
fn json_has_exactly_the_agreed_fields_in_the_agreed_order() {
    assert_eq!(
        serde_json::to_string(&sample()).unwrap(),
        concat!(
            r#"{"rows":245903,"rows_rejected":1,"skus_tracked":3625,"#,
            r#""orders":{"placed":10031,"confirmed":3567,"partially_confirmed":2,"#,
            r#""rejected":6464,"returns":2006},"#,
            r#""units":{"ordered":2537615,"shipped":345022,"returned":127609,"#,
            r#""adjusted":-28112,"backordered":3},"#,
            r#""adjustments":{"applied":671,"rejected":83,"untracked":4},"#,
            r#""units_on_hand":18446744073709551614,"stock_digest":"e577","oversold":0,"#,
            r#""ledger_consistent":true,"events_published":5,"#,
            r#""elapsed_s":2.5,"orders_per_s":4011.8}"#
        )
    );
}

#[test]
fn no_time_at_all_has_a_finite_rate() {
    let report = sample().with_elapsed(Duration::ZERO);
    assert_eq!((report.elapsed_s, report.orders_per_s), (0.0, 0.0));
}

#[test]
fn the_table_is_aligned_and_grouped() {
    let table = Report { units_on_hand: 1_570_490, ..sample() }.to_string();
    for line in [
        "  rows                  245,903",
        "  adjusted              -28,112",
        "  on hand at the end  1,570,490",
        "  levels oversold             0",
        "  ledger consistent         yes",
        "  stock digest        e577",
        "2.500 s, 4011.8 orders/s",
    ] {
        assert!(table.lines().any(|found| found == line), "{line:?} in\n{table}");
    }
}

#[test]
fn a_cache_and_a_gate_are_reported_where_there_are_any() {
    let (cache, gate) =
        (CacheFigures { levels: 7, levels_different: 1 }, GateFigures { levels: 8, levels_different: 0 });
    let report = Report { cache: Some(cache), gate: Some(gate), ..sample() };
    let json = serde_json::to_string(&report).unwrap();
    let expected = r#""cache":{"levels":7,"levels_different":1},"gate":{"levels":8,"levels_different":0},"elapsed_s""#;
    assert!(json.contains(expected), "{json}");
    let (with, without) = (report.to_string(), sample().to_string());
    for label in ["levels cached", "cached wrongly", "known to the gate", "known wrongly"] {
        assert!(with.contains(label) && !without.contains(label), "{label} in\n{with}{without}");
    }
}

#[test]
fn an_inconsistent_ledger_catches_the_eye() {
    let table = Report::default().to_string();
    assert!(table.contains("ledger consistent") && table.contains("NO"), "{table}");
}

#[test]
fn groups_of_three() {
    for (number, text) in
        [(0, "0"), (-7, "-7"), (999, "999"), (1_000, "1,000"), (-123_456, "-123,456"), (1_234_567, "1,234,567")]
    {
        assert_eq!(grouped(number), text);
    }
}

/// Recomputed with `printf '...' | sha256sum`.
#[test]
fn the_digest_is_of_lines_in_byte_order() {
    let expected = "80c879cc0912aeff28c66aee61979ae9405114e331718e8213f0bb0ea4eafbeb";
    assert_eq!(stock_digest([("85114a", 500), ("22423", -1), ("85114A", 7)]), expected);
    assert_eq!(stock_digest([]), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}
