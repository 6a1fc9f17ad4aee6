//! Records of a fleet's control topic, which anybody may write who may write there.

use sandbar::fleet::FleetName;

use crate::bytes::Bytes;

/// Any key and value, parted by the first zero byte, are a record of the topic or none.
/// What is understood of them is shown to people, so it is printed.
pub fn record(bytes: &[u8]) {
    let fleet = FleetName { pipeline: "flights".into(), group: "team/a".into() };
    let (key, value) = Bytes(bytes).parted();
    let _ = format!("{:?}", fleet.read(Some(key), Some(value)));
    let _ = format!("{:?}", fleet.read(Some(key), None));
}
