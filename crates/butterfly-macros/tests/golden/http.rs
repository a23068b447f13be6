#[handler(trace = false, http)]
pub(crate) fn old() -> Redirect {
    Redirect::to("/new")
}
