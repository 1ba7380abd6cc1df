use crate::profile::SLOTS;
use crate::{NAME_LEN, PortConfig, PortFeatures, PortReason, PortState};
use ferroflow_wire::codec::{Codec, FixedStr, Json, JsonError, ReadError, Reader, Value, Writer};
use ferroflow_wire::{MacAddr, structure};

structure! {
    /// What became of a port (PORT_STATUS), or shall become of it (PORT_MOD).
    pub struct PortChange {
        /// ADD in the handshake.
        reason: PortReason,
        _[7],
        /// The port. Of a PORT_MOD the known switches look at its id and `of_enable` alone.
        port: Port,
    }
}

/// A port's id. In profiles with slots it has 16 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct PortId(pub u32);

structure! {
    /// A port of 120 bytes.
    pub struct Port {
        /// The slot, in profiles that have slots.
        slot: Option<u16> as only(SLOTS),
        /// The kernel's interface index (1.3.4), or counted from 1 (1.4.0).
        port_id: PortId,
        /// The switch.
        device_id: u32,
        /// Its address.
        mac: MacAddr,
        _[2],
        /// Its name.
        name: FixedStr<NAME_LEN>,
        /// How it is configured.
        config: PortConfig,
        /// How it is.
        state: PortState,
        /// What it does.
        curr: PortFeatures,
        /// What it offers.
        advertised: PortFeatures,
        /// What it can.
        supported: PortFeatures,
        /// What the other end offers.
        peer: PortFeatures,
        /// Its speed, in kbit/s as in OpenFlow 1.3.
        curr_speed: u32,
        /// Its greatest speed.
        max_speed: u32,
        /// 1: packets are looked up. A new port has 0.
        of_enable: u8,
        _[7],
    }
}

impl Codec for PortId {
    const MIN: usize = 2;

    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        if SLOTS.contains(&r.version()) {
            u16::read(r).map(|id| Self(id.into()))
        } else {
            u32::read(r).map(Self)
        }
    }

    fn write(&self, w: &mut Writer<'_>) {
        if !SLOTS.contains(&w.version()) {
            return self.0.write(w);
        }
        match u16::try_from(self.0) {
            Ok(id) => id.write(w),
            Err(_) => w.fail("port_id", "over 16 bits"),
        }
    }
}

impl Json for PortId {
    fn to_json(&self) -> Value {
        self.0.to_json()
    }

    fn from_json(value: Value) -> Result<Self, JsonError> {
        u32::from_json(value).map(Self)
    }
}

ferroflow_wire::__if_arbitrary! {
    use ferroflow_wire::codec::{Arbitrary, Entropy};

    impl Arbitrary for PortId {
        fn arbitrary(e: &mut Entropy<'_>) -> Self {
            let bytes = if SLOTS.contains(&e.version()) { 2 } else { 4 };
            Self(e.number(bytes) as u32)
        }
    }
}
