//! The cookie: what it says to the browser, and what is made of cookies that others wrote.

use std::time::Duration;

use butterfly_core::{Ctx, Door};
use butterfly_model::session::{Keys, MemorySessions, Options, Secure, SessionExt, Sessions, SqlSessions};
use proptest::prelude::*;

use crate::browser::Browser;

fn sessions(options: Options) -> Sessions {
    Sessions::new(MemorySessions::new(), Keys::of(&["a secret of these tests"]).unwrap(), options)
}

async fn begun(mut browser: Browser) -> Browser {
    browser.call(async |ctx| ctx.session().await.unwrap().set("a", &1).await.unwrap()).await;
    browser
}

async fn is_known(mut browser: Browser) -> bool {
    browser.call(async |ctx| ctx.session().await.unwrap().id().is_some()).await
}

#[tokio::test]
async fn it_is_kept_from_scripts_and_from_other_sites() {
    let sessions = sessions(Options { ttl: Duration::from_secs(100), ..Options::default() });
    let browser = begun(Browser::new(&sessions)).await;
    let [line] = &browser.sent[..] else { panic!("{:?}", browser.sent) };
    let attributes: Vec<&str> = line.split("; ").skip(1).collect();
    assert!(line.starts_with("sid=") && attributes[..2] == ["Path=/", "SameSite=Lax"], "{line}");
    assert!(attributes.contains(&"HttpOnly") && !attributes.contains(&"Secure"), "{line}");
    let age = attributes.iter().find_map(|attribute| attribute.strip_prefix("Max-Age="));
    assert!((95..=100).contains(&age.unwrap().parse::<u32>().unwrap()), "{line}");
}

#[tokio::test]
async fn it_is_for_tls_alone_where_the_call_came_by_tls_or_so_configured() {
    let secure = async |options: Options, header: Option<(&'static str, &str)>| {
        let browser = Browser::new(&sessions(options));
        let browser = match header {
            Some((name, value)) => browser.with(name, value),
            None => browser,
        };
        begun(browser).await.sent[0].contains("; Secure")
    };
    let https = Some(("X-Forwarded-Proto", "HTTPS, http"));
    assert!(secure(Options::default(), https).await);
    assert!(secure(Options::default(), Some(("Forwarded", "for=1.2.3.4;Proto=https"))).await);
    assert!(!secure(Options::default(), Some(("X-Forwarded-Proto", "http"))).await);
    assert!(secure(Options { secure: Secure::Always, ..Options::default() }, None).await);
    assert!(!secure(Options { secure: Secure::Never, ..Options::default() }, https).await);
}

#[tokio::test]
async fn of_several_that_differ_none_counts() {
    let sessions = sessions(Options::default());
    let (mine, theirs) = (begun(Browser::new(&sessions)).await, begun(Browser::new(&sessions)).await);
    let (mine, theirs) = (mine.cookie.unwrap(), theirs.cookie.unwrap());
    let with = |cookie: String| Browser::new(&sessions).bringing(&cookie);
    assert!(is_known(with(format!("x=1; {mine}; y=2"))).await);
    assert!(is_known(with(format!("{mine}; {mine}"))).await, "the same twice is no other");
    assert!(!is_known(with(format!("{theirs}; {mine}"))).await);
    assert!(!is_known(with(format!("{mine}; sid="))).await);
    assert!(!is_known(with(format!("{mine}; sid={}", "x".repeat(30_000)))).await);
    assert!(!is_known(with(mine.replace("sid=", "SID="))).await);
}

#[tokio::test]
async fn one_that_an_old_key_signed_is_signed_anew() {
    let folder = tempfile::tempdir().unwrap();
    let signed_by = |secrets: &[&str]| {
        let store = SqlSessions::file(&folder.path().join("sessions.db")).unwrap();
        Sessions::new(store, Keys::of(secrets).unwrap(), Options::default())
    };
    let old = begun(Browser::new(&signed_by(&["the old secret"]))).await;
    let (both, new) = (signed_by(&["the new secret", "the old secret"]), signed_by(&["the new secret"]));
    let moved = |sessions: &Sessions, cookie: &Option<String>| {
        Browser::new(sessions).bringing(cookie.as_deref().unwrap())
    };
    assert!(!is_known(moved(&new, &old.cookie)).await);
    let mut browser = moved(&both, &old.cookie);
    let id = async |ctx: &Ctx| ctx.session().await.unwrap().id();
    let known = browser.call(id).await;
    assert!(known.is_some() && browser.sent.len() == 1);
    assert_ne!(browser.cookie, old.cookie);
    assert_eq!(moved(&new, &browser.cookie).call(id).await, known);
}

#[tokio::test]
async fn sessions_begin_over_http_alone() {
    let mut app = butterfly_core::App::default();
    app.state.insert(sessions(Options::default()));
    let ctx = Ctx::within(app.into(), Door::Queue);
    let session = ctx.session().await.unwrap();
    assert_eq!(session.user(), None);
    for result in [session.set("a", &1).await, session.login("ada").await] {
        assert!(result.unwrap_err().chain().contains("over HTTP alone"));
    }
}

#[tokio::test]
async fn a_program_without_sessions_says_so() {
    let error = Ctx::new(Door::Http).session().await.unwrap_err();
    assert!(error.chain().contains("Sessions"), "{}", error.chain());
}

proptest! {
    #[test]
    fn whatever_comes_is_no_session(cookie in "(sid=)?[ -~]{0,300}", bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let browser = Browser::new(&sessions(Options::default()));
            let with = |cookie: String| browser.clone().bringing(&cookie);
            assert!(!is_known(with(cookie)).await);
            assert!(!is_known(with(format!("sid={}", String::from_utf8_lossy(&bytes)))).await);
        });
    }
}
