//! Redis: models, containers, services.
