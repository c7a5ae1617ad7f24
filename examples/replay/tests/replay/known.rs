//! The figures that replays of real data end with.
//!
//! They come from a program in another language that shares no code with this one; those of the
//! half year with 500 units and `all-or-nothing` are also in the project's specification.

use stockpulse_replay::Report;
use stockpulse_replay::args::Policy;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    December,
    Both,
    HalfYear,
}

/// What one replay of real data ends with.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) input: Input,
    pub(crate) policy: Policy,
    pub(crate) opening: i64,
    rows: u64,
    skus: u64,
    /// placed, confirmed, partially confirmed, rejected, returns
    orders: [u64; 5],
    /// ordered, shipped, returned, adjusted, backordered
    units: [i128; 5],
    /// applied, rejected, untracked
    adjustments: [u64; 3],
    on_hand: i128,
    digest: &'static str,
}

impl Case {
    pub(crate) fn check(&self, report: &Report) {
        let (o, u, a) = (report.orders, report.units, report.adjustments);
        let orders = [o.placed, o.confirmed, o.partially_confirmed, o.rejected, o.returns];
        let units = [u.ordered, u.shipped, u.returned, u.adjusted, u.backordered];
        assert_eq!((report.rows, report.rows_rejected), (self.rows, 0), "{self:?}");
        assert_eq!(report.skus_tracked, self.skus, "{self:?}");
        assert_eq!(orders, self.orders, "{self:?}");
        assert_eq!(units, self.units, "{self:?}");
        assert_eq!([a.applied, a.rejected, a.untracked], self.adjustments, "{self:?}");
        assert_eq!(report.units_on_hand, self.on_hand, "{self:?}");
        assert_eq!(report.stock_digest, self.digest, "{self:?}");
    }
}

pub(crate) const CASES: [Case; 18] = [
    Case {
        input: Input::December,
        policy: Policy::AllOrNothing,
        opening: 500,
        rows: 7_419,
        skus: 1_860,
        orders: [352, 317, 0, 35, 36],
        units: [74_826, 50_609, 10_760, -1_398, 0],
        adjustments: [30, 0, 0],
        on_hand: 888_782,
        digest: "dc237719985703826702c458d6f7bd3f5e5a9dd869e8e63e796674a9b1b41d81",
    },
    Case {
        input: Input::December,
        policy: Policy::AllOrNothing,
        opening: 50,
        rows: 7_419,
        skus: 1_860,
        orders: [352, 142, 0, 210, 36],
        units: [74_826, 9_999, 10_760, -389, 0],
        adjustments: [22, 8, 0],
        on_hand: 93_388,
        digest: "a893d4c0dd9baededb3a9e6bb397855c4e0733737cca045d5c1e834c6a253f87",
    },
    Case {
        input: Input::December,
        policy: Policy::Partial,
        opening: 500,
        rows: 7_419,
        skus: 1_860,
        orders: [352, 273, 77, 2, 36],
        units: [74_826, 66_332, 10_760, -1_398, 0],
        adjustments: [30, 0, 0],
        on_hand: 873_064,
        digest: "6f44597ca07ef23b95e7652e59ba0986beaafcbe86e55b94e18dfb5eeeaaeb72",
    },
    Case {
        input: Input::December,
        policy: Policy::Partial,
        opening: 50,
        rows: 7_419,
        skus: 1_860,
        orders: [352, 55, 262, 35, 36],
        units: [74_826, 33_806, 10_760, -314, 0],
        adjustments: [18, 12, 0],
        on_hand: 69_674,
        digest: "ebf94102fcf6076077d14840ffbf72549e733b47adf8e33c8fc1dd499688e873",
    },
    Case {
        input: Input::December,
        policy: Policy::Backorder,
        opening: 500,
        rows: 7_419,
        skus: 1_860,
        orders: [352, 352, 0, 0, 36],
        units: [74_826, 66_332, 10_760, -1_398, 8_494],
        adjustments: [30, 0, 0],
        on_hand: 873_064,
        digest: "6f44597ca07ef23b95e7652e59ba0986beaafcbe86e55b94e18dfb5eeeaaeb72",
    },
    Case {
        input: Input::December,
        policy: Policy::Backorder,
        opening: 50,
        rows: 7_419,
        skus: 1_860,
        orders: [352, 352, 0, 0, 36],
        units: [74_826, 34_070, 10_760, -314, 40_756],
        adjustments: [18, 12, 0],
        on_hand: 69_410,
        digest: "f3314b278e3e914c8c938bf50604234b36b58544090b50f866d5259790c7b2e1",
    },
    Case {
        input: Input::Both,
        policy: Policy::AllOrNothing,
        opening: 500,
        rows: 10_002,
        skus: 2_121,
        orders: [460, 401, 0, 59, 63],
        units: [104_548, 64_605, 11_717, -1_760, 0],
        adjustments: [79, 0, 4],
        on_hand: 1_005_897,
        digest: "2e422c71f4ec42e59824842546d70db173c548b28701481876534ab82dd318b2",
    },
    Case {
        input: Input::Both,
        policy: Policy::AllOrNothing,
        opening: 50,
        rows: 10_002,
        skus: 2_121,
        orders: [460, 183, 0, 277, 63],
        units: [104_548, 12_911, 11_717, -681, 0],
        adjustments: [70, 9, 4],
        on_hand: 104_196,
        digest: "5c13a3d96824247265617d141154d5b16bf5e3c46832d9d53fe0096197a1068f",
    },
    Case {
        input: Input::Both,
        policy: Policy::Partial,
        opening: 500,
        rows: 10_002,
        skus: 2_121,
        orders: [460, 331, 126, 3, 63],
        units: [104_548, 87_366, 11_717, -1_760, 0],
        adjustments: [79, 0, 4],
        on_hand: 983_144,
        digest: "b607405bedbabe09ee3e9849e9b88da35f72b1b37759a8fb559a293f181c7033",
    },
    Case {
        input: Input::Both,
        policy: Policy::Partial,
        opening: 50,
        rows: 10_002,
        skus: 2_121,
        orders: [460, 68, 355, 37, 63],
        units: [104_548, 43_150, 11_717, -576, 0],
        adjustments: [65, 14, 4],
        on_hand: 74_094,
        digest: "f12f2994737bb2ec85294d2111904d2c84c51809852aa696bf41cdca2cbe94e7",
    },
    Case {
        input: Input::Both,
        policy: Policy::Backorder,
        opening: 500,
        rows: 10_002,
        skus: 2_121,
        orders: [460, 460, 0, 0, 63],
        units: [104_548, 87_376, 11_717, -1_760, 17_172],
        adjustments: [79, 0, 4],
        on_hand: 983_134,
        digest: "154f71ac81455cac5002ebeca77f2aadaff6f9150095e3b64f2843ab768b4fc2",
    },
    Case {
        input: Input::Both,
        policy: Policy::Backorder,
        opening: 50,
        rows: 10_002,
        skus: 2_121,
        orders: [460, 460, 0, 0, 63],
        units: [104_548, 43_837, 11_717, -576, 60_711],
        adjustments: [65, 14, 4],
        on_hand: 73_407,
        digest: "61e1df0245515a43486cb2895c896dce13dc22db1116165d17cc09e978ac3f79",
    },
    Case {
        input: Input::HalfYear,
        policy: Policy::AllOrNothing,
        opening: 500,
        rows: 245_903,
        skus: 3_625,
        orders: [10_031, 3_567, 0, 6_464, 2_006],
        units: [2_537_615, 345_022, 127_609, -28_112, 0],
        adjustments: [671, 83, 4],
        on_hand: 1_570_490,
        digest: "e577cd5cdcca948c4ae37acbf4c39dd1ef333f9aca4f13113921939103085939",
    },
    Case {
        input: Input::HalfYear,
        policy: Policy::AllOrNothing,
        opening: 50,
        rows: 245_903,
        skus: 3_625,
        orders: [10_031, 1_801, 0, 8_230, 2_006],
        units: [2_537_615, 64_749, 127_609, -6_727, 0],
        adjustments: [462, 292, 4],
        on_hand: 240_458,
        digest: "2d0de6385972bd36b34d513a4b1b42cb151f79ac5deaf85cc5ef2358ba33c410",
    },
    Case {
        input: Input::HalfYear,
        policy: Policy::Partial,
        opening: 500,
        rows: 245_903,
        skus: 3_625,
        orders: [10_031, 1_371, 7_701, 959, 2_006],
        units: [2_537_615, 874_560, 127_609, -19_845, 0],
        adjustments: [559, 195, 4],
        on_hand: 1_051_194,
        digest: "404b7ddf423863a8706e2684feb90a90b2ccbe33b768a434519811f440bc82db",
    },
    Case {
        input: Input::HalfYear,
        policy: Policy::Partial,
        opening: 50,
        rows: 245_903,
        skus: 3_625,
        orders: [10_031, 424, 6_189, 3_418, 2_006],
        units: [2_537_615, 186_234, 127_609, -3_069, 0],
        adjustments: [284, 470, 4],
        on_hand: 125_046,
        digest: "b74e2f41c2c6d7cbd5319fa38020bd604d48804b9d335c768a68c5c6c45211e8",
    },
    Case {
        input: Input::HalfYear,
        policy: Policy::Backorder,
        opening: 500,
        rows: 245_903,
        skus: 3_625,
        orders: [10_031, 10_031, 0, 0, 2_006],
        units: [2_537_615, 951_032, 127_609, -19_781, 1_586_583],
        adjustments: [555, 199, 4],
        on_hand: 974_786,
        digest: "d09180e2f5d84b440a1686e855964fbc309817ee50b78af904f194b28961d66b",
    },
    Case {
        input: Input::HalfYear,
        policy: Policy::Backorder,
        opening: 50,
        rows: 245_903,
        skus: 3_625,
        orders: [10_031, 10_031, 0, 0, 2_006],
        units: [2_537_615, 263_752, 127_609, -2_997, 2_273_863],
        adjustments: [278, 476, 4],
        on_hand: 47_600,
        digest: "849ab34f3c244a4a3d3a0e8dd47114fdfc9c5a7f85eba5272265975f21c66567",
    },
];
