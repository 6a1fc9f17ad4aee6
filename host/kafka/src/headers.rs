//! The headers of a message, whatever bytes their names consist of.
//!
//! rdkafka's own iterator panics at a name that is not UTF-8, which any producer can
//! send; so this module reads them through librdkafka.

use std::borrow::Cow;
use std::ffi::CStr;
use std::ptr;

use rdkafka::bindings::{rd_kafka_header_get_all, rd_kafka_headers_t, rd_kafka_message_headers};
use rdkafka::message::{BorrowedMessage, Header, OwnedHeaders};
use rdkafka::types::RDKafkaRespErr;

use sandbar_record::Failure;
use sandbar_record::Record;
use sandbar_record::{DEAD_LETTER_HEADERS, OutputHeaders};

/// Headers in order. In a name, bytes that are not UTF-8 become U+FFFD.
pub(super) struct RawHeaders<'a> {
    /// Null if the message has none.
    headers: *mut rd_kafka_headers_t,
    next: usize,
    /// Names and values belong to the message.
    message: std::marker::PhantomData<&'a ()>,
}

impl<'a> RawHeaders<'a> {
    /// The headers of a message.
    pub(super) fn of(message: &'a BorrowedMessage<'_>) -> Self {
        let mut headers = ptr::null_mut();
        // SAFETY: the pointer is that of a live message, and `headers` is an out parameter
        // for the answer, which belongs to the message.
        let found = unsafe { rd_kafka_message_headers(message.ptr(), &mut headers) };
        if found != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
            headers = ptr::null_mut();
        }
        RawHeaders { headers, next: 0, message: std::marker::PhantomData }
    }
}

impl<'a> Iterator for RawHeaders<'a> {
    type Item = (Cow<'a, str>, Option<&'a [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.headers.is_null() {
            return None;
        }
        let (mut name, mut value, mut size) = (ptr::null(), ptr::null(), 0);
        // SAFETY: `headers` are those of a message that lives for 'a; the other three are
        // out parameters for the answer.
        let found = unsafe {
            rd_kafka_header_get_all(self.headers, self.next, &mut name, &mut value, &mut size)
        };
        if found != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
            return None;
        }
        self.next += 1;
        // SAFETY: librdkafka ends names with a zero byte, and keeps them as long as the
        // message.
        let name = unsafe { CStr::from_ptr(name) }.to_string_lossy();
        let value = (!value.is_null()).then(|| {
            // SAFETY: librdkafka guarantees `size` bytes there, as long as the message lives.
            unsafe { std::slice::from_raw_parts(value.cast::<u8>(), size) }
        });
        Some((name, value))
    }
}

/// The headers of a record that failed.
pub(super) fn letter(
    labels: &OutputHeaders,
    record: &Record<'_>,
    failure: &Failure,
) -> OwnedHeaders {
    let count = record.headers().count() + DEAD_LETTER_HEADERS;
    owned(count, labels.letter(record, failure))
}

/// Headers for a message, with room for `count`.
pub(super) fn owned<'a, V: AsRef<[u8]>>(
    count: usize,
    headers: impl Iterator<Item = (&'a str, Option<V>)>,
) -> OwnedHeaders {
    headers.fold(OwnedHeaders::new_with_capacity(count), |headers, (key, value)| {
        headers.insert(Header { key, value: value.as_ref().map(AsRef::as_ref) })
    })
}
