use super::slot_id::write_slot_or_pad;
use crate::MeterModCommand;
use crate::profile::SLOTS;
use crate::slot::{field, pad};
use ferroflow_wire::codec::{Codec, ReadError, Reader, Writer};

fields! {
    /// METER_MOD.
    pub struct MeterMod {
        /// What is done.
        command: MeterModCommand,
        /// The slot, in profiles that have slots.
        slot: Option<u16>,
        /// The meter.
        meter_id: u32,
        /// In kbit/s; 16 bits in 1.3.4.
        rate: u32,
    }
}

impl Codec for MeterMod {
    const MIN: usize = 8;

    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let command = field(r, "command")?;
        pad(r, 1)?;
        if SLOTS.contains(&r.version()) {
            let slot = Some(field(r, "slot")?);
            let (meter_id, rate) = (field(r, "meter_id")?, field(r, "rate")?);
            pad(r, 4)?;
            return Ok(Self { command, slot, meter_id, rate });
        }
        let rate: u16 = field(r, "rate")?;
        Ok(Self { command, slot: None, meter_id: field(r, "meter_id")?, rate: rate.into() })
    }

    fn write(&self, w: &mut Writer<'_>) {
        w.bytes(&[self.command.0, 0]);
        if SLOTS.contains(&w.version()) {
            write_slot_or_pad(self.slot, w);
            self.meter_id.write(w);
            self.rate.write(w);
            return w.zeros(4);
        }
        if self.slot.is_some() {
            w.fail("slot", "this profile has no slots");
        }
        match u16::try_from(self.rate) {
            Ok(rate) => rate.write(w),
            Err(_) => w.fail("rate", "over 16 bits"),
        }
        self.meter_id.write(w);
    }
}

ferroflow_wire::__if_arbitrary! {
    use super::slot_id::any_slot;
    use ferroflow_wire::codec::{Arbitrary, Entropy};

    impl Arbitrary for MeterMod {
        fn arbitrary(e: &mut Entropy<'_>) -> Self {
            let rate_bytes = if SLOTS.contains(&e.version()) { 4 } else { 2 };
            Self {
                command: Arbitrary::arbitrary(e),
                slot: any_slot(e),
                meter_id: Arbitrary::arbitrary(e),
                rate: e.number(rate_bytes) as u32,
            }
        }
    }
}
