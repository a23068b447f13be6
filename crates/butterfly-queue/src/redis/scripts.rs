//! The scripts: each a whole step of the queue, on one slot.

use std::sync::LazyLock;

use butterfly_model::redis::Script;

macro_rules! scripts {
    ($($(#[$doc:meta])* $name:ident = $($file:literal)+;)+) => {$(
        $(#[$doc])*
        pub(super) static $name: LazyLock<Script> =
            LazyLock::new(|| Script::new(concat!($(include_str!(concat!("lua/", $file, ".lua"))),+)));
    )+};
}

scripts! {
    ENQUEUE = "common" "lanes" "life" "enqueue";
    EXCHANGE = "common" "lanes" "life" "exchange";
    RENEW = "common" "renew";
    RECONCILE = "common" "lanes" "life" "reconcile";
    LEASES = "common" "leases";
    REAP = "common" "lanes" "life" "reap";
    ASIDE = "common" "lanes" "life" "aside";
    SWEEP = "common" "lanes" "life" "find" "sweep";
    COUNTS = "common" "lanes" "life" "lists" "counts";
    LIST = "common" "lanes" "life" "lists" "find" "list";
    GET = "common" "lanes" "life" "find" "get";
    CANCEL = "common" "lanes" "life" "find" "cancel";
    REQUEUE = "common" "lanes" "life" "find" "requeue";
    DELETE = "common" "lanes" "life" "find" "delete";
    EMPTY = "common" "lanes" "life" "empty";
    PAUSE = "common" "pause";
    WORKERS = "workers";
    VERSION = "version";
}
