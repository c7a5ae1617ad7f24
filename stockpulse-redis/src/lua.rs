//! Scripts, and calls of them.

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
