//! Every hostile text as a key, a tag and a value of every cache: it is kept as it is, or refused with why.

use std::time::Duration;

use butterfly_model::cache::{CacheError, Keep};

use super::contract::{caches, lists};
use super::hostile_values::{NO_TEXT, texts};

const MINUTE: Duration = Duration::from_secs(60);
const KEY_MAX: usize = butterfly_model::cache::KEY_MAX;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_tags_and_values_are_taken_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    for (kind, cache) in caches(&folder) {
        let lists = lists(kind, &cache).await;
        cache.set("kept", "kept", Keep::FOREVER.tags(&["kept"])).await.unwrap();
        for text in texts() {
            let what = format!("{kind}, {:?}", text.chars().take(60).collect::<String>());
            let tags = [text.as_str()];
            let own = Keep::fresh(MINUTE).tags(&tags);
            if text.len() > KEY_MAX {
                for refused in [
                    cache.set(&text, "x", MINUTE).await,
                    cache.set("x", "x", own).await,
                    cache.add("x", "x", own).await.map(drop),
                    cache.incr(&text, 1, MINUTE).await.map(drop),
                ] {
                    assert!(
                        matches!(&refused, Err(CacheError::TooLarge(why)) if why.contains("8192")),
                        "{what}: {refused:?}"
                    );
                }
                // What cannot be there is not there.
                assert!(
                    matches!(cache.get::<String>(&text).await, Ok(None) | Err(CacheError::TooLarge(_))),
                    "{what}"
                );
                assert!(
                    matches!(cache.invalidate_tag(&text).await, Ok(()) | Err(CacheError::TooLarge(_))),
                    "{what}"
                );
                if lists {
                    assert_eq!(cache.count().await.unwrap(), 1, "{what}");
                }
            } else {
                cache.set(&text, &text, own).await.unwrap_or_else(|error| panic!("{what}: {error}"));
                assert_eq!(cache.get::<String>(&text).await.unwrap().as_deref(), Some(&*text), "{what}");
                if lists {
                    assert_eq!(cache.count().await.unwrap(), 2, "{what}");
                }
                assert!(cache.touch(&text, own).await.unwrap(), "{what}");
                cache.invalidate_tag(&text).await.unwrap();
                assert_eq!(cache.get::<String>(&text).await.unwrap(), None, "{what}");
                assert!(cache.add(&text, &1, MINUTE).await.unwrap(), "{what}");
                assert_eq!(cache.incr(&text, 1, MINUTE).await.unwrap(), 2, "{what}");
                assert_eq!(cache.pop::<i64>(&text).await.unwrap(), Some(2), "{what}");
            }
            cache.set("value", &text, MINUTE).await.unwrap();
            assert_eq!(cache.get::<String>("value").await.unwrap().as_deref(), Some(&*text), "{what}");
            assert!(cache.delete("value").await.unwrap(), "{what}");
            assert_eq!(cache.get::<String>("kept").await.unwrap().as_deref(), Some("kept"), "{what}");
        }
        for bytes in NO_TEXT {
            cache.set_bytes("bytes", bytes.to_vec(), MINUTE).await.unwrap();
            assert_eq!(cache.get_bytes("bytes").await.unwrap().as_deref(), Some(*bytes), "{kind}");
            assert!(matches!(cache.get::<String>("bytes").await, Ok(None) | Err(_)), "{kind} {bytes:?}");
        }
    }
}
