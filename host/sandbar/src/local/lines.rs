//! Records from files or from standard input: read on their own thread, so that
//! the consumer can wait with a timeout. Only a few are read
//! ahead, so that memory stays bounded however long the input is.

use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use thiserror::Error;

/// Bytes of one read, and of one [`Chunk`], unless a line is longer.
const CHUNK: usize = 64 << 10;
/// Bytes of a line at most. An input without line ends must not fill the memory.
const LINE: u64 = 64 << 20;
/// Bytes of a file that is one record at most.
const WHOLE: u64 = 1 << 30;

/// A source of records.
#[derive(Debug)]
pub(crate) enum LineSource {
    Stdin,
    File(PathBuf),
}

impl LineSource {
    /// The name in messages.
    pub(crate) fn name(&self) -> String {
        match self {
            LineSource::Stdin => "<stdin>".into(),
            LineSource::File(path) => path.display().to_string(),
        }
    }

    fn open(&self) -> io::Result<Box<dyn Read>> {
        Ok(match self {
            LineSource::Stdin => Box::new(io::stdin().lock()),
            LineSource::File(path) => Box::new(sandbar_files::open_input(path)?),
        })
    }
}

/// Why reading failed.
#[derive(Debug, Error)]
pub(crate) enum ReadError {
    #[error("{place}: cannot be read: {cause}")]
    Read { place: String, cause: io::Error },
    #[error("{place}: is a folder; name the files in it")]
    Folder { place: String },
    #[error(
        "{place}, line {line}: longer than 64 MiB; if the file is one record, read it with --whole"
    )]
    Line { place: String, line: u64 },
    #[error("{place}: larger than 1 GiB, which is more than a record can have")]
    Whole { place: String },
}

impl ReadError {
    fn read(place: &LineSource, cause: io::Error) -> Self {
        ReadError::Read { place: place.name(), cause }
    }
}

/// Records that were available together.
pub(crate) struct Chunk {
    /// The index of their source.
    pub(crate) place: usize,
    /// Their values, in order.
    pub(crate) values: Vec<Vec<u8>>,
}

/// The reader's messages.
type Message = Result<Chunk, ReadError>;

/// Checks that a file can be read, before anything else is done.
pub(crate) fn look(path: &Path) -> Result<(), ReadError> {
    let place = || path.display().to_string();
    let metadata = path.metadata().map_err(|cause| ReadError::Read { place: place(), cause })?;
    if metadata.is_dir() { Err(ReadError::Folder { place: place() }) } else { Ok(()) }
}

/// Starts to read `places` one after the other: their lines, or `whole` each as one
/// record. The channel ends with the last of them, or after an error.
pub(crate) fn read(places: Vec<LineSource>, whole: bool) -> io::Result<Receiver<Message>> {
    let (sender, chunks) = sync_channel(1);
    std::thread::Builder::new().name("sandbar-reader".into()).spawn(move || {
        for (index, place) in places.iter().enumerate() {
            let done = if whole {
                read_whole(place).map(|values| sender.send(Ok(Chunk { place: index, values })))
            } else {
                read_lines(place, index, &sender)
            };
            match done {
                Ok(Ok(())) => {}
                // The receiver is gone.
                Ok(Err(_)) => return,
                Err(error) => {
                    let _ = sender.send(Err(error));
                    return;
                }
            }
        }
    })?;
    Ok(chunks)
}

fn read_whole(place: &LineSource) -> Result<Vec<Vec<u8>>, ReadError> {
    let wrong = |cause| ReadError::read(place, cause);
    let mut value = Vec::new();
    let mut file = place.open().map_err(wrong)?.take(WHOLE + 1);
    file.read_to_end(&mut value).map_err(wrong)?;
    if value.len() as u64 > WHOLE {
        return Err(ReadError::Whole { place: place.name() });
    }
    Ok(vec![value])
}

/// Sends the lines of a source. The inner error means that the receiver is gone.
fn read_lines(
    place: &LineSource,
    index: usize,
    sender: &SyncSender<Message>,
) -> Result<Result<(), std::sync::mpsc::SendError<Message>>, ReadError> {
    let wrong = |cause| ReadError::read(place, cause);
    let mut reader = BufReader::with_capacity(CHUNK, place.open().map_err(wrong)?);
    let (mut values, mut bytes, mut number) = (Vec::new(), 0, 0);
    let send = |values| sender.send(Ok(Chunk { place: index, values }));
    loop {
        // Pass on what is available before the next read, which may block.
        let waits = bytes >= CHUNK || !reader.buffer().contains(&b'\n');
        if waits && !values.is_empty() {
            bytes = 0;
            if let Err(gone) = send(std::mem::take(&mut values)) {
                return Ok(Err(gone));
            }
        }
        number += 1;
        let mut line = Vec::new();
        let read = reader.by_ref().take(LINE + 1).read_until(b'\n', &mut line);
        if read.map_err(wrong)? == 0 {
            return Ok(Ok(()));
        }
        if line.last() == Some(&b'\n') {
            line.pop();
            if line.last() == Some(&b'\r') {
                line.pop();
            }
        }
        if line.len() as u64 > LINE {
            return Err(ReadError::Line { place: place.name(), line: number });
        }
        bytes += line.len();
        values.push(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(content: &[u8]) -> (Vec<Vec<u8>>, usize) {
        let folder = std::env::temp_dir().join(format!("sandbar-lines-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder for the test");
        let path = folder.join(format!("{:?}", std::thread::current().id()));
        std::fs::write(&path, content).expect("a file for the test");
        let chunks: Vec<Chunk> = read(vec![LineSource::File(path.clone())], false)
            .expect("a thread")
            .iter()
            .map(|chunk| chunk.expect("lines"))
            .collect();
        let _ = std::fs::remove_file(path);
        let count = chunks.len();
        (chunks.into_iter().flat_map(|chunk| chunk.values).collect(), count)
    }

    #[test]
    fn a_line_is_a_record_without_its_end() {
        let (found, _) = lines(b"one\ntwo\r\n\nlast");
        assert_eq!(found, [&b"one"[..], b"two", b"", b"last"]);
        assert!(lines(b"").0.is_empty());
    }

    #[test]
    fn many_lines_come_in_chunks() {
        let content = "0123456789\n".repeat(30_000);
        let (found, chunks) = lines(content.as_bytes());
        assert_eq!(found.len(), 30_000);
        assert!(found.iter().all(|line| line == b"0123456789"));
        assert!((4..10).contains(&chunks), "{chunks}");
        let long = "x".repeat(3 * CHUNK);
        assert_eq!(lines(format!("{long}\n{long}").as_bytes()).0, [long.as_bytes(); 2]);
    }
}
