//! Named numbers. Every one is open: a number without a name is kept.

/// Bytes of the header (WIRE.md 1).
pub const HEADER_LEN: usize = 8;

/// The version byte, the same in every profile and in OpenFlow 1.3.
pub const VERSION: u8 = 4;

/// The longest message that a switch's buffers hold, in bytes.
pub const MAX_MESSAGE_LEN: usize = 2560;

/// The longest frame in a PACKET_IN or PACKET_OUT, in bytes.
pub const MAX_PACKET_LEN: usize = 2048;

/// Bytes of a name.
pub const NAME_LEN: usize = 64;

/// Bytes of an error's text.
pub const ERROR_STRING_LEN: usize = 256;

/// The widest field that is matched or set, in bytes.
pub const MAX_FIELD_LEN: usize = 16;

/// Fields in a match.
pub const MAX_MATCH_FIELDS: usize = 8;

/// Actions in a group.
pub const MAX_GROUP_ACTIONS: usize = 4;

/// Actions in a PACKET_OUT.
pub const MAX_PACKET_OUT_ACTIONS: usize = 6;

/// Bytes of an action's slot.
pub const ACTION_LEN: usize = 48;

/// Bytes of an action's data.
pub const ACTION_DATA_LEN: usize = 44;

/// The TCP port that a switch connects to.
pub const POF_PORT: u16 = 6633;

/// Time between two ECHO_REQUESTs of a switch, in ms.
pub const ECHO_INTERVAL_MS: u32 = 2000;

/// Time after which a switch connects again, in ms.
pub const RECONNECT_INTERVAL_MS: u32 = 2000;

/// Time that a switch sleeps after its last report, before it reads on, in ms.
pub const RUN_DELAY_MS: u32 = 1000;

/// `buffer_id` of a packet that the switch holds no copy of.
pub const NO_BUFFER: u32 = 0xffff_ffff;

/// Slot of a QUERYALL_REQUEST to every slot.
pub const ALL_SLOTS: u16 = 0xffff;

/// Port of an OUTPUT to all ports but the ingress and the control port (1.4.0, low 16 bits; read in source only).
pub const FLOOD_PORT_140: u16 = 255;

ferroflow_wire::open_enum! {
    /// The type of a message. 36, 101 and 102 are of 1.5.0.
    pub MessageType(u8) {
        HELLO = 0, ERROR = 1, ECHO_REQUEST = 2, ECHO_REPLY = 3, EXPERIMENTER = 4, FEATURES_REQUEST = 5,
        FEATURES_REPLY = 6, GET_CONFIG_REQUEST = 7, GET_CONFIG_REPLY = 8, SET_CONFIG = 9, PACKET_IN = 10,
        FLOW_REMOVED = 11, PORT_STATUS = 12, RESOURCE_REPORT = 13, PACKET_OUT = 14, FLOW_MOD = 15, GROUP_MOD = 16,
        PORT_MOD = 17, TABLE_MOD = 18, MULTIPART_REQUEST = 19, MULTIPART_REPLY = 20, BARRIER_REQUEST = 21,
        BARRIER_REPLY = 22, QUEUE_GET_CONFIG_REQUEST = 23, QUEUE_GET_CONFIG_REPLY = 24, ROLE_REQUEST = 25,
        ROLE_REPLY = 26, GET_ASYNC_REQUEST = 27, GET_ASYNC_REPLY = 28, SET_ASYNC = 29, METER_MOD = 30,
        COUNTER_MOD = 31, COUNTER_REQUEST = 32, COUNTER_REPLY = 33, QUERYALL_REQUEST = 34, QUERYALL_FIN = 35,
        INSTRUCTION_BLOCK_MOD = 36, SLOT_CONFIG = 101, SLOT_STATUS = 102,
    }
}

ferroflow_wire::bit_flags! {
    /// What a switch can do.
    pub Capabilities(u32) {
        FLOW_STATS = 1, TABLE_STATS = 2, PORT_STATS = 4, GROUP_STATS = 8, IP_REASM = 0x20, QUEUE_STATS = 0x40,
        PORT_BLOCKED = 0x100,
    }
}

ferroflow_wire::open_enum! {
    /// What becomes of IP fragments. The low two bits count.
    pub SwitchConfigFlags(u16) { FRAG_NORMAL = 0, FRAG_DROP = 1, FRAG_REASM = 2, FRAG_MASK = 3 }
}

ferroflow_wire::open_enum! {
    /// What became of a port.
    pub PortReason(u8) { ADD = 0, DELETE = 1, MODIFY = 2 }
}

ferroflow_wire::bit_flags! {
    /// How a port is configured; no bit: up.
    pub PortConfig(u32) { PORT_DOWN = 1, NO_RECV = 4, NO_FWD = 0x20, NO_PACKET_IN = 0x40 }
}

ferroflow_wire::bit_flags! {
    /// How a port is.
    pub PortState(u32) { LINK_DOWN = 1, BLOCKED = 2, LIVE = 4 }
}

ferroflow_wire::bit_flags! {
    /// What a port can do: OpenFlow 1.3's bits (OF 1.3.5 7.2.1).
    pub PortFeatures(u32) {
        F_10MB_HD = 0x1, F_10MB_FD = 0x2, F_100MB_HD = 0x4, F_100MB_FD = 0x8, F_1GB_HD = 0x10, F_1GB_FD = 0x20,
        F_10GB_FD = 0x40, F_40GB_FD = 0x80, F_100GB_FD = 0x100, F_1TB_FD = 0x200, F_OTHER = 0x400, COPPER = 0x800,
        FIBER = 0x1000, AUTONEG = 0x2000, PAUSE = 0x4000, PAUSE_ASYM = 0x8000,
    }
}

ferroflow_wire::open_enum! {
    /// Reserved ports. They are declared; that a switch acts on one is not known.
    pub ReservedPort(u32) {
        MAX = 0xffff_ff00, IN_PORT = 0xffff_fff8, TABLE = 0xffff_fff9, NORMAL = 0xffff_fffa, FLOOD = 0xffff_fffb,
        ALL = 0xffff_fffc, CONTROLLER = 0xffff_fffd, LOCAL = 0xffff_fffe, ANY = 0xffff_ffff,
    }
}

ferroflow_wire::open_enum! {
    /// How a table looks a packet up: masked match, longest prefix, exact match, direct index.
    pub TableType(u8) { MM = 0, LPM = 1, EM = 2, LINEAR = 3 }
}

ferroflow_wire::open_enum! {
    /// What is done with a table. Switches take ADD and DELETE; QUERY_RESULT answers a QUERYALL_REQUEST.
    pub TableModCommand(u8) { ADD = 0, MODIFY = 1, DELETE = 2, QUERY = 3, QUERY_RESULT = 4 }
}

ferroflow_wire::open_enum! {
    /// What is done with an entry. Switches take ADD, MODIFY and DELETE.
    pub FlowModCommand(u8) {
        ADD = 0, MODIFY = 1, MODIFY_STRICT = 2, DELETE = 3, DELETE_STRICT = 4, QUERY = 5, QUERY_RESULT = 6,
    }
}

ferroflow_wire::open_enum! {
    /// What is done with a group.
    pub GroupModCommand(u8) { ADD = 0, MODIFY = 1, DELETE = 2 }
}

ferroflow_wire::open_enum! {
    /// What is done with a meter.
    pub MeterModCommand(u8) { ADD = 0, MODIFY = 1, DELETE = 2 }
}

ferroflow_wire::open_enum! {
    /// What is done with a counter.
    pub CounterCommand(u8) { ADD = 0, DELETE = 1, CLEAR = 2, QUERY = 3, QUERY_RESULT = 4 }
}

ferroflow_wire::open_enum! {
    /// Why a packet comes to the controller. The action PACKET_IN can say any number.
    pub PacketInReason(u8) { NO_MATCH = 0, ACTION = 1, INVALID_TTL = 2 }
}

ferroflow_wire::open_enum! {
    /// Where a field is. Any other number is packet data and a mere label; in 1.4.0 0x8000 and above are parameters of
    /// the table.
    pub FieldId(u16) { METADATA = 0xffff }
}

ferroflow_wire::open_enum! {
    /// The type of an instruction. 12 to 15 are of 1.5.0.
    pub InstructionType(u16) {
        GOTO_TABLE = 1, WRITE_METADATA = 2, WRITE_ACTIONS = 3, APPLY_ACTIONS = 4, CLEAR_ACTIONS = 5, METER = 6,
        WRITE_METADATA_FROM_PACKET = 7, GOTO_DIRECT_TABLE = 8, CONDITIONAL_JMP = 9, CALCULATE_FIELD = 10,
        MOVE_PACKET_OFFSET = 11, SET_PACKET_OFFSET = 12, COMPARE = 13, BRANCH = 14, JMP = 15, EXPERIMENTER = 0xffff,
    }
}

ferroflow_wire::open_enum! {
    /// The type of an action. 101 to 104 are of 1.5.0.
    pub ActionType(u16) {
        OUTPUT = 0, SET_FIELD = 1, SET_FIELD_FROM_METADATA = 2, MODIFY_FIELD = 3, ADD_FIELD = 4, DELETE_FIELD = 5,
        CALCULATE_CHECKSUM = 6, GROUP = 7, DROP = 8, PACKET_IN = 9, COUNTER = 10, ENCAP_VXLAN = 101, ENCAP_UDP = 102,
        ENCAP_IP = 103, ENCAP_MAC = 104, EXPERIMENTER = 0xffff,
    }
}

ferroflow_wire::open_enum! {
    /// Which way an offset counts.
    pub Direction(u8) { FORWARD = 0, BACKWARD = 1 }
}

ferroflow_wire::open_enum! {
    /// What CALCULATE_FIELD does.
    pub Calculation(u16) { ADD = 0, SUB = 1, SHL = 2, SHR = 3, AND = 4, OR = 5, XOR = 6, NOR = 7 }
}

ferroflow_wire::open_enum! {
    /// What a checksum's position counts in.
    pub ChecksumPlace(u8) { PACKET = 0, METADATA = 1 }
}
