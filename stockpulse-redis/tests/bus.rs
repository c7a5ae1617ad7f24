//! The bus on a real server, at the URL that `STOCKPULSE_REDIS` names, and on servers of its own that may be killed.

#[cfg(test)]
mod bus {
    mod conformance;
    mod dead_letters;
    #[cfg(unix)]
    mod faults;
    mod harness;
    mod layers;
    mod members;
    mod publishing;
    #[cfg(unix)]
    mod server;
    mod support;
    mod trimming;
}
