//! Whoever calls: it keeps the cookie that it is sent, as a browser does.

use std::sync::Arc;

use butterfly_core::head::Head;
use butterfly_core::{App, Ctx, Door};
use butterfly_model::session::Sessions;

#[derive(Clone)]
pub(crate) struct Browser {
    app: Arc<App>,
    agent: &'static str,
    /// The whole value of the `cookie` header.
    pub(crate) cookie: Option<String>,
    /// The `set-cookie` headers of the last answer.
    pub(crate) sent: Vec<String>,
    headers: Vec<(&'static str, String)>,
}

impl Browser {
    pub(crate) fn new(sessions: &Sessions) -> Self {
        let mut app = App::default();
        app.state.insert(sessions.clone());
        Self { app: Arc::new(app), agent: "Firefox", cookie: None, sent: Vec::new(), headers: Vec::new() }
    }

    pub(crate) fn called(mut self, agent: &'static str) -> Self {
        self.agent = agent;
        self
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn bringing(mut self, cookie: &str) -> Self {
        self.cookie = Some(cookie.to_owned());
        self
    }

    /// The context of a call.
    pub(crate) fn ctx(&self) -> Ctx {
        let mut head = Head::new("POST".parse().unwrap(), "/");
        head.push("User-Agent", self.agent.as_bytes());
        self.headers.iter().for_each(|(name, value)| head.push(name, value.as_bytes()));
        if let Some(cookie) = &self.cookie {
            head.push("Cookie", cookie.as_bytes());
        }
        let mut ctx = Ctx::within(self.app.clone(), Door::Http);
        ctx.set_ip("10.1.2.3".parse().ok());
        ctx.replace_head(Some(Box::new(head)));
        ctx
    }

    /// Makes a call, and keeps what it is sent.
    pub(crate) async fn call<T>(&mut self, call: impl AsyncFnOnce(&Ctx) -> T) -> T {
        let mut ctx = self.ctx();
        let answer = call(&ctx).await;
        self.receive(&mut ctx);
        answer
    }

    pub(crate) fn receive(&mut self, ctx: &mut Ctx) {
        let headers = ctx.notes_mut().headers.iter().filter(|(name, _)| name == "set-cookie");
        self.sent = headers.map(|(_, value)| value.to_str().unwrap().to_owned()).collect();
        if let Some(last) = self.sent.last() {
            let pair = last.split(';').next().unwrap().to_owned();
            self.cookie = Some(pair).filter(|_| !last.contains("Max-Age=0"));
        }
    }
}
