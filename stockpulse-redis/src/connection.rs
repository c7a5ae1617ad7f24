//! A connection that is made when it is needed, and made again when it is lost.

mod dial;

use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use redis::aio::ConnectionLike;
use redis::{Cmd, ErrorKind as RedisKind, FromRedisValue, RedisError, RedisResult, ServerErrorKind, Value};
use stockpulse_core::Result;
use tokio::time::timeout;

use self::dial::{Link, Target};
use crate::RedisOptions;
use crate::error::{failure, is_lost};
use crate::lua::{Lua, ScriptCall};

/// A connection to Redis. Clones share it; commands of all of them are pipelined.
///
/// It is made by the first call, and made again by the first call after it was lost: so a process starts and runs while
/// Redis does not. After a failover Sentinel is asked anew. A command whose connection breaks is sent a second time on a
/// new one, since every command of this crate may be done twice; one that gets no answer in time is not.
#[derive(Clone)]
pub struct RedisConnection {
    shared: Arc<Shared>,
}

struct Shared {
    options: RedisOptions,
    target: Target,
    live: Mutex<Option<Live>>,
    /// Held by the one who connects; whoever else needs it waits for that one.
    dialing: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Clone)]
struct Live {
    number: u64,
    link: Link,
    /// How many calls in a row were given up by their callers without an answer.
    given_up: Arc<AtomicU32>,
}

/// After how many calls in a row that their callers gave up a connection counts as lost. Callers with a budget go before
/// the response's timeout would say so.
const GIVEN_UP: u32 = 3;

impl RedisConnection {
    /// A connection that is not made yet.
    ///
    /// # Errors
    /// `Config` if a URL cannot be read, or needs a feature that is not there.
    pub fn new(options: RedisOptions) -> Result<Self> {
        let target = Target::new(&options)?;
        let shared = Shared { options, target, live: Mutex::default(), dialing: Arc::default() };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The options it was made with.
    #[must_use]
    pub fn options(&self) -> &RedisOptions {
        &self.shared.options
    }

    /// Asks whether the server answers.
    ///
    /// # Errors
    /// That it does not.
    pub async fn ping(&self) -> Result<()> {
        self.query::<Value>(&redis::cmd("PING")).await.map(drop)
    }

    /// Sends a command that may be done twice.
    pub(crate) async fn query<T: FromRedisValue>(&self, command: &Cmd) -> Result<T> {
        let value = self.send(command).await.map_err(failure)?;
        T::from_redis_value(value).map_err(|error| failure(error.into()))
    }

    /// Runs a script that may be done twice, in one round trip. A server that does not know it gets it whole, once.
    pub(crate) async fn script<T: FromRedisValue>(&self, script: &Lua, call: &ScriptCall) -> Result<T> {
        let known = call.command("EVALSHA", &script.hash);
        let value = match self.send(&known).await {
            Err(error) if error.kind() == RedisKind::Server(ServerErrorKind::NoScript) => {
                self.send(&call.command("EVAL", script.source)).await
            }
            answer => answer,
        };
        T::from_redis_value(value.map_err(failure)?).map_err(|error| failure(error.into()))
    }

    async fn send(&self, command: &Cmd) -> RedisResult<Value> {
        let (live, fresh) = self.link().await?;
        match self.send_on(&live, command).await {
            // Nobody had noticed that it was gone. Nothing is said of a new one that breaks at once.
            Err(error) if !fresh && error.is_connection_dropped() => {
                let (live, _) = self.link().await?;
                self.send_on(&live, command).await
            }
            answer => answer,
        }
    }

    async fn send_on(&self, live: &Live, command: &Cmd) -> RedisResult<Value> {
        let mut link = live.link.clone();
        let waiting = Waiting { shared: &self.shared, live };
        // The library's own timeout does not cover every wait inside a cluster's connection.
        let answer = match timeout(self.shared.options.response_timeout, link.req_packed_command(command)).await {
            Ok(answer) => answer.and_then(Value::extract_error),
            Err(_) => Err(timed_out("no answer in time")),
        };
        waiting.ended();
        if answer.as_ref().is_err_and(is_lost) {
            self.shared.forget(live.number);
        }
        answer
    }

    /// The connection, and whether it was made by this call.
    async fn link(&self) -> RedisResult<(Live, bool)> {
        if let Some(live) = self.shared.live() {
            return Ok((live, false));
        }
        let limit = self.shared.options.connect_timeout;
        let answer = timeout(limit, self.dial()).await;
        answer.unwrap_or_else(|_| Err(timed_out("no connection in time")))
    }

    /// Connects in a task of its own: a caller who waits less than that takes is not to begin it anew each time.
    async fn dial(&self) -> RedisResult<(Live, bool)> {
        let turn = Arc::clone(&self.shared.dialing).lock_owned().await;
        if let Some(live) = self.shared.live() {
            return Ok((live, false));
        }
        let shared = Arc::clone(&self.shared);
        let task = tokio::spawn(async move {
            let _turn = turn;
            let limit = shared.options.connect_timeout;
            let dialed = timeout(limit, shared.target.dial(&shared.options)).await;
            let link = dialed.unwrap_or_else(|_| Err(timed_out("no connection in time")))?;
            Ok((shared.keep(link), true))
        });
        task.await.unwrap_or_else(|error| Err(std::io::Error::other(error).into()))
    }
}

impl Shared {
    fn live(&self) -> Option<Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, link: Link) -> Live {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        live.insert(Live { number, link, given_up: Arc::default() }).clone()
    }

    /// Forgets this connection, unless there is another by now.
    fn forget(&self, number: u64) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        if live.as_ref().is_some_and(|live| live.number == number) {
            *live = None;
        }
    }
}

/// Tells connections apart.
static NUMBERS: AtomicU64 = AtomicU64::new(0);

/// A call that waits for its answer.
struct Waiting<'a> {
    shared: &'a Shared,
    live: &'a Live,
}

impl Waiting<'_> {
    fn ended(self) {
        self.live.given_up.store(0, Ordering::Relaxed);
        std::mem::forget(self);
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.live.given_up.fetch_add(1, Ordering::Relaxed) + 1 >= GIVEN_UP {
            self.shared.forget(self.live.number);
        }
    }
}

fn timed_out(what: &'static str) -> RedisError {
    std::io::Error::new(std::io::ErrorKind::TimedOut, what).into()
}

impl fmt::Debug for RedisConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisConnection").field("options", &self.shared.options).finish_non_exhaustive()
    }
}
