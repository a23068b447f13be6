//! What holds on every store.

use std::time::Duration;

use butterfly_core::{Ctx, ReqId, Result};
use butterfly_model::session::{Options, SessionExt};

use crate::browser::Browser;
use crate::places::all;

/// Runs a test on each store; the user is one that no other test has.
macro_rules! each {
    ($name:ident, $place:ident, $user:ident, $body:block) => {
        each!($name, $place, $user, Options::default(), $body);
    };
    ($name:ident, $place:ident, $user:ident, $options:expr, $body:block) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn $name() {
            for $place in all($options).await {
                let $user = format!("ada {}", ReqId::new());
                $body
            }
        }
    };
}

async fn user(browser: &mut Browser) -> Option<String> {
    browser.call(async |ctx| ctx.session().await.unwrap().user()).await
}

async fn login(browser: &mut Browser, user: &str) {
    browser.call(async |ctx| ctx.session().await.unwrap().login(user).await.unwrap()).await;
}

async fn value(ctx: &Ctx, key: &str) -> Option<u32> {
    ctx.session().await.unwrap().get(key).unwrap()
}

each!(nothing_begins_before_something_is_set, place, _user, {
    let mut browser = Browser::new(&place.here);
    browser
        .call(async |ctx| {
            let session = ctx.session().await.unwrap();
            assert_eq!((session.user(), session.id(), session.get::<u32>("a").unwrap()), (None, None, None));
            session.remove("a").await.unwrap();
        })
        .await;
    assert!(browser.sent.is_empty(), "{}", place.kind);
});

each!(what_is_set_is_there_in_the_next_call_and_elsewhere, place, _user, {
    let mut browser = Browser::new(&place.here);
    browser
        .call(async |ctx| {
            ctx.session().await.unwrap().set("a", &7).await.unwrap();
            // The same session, asked for once more.
            assert_eq!(value(ctx, "a").await, Some(7));
            ctx.session().await.unwrap().set("text", "中文 \u{1F98B} \0 '\"").await.unwrap();
        })
        .await;
    let mut there = Browser::new(&place.there);
    there.cookie.clone_from(&browser.cookie);
    assert_eq!(there.call(async |ctx| value(ctx, "a").await).await, Some(7), "{}", place.kind);
    there.call(async |ctx| ctx.session().await.unwrap().remove("a").await.unwrap()).await;
    assert!(there.sent.is_empty(), "a session that goes on needs no new cookie");
    browser
        .call(async |ctx| {
            assert_eq!(value(ctx, "a").await, None, "{}", place.kind);
            let session = ctx.session().await.unwrap();
            assert_eq!(session.get::<String>("text").unwrap().as_deref(), Some("中文 \u{1F98B} \0 '\""));
            let why = session.get::<u32>("text").unwrap_err().chain();
            assert!(why.contains("\"text\"") && why.contains("u32"), "{why}");
        })
        .await;
});

each!(a_login_begins_under_a_new_id, place, user_name, {
    let mut browser = Browser::new(&place.here);
    browser.call(async |ctx| ctx.session().await.unwrap().set("cart", &3).await.unwrap()).await;
    let mut thief = browser.clone();
    login(&mut browser, &user_name).await;
    assert_eq!(user(&mut browser).await.as_ref(), Some(&user_name), "{}", place.kind);
    assert_eq!(browser.call(async |ctx| value(ctx, "cart").await).await, Some(3), "{}", place.kind);
    assert_ne!(browser.cookie, thief.cookie);
    assert_eq!(user(&mut thief).await, None, "{}", place.kind);
    assert_eq!(thief.call(async |ctx| value(ctx, "cart").await).await, None, "{}", place.kind);

    // Somebody else, at the same browser: what was the first one's is gone.
    login(&mut browser, &format!("{user_name} II")).await;
    assert_eq!(browser.call(async |ctx| value(ctx, "cart").await).await, None, "{}", place.kind);
    assert!(place.there.list(&user_name).await.unwrap().is_empty(), "{}", place.kind);
});

each!(a_logout_ends_it_for_whoever_has_the_cookie, place, user_name, {
    let mut browser = Browser::new(&place.here);
    login(&mut browser, &user_name).await;
    let mut copy = browser.clone();
    browser
        .call(async |ctx| {
            let session = ctx.session().await.unwrap();
            session.logout().await.unwrap();
            assert_eq!(session.user(), None);
        })
        .await;
    assert_eq!(browser.cookie, None, "{:?}", browser.sent);
    assert_eq!(user(&mut copy).await, None, "{}", place.kind);
    // What is set after it begins another session.
    copy.call(async |ctx| ctx.session().await.unwrap().set("a", &1).await.unwrap()).await;
    assert_eq!(copy.call(async |ctx| value(ctx, "a").await).await, Some(1), "{}", place.kind);
});

each!(a_user_sees_and_revokes_his_sessions, place, user_name, {
    let mut phone = Browser::new(&place.here).called("phone");
    let mut laptop = Browser::new(&place.there).called("laptop");
    let mut other = Browser::new(&place.here);
    login(&mut phone, &user_name).await;
    login(&mut laptop, &user_name).await;
    login(&mut other, &user_name.to_uppercase()).await;
    let list = place.here.list(&user_name).await.unwrap();
    let mut agents: Vec<_> = list.iter().map(|info| info.agent.clone().unwrap()).collect();
    agents.sort_unstable();
    assert_eq!(agents, ["laptop", "phone"], "{}", place.kind);
    assert!(list.iter().all(|info| info.ip.as_deref() == Some("10.1.2.3") && info.seen >= info.created));
    let id = phone.call(async |ctx| ctx.session().await.unwrap().id().unwrap()).await;
    assert!(list.iter().any(|info| info.id == id) && !phone.cookie.as_ref().unwrap().contains(&id));

    let stranger = user_name.to_uppercase();
    assert!(!place.here.revoke(&stranger, &id).await.unwrap(), "it is another's ({})", place.kind);
    assert!(place.there.revoke(&user_name, &id).await.unwrap(), "{}", place.kind);
    assert!(!place.there.revoke(&user_name, &id).await.unwrap(), "{}", place.kind);
    assert!(!place.there.revoke(&user_name, "'; --").await.unwrap(), "{}", place.kind);
    assert_eq!(user(&mut phone).await, None, "{}", place.kind);
    assert_eq!(user(&mut laptop).await.as_ref(), Some(&user_name), "{}", place.kind);
    assert_eq!(place.here.revoke_all(&user_name).await.unwrap(), 1, "{}", place.kind);
    assert_eq!(user(&mut laptop).await, None, "{}", place.kind);
    assert_eq!(user(&mut other).await.as_ref(), Some(&stranger), "{}", place.kind);
    assert!(place.here.list(&user_name).await.unwrap().is_empty(), "{}", place.kind);
});

each!(calls_at_once_keep_each_others_changes, place, user_name, {
    let mut browser = Browser::new(&place.here);
    login(&mut browser, &user_name).await;
    let mut there = Browser::new(&place.there);
    there.cookie.clone_from(&browser.cookie);
    let calls: Vec<_> = (0..24)
        .map(|number| {
            let ctx = if number % 2 == 0 { browser.ctx() } else { there.ctx() };
            tokio::spawn(async move {
                let session = ctx.session().await?;
                session.set(&format!("key {number}"), &number).await?;
                session.update("sum", |before: Option<u32>| before.unwrap_or(0) + 1).await
            })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    browser
        .call(async |ctx| {
            let session = ctx.session().await.unwrap();
            assert_eq!(session.get::<u32>("sum").unwrap(), Some(24), "{}", place.kind);
            for number in 0..24 {
                assert_eq!(session.get::<u32>(&format!("key {number}")).unwrap(), Some(number));
            }
        })
        .await;
});

each!(what_was_revoked_does_not_come_back, place, user_name, {
    let mut browser = Browser::new(&place.here);
    login(&mut browser, &user_name).await;
    browser
        .call(async |ctx| {
            let session = ctx.session().await.unwrap();
            assert_eq!(place.there.revoke_all(&user_name).await.unwrap(), 1);
            let error = session.set("a", &1).await.unwrap_err();
            assert_eq!(error.stat().as_str(), "ERR_SESSION_ENDED", "{}", place.kind);
            assert_eq!(session.user(), None);
        })
        .await;
    assert_eq!(user(&mut browser).await, None, "{}", place.kind);
    assert!(place.here.list(&user_name).await.unwrap().is_empty(), "{}", place.kind);
});

each!(a_login_takes_along_what_was_set_at_the_last_moment, place, user_name, {
    let mut browser = Browser::new(&place.here);
    browser.call(async |ctx| ctx.session().await.unwrap().set("a", &1).await.unwrap()).await;
    let (slow, mut fast) = (browser.ctx(), browser.clone());
    let session = slow.session().await.unwrap();
    fast.call(async |ctx| ctx.session().await.unwrap().set("b", &2).await.unwrap()).await;
    session.login(&user_name).await.unwrap();
    assert_eq!((value(&slow, "a").await, value(&slow, "b").await), (Some(1), Some(2)), "{}", place.kind);
});

const SMALL: usize = 200;

each!(
    too_much_is_refused_and_changes_nothing,
    place,
    _user,
    Options { max_bytes: SMALL, ..Options::default() },
    {
        let mut browser = Browser::new(&place.here);
        let refused = |result: Result<()>| {
            let why = result.unwrap_err().chain();
            assert!(why.contains("\"big\"") && why.contains("session.max_bytes"), "{why}");
        };
        let long = "x".repeat(SMALL);
        browser.call(async |ctx| refused(ctx.session().await.unwrap().set("big", &long).await)).await;
        assert!(browser.sent.is_empty(), "{}", place.kind);
        browser.call(async |ctx| ctx.session().await.unwrap().set("a", &1).await.unwrap()).await;
        browser.call(async |ctx| refused(ctx.session().await.unwrap().set("big", &long).await)).await;
        assert_eq!(browser.call(async |ctx| value(ctx, "a").await).await, Some(1), "{}", place.kind);
    }
);

each!(a_user_has_so_many_at_most, place, user_name, Options { max_per_user: 3, ..Options::default() }, {
    let mut browsers = Vec::new();
    for _ in 0..5 {
        let mut browser = Browser::new(&place.here);
        login(&mut browser, &user_name).await;
        browsers.push(browser);
        assert!(place.here.list(&user_name).await.unwrap().len() <= 3, "{}", place.kind);
    }
    assert_eq!(place.here.list(&user_name).await.unwrap().len(), 3, "{}", place.kind);
    assert_eq!(user(&mut browsers[4]).await.as_ref(), Some(&user_name), "{}", place.kind);
});

each!(what_nobody_uses_ends, place, user_name, Options { idle: Duration::ZERO, ..Options::default() }, {
    let mut browser = Browser::new(&place.here);
    login(&mut browser, &user_name).await;
    assert_eq!(user(&mut browser).await, None, "{}", place.kind);
    assert!(place.here.list(&user_name).await.unwrap().is_empty(), "{}", place.kind);
});

each!(what_is_old_ends, place, user_name, Options { ttl: Duration::ZERO, ..Options::default() }, {
    let mut browser = Browser::new(&place.here);
    login(&mut browser, &user_name).await;
    let old = browser.sent.last().unwrap().split(';').next().unwrap().to_owned();
    browser.cookie = Some(old);
    assert_eq!(user(&mut browser).await, None, "{}", place.kind);
});

each!(users_names_are_bounded, place, _user, {
    let mut browser = Browser::new(&place.here);
    for name in [String::new(), "x".repeat(257)] {
        let why = browser.call(async |ctx| ctx.session().await.unwrap().login(&name).await).await;
        assert!(why.unwrap_err().chain().contains("1 to 256 bytes"), "{}", place.kind);
    }
    assert!(browser.sent.is_empty());
    let odd = format!("'; DROP TABLE butterfly_session; -- {{a}}\n\0 {}", ReqId::new());
    login(&mut browser, &odd).await;
    assert_eq!(user(&mut browser).await.as_ref(), Some(&odd), "{}", place.kind);
    assert_eq!(place.here.revoke_all(&odd).await.unwrap(), 1, "{}", place.kind);
});
