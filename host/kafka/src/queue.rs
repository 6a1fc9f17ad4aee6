//! The queue in front of a producer.

use std::time::Duration;

use rdkafka::error::KafkaError;
use rdkafka::message::{Headers as _, OwnedHeaders};
use rdkafka::producer::{BaseRecord, ProducerContext, ThreadedProducer};
use rdkafka::types::RDKafkaErrorCode;

/// How long to wait for room before checking whether the message is still wanted.
const NAP: Duration = Duration::from_millis(10);

/// Key, value and timestamp of a message.
pub type Content<'a> = (Option<&'a [u8]>, Option<&'a [u8]>, Option<i64>);

/// Puts a message into a producer's queue; waits while that is full and the message is
/// `wanted`.
///
/// # Errors
/// If it is not accepted: why, and the opaque value that was to go along with it.
pub fn put<C: ProducerContext>(
    producer: &ThreadedProducer<C>,
    topic: &str,
    (key, value, timestamp): Content<'_>,
    headers: OwnedHeaders,
    opaque: C::DeliveryOpaque,
    wanted: impl Fn() -> bool,
) -> Result<(), (KafkaError, C::DeliveryOpaque)> {
    let mut record = BaseRecord::<[u8], [u8], _>::with_opaque_to(topic, opaque);
    (record.key, record.payload, record.timestamp) = (key, value, timestamp);
    if headers.count() > 0 {
        record.headers = Some(headers);
    }
    loop {
        match producer.send(record) {
            Ok(()) => return Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) if wanted() => {
                record = back;
                producer.poll(NAP);
            }
            Err((cause, back)) => return Err((cause, back.delivery_opaque)),
        }
    }
}
