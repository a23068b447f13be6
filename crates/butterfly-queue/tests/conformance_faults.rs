//! A fault that is planted in an engine makes the suite fail, and where it is to be expected.

use std::collections::BTreeMap;
use std::sync::Arc;

use butterfly_queue::conformance::memory::Memory;
use butterfly_queue::conformance::{CASES, Fault, Faulty, Subject, run_all};

/// Cases that must find a fault. Others may, too: what takes random steps finds it or not.
fn must_find(fault: Fault) -> &'static [&'static str] {
    match fault {
        Fault::Unfenced => &[
            "a_late_worker_cannot_end",
            "an_earlier_life_cannot_end",
            "nobody_ends_anothers_message",
            "ends_are_answered_in_order",
        ],
        Fault::Reversed => &["first_in_first_out", "higher_priority_first", "many_ends_and_claims_at_once"],
        Fault::GivenAgain => &[
            "a_message_lives_and_finishes",
            "an_ended_message_cannot_end_otherwise",
            "every_message_is_run_once",
        ],
        Fault::Deaf => &[
            "enqueue_wakes_itself_and_others",
            "a_scheduled_message_wakes",
            "resume_wakes",
            "requeue_wakes",
            "retry_wakes",
            "release_wakes",
            "reap_wakes",
            "reconcile_wakes",
            "room_below_a_limit_wakes",
        ],
        Fault::Drifting => &["counts_follow_every_arrow"],
        Fault::Beatless => &["reap_compares_the_beat"],
        Fault::TakenTwice => &["a_repeated_batch_does_nothing_twice"],
        Fault::Acknowledging => &["what_was_accepted_survives", "what_was_claimed_is_not_lost"],
        Fault::Hasty => &["not_before_its_time", "unique_debounces", "pages_of_what_is_scheduled"],
    }
}

/// The cases that fail, and why.
async fn failing(subject: impl Subject + 'static) -> BTreeMap<&'static str, String> {
    let proofs = run_all(Arc::new(subject)).await;
    assert_eq!(proofs.len(), CASES.len());
    proofs.into_iter().filter_map(|(name, proof)| Some((name, proof.err()?.to_string()))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_planted_fault_is_found() {
    for fault in Fault::ALL {
        let failing = failing(Faulty::new(Memory::default(), fault)).await;
        println!("{fault:?} is found by {} of {} cases: {failing:#?}", failing.len(), CASES.len());
        for name in must_find(fault) {
            assert!(CASES.iter().any(|case| case.name == *name), "no case is called {name}");
            assert!(failing.contains_key(name), "{name} does not find the fault {fault:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_without_a_fault_passes() {
    let failing = failing(Memory::default()).await;
    assert!(failing.is_empty(), "{failing:#?}");
}
