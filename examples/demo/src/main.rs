//! The demo service: every kind of handler, and every form of parameter.

butterfly::handlers!();

fn main() -> std::process::ExitCode {
    butterfly::app!().run()
}
