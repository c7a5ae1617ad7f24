//! A user who may do no more than the how-to page says.

use std::time::Duration;

use stockpulse_core::ErrorKind;
use stockpulse_core::port::{Admission, AdmissionGate, Cache, CacheKey, CachePut, Cached, GateLevel};
use stockpulse_redis::{RedisCache, RedisConnection, RedisGate, RedisOptions};

use super::shop::{key as shelf, request};
use crate::support::found_or_skip;
use crate::support::node::{Node, program};

#[tokio::test(flavor = "multi_thread")]
async fn a_user_with_the_rights_that_are_documented_can_do_everything() {
    let name = "a_user_with_the_rights_that_are_documented_can_do_everything";
    let Some(program) = found_or_skip(name, program()) else { return };
    let node = Node::start(&program, &[]).await;
    let page = include_str!("../../../docs/howto/cache-and-gate.md");
    let rights = page.split('`').find(|words| words.starts_with("+@connection")).unwrap();
    let mut user = vec!["ACL", "SETUSER", "shop", "on", ">secret"];
    user.extend(rights.split(' '));
    node.command::<()>(&user).await.unwrap();

    let options = RedisOptions::new(node.url()).with_login("shop", "secret");
    let connection = RedisConnection::new(options.clone()).unwrap();
    connection.ping().await.unwrap();
    let (cache, gate) = (RedisCache::new(connection.clone()), RedisGate::new(connection));
    let key = CacheKey::new("test", "cup");
    let cached = Cached { version: 1, value: "cup".into() };
    cache.put(vec![CachePut { key: key.clone(), cached, ttl: Duration::from_secs(60) }]).await.unwrap();
    assert!(cache.get(std::slice::from_ref(&key)).await.unwrap()[0].is_some());
    cache.invalidate(&[(key, 2)], Duration::from_secs(60)).await.unwrap();
    gate.reconcile(&[GateLevel { key: shelf(), sellable: 1.into(), version: 1 }]).await.unwrap();
    let (sold, refused) = (request(), request());
    let refusal = Admission::Refused(shelf());
    assert_eq!(gate.admit(&[sold.clone(), refused]).await.unwrap(), [Admission::Admitted, refusal]);
    gate.settle(&[sold.reservation]).await.unwrap();
    gate.release(&[sold.reservation]).await.unwrap();

    for (options, kind) in [
        (options.clone().with_login("shop", "wrong"), ErrorKind::Config),
        (options.with_prefix("other:"), ErrorKind::Config),
    ] {
        let cache = RedisCache::new(RedisConnection::new(options).unwrap());
        let error = cache.get(&[CacheKey::new("test", "cup")]).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(!format!("{error:?}").contains("wrong"), "{error:?}");
    }
}
