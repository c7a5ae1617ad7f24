//! Scripts, and calls of them.

use std::fmt;
use std::io::Write as _;
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
    keys: Parts,
    arguments: Parts,
}

impl ScriptCall {
    pub(crate) fn key(&mut self, key: impl AsRef<[u8]>) {
        self.keys.add(key.as_ref());
    }

    pub(crate) fn argument(&mut self, argument: impl AsRef<[u8]>) {
        self.arguments.add(argument.as_ref());
    }

    /// Adds an argument that is written as it goes.
    pub(crate) fn written(&mut self, argument: fmt::Arguments<'_>) {
        self.arguments.write(argument);
    }

    pub(crate) fn command(&self, name: &str, script: &str) -> Cmd {
        let (count, bytes) =
            (self.keys.ends.len() + self.arguments.ends.len(), self.keys.bytes.len() + self.arguments.bytes.len());
        let mut command = Cmd::with_capacity(3 + count, name.len() + script.len() + 8 + bytes);
        command.arg(name).arg(script).arg(self.keys.ends.len());
        for part in self.keys.iter().chain(self.arguments.iter()) {
            command.arg(part);
        }
        command
    }
}

/// Texts, one behind the other.
#[derive(Debug, Default)]
struct Parts {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Parts {
    fn add(&mut self, part: &[u8]) {
        self.bytes.extend_from_slice(part);
        self.ends.push(self.bytes.len());
    }

    fn write(&mut self, part: fmt::Arguments<'_>) {
        // Writing to memory does not fail.
        let _ = self.bytes.write_fmt(part);
        self.ends.push(self.bytes.len());
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        begins.zip(&self.ends).map(|(begin, end)| self.bytes.get(begin..*end).unwrap_or_default())
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
