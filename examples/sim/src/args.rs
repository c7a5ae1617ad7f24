//! The command line.

use clap::{Parser, ValueEnum};
use stockpulse_core::sim::{Bug, Fault, Faults, Simulation};

use crate::total::Total;

/// From so many seeds on, a fault that was never injected is a mistake of the simulator.
const ENOUGH: u64 = 200;

/// Runs a whole shop under a seeded scheduler with injected faults, once for each seed, and checks that nothing was
/// oversold, lost or done twice.
///
/// Exit codes: 0 everything held; 1 something did not hold, or a fault that should occur never did; 2 the command line
/// cannot be used.
#[derive(Clone, Debug, Parser)]
#[command(name = "stockpulse-sim", version)]
pub(crate) struct Args {
    /// How many seeds to run
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seeds: u64,

    /// The first of them
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    pub(crate) first: u64,

    /// Run this seed alone
    #[arg(long, value_name = "SEED")]
    pub(crate) seed: Option<u64>,

    /// With --seed: write every port call and what came of it to standard output
    #[arg(long, requires = "seed")]
    pub(crate) trace: bool,

    /// How much goes wrong
    #[arg(long, value_enum, default_value_t = Weather::Wild)]
    pub(crate) faults: Weather,

    /// Plant a mistake, to see it found
    #[arg(long, value_name = "NAME", value_parser = bug)]
    pub(crate) bug: Option<Bug>,

    /// How many seeds run side by side; as many as there are cores unless set
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<std::num::NonZeroUsize>,
}

/// How much goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Weather {
    /// Nothing
    None,
    /// A bad week
    Mild,
    /// Everything, all the time
    Wild,
}

fn bug(name: &str) -> Result<Bug, String> {
    let known = Bug::ALL.iter().find(|bug| bug.name() == name).copied();
    known.ok_or_else(|| format!("known are {}", Bug::ALL.iter().map(|bug| bug.name()).collect::<Vec<_>>().join(", ")))
}

impl Args {
    fn faults(&self) -> Faults {
        match self.faults {
            Weather::None => Faults::none(),
            Weather::Mild => Faults::mild(),
            Weather::Wild => Faults::wild(),
        }
    }

    /// The simulation of one seed.
    pub(crate) fn simulation(&self, seed: u64) -> Simulation {
        let simulation = Simulation::new(seed).with_faults(self.faults());
        match self.bug {
            Some(bug) => simulation.with_bug(bug),
            None => simulation,
        }
    }

    /// The command that runs one seed again, with its trace.
    pub(crate) fn replay(&self, seed: u64) -> String {
        let mut command = format!("cargo run --release -p stockpulse-sim -- --seed {seed} --trace");
        if self.faults != Weather::Wild
            && let Some(name) = self.faults.to_possible_value()
        {
            command.push_str(&format!(" --faults {}", name.get_name()));
        }
        if let Some(bug) = self.bug {
            command.push_str(&format!(" --bug {}", bug.name()));
        }
        command
    }

    /// Faults that could have been injected and never were, over seeds enough to tell.
    pub(crate) fn never_injected(&self, total: &Total) -> Vec<Fault> {
        if total.seeds < ENOUGH {
            return Vec::new();
        }
        let faults = self.faults();
        let possible = Fault::ALL.iter().copied().filter(|fault| faults.probability(*fault) > 0.0);
        possible.filter(|fault| !total.injected.contains_key(fault)).collect()
    }
}
