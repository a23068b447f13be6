//! How long it takes to find a route among few and among many.

use std::hint::black_box;
use std::time::Instant;

use anyhow::{Context, Result};
use butterfly_core::args::Input;
use butterfly_core::handler::{Call, Kind, Options as HandlerOptions, Source};
use butterfly_core::{Ctx, Error, Handler, Registry};
use clap::Args;
use serde_json::json;

use crate::report::Report;
use crate::stats::Spread;
use crate::table::{Table, grouped};

const ROUNDS: usize = 15;
const LOOKUPS: usize = 200_000;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How many routes the large table has
    #[arg(long, default_value_t = 100_000)]
    routes: usize,
}

/// Looks plain and dynamic paths up among ten routes and among many, in turn.
pub(crate) fn run(options: &Options) -> Result<Report> {
    let tables = [Routes::new(10)?, Routes::new(options.routes)?];
    let mut samples = [const { (Vec::new(), Vec::new()) }; 2];
    for _ in 0..ROUNDS {
        for (routes, (plain, dynamic)) in tables.iter().zip(&mut samples) {
            plain.push(routes.time(Routes::plain));
            dynamic.push(routes.time(Routes::dynamic));
        }
    }
    let mut table = Table::new(&["routes", "plain ns", "dynamic ns"]);
    let mut records = Vec::new();
    for (routes, (plain, dynamic)) in tables.iter().zip(samples) {
        let median = |samples| Spread::of(samples).map_or(f64::NAN, |spread| spread.median);
        let (plain, dynamic) = (median(plain), median(dynamic));
        table.row([grouped(routes.count as f64), format!("{plain:.0}"), format!("{dynamic:.0}")]);
        records.push(json!({ "routes": routes.count, "plain_ns": plain, "dynamic_ns": dynamic }));
    }
    let text = format!("Time to find a route: median of {ROUNDS} rounds of {LOOKUPS} look-ups\n\n{table}");
    Ok(Report { bench: "routes", text, records: json!(records), summary: json!({}), passed: true })
}

/// A table of half plain, half dynamic routes, and paths to ask it for.
struct Routes {
    count: usize,
    registry: Registry,
    /// Which paths are asked for: the same number of both tables, so that the paths themselves cost the same.
    asked: Vec<usize>,
}

impl Routes {
    fn new(count: usize) -> Result<Self> {
        let handlers = (0..count).map(|number| -> &'static Handler {
            let path = if number % 2 == 0 {
                format!("/app_{number}/hello")
            } else {
                format!("/app_{number}/users/{{id}}")
            };
            Box::leak(Box::new(handler(path.leak())))
        });
        let registry = Registry::of(handlers).context("the routes of the bench")?;
        let step = (count / 10).max(1);
        Ok(Self { count, registry, asked: (0..5).map(|number| number * step).collect() })
    }

    fn plain(number: usize) -> String {
        format!("/app_{}/hello", number * 2)
    }

    fn dynamic(number: usize) -> String {
        format!("/app_{}/users/7", number * 2 + 1)
    }

    /// Nanoseconds of one look-up.
    fn time(&self, path: fn(usize) -> String) -> f64 {
        let paths: Vec<String> = self.asked.iter().map(|number| path(*number)).collect();
        let begun = Instant::now();
        for path in paths.iter().cycle().take(LOOKUPS) {
            black_box(self.registry.find("GET", black_box(path)).is_ok());
        }
        begun.elapsed().as_nanos() as f64 / LOOKUPS as f64
    }
}

fn handler(path: &'static str) -> Handler {
    Handler {
        path,
        doc: "",
        kind: Kind::Api,
        params: &[],
        options: HandlerOptions::default(),
        source: Source {
            file: file!(),
            root: env!("CARGO_MANIFEST_DIR"),
            module: module_path!(),
            line: line!(),
        },
        reply: |_| None,
        run: never,
    }
}

/// The bench looks for handlers and calls none.
fn never<'c>(_: &'c Ctx, _: Input<'_>) -> Result<Call<'c>, Error> {
    Err(Error::business("ERR"))
}
