//! A format: what it finds in a record's value.
//!
//! A new one is a file with an implementation of [`Format`], a name in
//! [`FormatName`](crate::config::FormatName) and a row in [`formats::reader`](crate::formats::reader).

use std::fmt;

use crate::fault::Fault;
use crate::found::Findings;

/// Reads the values of records, one after the other.
pub(crate) trait Format: fmt::Debug {
    /// Puts what the value has at each place of the layout into `findings`, which still has
    /// those of the record before: begin with [`Findings::clear`], and say of each place that
    /// has nothing that it is absent. The value is as it came, of any bytes; it is not empty.
    ///
    /// # Errors
    /// If the value cannot be read at all, or not at a place that is wanted;
    /// [`Fault::NoColumn`] where it has nothing that is wanted.
    fn read(&mut self, value: &[u8], findings: &mut Findings) -> Result<(), Fault>;

    /// Of a format that has lines the index of each place's column in one: what
    /// [`Findings::line`] is of.
    fn fields(&self) -> Option<&[usize]> {
        None
    }

    /// The part of a value that is then read, of a format whose records name their schema: in
    /// front of it, or in the header [`VALUE_HEADER`](record_schemas::wire::VALUE_HEADER).
    ///
    /// # Errors
    /// If it does not name one, or the schema cannot be had.
    fn open<'a>(&mut self, value: &'a [u8], _header: Option<&[u8]>) -> Result<&'a [u8], Fault> {
        Ok(value)
    }
}
