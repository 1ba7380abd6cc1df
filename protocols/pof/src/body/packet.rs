use crate::action::Action;
use crate::profile::{NO_SLOTS, SLOTS};
use crate::slot::{count, field, pad};
use crate::{ErrorCode, MAX_PACKET_LEN, MAX_PACKET_OUT_ACTIONS, PacketInReason};
use ferroflow_wire::codec::{
    Bytes, Codec, Json, JsonError, ReadError, Reader, Reason, Value, Writer, read_slots, write_slots,
};
use ferroflow_wire::structure;

structure! {
    /// PACKET_IN.
    pub struct PacketIn {
        /// [`NO_BUFFER`](crate::NO_BUFFER) from the known switches.
        buffer_id: u32,
        /// Bytes of the frame, as the switch says.
        total_len: u16,
        /// Why it is sent.
        reason: PacketInReason,
        /// The table's global id.
        table_id: u8,
        /// The entry's cookie AND its mask.
        cookie: u64,
        /// The switch.
        device_id: u32,
        /// The slot, in profiles that have slots.
        slot: Option<u16> as only(SLOTS),
        /// The ingress port. 1.3.4 does not tell it.
        port_id: Option<u16> as only(SLOTS),
        _[4 in NO_SLOTS],
        /// The frame, of at most 2048 bytes.
        frame: Frame,
    }
}

fields! {
    /// PACKET_OUT, of 1.4.0 alone.
    pub struct PacketOut {
        /// [`NO_BUFFER`](crate::NO_BUFFER).
        buffer_id: u32,
        /// The ingress port that is claimed.
        in_port: u32,
        /// Bytes of `data` that are sent: not more than there are.
        packet_len: u32,
        /// At most 6.
        actions: Vec<Action>,
        /// The frame, of at most 2048 bytes.
        data: Frame,
    }
}

/// A frame of at most 2048 bytes, to the end of the message.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Frame(pub Bytes);

impl<T: AsRef<[u8]>> From<T> for Frame {
    fn from(frame: T) -> Self {
        Self(frame.into())
    }
}

impl Codec for Frame {
    const MIN: usize = 0;

    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let len = r.remaining();
        if len > MAX_PACKET_LEN {
            let error = r.error(Reason::BadLength { length: len as u64 });
            return Err(error.or_answer(ErrorCode::BAD_PACKET.into()));
        }
        Bytes::read(r).map(Self)
    }

    fn write(&self, w: &mut Writer<'_>) {
        if self.0.len() > MAX_PACKET_LEN {
            w.fail("frame", "over 2048 bytes");
        }
        self.0.write(w);
    }
}

impl Json for Frame {
    fn to_json(&self) -> Value {
        self.0.to_json()
    }

    fn from_json(value: Value) -> Result<Self, JsonError> {
        Bytes::from_json(value).map(Self)
    }
}

impl Codec for PacketOut {
    const MIN: usize = 304;

    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let (buffer_id, in_port) = (field(r, "buffer_id")?, field(r, "in_port")?);
        let actions = count(r, "action_num", MAX_PACKET_OUT_ACTIONS, ErrorCode::TOO_MANY)?;
        pad(r, 3)?;
        let at = r.offset();
        let packet_len: u32 = field(r, "packet_len")?;
        let actions = read_slots(r, actions, MAX_PACKET_OUT_ACTIONS).map_err(|e| e.within("actions"))?;
        let data: Frame = field(r, "data")?;
        // The switch copies so many bytes unchecked.
        if packet_len as usize > data.0.len() {
            let error = ReadError::new(at, Reason::BadLength { length: packet_len.into() });
            return Err(error.within("packet_len").or_answer(ErrorCode::BAD_PACKET.into()));
        }
        Ok(Self { buffer_id, in_port, packet_len, actions, data })
    }

    fn write(&self, w: &mut Writer<'_>) {
        if self.packet_len as usize > self.data.0.len() {
            w.fail("packet_len", "more than the bytes of data");
        }
        self.buffer_id.write(w);
        self.in_port.write(w);
        w.bytes(&[self.actions.len() as u8, 0, 0, 0]);
        self.packet_len.write(w);
        write_slots(&self.actions, w, MAX_PACKET_OUT_ACTIONS, "actions");
        self.data.write(w);
    }
}

ferroflow_wire::__if_arbitrary! {
    use ferroflow_wire::codec::{Arbitrary, Entropy};

    impl Arbitrary for Frame {
        fn arbitrary(e: &mut Entropy<'_>) -> Self {
            let len = e.below(64);
            Self((0..len).map(|_| e.byte()).collect::<Vec<u8>>().into())
        }
    }

    impl Arbitrary for PacketOut {
        fn arbitrary(e: &mut Entropy<'_>) -> Self {
            let mut actions = Vec::arbitrary(e);
            actions.truncate(MAX_PACKET_OUT_ACTIONS);
            let data = Frame::arbitrary(e);
            let len = data.0.len();
            let packet_len = e.below(len + 1) as u32;
            let (buffer_id, in_port) = (Arbitrary::arbitrary(e), Arbitrary::arbitrary(e));
            Self { buffer_id, in_port, packet_len, actions, data }
        }
    }
}
