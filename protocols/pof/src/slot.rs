//! What actions and instructions have in common: type, length, and data in a slot of fixed size.

use crate::ErrorCode;
use ferroflow_wire::codec::{
    Bytes, Choice, Codec, JsonError, Object, ReadError, Reader, Reason, Value, Writer,
};

/// Reads one field of a structure that is laid out by hand.
pub(crate) fn field<T: Codec>(r: &mut Reader<'_>, name: &'static str) -> Result<T, ReadError> {
    T::read(r).map_err(|e| e.within(name))
}

/// Passes over padding.
pub(crate) fn pad(r: &mut Reader<'_>, bytes: usize) -> Result<(), ReadError> {
    r.skip(bytes).map_err(|e| e.within("pad"))
}

/// A count of elements, of which there are slots for `max`.
pub(crate) fn count(
    r: &mut Reader<'_>,
    name: &'static str,
    max: usize,
    answer: ErrorCode,
) -> Result<usize, ReadError> {
    let at = r.offset();
    let count: u8 = field(r, name)?;
    if usize::from(count) > max {
        let error = ReadError::new(at, Reason::BadLength { length: count.into() });
        return Err(error.within(name).or_answer(answer.into()));
    }
    Ok(count.into())
}

/// Reads type, length, `gap` bytes, and the data in its slot of `room` bytes. What the data does not take is unused.
pub(crate) fn read_slot<T: Choice>(
    r: &mut Reader<'_>,
    gap: usize,
    room: usize,
    answer: (u16, u16),
) -> Result<(u16, T), ReadError> {
    let tag = field(r, T::TAG)?;
    // The length is not checked by any switch (WIRE.md 4, instruction slot): it is kept, and means nothing.
    let len = field(r, "len")?;
    pad(r, gap)?;
    let outer = r.narrow(room).map_err(|e| e.within("data"))?;
    let data = T::read_rest(tag, r.offset(), r).map_err(|e| e.within("data").or_answer(answer))?;
    r.rest();
    r.widen(outer)?;
    Ok((len, data))
}

/// Writes what [`read_slot`] reads.
pub(crate) fn write_slot<T: Choice>(len: u16, data: &T, w: &mut Writer<'_>, gap: usize, room: usize) {
    data.tag().write(w);
    len.write(w);
    w.zeros(gap);
    let start = w.offset();
    data.write_rest(start, w);
    match room.checked_sub(w.offset() - start) {
        Some(unused) => w.zeros(unused),
        None => w.fail("data", "longer than its slot"),
    }
}

/// `{"type": .., "len": .., "data": {..}}`: the data may have a `len` and a `type` of its own.
pub(crate) fn slot_to_fields<T: Choice>(len: u16, data: &T, object: &mut Object) {
    use ferroflow_wire::codec::Json;
    data.tag().put(T::TAG, object);
    len.put("len", object);
    let mut fields = Object::default();
    data.rest_to_fields(&mut fields);
    object.push("data", Value::Object(fields));
}

/// What [`slot_to_fields`] wrote.
pub(crate) fn slot_from_fields<T: Choice>(object: &mut Object) -> Result<(u16, T), JsonError> {
    let tag = object.field(T::TAG)?;
    let len = object.field("len")?;
    Ok((len, nested(object, "data", |fields| T::rest_from_fields(tag, fields))?))
}

/// A value made of the fields of an object within.
pub(crate) fn nested<T>(
    object: &mut Object,
    name: &'static str,
    make: impl Fn(&mut Object) -> Result<T, JsonError>,
) -> Result<T, JsonError> {
    let value = match object.take(name) {
        Some(Value::Object(mut fields)) => {
            make(&mut fields).and_then(|value| fields.finished().map(|()| value))
        }
        Some(other) => Err(JsonError::expected("an object", &other)),
        None => Err(JsonError::new("missing")),
    };
    value.map_err(|e| e.within(name))
}

/// Without the zeros at the end, which are as good as unused.
pub(crate) fn trimmed(mut bytes: Bytes) -> Bytes {
    let len = bytes.iter().rposition(|&b| b != 0).map_or(0, |last| last + 1);
    bytes.0.truncate(len);
    bytes
}
