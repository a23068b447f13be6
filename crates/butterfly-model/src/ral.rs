//! A client for services that speak nshead and mcpack.
