//! A seeded generator of flight records in the US DOT's CSV.
