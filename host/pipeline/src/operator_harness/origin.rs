//! Which record something comes from.

use sandbar_record::Record;

/// The input record of an output.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// Its topic.
    pub topic: String,
    /// Its partition.
    pub partition: i32,
    /// Its offset: how many records were put into that partition before it.
    pub offset: i64,
}

impl Origin {
    pub(crate) fn of(record: &Record<'_>) -> Self {
        Origin {
            topic: record.topic().to_owned(),
            partition: record.partition(),
            offset: record.offset(),
        }
    }
}
