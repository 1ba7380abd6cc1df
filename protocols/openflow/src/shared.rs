//! Messages that 1.0 and 1.3 have in the same form, or with switch ports of another width alone.

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

/// `PacketOut` of a version's module: the type of its ports and how it is read and written, and its fixed part's length.
macro_rules! packet_out_message {
    ($section:literal, $no_port:literal, $port:ident, $get:ident, $put:ident, $len:literal) => {
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

        const LEN: usize = $len;
        /// Where `actions_len` is: after the port.
        const ACTIONS_LEN: usize = 12 + size_of::<$port>();

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

        impl<'a> PacketOut<'a> {
            /// Reads one whole message.
            ///
            /// # Errors
            /// When the header is not this message's, or an action's length is wrong.
            pub fn parse(msg: &'a [u8]) -> Result<Self, DecodeError> {
                let (b, rest) = start("PacketOut", MsgType::OFPT_PACKET_OUT).split::<LEN>(msg)?;
                let actions_len = usize::from(get16(b, ACTIONS_LEN));
                let Some((actions, data)) = rest.split_at_checked(actions_len) else {
                    let fault = Fault::length("actions_len", ACTIONS_LEN, actions_len, ErrorCode::BAD_LEN);
                    return Err(fault.in_message("PacketOut", 0));
                };
                Ok(Self {
                    xid: get32(b, 4),
                    buffer_id: get32(b, 8),
                    in_port: $get(b, 12),
                    actions: Actions::check(actions, "PacketOut", LEN)?,
                    data,
                })
            }
        }

        impl<A: Clone + IntoIterator<Item: ActionItem>> Encode for PacketOut<'_, A> {
            #[inline]
            fn wire_len(&self) -> usize {
                LEN + list_len(&self.actions) + self.data.len()
            }

            #[inline]
            fn write(&self, buf: &mut [u8]) {
                let mut w = Writer::new(buf);
                let b = w.fixed::<LEN>(VERSION, MsgType::OFPT_PACKET_OUT.0, self.xid);
                put32(b, 8, self.buffer_id);
                $put(b, 12, self.in_port);
                let actions_len = write_list(&self.actions, &mut w);
                w.patch16(ACTIONS_LEN, actions_len as u16);
                w.bytes(self.data);
                w.finish();
            }
        }
    };
}
