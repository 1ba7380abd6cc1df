//! The blocks of a pcap or pcapng file.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use pcap_parser::pcapng::Block;
use pcap_parser::traits::{PcapNGPacketBlock, PcapReaderIterator};
use pcap_parser::{LegacyPcapReader, PcapBlockOwned, PcapError, PcapNGReader};

/// How many bytes [`is_magic`] looks at.
pub(crate) const MAGIC_LEN: u64 = 4;

/// The Block Type of a Section Header Block, the same in either byte order (draft-ietf-opsawg-pcapng, 4.1).
const PCAPNG: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

/// Magic Numbers of microseconds and nanoseconds, big-endian (draft-ietf-opsawg-pcap, 4), and of the format with more fields
/// for each packet that some old systems wrote (Wireshark's "modified" pcap), which is read in the other byte order alone.
const PCAP: [[u8; 4]; 3] = [[0xa1, 0xb2, 0xc3, 0xd4], [0xa1, 0xb2, 0x3c, 0x4d], [0xa1, 0xb2, 0xcd, 0x34]];

/// Whether a file that begins so is a capture.
pub(crate) fn is_magic(first: &[u8]) -> bool {
    let Ok(mut magic) = <[u8; 4]>::try_from(first) else { return false };
    let is_big_endian = PCAP.contains(&magic);
    magic.reverse();
    is_big_endian || PCAP.contains(&magic) || first == PCAPNG
}

/// Bytes of buffer to begin with: a usual packet, and a usual Section Header Block, which has to fit.
const BUFFER: usize = 256 << 10;

/// Most bytes of one block. Wireshark takes packets of 256 KiB; other blocks (keys, names) may be longer.
const MAX_BLOCK: usize = 16 << 20;

/// Why a capture was not read to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CaptureError {
    #[error("the file ends within a block, {0} bytes from its start")]
    Truncated(usize),
    #[error("a block of over {MAX_BLOCK} bytes, {0} bytes from the start of the file")]
    TooLong(usize),
    #[error("no block can be read {0} bytes from the start of the file")]
    Malformed(usize),
    #[error("a packet of interface {0}, which no block before it describes")]
    NoInterface(u32),
    #[error("input or output failed")]
    Io(#[from] io::Error),
}

/// Calls `sink` for every packet, with its link type.
pub(super) fn packets(
    input: impl Read,
    mut sink: impl FnMut(i32, &[u8]) -> io::Result<()>,
) -> Result<(), CaptureError> {
    let failed = Rc::new(Cell::new(None));
    let read = open(Noted { inner: input, failed: Rc::clone(&failed) })
        .and_then(|mut reader| blocks(&mut *reader, &mut sink));
    // The reader of blocks does not tell what went wrong with the input.
    failed.take().map_or(read, |error| Err(error.into()))
}

fn open<'r>(mut input: impl Read + 'r) -> Result<Box<dyn PcapReaderIterator + 'r>, CaptureError> {
    let mut first = Vec::new();
    input.by_ref().take(FIRST).read_to_end(&mut first)?;
    // The readers want the first block at once, and a pipe comes in pieces.
    input.by_ref().take(first_block(&first).saturating_sub(FIRST)).read_to_end(&mut first)?;
    let is_pcapng = first.starts_with(&PCAPNG);
    let input = io::Cursor::new(first).chain(input);
    let opened = if is_pcapng {
        PcapNGReader::new(BUFFER, input).map(|reader| Box::new(reader) as Box<dyn PcapReaderIterator + 'r>)
    } else {
        LegacyPcapReader::new(BUFFER, input)
            .map(|reader| Box::new(reader) as Box<dyn PcapReaderIterator + 'r>)
    };
    opened.map_err(|error| match error {
        PcapError::Incomplete(_) => CaptureError::Truncated(0),
        _ => CaptureError::Malformed(0),
    })
}

/// Bytes that tell how long the first block is.
const FIRST: u64 = 12;

/// The length of the first block, of a file that begins so: of pcap's header, or as the Section Header Block says in the
/// byte order of the magic number behind it.
fn first_block(first: &[u8]) -> u64 {
    match *first {
        [0x0a, 0x0d, 0x0d, 0x0a, a, b, c, d, 0x1a, ..] => u32::from_be_bytes([a, b, c, d]).into(),
        [0x0a, 0x0d, 0x0d, 0x0a, a, b, c, d, ..] => u32::from_le_bytes([a, b, c, d]).into(),
        _ => 24,
    }
    .min(BUFFER as u64)
}

/// What has to be done before the next block can be read.
enum Need {
    Bytes,
    Buffer,
}

fn blocks(
    reader: &mut (dyn PcapReaderIterator + '_),
    sink: &mut impl FnMut(i32, &[u8]) -> io::Result<()>,
) -> Result<(), CaptureError> {
    let mut links = Links::default();
    let mut size = BUFFER;
    loop {
        let at = reader.consumed();
        let need = match reader.next() {
            Ok((len, block)) => {
                if let Some((link_type, packet)) = links.packet(&block)? {
                    sink(link_type, packet)?;
                }
                reader.consume(len);
                continue;
            }
            Err(PcapError::Eof) => return Ok(()),
            Err(PcapError::Incomplete(_)) => Need::Bytes,
            Err(PcapError::BufferTooSmall) => Need::Buffer,
            Err(PcapError::UnexpectedEof) => return Err(CaptureError::Truncated(at)),
            Err(_) => return Err(CaptureError::Malformed(at)),
        };
        if matches!(need, Need::Buffer) {
            // A block may say that it is longer than the whole file: the buffer grows as bytes arrive.
            if reader.data().len() > size / 2 {
                size *= 2;
                if size > MAX_BLOCK || !reader.grow(size) {
                    return Err(CaptureError::TooLong(at));
                }
            } else if reader.reader_exhausted() {
                return Err(CaptureError::Truncated(at));
            }
        }
        let before = reader.data().len();
        reader.refill().map_err(|_| CaptureError::Malformed(at))?;
        if reader.data().len() == before && !reader.reader_exhausted() {
            return Err(CaptureError::Malformed(at));
        }
    }
}

/// The link types of a section's interfaces.
#[derive(Default)]
struct Links(Vec<i32>);

impl Links {
    fn packet<'b>(&mut self, block: &'b PcapBlockOwned<'_>) -> Result<Option<(i32, &'b [u8])>, CaptureError> {
        Ok(match block {
            PcapBlockOwned::LegacyHeader(header) => {
                self.0 = vec![header.network.0];
                None
            }
            PcapBlockOwned::Legacy(packet) => Some((self.of(0)?, packet.data)),
            PcapBlockOwned::NG(Block::SectionHeader(_)) => {
                // Interfaces are numbered anew in each section.
                self.0.clear();
                None
            }
            PcapBlockOwned::NG(Block::InterfaceDescription(interface)) => {
                self.0.push(interface.linktype.0);
                None
            }
            PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                Some((self.of(packet.if_id)?, packet.packet_data()))
            }
            PcapBlockOwned::NG(Block::SimplePacket(packet)) => Some((self.of(0)?, packet.packet_data())),
            PcapBlockOwned::NG(_) => None,
        })
    }

    fn of(&self, interface: u32) -> Result<i32, CaptureError> {
        // The upper bits of a legacy header's field tell of a frame check sequence (draft-ietf-opsawg-pcap, 4).
        let link = self.0.get(interface as usize).map(|link| link & 0xffff);
        link.ok_or(CaptureError::NoInterface(interface))
    }
}

/// Keeps what goes wrong with the input.
struct Noted<R> {
    inner: R,
    failed: Rc<Cell<Option<io::Error>>>,
}

impl<R: Read> Read for Noted<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buf).map_err(|error| {
            let kind = error.kind();
            if kind != io::ErrorKind::Interrupted {
                self.failed.set(Some(error));
            }
            kind.into()
        })
    }
}
