//! How many connections there are at once, and which one ends when there are too many.
//!
//! A client that says nothing, or says it slowly, must not keep others out. So a connection
//! whose request is not there yet, or whose answer is not taken, makes room for a new one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};

/// How many connections a listener has at once.
const MOST: usize = 64;
/// A connection that is newer than this does not make room: its request may be on its way.
const YOUNG: Duration = Duration::from_millis(250);
/// How long a new connection waits for room.
const WAIT: Duration = Duration::from_secs(1);
/// How often it looks again meanwhile.
const AGAIN: Duration = Duration::from_millis(20);
/// How long a client may take for its request in all, and for taking the answer.
const IDLE: Duration = Duration::from_secs(30);

/// The connections of a listener.
#[derive(Default)]
pub(super) struct Seats(Mutex<Taken>);

#[derive(Default)]
struct Taken {
    by: HashMap<u64, Arc<State>>,
    next: u64,
}

/// One connection's.
pub(super) struct Seat {
    seats: Arc<Seats>,
    id: u64,
    state: Arc<State>,
}

struct State {
    /// Since when the client is waited for; `None` while its request is handled.
    idle: Mutex<Option<Instant>>,
    leave: Notify,
}

/// A request is handled until this is dropped.
pub(super) struct Busy<'a>(&'a State);

impl Seats {
    /// A seat, as soon as there is one. `None`: all clients are being served.
    pub(super) async fn take(self: &Arc<Self>) -> Option<Seat> {
        let end = Instant::now() + WAIT;
        loop {
            if let Some(seat) = self.take_now() {
                return Some(seat);
            }
            if Instant::now() >= end {
                return None;
            }
            sleep(AGAIN).await;
        }
    }

    fn take_now(self: &Arc<Self>) -> Option<Seat> {
        let mut taken = locked(&self.0);
        if taken.by.len() >= MOST {
            let waiting = taken.by.iter().filter_map(|(id, state)| Some((state.idle()?, *id)));
            let (since, id) = waiting.min()?;
            if since.elapsed() < YOUNG {
                return None;
            }
            if let Some(state) = taken.by.remove(&id) {
                state.leave.notify_one();
            }
        }
        let id = taken.next;
        taken.next += 1;
        let state =
            Arc::new(State { idle: Mutex::new(Some(Instant::now())), leave: Notify::new() });
        taken.by.insert(id, state.clone());
        Some(Seat { seats: self.clone(), id, state })
    }
}

impl Seat {
    /// Waits until the connection must end: for another's sake, or since its client is too slow.
    pub(super) async fn lost(&self) {
        loop {
            let since = self.state.idle().unwrap_or_else(Instant::now);
            tokio::select! {
                () = self.state.leave.notified() => return,
                () = sleep_until(since + IDLE) => {}
            }
            if self.state.idle().is_some_and(|since| since.elapsed() >= IDLE) {
                return;
            }
        }
    }

    /// The request is there, and is being handled.
    pub(super) fn busy(&self) -> Busy<'_> {
        *locked(&self.state.idle) = None;
        Busy(&self.state)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        locked(&self.seats.0).by.remove(&self.id);
    }
}

impl State {
    fn idle(&self) -> Option<Instant> {
        *locked(&self.idle)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        *locked(&self.0.idle) = Some(Instant::now());
    }
}

/// Nothing panics while it holds one of these.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

    use super::*;

    #[tokio::test]
    async fn who_is_waited_for_longest_makes_room() {
        let seats = Arc::new(Seats::default());
        let mut taken = Vec::new();
        for _ in 0..MOST {
            taken.push(seats.take().await.unwrap());
        }
        let busy: Vec<Busy<'_>> = taken.iter().skip(2).map(Seat::busy).collect();
        let newcomers = [seats.take().await.unwrap(), seats.take().await.unwrap()];
        taken[0].lost().await;
        taken[1].lost().await;
        // All are served.
        let both = newcomers.each_ref().map(Seat::busy);
        assert!(seats.take().await.is_none());
        drop((both, busy));
        // Those that were served begin to be waited for again.
        assert!(seats.take().await.is_some());
    }

    #[tokio::test]
    async fn who_goes_makes_room_at_once() {
        let seats = Arc::new(Seats::default());
        let mut taken = Vec::new();
        for _ in 0..MOST {
            taken.push(seats.take().await.unwrap());
        }
        let busy: Vec<Busy<'_>> = taken.iter().map(Seat::busy).collect();
        drop(busy);
        taken.pop();
        let newcomer = seats.take_now();
        assert!(newcomer.is_some());
    }
}
