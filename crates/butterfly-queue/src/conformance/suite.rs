//! The cases by name, and how they are run.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::desk::Trial;
use super::failed::{Failed, Proof};
use super::subject::Subject;

/// How many cases `run_all` runs at once: many of them only wait.
const AT_ONCE: usize = 8;

/// A case that runs.
pub type CaseFuture<'a> = Pin<Box<dyn Future<Output = Proof> + Send + 'a>>;

/// Something that must hold.
#[derive(Clone, Copy)]
pub struct Case {
    /// What it is called.
    pub name: &'static str,
    run: for<'a> fn(&'a Trial) -> CaseFuture<'a>,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// The list of the cases: for [`CASES`], and for the macro that makes a test of each.
macro_rules! cases {
    (($d:tt) $($file:ident: $($name:ident)*;)*) => {
        /// All cases.
        pub const CASES: &[Case] = &[
            $($(Case { name: stringify!($name), run: |trial| Box::pin(super::$file::$name(trial)) },)*)*
        ];

        /// Makes a test of every case, for the [`Subject`](crate::conformance::Subject) that the expression gives.
        #[macro_export]
        macro_rules! conformance {
            ($d subject:expr) => {
                $($(
                    #[test]
                    fn $name() {
                        $crate::conformance::prove(&$d subject, stringify!($name));
                    }
                )*)*
            };
        }
    };
}

cases! { ($)
    order: first_in_first_out higher_priority_first one_order_for_all_processes returned_go_before_all
        numbers_grow;
    life: a_message_lives_and_finishes a_message_fails any_stat_may_finish counts_follow_every_arrow
        what_the_sender_said_is_kept a_run_is_seen_from_outside hostile_texts_are_only_texts
        topics_with_braces_are_topics large_messages_pass;
    ends: retry_waits_for_its_time retry_at_once retry_need_not_count release_gives_back
        a_repeated_exchange_does_nothing_twice ends_are_answered_in_order many_ends_and_claims_at_once;
    leases: a_lease_has_a_beat reap_compares_the_beat a_reaped_owner_is_told
        a_reaped_owner_does_not_wait_in_vain an_idle_owner_is_not_reaped reap_takes_only_that_owners three_deaths_are_a_failure a_suspect_runs_alone
        reconcile_hands_back_the_unknown leases_are_by_topic;
    fence: nobody_ends_anothers_message a_late_worker_cannot_end an_earlier_life_cannot_end
        an_ended_message_cannot_end_otherwise what_was_handed_back_cannot_end;
    ids: a_given_id_is_one_message a_given_id_is_free_after_its_message a_repeated_batch_does_nothing_twice
        processes_number_their_batches_alone ids_are_by_topic unknown_ids_are_missing all_kinds_of_ids;
    unique: unique_while_alive unique_is_free_after_every_end unique_for_a_time unique_debounces
        unique_replaces_only_what_is_scheduled unique_keys_are_texts_by_topic;
    delay: not_before_its_time a_time_that_has_passed_is_now the_earliest_time_is_told
        due_messages_keep_their_priority;
    cancel: cancel_what_waits cancel_what_runs cancel_what_has_ended a_cancelled_run_may_still_finish
        a_cancelled_message_does_not_come_back;
    operate: pause_stops_claims_everywhere requeue_makes_it_new requeue_with_other_arguments
        requeue_only_what_has_ended delete_all_but_what_runs empty_a_state;
    lists: pages_of_what_waits pages_of_what_is_scheduled pages_of_what_runs pages_of_what_ended
        topics_are_sorted the_oldest_is_told;
    limits: depth_refuses_only_the_rest depth_is_for_newcomers concurrency_over_all_processes
        concurrency_counts_the_dead_out rate_lets_a_burst_and_then_drips rate_is_one_for_all_processes
        rate_tells_when_a_suspect_may_start;
    keys: keys_take_turns order_within_a_key key_concurrency_over_all_processes
        key_concurrency_counts_the_dead_out a_message_may_change_its_key key_rate_is_for_each;
    ttl: what_waits_too_long_fails a_retry_does_not_expire a_requeued_one_waits_anew
        results_are_dropped_in_time results_of_no_time_are_not_kept failures_are_dropped_in_time
        what_is_kept_is_not_swept;
    wake: enqueue_wakes_itself_and_others a_scheduled_message_wakes resume_wakes requeue_wakes retry_wakes
        release_wakes reap_wakes reconcile_wakes room_below_a_limit_wakes
        who_waits_is_told_of_the_end who_waits_is_told_of_every_kind_of_end;
    workers: workers_come_and_go workers_expire;
    crash: what_was_accepted_survives what_was_finished_survives what_was_claimed_is_not_lost
        limits_and_keys_survive;
    many: every_message_is_run_once;
    model: random_steps_agree_with_the_model;
}

/// Runs one case in a new place of the subject's.
///
/// # Errors
///
/// What did not hold.
pub async fn run(subject: &dyn Subject, case: &Case) -> Proof {
    let trial = Trial::of(subject).await?;
    let limit = subject.patience() * 6;
    match tokio::time::timeout(limit, (case.run)(&trial)).await {
        Ok(proof) => proof,
        Err(_) => Err(Failed::new(format!("the case did not end within {limit:?}"))),
    }
}

/// Runs all cases, some at a time, and says what became of each. A case that panics has failed.
pub async fn run_all(subject: Arc<dyn Subject>) -> Vec<(&'static str, Proof)> {
    let few = Arc::new(Semaphore::new(AT_ONCE));
    let start = |case: &'static Case| {
        let (few, subject) = (few.clone(), subject.clone());
        let running = tokio::spawn(async move {
            let _turn = few.acquire().await;
            run(&*subject, case).await
        });
        (case.name, running)
    };
    let running: Vec<_> = CASES.iter().map(start).collect();
    let mut proofs = vec![];
    for (name, case) in running {
        let proof = case.await.unwrap_or_else(|panic| Err(Failed::new(panic.to_string())));
        proofs.push((name, proof));
    }
    proofs
}

/// Runs the case of a name in a runtime of its own; the tests that [`conformance!`](crate::conformance!) makes call it.
///
/// # Panics
///
/// When the case fails: a test says so by a panic.
#[expect(clippy::panic, reason = "this is how a test fails")]
pub fn prove(subject: &dyn Subject, name: &str) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.unwrap_or_else(|error| panic!("no runtime: {error}"));
    let case = CASES.iter().find(|case| case.name == name).unwrap_or_else(|| panic!("no case {name}"));
    if let Err(failed) = runtime.block_on(run(subject, case)) {
        panic!("{name}: {failed}");
    }
}
