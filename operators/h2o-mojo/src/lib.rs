//! Reads and scores H2O MOJO models.
