//! The pipelines of the repository, against the answers of the tools that made their models.

mod flights;
mod images;
mod your_model;
