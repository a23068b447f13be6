//! One handler of each kind, and every way in which it can fail.

use std::collections::HashMap;
use std::time::Duration;

use butterfly_core::reply::{Download, Http};
use butterfly_core::{Body, Ctx, Error, Fault, Result, bail};
use butterfly_macros::{Stat, data, handler};

use crate::support::{Events, Gate};

/// How a call shall end; the answer says that it ended well.
async fn act(ctx: &Ctx, how: &str) -> Result<()> {
    match how {
        "internal" => Err(Error::from(std::io::Error::other("SELECT * FROM secrets\nWHERE 1"))),
        "panic" => panic!("secret panic text"),
        "business" => bail!("ERR_EMPTY"),
        "reason" => bail!("ERR_LIMIT", "at most 3\r\nx-forged: 1 \u{1b}[31mé"),
        "busy" => {
            let retry_after = Duration::from_millis(1200);
            Err(Fault::Busy { reason: "the topic is full".into(), retry_after }.into())
        }
        "derived" => Err(Trouble::TooMany(7).into()),
        "forever" => {
            ctx.state::<Gate>()?.pass().await;
            Ok(())
        }
        _ => Ok(()),
    }
}

#[derive(Stat)]
enum Trouble {
    TooMany(u32),
}

#[data]
struct Ended {
    how: String,
}

type Keys = HashMap<(u8, u8), u8>;

fn unfit() -> Keys {
    HashMap::from([((1, 2), 3)])
}

#[handler]
async fn api(ctx: &Ctx, how: String, #[default(1)] n: u32) -> Result<Ended> {
    let _ = n;
    act(ctx, &how).await?;
    Ok(Ended { how })
}

#[handler(upload)]
async fn upload(ctx: &Ctx, how: String, #[default(1)] n: u32, body: Body) -> Result<Ended> {
    let _ = n;
    if how == "read" {
        let result = body.bytes(1 << 30).await;
        ctx.state::<Events>()?.push(format!("read {}", result.is_ok()));
        return Ok(Ended { how: result?.len().to_string() });
    }
    act(ctx, &how).await?;
    Ok(Ended { how })
}

#[handler(download)]
async fn download(ctx: &Ctx, how: String, #[default(1)] n: u32) -> Result<Download> {
    let _ = n;
    act(ctx, &how).await?;
    Ok(Download::file(ctx.state::<crate::support::Folder>()?.0.join(how)))
}

#[handler(http)]
async fn http(ctx: &Ctx, how: String, #[default(1)] n: u32) -> Result<Http> {
    let _ = n;
    act(ctx, &how).await?;
    match how.as_str() {
        "unfit" => Http::json(&unfit()),
        "shape" => Ok(Http::new(99)),
        _ => Ok(Http::text(how)),
    }
}

#[handler]
fn unfit_api() -> Keys {
    unfit()
}

#[handler(upload)]
fn unfit_upload(body: Body) -> Keys {
    drop(body);
    unfit()
}
