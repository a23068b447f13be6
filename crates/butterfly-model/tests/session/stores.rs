//! What every store owes to the sessions on it, asked for without them.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use butterfly_core::ReqId;
use butterfly_model::session::{Options, Stored};

use crate::places::{Place, all};

/// Far beyond anything that a test waits for.
const PATIENCE: Duration = Duration::from_secs(20);
const HOUR: u64 = 3_600_000;

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}

async fn each(test: impl AsyncFn(&Place)) {
    for place in all(Options::default()).await {
        test(&place).await;
    }
}

/// An id or an owner that no other test has, as long as all are.
fn name(of: &str) -> String {
    format!("{:0<64}", format!("{of}{}", ReqId::new()))
}

fn session(owner: Option<&str>, expires: u64) -> Stored {
    let record = "{\"中\": \"' \\\\ {a}\"}".to_owned();
    Stored { version: 1, owner: owner.map(str::to_owned), expires, ends: now() + 9 * HOUR, record }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_gives_what_it_was_given_and_takes_the_version_that_follows_alone() {
    each(async |place| {
        let (store, kind) = (&place.store, place.kind);
        let (id, owner) = (name("i"), name("o"));
        let first = session(Some(&owner), now() + HOUR);
        assert_eq!(store.load(&id).await.unwrap(), None, "{kind}");
        store.insert(&id, first.clone()).await.unwrap();
        assert_eq!(store.load(&id).await.unwrap().as_ref(), Some(&first), "{kind}");
        let second =
            Stored { version: 2, expires: first.expires + HOUR, record: "{}".into(), ..first.clone() };
        assert!(store.replace(&id, second.clone()).await.unwrap(), "{kind}");
        assert_eq!(store.load(&id).await.unwrap().as_ref(), Some(&second), "{kind}");
        for stale in [2, 1, 4, 0] {
            let stale = Stored { version: stale, record: "stale".into(), ..first.clone() };
            assert!(!store.replace(&id, stale).await.unwrap(), "{kind}");
        }
        assert!(!store.remove(&id, Some(1)).await.unwrap(), "{kind}");
        assert_eq!(store.list(&owner).await.unwrap(), [(id.clone(), second.clone())], "{kind}");
        assert!(store.remove(&id, Some(2)).await.unwrap(), "{kind}");
        assert_eq!(store.load(&id).await.unwrap(), None, "{kind}");
        assert_eq!(store.list(&owner).await.unwrap(), [], "{kind}");
        assert!(!store.remove(&id, None).await.unwrap(), "{kind}");
        assert!(!store.replace(&id, Stored { version: 3, ..second }).await.unwrap(), "{kind}");
        assert_eq!(store.load(&id).await.unwrap(), None, "{kind}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_expired_leaves_the_store_and_nothing_else_does() {
    each(async |place| {
        let (store, kind) = (&place.store, place.kind);
        let soon = now() + 400;
        let (short, renewed, long, nobody) = (name("s"), name("r"), name("l"), name("n"));
        let owner = name("o");
        store.insert(&short, session(Some(&owner), soon)).await.unwrap();
        store.insert(&renewed, session(Some(&owner), soon)).await.unwrap();
        store.insert(&long, session(Some(&owner), soon + HOUR)).await.unwrap();
        store.insert(&nobody, session(None, soon)).await.unwrap();
        let longer = Stored { version: 2, ..session(Some(&owner), soon + HOUR) };
        assert!(store.replace(&renewed, longer).await.unwrap(), "{kind}");
        let until = Instant::now() + PATIENCE;
        for id in [&short, &nobody] {
            while store.load(id).await.unwrap().is_some() {
                assert!(Instant::now() < until, "{kind}: it stays for ever");
                tokio::time::sleep(Duration::from_millis(20)).await;
                store.purge(now()).await.unwrap();
            }
        }
        assert!(now() >= soon, "{kind}: before its time");
        store.purge(now()).await.unwrap();
        let mut left: Vec<String> = store.list(&owner).await.unwrap().into_iter().map(|(id, _)| id).collect();
        left.sort_unstable();
        let mut expected = vec![long, renewed];
        expected.sort_unstable();
        assert_eq!(left, expected, "{kind}");
    })
    .await;
}
