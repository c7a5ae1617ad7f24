//! The commands: the same ones in every run.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Uniform, Zipf};
use stockpulse_core::engine::stock::{Reserve, StockAction, StockCommand};
use stockpulse_core::model::{
    Command, CommandId, Quantity, ReservationId, Sku, StockKey, StockLevel, StockQuantity, Timestamp,
};

/// How orders spread over SKUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skus {
    /// All want the same one.
    Hot,
    /// 1,000, each as likely as any other.
    Uniform,
    /// 1,000, by Zipf's law with exponent 0.99: the first is wanted about a thousand times as often as the last.
    Zipf,
}

impl Skus {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Hot, Self::Uniform, Self::Zipf];

    /// Its name in the names of benchmarks.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hot => "hot",
            Self::Uniform => "uniform",
            Self::Zipf => "zipf",
        }
    }

    const fn count(self) -> usize {
        match self {
            Self::Hot => 1,
            Self::Uniform | Self::Zipf => 1_000,
        }
    }
}

/// Makes requests and commands, one after the other, from a fixed seed.
#[derive(Debug)]
pub struct Workload {
    spread: Skus,
    skus: Vec<Sku>,
    random: StdRng,
    uniform: Uniform<usize>,
    zipf: Zipf<f64>,
    next: u128,
}

impl Workload {
    /// Requests over these SKUs.
    #[must_use]
    pub fn new(spread: Skus, seed: u64) -> Self {
        let count = spread.count();
        Self {
            spread,
            skus: (0..count).map(|number| Sku::new(format!("SKU-{number:05}")).unwrap()).collect(),
            random: StdRng::seed_from_u64(seed),
            uniform: Uniform::new(0, count).unwrap(),
            zipf: Zipf::new(1_000.0, 0.99).unwrap(),
            next: 0,
        }
    }

    /// The SKUs.
    #[must_use]
    pub fn skus(&self) -> &[Sku] {
        &self.skus
    }

    /// Levels of all SKUs on which nothing ever runs out.
    #[must_use]
    pub fn levels(&self) -> Vec<StockLevel> {
        let level = |sku: &Sku| StockLevel { on_hand: Quantity::MAX, ..StockLevel::new(StockKey::main(sku.clone())) };
        self.skus.iter().map(level).collect()
    }

    /// The command that stocks all SKUs.
    pub fn receive(&mut self) -> StockCommand {
        let lines = self.levels().into_iter().map(|level| StockQuantity::new(level.key, level.on_hand)).collect();
        self.command(StockAction::Receive { lines })
    }

    /// One SKU.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank from 1 to 1,000")]
    pub fn sku(&mut self) -> Sku {
        let index = match self.spread {
            Skus::Hot => 0,
            Skus::Uniform => self.uniform.sample(&mut self.random),
            Skus::Zipf => self.zipf.sample(&mut self.random) as usize - 1,
        };
        self.skus[index].clone()
    }

    /// A request for one unit on each of so many lines, held for a quarter of an hour.
    pub fn request(&mut self, lines: usize) -> Reserve {
        let mut request = Reserve::new(ReservationId::from_u128(self.id())).with_hold(Duration::from_secs(900));
        for _ in 0..lines {
            request = request.with_line(self.sku(), 1);
        }
        request
    }

    /// A batch of commands that reserve.
    pub fn batch(&mut self, commands: usize, lines: usize) -> Vec<StockCommand> {
        let one = |_| {
            let request = self.request(lines);
            self.command(StockAction::Reserve(request))
        };
        (0..commands).map(one).collect()
    }

    /// Ids as they are in life: they begin with the time, and their ends are random.
    fn id(&mut self) -> u128 {
        self.next += 1;
        (self.next << 64) | u128::from(self.random.random::<u64>())
    }

    fn command(&mut self, action: StockAction) -> StockCommand {
        let at = Timestamp::from_micros(i64::try_from(self.next).unwrap());
        Command::new(CommandId::from_u128(self.id()), at, action)
    }
}
