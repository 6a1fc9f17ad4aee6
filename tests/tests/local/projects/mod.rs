//! What `sandbar new` makes, in each language, and the guide to it: these build with cargo, pip
//! and npm.

mod guide;
mod languages;
mod new;
mod pipeline;
