//! Finds the handlers.

fn main() {
    butterfly_build::handlers();
}
