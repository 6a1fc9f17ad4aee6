//! The columns of a flight record.

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A number; goes out as `f64`.
    Number,
    /// A word, such as the code of an airport.
    Text,
}

/// One of the columns of a flight record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name in the header of the CSV, and its key in a JSON object.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
}

const fn number(name: &'static str) -> Column {
    Column { name, kind: Kind::Number }
}

const fn text(name: &'static str) -> Column {
    Column { name, kind: Kind::Text }
}

/// How many columns a flight record has.
pub const COUNT: usize = 31;

/// The columns of the US DOT's on-time data as H2O's airline examples have it, in
/// their order. Times of day are numbers such as 741 for 7:41, durations and delays
/// are minutes, the distance is in miles.
pub const COLUMNS: [Column; COUNT] = [
    number("Year"),
    number("Month"),
    number("DayofMonth"),
    number("DayOfWeek"),
    number("DepTime"),
    number("CRSDepTime"),
    number("ArrTime"),
    number("CRSArrTime"),
    text("UniqueCarrier"),
    number("FlightNum"),
    text("TailNum"),
    number("ActualElapsedTime"),
    number("CRSElapsedTime"),
    number("AirTime"),
    number("ArrDelay"),
    number("DepDelay"),
    text("Origin"),
    text("Dest"),
    number("Distance"),
    number("TaxiIn"),
    number("TaxiOut"),
    number("Cancelled"),
    text("CancellationCode"),
    number("Diverted"),
    number("CarrierDelay"),
    number("WeatherDelay"),
    number("NASDelay"),
    number("SecurityDelay"),
    number("LateAircraftDelay"),
    text("IsArrDelayed"),
    text("IsDepDelayed"),
];

/// The features of the classic example: what is known of a flight before it leaves.
pub const CLASSIC: [&str; 8] =
    ["Year", "Month", "DayofMonth", "DayOfWeek", "CRSDepTime", "UniqueCarrier", "Origin", "Dest"];
