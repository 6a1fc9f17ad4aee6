//! Running a pipeline: its health, its brokers' security, its end.

mod admin;
mod encrypted;
mod exposed;
mod memory;
mod permitted;
mod security;
mod signals;
mod topics;
