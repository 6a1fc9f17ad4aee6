//! A bad network: a proxy between a pipeline and its broker that refuses connections, cuts
//! them in the middle of a message, holds them up, or slows them down.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::random::Random;

/// A proxy for one broker.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    broker: Mutex<Option<SocketAddr>>,
    /// Bytes that a connection carries at most in a storm; 0: there is none.
    storm: AtomicU64,
    random: Mutex<Random>,
    faults: Faults,
    connections: Mutex<Vec<TcpStream>>,
    closed: AtomicBool,
}

/// What was done to connections.
#[derive(Debug, Default)]
pub struct Faults {
    /// Ended as soon as they began.
    pub refused: AtomicU64,
    /// Cut in the middle.
    pub cut: AtomicU64,
    /// The same, after some seconds in which nothing came through.
    pub stalled: AtomicU64,
    /// The same, after each piece came late.
    pub delayed: AtomicU64,
}

/// What becomes of a connection in a storm.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Refuse,
    Cut,
    Stall(Duration),
    Delay(Duration),
}

impl Proxy {
    /// Opens a port; nothing goes through before [`Proxy::lead_to`].
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            broker: Mutex::default(),
            storm: AtomicU64::new(0),
            random: Mutex::new(Random::new()),
            faults: Faults::default(),
            connections: Mutex::default(),
            closed: AtomicBool::new(false),
        });
        let accepting = shared.clone();
        std::thread::spawn(move || accepting.accept(&listener));
        Proxy { port, shared }
    }

    /// Where it listens, on the loopback interface.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Says where connections lead.
    pub fn lead_to(&self, broker: SocketAddr) {
        *lock(&self.shared.broker) = Some(broker);
    }

    /// From now on each connection comes to a bad end, after `bytes` at the latest.
    pub fn storm(&self, bytes: u64) {
        self.shared.storm.store(bytes, Ordering::Relaxed);
        // Those of before the storm too.
        self.shared.cut_all();
    }

    /// From now on connections last.
    pub fn calm(&self) {
        self.shared.storm.store(0, Ordering::Relaxed);
    }

    /// What was done until now.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// The seed of its random numbers.
    pub fn seed(&self) -> u64 {
        lock(&self.shared.random).seed()
    }
}

impl Faults {
    fn count(&self, fate: Fate) {
        let count = match fate {
            Fate::Refuse => &self.refused,
            Fate::Cut => &self.cut,
            Fate::Stall(_) => &self.stalled,
            Fate::Delay(_) => &self.delayed,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// The rarest of them.
    pub fn least(&self) -> u64 {
        let all = [&self.refused, &self.cut, &self.stalled, &self.delayed];
        all.map(|count| count.load(Ordering::Relaxed)).into_iter().min().unwrap()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Relaxed);
        self.shared.cut_all();
        // The listener looks when somebody comes.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

impl Shared {
    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for client in listener.incoming() {
            if self.closed.load(Ordering::Relaxed) {
                return;
            }
            if let Ok(client) = client {
                self.carry(client);
            }
        }
    }

    /// Decides on a connection and carries its bytes to both sides.
    fn carry(self: &Arc<Self>, client: TcpStream) {
        let storm = self.storm.load(Ordering::Relaxed);
        let (fate, bytes) = self.draw(storm.max(1));
        if storm > 0 && fate == Fate::Refuse {
            return self.faults.count(fate);
        }
        let Some(broker) = *lock(&self.broker) else { return };
        // A broker that is away refuses by itself.
        let Ok(server) = TcpStream::connect(broker) else { return };
        let left = Arc::new(AtomicI64::new(bytes as i64));
        for (from, to) in [(&client, &server), (&server, &client)] {
            let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
            let (shared, left) = (self.clone(), left.clone());
            std::thread::spawn(move || shared.pump(from, to, fate, &left));
        }
        let mut connections = lock(&self.connections);
        connections.retain(|open| open.peer_addr().is_ok());
        connections.push(client);
    }

    fn draw(&self, bytes: u64) -> (Fate, u64) {
        let mut random = lock(&self.random);
        let fate = match random.below(10) {
            0 | 1 => Fate::Refuse,
            2 | 3 => Fate::Stall(Duration::from_millis(500 + random.below(2500))),
            4 | 5 => Fate::Delay(Duration::from_millis(random.below(100))),
            _ => Fate::Cut,
        };
        (fate, random.below(bytes))
    }

    fn pump(&self, mut from: TcpStream, mut to: TcpStream, fate: Fate, left: &AtomicI64) {
        let mut buffer = vec![0; 16 << 10];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            let mut count = count;
            if self.storm.load(Ordering::Relaxed) > 0 {
                if let Fate::Delay(time) = fate {
                    std::thread::sleep(time);
                }
                let before = left.fetch_sub(count as i64, Ordering::Relaxed);
                if before < count as i64 {
                    // As much as there is left of it, in the middle of a message.
                    count = before.max(0) as usize;
                    let _ = to.write_all(&buffer[..count]);
                    if let Fate::Stall(time) = fate {
                        std::thread::sleep(time);
                    }
                    // The other direction may have got here first.
                    if before >= 0 {
                        self.faults.count(fate);
                    }
                    break;
                }
            }
            if to.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    }

    fn cut_all(&self) {
        for open in lock(&self.connections).drain(..) {
            let _ = open.shutdown(Shutdown::Both);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
