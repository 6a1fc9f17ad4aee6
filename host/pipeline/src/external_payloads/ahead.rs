//! Fetches that are under way while the worker does something else.
//!
//! A worker takes references in the order of their records, so several are asked for at
//! once, ahead of it. What they hold until they are taken is bounded: before a body is
//! read its size is taken out of a budget, in the order of the references. That order is
//! why nothing can wait for ever: the first in line waits only for what the worker
//! has yet to take, and all that is before it.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::AbortHandle;
use tokio::time::Instant;
use url::Url;

use super::stores::{Body, FetchError, Stores};
use super::target::Refusal;

/// Attempts to fetch a reference.
const ATTEMPTS: u32 = 3;
/// The pause after the first of them; it grows with each.
const PAUSE: Duration = Duration::from_millis(100);
/// The budget is counted in pieces of this size.
const UNIT: u64 = 1 << 10;

/// What one reference may cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) size: u64,
    pub(super) timeout: Duration,
}

/// The fetches of one worker, in the order in which it will want them.
pub(super) struct Ahead {
    stores: Arc<Stores>,
    runtime: Handle,
    limits: Limits,
    budget: u32,
    room: Arc<Semaphore>,
    /// Signals, by being dropped, that the last fetch has taken its part of the budget.
    last: Option<oneshot::Receiver<()>>,
    fetches: VecDeque<Fetch>,
}

struct Fetch {
    answer: oneshot::Receiver<Answer>,
    task: AbortHandle,
}

impl Drop for Fetch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What was fetched holds its part of the budget until it is taken.
type Answer = Result<(Vec<u8>, Option<OwnedSemaphorePermit>), Refusal>;

impl Ahead {
    /// `budget` bytes may be fetched before they are wanted, and one reference more.
    pub(super) fn new(stores: Arc<Stores>, runtime: Handle, limits: Limits, budget: u64) -> Self {
        let budget = u32::try_from(budget.div_ceil(UNIT)).unwrap_or(u32::MAX).max(1);
        let room = Arc::new(Semaphore::new(budget as usize));
        Ahead { stores, runtime, limits, budget, room, last: None, fetches: VecDeque::new() }
    }

    /// How many fetches are under way.
    pub(super) fn len(&self) -> usize {
        self.fetches.len()
    }

    /// Starts to fetch what a URL names.
    pub(super) fn start(&mut self, url: Url) {
        let (give, answer) = oneshot::channel();
        let (taken, next) = oneshot::channel();
        let turn = Turn {
            room: self.room.clone(),
            budget: self.budget,
            before: self.last.replace(next),
            after: Some(taken),
            permit: None,
        };
        let (stores, limits) = (self.stores.clone(), self.limits);
        let task = self.runtime.spawn(async move {
            // If the worker has given up, nobody receives it.
            let _ = give.send(fetch(&stores, &url, limits, turn).await);
        });
        self.fetches.push_back(Fetch { answer, task: task.abort_handle() });
    }

    /// The result of the fetch that was started first, once there is one.
    pub(super) fn take(&mut self) -> Option<Result<Vec<u8>, Refusal>> {
        let mut fetch = self.fetches.pop_front()?;
        let (_, nothing) = oneshot::channel();
        let answer = std::mem::replace(&mut fetch.answer, nothing);
        Some(match answer.blocking_recv() {
            Ok(result) => result.map(|(bytes, _)| bytes),
            Err(_) => Err(Refusal::unavailable("the fetch was abandoned".into())),
        })
    }

    /// Gives up whatever is under way.
    pub(super) fn clear(&mut self) {
        self.fetches.clear();
        self.last = None;
        // Those that are given up may still hold a part of it.
        self.room = Arc::new(Semaphore::new(self.budget as usize));
    }
}

/// A fetch's place in the line for the budget.
struct Turn {
    room: Arc<Semaphore>,
    budget: u32,
    before: Option<oneshot::Receiver<()>>,
    after: Option<oneshot::Sender<()>>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Turn {
    /// Waits for its turn, and then for room for so many bytes; once.
    async fn admit(&mut self, bytes: u64) {
        self.wait().await;
        if self.after.is_some() {
            let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).min(self.budget);
            self.permit = self.room.clone().acquire_many_owned(units).await.ok();
            self.after = None;
        }
    }

    async fn wait(&mut self) {
        if let Some(before) = self.before.take() {
            // It is dropped, never sent.
            let _ = before.await;
        }
    }

    /// Keeps no more of the budget than what was fetched takes, whose size was not known.
    fn keep(&mut self, bytes: u64) {
        if let Some(permit) = &mut self.permit {
            let units = bytes.div_ceil(UNIT) as usize;
            drop(permit.split(permit.num_permits().saturating_sub(units)));
        }
    }
}

async fn fetch(stores: &Stores, url: &Url, limits: Limits, mut turn: Turn) -> Answer {
    let mut clock = Clock(limits.timeout);
    let result = attempts(stores, url, limits, &mut clock, &mut turn).await;
    // Later fetches must not take its part before those that come before this.
    turn.wait().await;
    result.map(|bytes| {
        turn.keep(bytes.len() as u64);
        (bytes, turn.permit.take())
    })
}

async fn attempts(
    stores: &Stores,
    url: &Url,
    limits: Limits,
    clock: &mut Clock,
    turn: &mut Turn,
) -> Result<Vec<u8>, Refusal> {
    let mut last = "no answer".to_owned();
    for attempt in 1..=ATTEMPTS {
        match once(stores, url, limits, clock, turn).await {
            Ok(bytes) => return Ok(bytes),
            Err(Some(FetchError::Lasting(refusal))) => return Err(refusal),
            Err(Some(FetchError::Passing(reason))) => last = reason,
            Err(None) => {
                let message = format!("not fetched within {:?}: {last}", limits.timeout);
                return Err(Refusal::unavailable(message));
            }
        }
        if attempt < ATTEMPTS
            && clock.run(tokio::time::sleep(PAUSE * 3_u32.pow(attempt - 1))).await.is_none()
        {
            break;
        }
    }
    Err(Refusal::unavailable(format!("{last} (in {ATTEMPTS} attempts)")))
}

/// One attempt; an error of `None` says that the time is up.
async fn once(
    stores: &Stores,
    url: &Url,
    limits: Limits,
    clock: &mut Clock,
    turn: &mut Turn,
) -> Result<Vec<u8>, Option<FetchError>> {
    let mut body = clock.run(stores.request(url)).await.ok_or(None)??;
    if let Some(size) = body.size.filter(|size| *size > limits.size) {
        return Err(Some(FetchError::Lasting(Refusal::too_large(size, limits.size))));
    }
    // Not counted: this time is the worker's.
    turn.admit(body.size.unwrap_or(limits.size)).await;
    Ok(clock.run(read(&mut body, limits.size)).await.ok_or(None)??)
}

async fn read(body: &mut Body, limit: u64) -> Result<Vec<u8>, FetchError> {
    let mut bytes = Vec::with_capacity(body.size.unwrap_or(0) as usize);
    while let Some(piece) = body.piece().await? {
        if bytes.len() as u64 + piece.len() as u64 > limit {
            let size = bytes.len() as u64 + piece.len() as u64;
            return Err(FetchError::Lasting(Refusal::too_large(size, limit)));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

/// The time that is left for a reference.
struct Clock(Duration);

impl Clock {
    /// `None` if the time is up first.
    async fn run<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let start = Instant::now();
        let result = tokio::time::timeout(self.0, work).await.ok();
        self.0 = self.0.saturating_sub(start.elapsed());
        result
    }
}
