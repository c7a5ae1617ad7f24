//! Dropping what nobody needs any more.

use redis::Value;
use stockpulse_core::{Error, Result};

use super::keys::{self, Partition};
use super::options::millis;
use super::script::{FORGET, TRIM, call};
use super::shared::Shared;

impl Shared {
    /// Trims partitions. Answers how many entries were dropped.
    pub(super) async fn trim<'a>(&self, partitions: impl IntoIterator<Item = &'a Partition>) -> Result<u64> {
        let [retention, abandoned] = [millis(self.options.retention), millis(self.options.abandoned)];
        let mut dropped = 0;
        for partition in partitions {
            let trim = call([&partition.stream, &partition.seen()], [&retention, &abandoned]);
            dropped += self.connection.script::<u64>(&TRIM, &trim).await?;
        }
        Ok(dropped)
    }

    /// Forgets a group in all partitions. Answers whether any knew it.
    pub(super) async fn forget(&self, group: &str) -> Result<bool> {
        let options = self.connection.options();
        let members = keys::group(options, group);
        // A member that has died and was not noticed yet is one too: its lease runs out soon.
        let fields: Vec<String> = self.connection.query(redis::cmd("HKEYS").arg(&members)).await?;
        if fields.iter().any(|field| field != "types") {
            return Err(Error::invalid(format!("group '{group}' has members")));
        }
        let mut known = false;
        for partition in self.partitions_of(&self.topics()).await? {
            let keys = [&partition.stream, &partition.lease(group), &partition.seen(), &partition.dead_letters(group)];
            known |= self.connection.script::<bool>(&FORGET, &call(keys.map(String::as_str), [group])).await?;
        }
        self.connection.query::<Value>(redis::cmd("DEL").arg(&members)).await?;
        Ok(known)
    }
}
