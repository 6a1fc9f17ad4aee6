//! Running a pipeline: its health, its brokers' security, its end.

mod admin;
mod security;
mod signals;
