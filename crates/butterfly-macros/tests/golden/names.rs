#[handler(trace = false)]
#[cfg(unix)]
#[deprecated]
#[expect(clippy::needless_pass_by_value, reason = "shown")]
pub(super) fn r#type(#[default("a")] r#match: String) {}
