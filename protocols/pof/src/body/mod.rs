//! The bodies of the messages (WIRE.md 2 and 4).

mod error_msg;
mod flow_mod;
mod meter_mod;
mod packet;
mod port;
mod slot_id;

pub use error_msg::ErrorMsg;
pub use flow_mod::FlowMod;
pub use meter_mod::MeterMod;
pub use packet::{Frame, PacketIn, PacketOut};
pub use port::{Port, PortChange, PortId};

use crate::action::Action;
use crate::field::Match;
use crate::profile::{COMPLETE, FIELD_VALUES, NO_SLOTS, SLOTS};
use crate::{
    Capabilities, CounterCommand, GroupModCommand, MessageType, NAME_LEN, SwitchConfigFlags, TableModCommand,
    TableType,
};
use ferroflow_wire::codec::FixedStr;
use ferroflow_wire::{choice, structure};

choice! {
    /// A message's type and body. A type whose body is not described for the profile is kept as bytes.
    #[non_exhaustive]
    pub enum Body("type": MessageType) {
        HELLO => Hello,
        ERROR => Error(error: ErrorMsg),
        ECHO_REQUEST => EchoRequest,
        ECHO_REPLY => EchoReply,
        FEATURES_REQUEST => FeaturesRequest,
        FEATURES_REPLY in COMPLETE => FeaturesReply(features: FeaturesReply),
        GET_CONFIG_REQUEST => GetConfigRequest,
        GET_CONFIG_REPLY in COMPLETE => GetConfigReply(config: SwitchConfig),
        SET_CONFIG in COMPLETE => SetConfig(config: SwitchConfig),
        PACKET_IN in COMPLETE => PacketIn(packet: PacketIn),
        PORT_STATUS in COMPLETE => PortStatus(change: PortChange),
        RESOURCE_REPORT => ResourceReport(report: ResourceReport),
        PACKET_OUT in SLOTS => PacketOut(packet: PacketOut),
        FLOW_MOD => FlowMod(entry: FlowMod),
        GROUP_MOD => GroupMod(group: GroupMod),
        PORT_MOD in COMPLETE => PortMod(change: PortChange),
        TABLE_MOD => TableMod(table: TableMod),
        METER_MOD in COMPLETE => MeterMod(meter: MeterMod),
        COUNTER_MOD => CounterMod(counter: Counter),
        COUNTER_REQUEST => CounterRequest(counter: Counter),
        COUNTER_REPLY => CounterReply(counter: Counter),
        QUERYALL_REQUEST in SLOTS => QueryallRequest { slot: u16, _[6], },
        QUERYALL_FIN in SLOTS => QueryallFin,
        _ => Unknown,
    }
}

structure! {
    /// FEATURES_REPLY: what the switch is.
    pub struct FeaturesReply {
        /// The low 32 bits of the MAC address that the connection leaves by, or as configured.
        dev_id: u32,
        /// The slot, in profiles that have slots.
        slot: Option<u16> as only(SLOTS),
        /// How many ports there are.
        port_num: u16,
        /// How many tables there may be, of all types together.
        table_num: u16,
        _[2 in SLOTS],
        /// What the switch says it can do: 15, whatever it can.
        capabilities: Capabilities,
        _[4 in NO_SLOTS],
        /// `huawei` (1.3.4) or `Huawei` (1.4.0).
        vendor_id: FixedStr<NAME_LEN>,
        /// `POFSwitch-1.4.0.015`: names the profile.
        dev_fw_id: FixedStr<NAME_LEN>,
        /// What looks packets up.
        dev_lkup_id: FixedStr<NAME_LEN>,
    }
}

structure! {
    /// The configuration, in SET_CONFIG and GET_CONFIG_REPLY.
    pub struct SwitchConfig {
        /// The switch, in profiles that have slots.
        dev_id: Option<u32> as only(SLOTS),
        /// What becomes of IP fragments.
        flags: SwitchConfigFlags,
        /// Bytes of a packet that are sent to the controller.
        miss_send_len: u16,
    }
}

structure! {
    /// RESOURCE_REPORT: how much there may be of everything.
    pub struct ResourceReport {
        /// 0.
        resource_type: u8,
        _[1],
        /// The slot, in profiles that have slots.
        slot: Option<u16> as only(SLOTS),
        _[2 in NO_SLOTS],
        /// Counters.
        counter_num: u32,
        /// Meters.
        meter_num: u32,
        /// Groups.
        group_num: u32,
        /// Tables, by type: MM, LPM, EM, LINEAR.
        tables: [TableResource; 4],
    }
}

impl ResourceReport {
    /// The id that GOTO_TABLE, GOTO_DIRECT_TABLE and PACKET_IN have for the table that TABLE_MOD and FLOW_MOD call
    /// `table_id` of `ty` (WIRE.md 4, table ids). None if there is no such table.
    ///
    /// With eight tables of type MM, the first one of type LPM is 8.
    pub fn global_table_id(&self, ty: TableType, table_id: u8) -> Option<u8> {
        let of_type = self.tables.get(usize::from(ty.0))?;
        let lower = self.tables[..ty.0.into()].iter().map(|table| u16::from(table.tbl_num)).sum::<u16>();
        if table_id < of_type.tbl_num { u8::try_from(lower + u16::from(table_id)).ok() } else { None }
    }

    /// The type and local id of the table with a global id.
    pub fn local_table_id(&self, global: u8) -> Option<(TableType, u8)> {
        let mut left = global;
        for (ty, table) in (0..).zip(&self.tables) {
            match left.checked_sub(table.tbl_num) {
                None => return Some((TableType(ty), left)),
                Some(after) => left = after,
            }
        }
        None
    }
}

structure! {
    /// What there may be of tables of a type.
    pub struct TableResource {
        /// The switch.
        device_id: u32,
        /// The type.
        r#type: TableType,
        /// How many tables.
        tbl_num: u8,
        /// Bits of a key, at most.
        key_len: u16,
        /// Entries.
        total_size: u32,
        _[4],
    }
}

structure! {
    /// TABLE_MOD.
    pub struct TableMod {
        /// What is done.
        command: TableModCommand,
        /// The table's local id: from 0 within its type.
        table_id: u8,
        /// The table's type.
        r#type: TableType,
        _(match_field_num: u8),
        /// Entries, at most.
        size: u32,
        /// Bits of all fields together.
        key_len: u16,
        /// The slot, in profiles that have slots.
        slot: Option<u16> as only(SLOTS),
        _[2 in NO_SLOTS],
        _[4],
        /// The table's name.
        name: FixedStr<NAME_LEN>,
        /// The fields of a key, at most 8.
        r#match: Vec<Match> as slots(match_field_num, 8),
    }
}

structure! {
    /// GROUP_MOD. All actions of a group are run.
    pub struct GroupMod {
        /// What is done.
        command: GroupModCommand,
        /// What the numbers mean is not known: all groups are of type "all".
        r#type: u8,
        _(action_number: u8),
        _[1],
        /// The group.
        group_id: u32,
        /// Its counter.
        counter_id: u32,
        /// The slot, in profiles that have slots.
        slot: Option<u16> as only(SLOTS),
        _[2 in NO_SLOTS],
        _[2],
        /// At most 4.
        actions: Vec<Action> as slots(action_number, 4),
    }
}

structure! {
    /// A counter, in COUNTER_MOD, COUNTER_REQUEST and COUNTER_REPLY.
    pub struct Counter {
        /// What is done.
        command: CounterCommand,
        _[1],
        /// The slot, in profiles that have slots.
        slot: Option<u16> as only(SLOTS),
        _[2 in NO_SLOTS],
        /// The counter.
        counter_id: u32,
        /// Packets counted.
        packets: u64,
        /// Bytes counted. Not in 1.3.4.
        bytes: Option<u64> as only(FIELD_VALUES),
    }
}
