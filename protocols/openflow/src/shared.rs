//! Messages that versions have in the same form, or with switch ports of another width or one field more alone.

/// `GetConfigRequest`, `GetConfigReply` and `SetConfig` of a version's module; `$section` of its specification.
macro_rules! config_messages {
    ($section:literal) => {
        header_only! {
            #[doc = concat!("`OFPT_GET_CONFIG_REQUEST` (", $section, ").")]
            GetConfigRequest, VERSION, MsgType::OFPT_GET_CONFIG_REQUEST
        }

        switch_config! {
            #[doc = concat!("`OFPT_GET_CONFIG_REPLY` (", $section, ").")]
            GetConfigReply, MsgType::OFPT_GET_CONFIG_REPLY
        }

        switch_config! {
            #[doc = concat!("`OFPT_SET_CONFIG` (", $section, ").")]
            SetConfig, MsgType::OFPT_SET_CONFIG
        }
    };
}

macro_rules! switch_config {
    ($(#[$meta:meta])* $name:ident, $ty:expr) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name {
            /// Transaction id.
            pub xid: u32,
            /// `OFPC_FRAG_*`.
            pub flags: u16,
            /// Bytes of each packet that goes to the controller for want of a `max_len` in an action.
            pub miss_send_len: u16,
        }

        impl $name {
            /// Reads one whole message.
            ///
            /// # Errors
            /// When the header is not this message's, or the length is not its length.
            pub fn parse(msg: &[u8]) -> Result<Self, DecodeError> {
                let start = start(stringify!($name), $ty);
                let (b, rest) = start.split::<12>(msg)?;
                start.nothing_after(rest, 12)?;
                Ok(Self { xid: get32(b, 4), flags: get16(b, 8), miss_send_len: get16(b, 10) })
            }
        }

        impl Encode for $name {
            fn wire_len(&self) -> usize {
                12
            }

            fn write(&self, buf: &mut [u8]) {
                let mut w = Writer::new(buf);
                let b = w.fixed::<12>(VERSION, $ty.0, self.xid);
                put16(b, 8, self.flags);
                put16(b, 10, self.miss_send_len);
                w.finish();
            }
        }
    };
}

/// `BarrierRequest` and `BarrierReply` of a version's module.
macro_rules! barrier_messages {
    ($section:literal) => {
        header_only! {
            #[doc = concat!("`OFPT_BARRIER_REQUEST` (", $section, ").")]
            BarrierRequest, VERSION, MsgType::OFPT_BARRIER_REQUEST
        }

        header_only! {
            #[doc = concat!("`OFPT_BARRIER_REPLY` (", $section, ").")]
            BarrierReply, VERSION, MsgType::OFPT_BARRIER_REPLY
        }
    };
}

/// `PortReason` and `PortStatus` of a version's module, with its `Port`.
macro_rules! port_status_message {
    ($section:literal) => {
        ferroflow_wire::open_enum! {
            #[doc = concat!("`ofp_port_reason` (", $section, ").")]
            pub PortReason(u8) { OFPPR_ADD = 0, OFPPR_DELETE = 1, OFPPR_MODIFY = 2 }
        }

        #[doc = concat!("`OFPT_PORT_STATUS`: a switch port came, went or changed (", $section, ").")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct PortStatus {
            /// Transaction id.
            pub xid: u32,
            /// What happened.
            pub reason: PortReason,
            /// The port.
            pub desc: Port,
        }

        impl PortStatus {
            /// Length on the wire in bytes.
            pub const LEN: usize = 16 + Port::LEN;

            /// Reads one whole message.
            ///
            /// # Errors
            /// When the header is not this message's, or the length is not its length.
            pub fn parse(msg: &[u8]) -> Result<Self, DecodeError> {
                let start = start("PortStatus", MsgType::OFPT_PORT_STATUS);
                let (b, rest) = start.split::<{ Self::LEN }>(msg)?;
                start.nothing_after(rest, Self::LEN)?;
                Ok(Self { xid: get32(b, 4), reason: PortReason(b[8]), desc: Port::read(b, 16) })
            }
        }

        impl Encode for PortStatus {
            fn wire_len(&self) -> usize {
                Self::LEN
            }

            fn write(&self, buf: &mut [u8]) {
                let mut w = Writer::new(buf);
                let b = w.fixed::<{ Self::LEN }>(VERSION, MsgType::OFPT_PORT_STATUS.0, self.xid);
                b[8] = self.reason.0;
                self.desc.fill(b, 16);
                w.finish();
            }
        }
    };
}

/// `PacketOut` of a version's module: the type of its ports and how it is written, and its fixed part's length.
macro_rules! packet_out_message {
    ($section:literal, $no_port:literal, $port:ident, $put:ident, $len:literal) => {
        #[doc = concat!("`OFPT_PACKET_OUT`: a packet for the switch to send (", $section, ").")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct PacketOut<'a, A = Actions<'a>> {
            /// Transaction id.
            pub xid: u32,
            /// The switch's buffer with the packet, or `OFP_NO_BUFFER` when `data` has it.
            pub buffer_id: u32,
            #[doc = concat!("The packet's input switch port, or `", $no_port, "`.")]
            pub in_port: $port,
            /// What to do with the packet; nothing drops it.
            pub actions: A,
            /// The packet, for `OFP_NO_BUFFER` only.
            pub data: &'a [u8],
        }

        impl<'a, A> PacketOut<'a, A> {
            /// Sends `data`.
            pub const fn of_data(in_port: $port, actions: A, data: &'a [u8]) -> Self {
                Self { xid: 0, buffer_id: OFP_NO_BUFFER, in_port, actions, data }
            }

            /// Sends the packet in the switch's buffer.
            pub const fn of_buffer(in_port: $port, actions: A, buffer_id: u32) -> Self {
                Self { xid: 0, buffer_id, in_port, actions, data: &[] }
            }
        }

        impl<A: Clone + IntoIterator<Item: ActionItem>> Encode for PacketOut<'_, A> {
            #[inline]
            fn wire_len(&self) -> usize {
                $len + list_len(&self.actions) + self.data.len()
            }

            #[inline]
            fn write(&self, buf: &mut [u8]) {
                let mut w = Writer::new(buf);
                let b = w.fixed::<$len>(VERSION, MsgType::OFPT_PACKET_OUT.0, self.xid);
                put32(b, 8, self.buffer_id);
                $put(b, 12, self.in_port);
                let actions_len = write_list(&self.actions, &mut w);
                // Behind the port.
                w.patch16(12 + size_of::<$port>(), actions_len as u16);
                w.bytes(self.data);
                w.finish();
            }
        }
    };
}

/// How [`packet_out_message!`]'s is read.
macro_rules! packet_out_parser {
    ($port:ident, $get:ident, $len:literal) => {
        /// Where `actions_len` is: after the port.
        const ACTIONS_LEN: usize = 12 + size_of::<$port>();

        impl<'a> PacketOut<'a> {
            /// Reads one whole message.
            ///
            /// # Errors
            /// When the header is not this message's, or an action's length is wrong.
            pub fn parse(msg: &'a [u8]) -> Result<Self, DecodeError> {
                let (b, rest) = start("PacketOut", MsgType::OFPT_PACKET_OUT).split::<$len>(msg)?;
                let actions_len = usize::from(get16(b, ACTIONS_LEN));
                let Some((actions, data)) = rest.split_at_checked(actions_len) else {
                    let fault = Fault::length("actions_len", ACTIONS_LEN, actions_len, ErrorCode::BAD_LEN);
                    return Err(fault.in_message("PacketOut", 0));
                };
                Ok(Self {
                    xid: get32(b, 4),
                    buffer_id: get32(b, 8),
                    in_port: $get(b, 12),
                    actions: Actions::check(actions, "PacketOut", $len)?,
                    data,
                })
            }
        }
    };
}

/// `PacketIn` of a version's module since 1.2: its fixed part's length, and where the cookie is, which 1.2 has not.
macro_rules! packet_in_message {
    ($section:literal, $len:literal $(, $cookie:ident at $at:literal)?) => {
        #[doc = concat!("`OFPT_PACKET_IN`: a packet, or its beginning, for the controller (", $section, ").")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct PacketIn<'a, M = Match<'a>> {
            /// Transaction id.
            pub xid: u32,
            /// The switch's buffer with the packet, or `OFP_NO_BUFFER`.
            pub buffer_id: u32,
            /// Length of the whole packet in bytes.
            pub total_len: u16,
            /// Why it was sent.
            pub reason: PacketInReason,
            /// The table that sent it.
            pub table_id: u8,
            $(
                /// The cookie of the flow that sent it, or all ones.
                pub $cookie: u64,
            )?
            /// The packet's metadata, its input port first of all.
            pub matching: M,
            /// The packet from its Ethernet header on.
            pub data: &'a [u8],
        }

        impl<'a> PacketIn<'a> {
            /// Reads one whole message.
            ///
            /// # Errors
            /// When the header is not this message's, or the match is malformed.
            #[inline]
            pub fn parse(msg: &'a [u8]) -> Result<Self, DecodeError> {
                let (b, rest) = start("PacketIn", MsgType::OFPT_PACKET_IN).split::<$len>(msg)?;
                let (matching, rest) = Match::split(rest, "PacketIn", $len)?;
                // Two bytes of padding bring the packet's IP header to a multiple of 4.
                let Some((_, data)) = rest.split_first_chunk::<2>() else {
                    let fault = Fault::truncated("pad", 2, rest.len(), ErrorCode::BAD_LEN);
                    return Err(fault.in_message("PacketIn", msg.len() - rest.len()));
                };
                Ok(Self {
                    xid: get32(b, 4),
                    buffer_id: get32(b, 8),
                    total_len: get16(b, 12),
                    reason: PacketInReason(b[14]),
                    table_id: b[15],
                    $($cookie: get64(b, $at),)?
                    matching,
                    data,
                })
            }

            /// The switch port that the packet came in on, which the standard requires to be there.
            #[inline]
            pub fn in_port(&self) -> Option<u32> {
                self.matching.in_port()
            }
        }

        impl<M> PacketIn<'_, M> {
            /// Whether the message carries less than the whole packet.
            pub const fn is_truncated(&self) -> bool {
                self.data.len() < self.total_len as usize
            }
        }

        impl<M: Clone + IntoIterator<Item: OxmItem>> Encode for PacketIn<'_, M> {
            #[inline]
            fn wire_len(&self) -> usize {
                $len + match_len(&self.matching) + 2 + self.data.len()
            }

            #[inline]
            fn write(&self, buf: &mut [u8]) {
                let mut w = Writer::new(buf);
                let b = w.fixed::<$len>(VERSION, MsgType::OFPT_PACKET_IN.0, self.xid);
                put32(b, 8, self.buffer_id);
                put16(b, 12, self.total_len);
                b[14] = self.reason.0;
                b[15] = self.table_id;
                $(put64(b, $at, self.$cookie);)?
                write_match(&self.matching, &mut w);
                w.zeros(2);
                w.bytes(self.data);
                w.finish();
            }
        }
    };
}

/// `FlowMod` of a version's module since 1.2: where the importance is, which it has since 1.4.
macro_rules! flow_mod_message {
    ($section:literal $(, $importance:ident at $at:literal)?) => {
        #[doc = concat!("`OFPT_FLOW_MOD`: add, change or delete flows (", $section, ").")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct FlowMod<M, I> {
            /// Transaction id.
            pub xid: u32,
            /// The controller's own identifier of the flow.
            pub cookie: u64,
            /// For changes and deletes: only flows whose cookie agrees with `cookie` in these bits. 0 for all.
            pub cookie_mask: u64,
            /// The table; `OFPTT_ALL` for deletes from all.
            pub table_id: u8,
            /// What to do.
            pub command: FlowModCommand,
            /// Seconds without a packet until the flow goes; 0 for never.
            pub idle_timeout: u16,
            /// Seconds until the flow goes; 0 for never.
            pub hard_timeout: u16,
            /// Higher wins.
            pub priority: u16,
            /// Buffered packet to apply the flow to, or `OFP_NO_BUFFER`.
            pub buffer_id: u32,
            /// For deletes: only flows that output here; `OFPP_ANY` for all.
            pub out_port: u32,
            /// For deletes: only flows that use this group; `OFPG_ANY` for all.
            pub out_group: u32,
            /// `OFPFF_*`.
            pub flags: u16,
            $(
                /// The lower, the earlier is the flow evicted from a full table.
                pub $importance: u16,
            )?
            /// Which packets: OXM fields, a field's prerequisites before it.
            pub matching: M,
            /// What to do with the packets; nothing drops them.
            pub instructions: I,
        }

        impl<M, I> FlowMod<M, I> {
            /// Adds a flow of default priority to table 0, without time-outs. Change fields as needed:
            /// `FlowMod { priority: 10, ..FlowMod::new(matching, instructions) }`.
            #[inline]
            pub const fn new(matching: M, instructions: I) -> Self {
                Self {
                    xid: 0,
                    cookie: 0,
                    cookie_mask: 0,
                    table_id: 0,
                    command: FlowModCommand::OFPFC_ADD,
                    idle_timeout: 0,
                    hard_timeout: 0,
                    priority: OFP_DEFAULT_PRIORITY,
                    buffer_id: OFP_NO_BUFFER,
                    out_port: OFPP_ANY,
                    out_group: OFPG_ANY,
                    flags: 0,
                    $($importance: 0,)?
                    matching,
                    instructions,
                }
            }
        }

        impl<M, I> Encode for FlowMod<M, I>
        where
            M: Clone + IntoIterator<Item: OxmItem>,
            I: Clone + IntoIterator<Item: InstructionItem>,
        {
            #[inline]
            fn wire_len(&self) -> usize {
                48 + match_len(&self.matching) + list_len(&self.instructions)
            }

            #[inline]
            fn write(&self, buf: &mut [u8]) {
                let mut w = Writer::new(buf);
                let b = w.fixed::<48>(VERSION, MsgType::OFPT_FLOW_MOD.0, self.xid);
                put64(b, 8, self.cookie);
                put64(b, 16, self.cookie_mask);
                b[24] = self.table_id;
                b[25] = self.command.0;
                put16(b, 26, self.idle_timeout);
                put16(b, 28, self.hard_timeout);
                put16(b, 30, self.priority);
                put32(b, 32, self.buffer_id);
                put32(b, 36, self.out_port);
                put32(b, 40, self.out_group);
                put16(b, 44, self.flags);
                $(put16(b, $at, self.$importance);)?
                write_match(&self.matching, &mut w);
                write_list(&self.instructions, &mut w);
                w.finish();
            }
        }
    };
}
