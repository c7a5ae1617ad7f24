//! A flash sale from end to end: the gate on Redis, stock on PostgreSQL, at the URLs that `STOCKPULSE_REDIS` and
//! `STOCKPULSE_PG_URL` name, and on a Redis of the test's own, by the program that `STOCKPULSE_REDIS_SERVER` names.

#[cfg(test)]
#[expect(dead_code, reason = "it is for all tests of cache and gate, and not everything is needed here")]
mod support;

#[cfg(test)]
mod flash_sale {
    mod sale;
    mod shop;
}
