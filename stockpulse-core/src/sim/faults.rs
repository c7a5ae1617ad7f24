//! What may go wrong, and how often.

macro_rules! faults {
    ($($(#[$doc:meta])* $variant:ident $name:literal $mild:literal $wild:literal,)+) => {
        /// One kind of fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Fault {
            $($(#[$doc])* $variant,)+
        }

        impl Fault {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its name, as reports show it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            const fn mild(self) -> f64 {
                match self {
                    $(Self::$variant => $mild,)+
                }
            }

            const fn wild(self) -> f64 {
                match self {
                    $(Self::$variant => $wild,)+
                }
            }
        }
    };
}

faults! {
    /// Per call: a pause before it arrives or before its answer does. This is what reorders things.
    Delay "delay" 0.3 0.4,
    /// Per call: it fails, and nothing was done.
    Refused "refused" 0.01 0.05,
    /// Per call: it fails, nothing was done, and nobody says that asking again may help.
    Unexpected "unexpected" 0.001 0.004,
    /// Per call: it was done, and the answer is lost.
    AnswerLost "answer lost" 0.01 0.04,
    /// Per commit: the caller is told that nobody knows, and it is committed only afterwards.
    CommitLate "commit late" 0.005 0.03,
    /// Per commit: the request arrives twice.
    CommitTwice "commit twice" 0.005 0.03,
    /// Per call: it never comes back; the node is killed a while later.
    Hang "hang" 0.0002 0.001,
    /// Per second: a node dies at once, and another one is started on the same stores.
    Crash "crash" 0.01 0.08,
    /// Per second: a node is shut down in order, and another one is started.
    Restart "restart" 0.01 0.03,
    /// Per second: a node stands still, perhaps for longer than its leases and its session last, and goes on.
    Pause "pause" 0.01 0.06,
    /// Per node: its clock is wrong, by a second at most.
    Skew "clock skew" 0.3 0.8,
    /// Per second: the databases of one service cannot be reached for a while.
    StoreOutage "store outage" 0.005 0.02,
    /// Per second: the bus cannot be reached for a while.
    BusOutage "bus outage" 0.005 0.02,
    /// Per second: the bus takes none of the next events.
    PublishFailed "publish failed" 0.01 0.05,
    /// Per published event: the bus has it, and says that it has not.
    Unacknowledged "unacknowledged" 0.01 0.05,
    /// Per published event: it comes to the bus a second time, later, as after a retransmission.
    Duplicate "duplicate" 0.05 0.2,
    /// Per second: somebody joins a consumer group, and leaves it again.
    Rebalance "rebalance" 0.02 0.06,
    /// Per second: a consumer group begins anew with the oldest event.
    Rewind "rewind" 0.003 0.02,
    /// Per write to the cache: it says yes and does nothing.
    CacheLost "cache write lost" 0.02 0.1,
    /// Per write to the cache: it says yes and does it later.
    CacheLate "cache write late" 0.02 0.1,
    /// Per second: the cache is empty.
    CacheWiped "cache wiped" 0.01 0.03,
    /// Per second: the gate knows nothing.
    GateWiped "gate wiped" 0.01 0.03,
    /// Per call of a client: it does not wait for the answer.
    CallerGone "caller gone" 0.05 0.15,
    /// Per call of a client: it is made twice at the same time, with the same id.
    AskedTwice "asked twice" 0.05 0.15,
    /// Per call of a client that did not get an answer: it does not ask again.
    GivenUp "given up" 0.01 0.04,
}

/// How likely each fault is. What "per" means is said at each [`Fault`].
#[derive(Clone, Debug, PartialEq)]
pub struct Faults {
    probabilities: Vec<f64>,
}

impl Default for Faults {
    fn default() -> Self {
        Self::wild()
    }
}

impl Faults {
    /// Nothing goes wrong.
    #[must_use]
    pub fn none() -> Self {
        Self { probabilities: vec![0.0; Fault::ALL.len()] }
    }

    /// A bad week.
    #[must_use]
    pub fn mild() -> Self {
        Self { probabilities: Fault::ALL.iter().map(|fault| fault.mild()).collect() }
    }

    /// Everything that can go wrong does, all the time.
    #[must_use]
    pub fn wild() -> Self {
        Self { probabilities: Fault::ALL.iter().map(|fault| fault.wild()).collect() }
    }

    /// Sets how likely one fault is, from 0 (never) to 1 (always).
    #[must_use]
    pub fn with(mut self, fault: Fault, probability: f64) -> Self {
        if let Some(place) = self.probabilities.get_mut(fault as usize) {
            *place = probability.clamp(0.0, 1.0);
        }
        self
    }

    /// How likely a fault is.
    #[must_use]
    pub fn probability(&self, fault: Fault) -> f64 {
        self.probabilities.get(fault as usize).copied().unwrap_or(0.0)
    }
}
