//! The scripts of the bus. Each works on one partition, or on one group, so that all its keys lie on one node of a cluster.

use std::sync::LazyLock;

use crate::lua::{Lua, ScriptCall};

pub(super) static PUBLISH: LazyLock<Lua> = LazyLock::new(|| Lua::new(include_str!("lua/publish.lua")));
pub(super) static STAY: LazyLock<Lua> = LazyLock::new(|| Lua::new(include_str!("lua/stay.lua")));
pub(super) static ACQUIRE: LazyLock<Lua> = LazyLock::new(|| Lua::new(include_str!("lua/acquire.lua")));
pub(super) static RENEW: LazyLock<Lua> = LazyLock::new(|| Lua::new(include_str!("lua/renew.lua")));
pub(super) static RELEASE: LazyLock<Lua> = LazyLock::new(|| Lua::new(include_str!("lua/release.lua")));
pub(super) static FETCH: LazyLock<Lua> = LazyLock::new(|| Lua::new(include_str!("lua/fetch.lua")));
pub(super) static SETTLE: LazyLock<Lua> = LazyLock::new(|| Lua::new(include_str!("lua/settle.lua")));
pub(super) static PAUSE: LazyLock<Lua> = LazyLock::new(|| Lua::new(include_str!("lua/pause.lua")));
pub(super) static ASIDE: LazyLock<Lua> = LazyLock::new(|| Lua::new(include_str!("lua/aside.lua")));
pub(super) static REPLAY: LazyLock<Lua> = LazyLock::new(|| Lua::new(include_str!("lua/replay.lua")));
pub(super) static TRIM: LazyLock<Lua> = LazyLock::new(|| Lua::new(include_str!("lua/trim.lua")));
pub(super) static FORGET: LazyLock<Lua> = LazyLock::new(|| Lua::new(include_str!("lua/forget.lua")));

/// A call with these keys and arguments.
pub(super) fn call<const K: usize, const A: usize>(keys: [&str; K], arguments: [&str; A]) -> ScriptCall {
    let mut call = ScriptCall::default();
    for key in keys {
        call.key(key);
    }
    for argument in arguments {
        call.argument(argument);
    }
    call
}
