//! A pcapng file that several cores write to: each core puts its blocks into a ring, a thread writes them in the order
//! of time.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::thread::JoinHandle;
use std::time::Duration;

use ferroflow_stack::port::pcap::{Capture, Interface, Section, Sink, block};
use rtrb::{Consumer, Producer, RingBuffer};

use crate::clock;

/// Bytes that may wait for the thread, of each core: more than a core sends in [`LAG`].
const RING_BYTES: usize = 16 << 20;
/// How often the thread looks.
const ROUND: Duration = Duration::from_millis(5);
/// How old a block is when it is written: another core may still be in a turn that began before. Longer turns cost the
/// order of the file, not its content.
const LAG: Duration = Duration::from_millis(20);

/// Where a core's blocks wait for the file. What does not fit is not in the capture.
#[derive(Debug)]
pub struct Ring(Producer<u8>);

impl Sink for Ring {
    fn put(&mut self, block: &[u8]) -> bool {
        self.0.push_entire_slice(block).is_ok()
    }
}

/// A capture that is being written.
#[derive(Debug)]
pub struct CaptureFile {
    thread: JoinHandle<io::Result<()>>,
}

impl CaptureFile {
    /// Creates the file, and what each of the interfaces writes to it, in their order. `application` names the program.
    /// `snaplen`: most bytes of a frame to keep, 0 = all.
    ///
    /// # Errors
    /// When the file cannot be created or the thread not started.
    pub fn create(
        path: &Path,
        application: &str,
        interfaces: &[String],
        snaplen: u32,
    ) -> io::Result<(CaptureFile, Vec<Capture<Ring>>)> {
        CaptureFile::write_to(File::create(path)?, application, interfaces, snaplen)
    }

    /// The same, to a file or anything else that is open already.
    ///
    /// # Errors
    /// When its head cannot be written or the thread not started.
    pub fn write_to(
        out: impl Write + Send + 'static,
        application: &str,
        interfaces: &[String],
        snaplen: u32,
    ) -> io::Result<(CaptureFile, Vec<Capture<Ring>>)> {
        let mut out = BufWriter::with_capacity(256 << 10, out);
        out.write_all(&head(application, interfaces, snaplen))?;
        out.flush()?;
        let epoch = clock::unix_epoch();
        let (captures, sources) = (0..interfaces.len() as u32)
            .map(|number| {
                let (producer, consumer) = RingBuffer::new(RING_BYTES);
                (Capture::new(Ring(producer), number, snaplen, epoch), Source::new(consumer))
            })
            .unzip();
        let writer = Writer { out, sources, epoch };
        let thread = std::thread::Builder::new().name("capture".to_owned()).spawn(move || {
            let result = writer.run();
            if let Err(error) = &result {
                tracing::error!("the capture cannot be written, and ends here: {error}");
            }
            result
        })?;
        Ok((CaptureFile { thread }, captures))
    }

    /// Waits until all captures have been dropped, and the file is complete.
    ///
    /// # Errors
    /// When it could not be written: it ends with the last whole block before that.
    pub fn finish(self) -> io::Result<()> {
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

fn head(application: &str, interfaces: &[String], snaplen: u32) -> Vec<u8> {
    let mut head = Vec::new();
    let os = rustix::system::uname();
    let os = format!("{} {}", os.sysname().to_string_lossy(), os.release().to_string_lossy());
    block::section_header(&mut head, &Section { os: &os, application });
    for (core, name) in interfaces.iter().enumerate() {
        let description = format!("core {core}");
        block::interface_description(
            &mut head,
            &Interface { name, description: &description, os: "the Ferroflow stack", snaplen },
        );
    }
    head
}

/// One core's ring, and the block at its front.
#[derive(Debug)]
struct Source {
    ring: Consumer<u8>,
    block: Vec<u8>,
    time: u64,
}

impl Source {
    fn new(ring: Consumer<u8>) -> Source {
        Source { ring, block: Vec::new(), time: 0 }
    }

    /// Takes the next block out of the ring, unless one is here. Returns whether one is.
    fn fill(&mut self) -> bool {
        if !self.block.is_empty() {
            return true;
        }
        self.block.resize(block::PEEK_LEN, 0);
        if self.ring.pop_entire_slice(&mut self.block).is_err() {
            self.block.clear();
            return false;
        }
        // Blocks are put into the ring whole, by `Capture`.
        let (len, time) = block::peek(&self.block).expect("the head is as long as it must be");
        self.block.resize(len, 0);
        self.ring.pop_entire_slice(&mut self.block[block::PEEK_LEN..]).expect("a block is put in whole");
        self.time = time;
        true
    }
}

#[derive(Debug)]
struct Writer<W: Write> {
    out: BufWriter<W>,
    sources: Vec<Source>,
    epoch: u64,
}

impl<W: Write> Writer<W> {
    fn run(mut self) -> io::Result<()> {
        loop {
            // To be asked first: what is put in afterwards is put in by nobody.
            let over = self.sources.iter().all(|source| source.ring.is_abandoned());
            let until = if over { u64::MAX } else { self.settled() };
            if self.write_until(until)? > 0 {
                self.out.flush()?;
            }
            if over {
                return Ok(());
            }
            std::thread::sleep(ROUND);
        }
    }

    /// The time up to which no core will write another block.
    fn settled(&self) -> u64 {
        (self.epoch + clock::now().as_nanos()).saturating_sub(LAG.as_nanos() as u64)
    }

    /// Writes the blocks up to this time, the earliest first. Returns how many.
    fn write_until(&mut self, until: u64) -> io::Result<usize> {
        let mut count = 0;
        loop {
            let full = self.sources.iter_mut().filter_map(|source| source.fill().then_some(source));
            match full.min_by_key(|source| source.time) {
                Some(source) if source.time <= until => {
                    self.out.write_all(&source.block)?;
                    source.block.clear();
                    count += 1;
                }
                _ => return Ok(count),
            }
        }
    }
}

#[cfg(test)]
mod tests;
