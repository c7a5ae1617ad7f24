//! The bus on a real server, at the URL that `STOCKPULSE_REDIS` names.

#[cfg(test)]
mod bus {
    mod conformance;
    mod harness;
    mod layers;
    mod support;
}
