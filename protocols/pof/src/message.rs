use crate::body::Body;
use crate::unused::Unused;
use crate::{DecodeError, EncodeError, HEADER_LEN, Header, MAX_MESSAGE_LEN, MessageType, Profile, VERSION};
use ferroflow_wire::codec::{
    Choice, Codec, Json, JsonError, JsonObject, Object, ReadError, Reader, Value, WriteError, Writer,
};

/// A message as a value of its own.
///
/// ```
/// use ferroflow_pof::{Body, Message, Profile};
///
/// let bytes = [4, 30, 0, 16, 0, 0, 0, 20, 0, 0, 3, 232, 0, 0, 0, 5];
/// let message = Message::decode(Profile::P134, &bytes).unwrap();
/// let Body::MeterMod(meter) = &message.body else { panic!("not a METER_MOD") };
/// assert_eq!((meter.meter_id, meter.rate), (5, 1000));
/// assert_eq!(message.to_vec().unwrap(), bytes);
/// ```
///
/// The view for people:
///
/// ```
/// # #[cfg(feature = "serde")] {
/// use ferroflow_pof::{Message, Profile};
///
/// let text = r#"{"header":{"profile":"1.3.4","type":"METER_MOD","xid":20},"command":"ADD","meter_id":5,"rate":1000}"#;
/// let message: Message = serde_json::from_str(text).unwrap();
/// assert_eq!(message.to_vec().unwrap(), [4, 30, 0, 16, 0, 0, 0, 20, 0, 0, 3, 232, 0, 0, 0, 5]);
/// assert_eq!(serde_json::to_string(&message).unwrap(), text);
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The profile that it is of.
    pub profile: Profile,
    /// Transaction id: an answer has its request's.
    pub xid: u32,
    /// Its type and content.
    pub body: Body,
    /// Bytes of padding and of unused slots that are not zero. They mean nothing, and are kept.
    pub unused: Unused,
}

impl Message {
    /// A message without rubbish in its padding.
    pub fn new(profile: Profile, xid: u32, body: Body) -> Self {
        Self { profile, xid, body, unused: Unused::default() }
    }

    /// The message's type.
    pub fn message_type(&self) -> MessageType {
        self.body.tag()
    }

    /// Reads one whole message.
    ///
    /// # Errors
    /// When it is not a message of the profile, or has more than 2560 bytes. A type that is not known, or whose layout
    /// in this profile is not, is no error: its body is kept as bytes.
    pub fn decode(profile: Profile, msg: &[u8]) -> Result<Self, DecodeError> {
        let header = Header::of_message(msg)?;
        let mut r = Reader::new(msg, profile.version());
        let body =
            read_body(header.ty, &mut r).map_err(|error| DecodeError::Field { message: header.ty, error })?;
        let mut message = Self::new(profile, header.xid, body);
        // What is written again has zeros where nothing is said: the difference is what was there.
        if let Ok(plain) = message.plain() {
            message.unused = Unused::between(&plain, msg);
        }
        Ok(message)
    }

    /// Writes the message at the front of `buf`, and says how long it is. Nothing is allocated, unless there are bytes in
    /// its padding ([`unused`](Self::unused)).
    ///
    /// # Errors
    /// When the profile cannot carry it, it has more than 2560 bytes, or `buf` is too short.
    pub fn encode(&self, buf: &mut [u8]) -> Result<usize, EncodeError> {
        let have = buf.len();
        let len = self.write(Writer::fill_slice(buf, self.profile.version()), have)?;
        self.lay_unused(&mut buf[..len])?;
        Ok(len)
    }

    /// The message's bytes.
    ///
    /// # Errors
    /// When the profile cannot carry it, or it has more than 2560 bytes.
    pub fn to_vec(&self) -> Result<Vec<u8>, EncodeError> {
        let mut msg = self.plain()?;
        self.lay_unused(&mut msg)?;
        Ok(msg)
    }

    /// The message's bytes without what is unused.
    fn plain(&self) -> Result<Vec<u8>, EncodeError> {
        let mut msg = Vec::new();
        self.write(Writer::append(&mut msg, self.profile.version()), usize::MAX)?;
        Ok(msg)
    }

    /// Writes the message without what is unused, in `have` bytes of room, and says how long it is.
    fn write(&self, mut w: Writer<'_>, have: usize) -> Result<usize, EncodeError> {
        let message = self.message_type();
        w.bytes(&[VERSION, message.0]);
        let length = w.hole(2, "length");
        self.xid.write(&mut w);
        self.body.write_rest(0, &mut w);
        let need = w.offset();
        if let Some(error) = w.error() {
            return Err(EncodeError::Field { message, error });
        }
        if need > MAX_MESSAGE_LEN {
            return Err(EncodeError::TooLong { message, length: need });
        }
        w.fill(length, need);
        if need > have { Err(EncodeError::Room { need, have }) } else { Ok(need) }
    }

    /// Puts what is unused into the message's bytes.
    fn lay_unused(&self, msg: &mut [u8]) -> Result<(), EncodeError> {
        if self.unused.is_empty() {
            return Ok(());
        }
        let message = self.message_type();
        self.unused.lay_into(msg).map_err(|offset| EncodeError::NotUnused { message, offset })?;
        // They must not have changed what the message says.
        match Self::decode(self.profile, msg) {
            Ok(again) if again == *self => Ok(()),
            _ => Err(EncodeError::NotUnused { message, offset: self.first_unused() }),
        }
    }

    fn first_unused(&self) -> u16 {
        self.unused.iter().next().map_or(0, |(offset, _)| offset)
    }

    /// The bytes of a part of a message.
    pub(crate) fn element<T: Codec>(profile: Profile, element: &T) -> Result<Vec<u8>, WriteError> {
        ferroflow_wire::codec::to_bytes_of(element, profile.version())
    }
}

fn read_body(ty: MessageType, r: &mut Reader<'_>) -> Result<Body, ReadError> {
    r.skip(HEADER_LEN)?;
    let body = Body::read_rest(ty, 0, r)?;
    // WIRE.md 2: most bodies have one length.
    r.finished().map_err(|e| e.within("length"))?;
    Ok(body)
}

/// Why `msg` is no PACKET_IN of a known layout.
#[cold]
pub(crate) fn refuse_packet_in(profile: Profile, msg: &[u8]) -> DecodeError {
    let message = MessageType::PACKET_IN;
    let wrong_type = |found: u8| {
        let reason = ferroflow_wire::codec::Reason::BadValue { found: found.into() };
        let error = ReadError::new(1, reason).within("type").or_answer(crate::ErrorCode::BAD_TYPE.into());
        DecodeError::Field { message, error }
    };
    match Message::decode(profile, msg) {
        Err(error) => error,
        Ok(other) => wrong_type(other.message_type().0),
    }
}

/// `{"header": {"profile": "1.4.0", "type": .., "xid": ..}, ..}`: version and length follow from the rest.
impl JsonObject for Message {
    fn to_fields(&self, object: &mut Object) {
        let mut header = Object::default();
        self.profile.put("profile", &mut header);
        self.message_type().put("type", &mut header);
        self.xid.put("xid", &mut header);
        object.push("header", Value::Object(header));
        self.body.rest_to_fields(object);
        if !self.unused.is_empty() {
            self.unused.put("unused", object);
        }
    }

    fn from_fields(object: &mut Object) -> Result<Self, JsonError> {
        let (profile, ty, xid) = crate::slot::nested(object, "header", |header| {
            Ok((header.field("profile")?, header.field("type")?, header.field("xid")?))
        })?;
        let unused = object.field::<Option<Unused>>("unused")?.unwrap_or_default();
        Ok(Self { profile, xid, body: Body::rest_from_fields(ty, object)?, unused })
    }
}

ferroflow_wire::__object_json!(Message);

impl Json for Profile {
    fn to_json(&self) -> Value {
        self.name().into()
    }

    fn from_json(value: Value) -> Result<Self, JsonError> {
        match &value {
            Value::Text(name) => {
                name.parse().map_err(|e: crate::UnknownProfile| JsonError::new(e.to_string()))
            }
            other => Err(JsonError::expected("a profile such as \"1.4.0\"", other)),
        }
    }
}

ferroflow_wire::__if_arbitrary! {
    use ferroflow_wire::codec::{Arbitrary, Entropy};

    impl Message {
        /// A made-up message of a profile that its format can carry.
        pub fn arbitrary(profile: Profile, entropy: &[u8]) -> Self {
            let mut e = Entropy::new(entropy, profile.version());
            let xid = Arbitrary::arbitrary(&mut e);
            Self::new(profile, xid, Body::arbitrary(&mut e))
        }
    }
}
