//! Scripts, and calls of them.

use std::time::Duration;

use redis::{Cmd, Script};

/// A script, with the hash by which a server that has seen it knows it.
#[derive(Debug)]
pub(crate) struct Lua {
    pub(crate) source: &'static str,
    pub(crate) hash: String,
}

impl Lua {
    pub(crate) fn new(source: &'static str) -> Self {
        Self { source, hash: Script::new(source).get_hash().to_owned() }
    }
}

/// The keys and arguments of a script.
#[derive(Debug, Default)]
pub(crate) struct ScriptCall {
    keys: Vec<Vec<u8>>,
    arguments: Vec<Vec<u8>>,
}

impl ScriptCall {
    pub(crate) fn key(&mut self, key: impl Into<Vec<u8>>) {
        self.keys.push(key.into());
    }

    pub(crate) fn argument(&mut self, argument: impl Into<Vec<u8>>) {
        self.arguments.push(argument.into());
    }

    pub(crate) fn command(&self, name: &str, script: &str) -> Cmd {
        let mut command = redis::cmd(name);
        command.arg(script).arg(self.keys.len());
        for part in self.keys.iter().chain(&self.arguments) {
            command.arg(part.as_slice());
        }
        command
    }
}

/// A time to live for `PX`, which takes neither 0 nor what ends after the year 292,278,994: at least a millisecond, at most
/// a hundred years.
pub(crate) fn milliseconds(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_micros().div_ceil(1_000)).unwrap_or(u64::MAX).clamp(1, 3_153_600_000_000)
}

/// Which of so many buckets a name is in: FNV-1a, which is the same in every process and version.
pub(crate) fn bucket_of(name: &[u8], buckets: u16) -> u16 {
    let hash = name
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3));
    // The low bits of FNV-1a depend on few bits of the name.
    u16::try_from((hash ^ (hash >> 32)) % u64::from(buckets.max(1))).unwrap_or(0)
}
