//! Which keys a batch may touch together.

use std::collections::BTreeMap;

use stockpulse_core::port::CacheKey;

use crate::lua::{ScriptCall, bucket_of};
use crate::{RedisOptions, RedisServers};

/// Into how many buckets the keys of a cluster fall: enough to spread over many nodes, and few enough that a batch is a
/// few round trips.
const CLUSTER_BUCKETS: u16 = 64;

/// The names of keys. A script may touch the keys of one hash slot only; on a cluster each bucket is one, on a single
/// server one bucket holds everything.
#[derive(Clone, Debug)]
pub(super) struct Buckets {
    prefix: String,
    count: u16,
}

impl Buckets {
    pub(super) fn new(options: &RedisOptions) -> Self {
        let count = if matches!(options.servers, RedisServers::Cluster(_)) { CLUSTER_BUCKETS } else { 1 };
        Self { prefix: format!("{}cache:", options.prefix), count }
    }

    fn bucket(&self, key: &CacheKey) -> u16 {
        bucket_of(key.id.as_bytes(), self.count)
    }

    /// The indices of keys by bucket.
    pub(super) fn group(&self, keys: &[CacheKey]) -> BTreeMap<u16, Vec<usize>> {
        let mut groups: BTreeMap<u16, Vec<usize>> = BTreeMap::new();
        for (index, key) in keys.iter().enumerate() {
            groups.entry(self.bucket(key)).or_default().push(index);
        }
        groups
    }

    /// The key of a value. A space is a word of the program's and holds no colon that could make two keys one: its length
    /// stands in front for those that do.
    pub(super) fn value(&self, bucket: u16, key: &CacheKey) -> String {
        self.name('v', bucket, key)
    }

    fn name(&self, what: char, bucket: u16, key: &CacheKey) -> String {
        let CacheKey { space, id } = key;
        format!("{}{{{bucket}}}{what}{}:{space}:{id}", self.prefix, space.len())
    }

    /// Calls of a script, one for each bucket that is touched.
    pub(super) fn calls(&self) -> Calls<'_> {
        Calls { buckets: self, first: None, calls: BTreeMap::new() }
    }
}

/// Calls of a script.
pub(super) struct Calls<'a> {
    buckets: &'a Buckets,
    first: Option<String>,
    calls: BTreeMap<u16, ScriptCall>,
}

impl Calls<'_> {
    /// Sets what the first argument of each is.
    pub(super) fn starting_with(mut self, argument: String) -> Self {
        self.first = Some(argument);
        self
    }

    /// The call that a key belongs to, with the names of its value and its floor.
    pub(super) fn of(&mut self, key: &CacheKey) -> &mut ScriptCall {
        let bucket = self.buckets.bucket(key);
        let call = self.calls.entry(bucket).or_insert_with(|| {
            let mut call = ScriptCall::default();
            if let Some(first) = &self.first {
                call.argument(first.clone());
            }
            call
        });
        call.key(self.buckets.name('v', bucket, key));
        call.key(self.buckets.name('f', bucket, key));
        call
    }

    pub(super) fn into_vec(self) -> Vec<ScriptCall> {
        self.calls.into_values().collect()
    }
}
