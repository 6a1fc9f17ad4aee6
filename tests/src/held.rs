//! A proxy that holds a request up until nobody waits for its answer any more.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::broker::PATIENCE;

/// Kafka's number of the request that ends a transaction.
pub const END_TRANSACTION: u16 = 26;

/// A proxy for one broker, which can hold up a request.
pub struct Holder {
    port: u16,
    shared: Arc<Shared>,
}

/// What becomes of the client whose request is held up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// It waits for the answer as long as it likes.
    Waits,
    /// Its connection is closed, as if the request were lost.
    IsCut,
}

#[derive(Default)]
struct Shared {
    broker: Mutex<Option<SocketAddr>>,
    /// The request to hold up.
    wanted: Mutex<Option<Wanted>>,
}

/// A request to hold up.
struct Wanted {
    /// Kafka's number of it.
    number: u16,
    client: Client,
    /// Whom to tell.
    sender: Sender<Held>,
}

/// A request that is held up.
pub struct Held {
    frame: Vec<u8>,
    broker: TcpStream,
    answers: Receiver<Vec<u8>>,
}

impl Holder {
    /// Opens a port, which leads nowhere before [`Holder::lead_to`].
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        let accepting = shared.clone();
        // It ends with the process.
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                accepting.carry(client);
            }
        });
        Holder { port, shared }
    }

    /// Where it listens, on the loopback interface.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Says where connections lead.
    pub fn lead_to(&self, broker: SocketAddr) {
        *lock(&self.shared.broker) = Some(broker);
    }

    /// Holds up the next request of this number, which the receiver gets.
    pub fn hold(&self, number: u16, client: Client) -> Receiver<Held> {
        let (sender, held) = channel();
        *lock(&self.shared.wanted) = Some(Wanted { number, client, sender });
        held
    }
}

impl Held {
    /// Lets the request go on to the broker; returns the error code of its answer.
    pub fn release(mut self) -> i16 {
        self.broker.write_all(&self.frame).unwrap();
        let number = &self.frame[8..12];
        loop {
            let answer = self.answers.recv_timeout(PATIENCE).expect("the broker does not answer");
            if answer[4..8] == *number {
                // With flexible versions an empty list, and the time that the broker has
                // throttled it.
                let flexible = u16::from_be_bytes([self.frame[6], self.frame[7]]) >= 3;
                let place = 8 + usize::from(flexible) + 4;
                return i16::from_be_bytes([answer[place], answer[place + 1]]);
            }
        }
    }
}

impl Shared {
    fn carry(self: &Arc<Self>, client: TcpStream) {
        let Some(broker) = *lock(&self.broker) else { return };
        let Ok(server) = TcpStream::connect(broker) else { return };
        let (sender, answers) = channel();
        let holds = Arc::new(AtomicBool::new(false));
        let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        let (shared, holding) = (self.clone(), holds.clone());
        std::thread::spawn(move || shared.requests(from, to, answers, &holding));
        std::thread::spawn(move || give_answers(server, client, &sender, &holds));
    }

    fn requests(
        &self,
        mut client: TcpStream,
        mut server: TcpStream,
        answers: Receiver<Vec<u8>>,
        holds: &AtomicBool,
    ) {
        while let Some(frame) = frame(&mut client) {
            let number = u16::from_be_bytes([frame[4], frame[5]]);
            let wanted = lock(&self.wanted).take_if(|wanted| wanted.number == number);
            if let Some(Wanted { client: fate, sender, .. }) = wanted {
                holds.store(true, Ordering::SeqCst);
                if fate == Client::IsCut {
                    let _ = client.shutdown(Shutdown::Both);
                }
                let _ = sender.send(Held { frame, broker: server, answers });
                return;
            }
            if server.write_all(&frame).is_err() {
                break;
            }
        }
        let _ = server.shutdown(Shutdown::Both);
    }
}

/// Gives answers to the client, or to whoever holds a request of its.
fn give_answers(
    mut server: TcpStream,
    mut client: TcpStream,
    holder: &Sender<Vec<u8>>,
    holds: &AtomicBool,
) {
    while let Some(frame) = frame(&mut server) {
        let given = match holds.load(Ordering::SeqCst) {
            true => holder.send(frame).is_ok(),
            false => client.write_all(&frame).is_ok(),
        };
        if !given {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
}

/// A message of Kafka's protocol with its length; `None` at the end of the connection.
fn frame(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let mut frame = length.to_vec();
    frame.resize(4 + u32::from_be_bytes(length) as usize, 0);
    stream.read_exact(&mut frame[4..]).ok()?;
    Some(frame)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
