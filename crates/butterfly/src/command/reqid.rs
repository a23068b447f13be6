//! `reqid`: when and where an id was made.

use std::process::ExitCode;

use butterfly_core::ReqId;

use crate::say::say;

pub(super) fn show(text: &str) -> ExitCode {
    let parts = match text.trim().parse::<ReqId>().and_then(|id| id.decode()) {
        Ok(parts) => parts,
        Err(error) => {
            eprintln!("error: {text:?}: {error}");
            return ExitCode::from(super::USAGE);
        }
    };
    let Ok(time) = jiff::Timestamp::try_from(parts.time) else {
        eprintln!("error: {text:?} holds no time that a calendar has");
        return ExitCode::from(super::USAGE);
    };
    let local = time.to_zoned(jiff::tz::TimeZone::system());
    say!("datetime   {}", local.strftime("%Y-%m-%d %H:%M:%S%.3f %:z"));
    say!("timestamp  {}.{:03}", time.as_second(), time.subsec_millisecond());
    say!("lane       {:04X}   the process: a hash of host and process id", parts.lane);
    say!("count      {}", parts.count);
    ExitCode::SUCCESS
}
