//! UUIDs that sort by time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use uuid::Uuid;

/// A UUID of version 7 (RFC 9562), made now: it sorts after every one that this process made before, whichever thread
/// made it and whatever the clock did meanwhile.
///
/// # Example
///
/// ```
/// use butterfly_model::ids::uuid_v7;
///
/// let (first, second) = (uuid_v7(), uuid_v7());
/// assert!(first < second);
/// assert_eq!(first.get_version_num(), 7);
/// ```
#[must_use]
pub fn uuid_v7() -> Uuid {
    Uuid::now_v7()
}

/// When a UUID of version 7 was made, to the millisecond; `None` for one of another version.
#[must_use]
pub fn uuid_v7_time(id: &Uuid) -> Option<SystemTime> {
    if id.get_version_num() != 7 {
        return None;
    }
    let (seconds, nanos) = id.get_timestamp()?.to_unix();
    UNIX_EPOCH.checked_add(Duration::new(seconds, nanos))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::sync::{Arc, Mutex};

    #[test]
    fn every_uuid_sorts_after_those_made_before_it_on_any_thread() {
        // The lock tells what "before" is.
        let last = Arc::new(Mutex::new(Uuid::nil()));
        let makers: Vec<_> = (0..4)
            .map(|_| {
                let last = last.clone();
                std::thread::spawn(move || {
                    for _ in 0..25_000 {
                        let mut last = last.lock().unwrap();
                        let next = uuid_v7();
                        assert!(next > *last, "{next} after {last}");
                        *last = next;
                    }
                })
            })
            .collect();
        makers.into_iter().for_each(|maker| maker.join().unwrap());
    }

    #[test]
    fn uuids_made_at_once_differ() {
        let makers: Vec<_> = (0..4)
            .map(|_| std::thread::spawn(|| (0..50_000).map(|_| uuid_v7()).collect::<Vec<_>>()))
            .collect();
        let ids: HashSet<_> = makers.into_iter().flat_map(|maker| maker.join().unwrap()).collect();
        assert_eq!(ids.len(), 200_000);
    }

    #[test]
    fn a_uuid_tells_its_time_and_another_version_does_not() {
        let before = SystemTime::now();
        let time = uuid_v7_time(&uuid_v7()).unwrap();
        assert!(
            time + Duration::from_millis(1) >= before && time <= SystemTime::now() + Duration::from_secs(1)
        );
        assert_eq!(uuid_v7_time(&Uuid::new_v4()), None);
    }
}
