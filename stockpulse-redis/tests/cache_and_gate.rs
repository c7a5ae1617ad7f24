//! Cache and gate on a real server, at the URL that `STOCKPULSE_REDIS` names.

#[cfg(test)]
mod support;

#[cfg(test)]
mod conformance {
    mod cache;
    mod gate;
    mod harness;
    mod layers;
    mod sharded;
}
