//! Cache, gate and bus on a real server, at the URL that `STOCKPULSE_REDIS` names, and on servers of the tests' own, by the
//! program that `STOCKPULSE_REDIS_SERVER` names.

#[cfg(test)]
mod support;

#[cfg(test)]
mod conformance {
    mod bus;
    mod cache;
    mod gate;
    pub(crate) mod harness;
    mod layers;
    mod sharded;
    mod sweeping;
}

#[cfg(test)]
mod bus {
    #[cfg(unix)]
    #[cfg(feature = "cluster")]
    mod cluster;
    mod dead_letters;
    #[cfg(unix)]
    #[cfg(feature = "sentinel")]
    mod failover;
    #[cfg(unix)]
    mod faults;
    #[cfg(unix)]
    mod load;
    mod members;
    mod publishing;
    pub(crate) mod support;
    mod trimming;
}

#[cfg(test)]
#[cfg(unix)]
mod faults {
    mod acl;
    #[cfg(feature = "cluster")]
    mod cluster;
    mod outage;
    #[cfg(feature = "sentinel")]
    mod sentinel;
    mod shop;
}

#[cfg(test)]
#[cfg(unix)]
mod flash_sale {
    mod sale;
    mod shop;
}
