//! The macros as users meet them: what compiles, and what they say of what does not.

mod compile_fail;
mod odd;
