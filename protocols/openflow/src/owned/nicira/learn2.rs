//! `NXAST_LEARN2`, which has a field if its flags say so.

use super::action::NxLearn;
use super::learn::{FlowModSpecs, LearnFlags};
use crate::owned::common::OxmHeader;
use ferroflow_wire::codec::{Codec, Json as _, JsonError, JsonObject, Object, ReadError, Reader, Writer};

/// `nx_action_learn2` after its subtype.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NxLearn2 {
    /// What `NXAST_LEARN` begins with, too.
    pub learn: NxLearn,
    /// Greatest number of learned flows; 0 for no limit.
    pub limit: u32,
    /// The bit of [`result_dst`](Self::result_dst) that is set if the flow could be learned.
    pub result_dst_ofs: u16,
    /// The field that has the result; it is there if the flags have `NX_LEARN_F_WRITE_RESULT`.
    pub result_dst: Option<OxmHeader>,
    /// What a learned flow matches and does.
    pub specs: FlowModSpecs,
}

fn writes_result(learn: &NxLearn) -> bool {
    learn.flags.contains(LearnFlags::NX_LEARN_F_WRITE_RESULT)
}

impl Codec for NxLearn2 {
    const MIN: usize = NxLearn::MIN + 8;

    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let learn = NxLearn::read(r)?;
        let limit = u32::read(r).map_err(|e| e.within("limit"))?;
        let result_dst_ofs = u16::read(r).map_err(|e| e.within("result_dst_ofs"))?;
        r.skip(2).map_err(|e| e.within("pad2"))?;
        let result_dst = match writes_result(&learn) {
            true => Some(OxmHeader::read(r).map_err(|e| e.within("result_dst"))?),
            false => None,
        };
        let specs = FlowModSpecs::read(r).map_err(|e| e.within("specs"))?;
        Ok(Self { learn, limit, result_dst_ofs, result_dst, specs })
    }

    fn write(&self, w: &mut Writer<'_>) {
        if writes_result(&self.learn) != self.result_dst.is_some() {
            w.fail("result_dst", "not as NX_LEARN_F_WRITE_RESULT says");
        }
        self.learn.write(w);
        self.limit.write(w);
        self.result_dst_ofs.write(w);
        w.zeros(2);
        self.result_dst.write(w);
        self.specs.write(w);
    }
}

impl JsonObject for NxLearn2 {
    fn to_fields(&self, object: &mut Object) {
        self.learn.to_fields(object);
        self.limit.put("limit", object);
        self.result_dst_ofs.put("result_dst_ofs", object);
        self.result_dst.put("result_dst", object);
        self.specs.put("specs", object);
    }

    fn from_fields(object: &mut Object) -> Result<Self, JsonError> {
        Ok(Self {
            learn: NxLearn::from_fields(object)?,
            limit: object.field("limit")?,
            result_dst_ofs: object.field("result_dst_ofs")?,
            result_dst: object.field("result_dst")?,
            specs: object.field("specs")?,
        })
    }
}

#[cfg(feature = "arbitrary")]
impl ferroflow_wire::codec::Arbitrary for NxLearn2 {
    fn arbitrary(e: &mut ferroflow_wire::codec::Entropy<'_>) -> Self {
        let learn = NxLearn::arbitrary(e);
        let result_dst = writes_result(&learn).then(|| OxmHeader::arbitrary(e));
        let (limit, result_dst_ofs) = (u32::arbitrary(e), u16::arbitrary(e));
        Self { learn, limit, result_dst_ofs, result_dst, specs: FlowModSpecs::arbitrary(e) }
    }
}
