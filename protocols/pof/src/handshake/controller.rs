use super::{HandshakeError, Outgoing, header, only};
use crate::{Body, Message, MessageType, Profile, SwitchConfigFlags};

/// What a controller waits for. The names are those of the switch's states that it answers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ControllerState {
    /// No connection yet.
    Connecting,
    /// The switch's HELLO.
    Hello,
    /// The first FEATURES_REPLY.
    RequestFeature,
    /// GET_CONFIG_REPLY, or a further slot's FEATURES_REPLY.
    RequestGetConfig,
    /// RESOURCE_REPORTs.
    Resources {
        /// How many are to come.
        left: u32,
    },
    /// PORT_STATUS of the ports there are.
    Ports {
        /// How many are to come, by the FEATURES_REPLYs. The switch's first ECHO_REQUEST ends them too.
        left: u32,
    },
    /// Nothing: the switch is ready.
    Run,
}

impl ControllerState {
    /// Its name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connecting => "CONNECTING",
            Self::Hello => "HELLO",
            Self::RequestFeature => "REQUEST_FEATURE",
            Self::RequestGetConfig => "REQUEST_GET_CONFIG",
            Self::Resources { .. } => "RESOURCES",
            Self::Ports { .. } => "PORTS",
            Self::Run => "RUN",
        }
    }

    /// The message whose turn it is for the switch.
    const fn expected(self) -> MessageType {
        match self {
            Self::Connecting | Self::Hello => MessageType::HELLO,
            Self::RequestFeature => MessageType::FEATURES_REPLY,
            Self::RequestGetConfig => MessageType::GET_CONFIG_REPLY,
            Self::Resources { .. } => MessageType::RESOURCE_REPORT,
            Self::Ports { .. } | Self::Run => MessageType::PORT_STATUS,
        }
    }
}

/// The controller's end of the handshake.
#[derive(Debug, Clone)]
pub struct ControllerHandshake {
    profile: Profile,
    state: ControllerState,
    next_xid: u32,
    flags: SwitchConfigFlags,
    miss_send_len: u16,
    slots: u32,
    ports: u32,
}

impl ControllerHandshake {
    /// Of a connection to come. The handshake's requests take xids from `first_xid` on.
    pub const fn new(profile: Profile, first_xid: u32) -> Self {
        Self {
            profile,
            state: ControllerState::Connecting,
            next_xid: first_xid,
            flags: SwitchConfigFlags::FRAG_NORMAL,
            miss_send_len: 0xffff,
            slots: 0,
            ports: 0,
        }
    }

    /// What SET_CONFIG says; without this: FRAG_NORMAL and 0xffff, as POFController does.
    #[must_use]
    pub const fn with_config(mut self, flags: SwitchConfigFlags, miss_send_len: u16) -> Self {
        self.flags = flags;
        self.miss_send_len = miss_send_len;
        self
    }

    /// What is waited for.
    pub const fn state(&self) -> ControllerState {
        self.state
    }

    /// Whether the switch reads anything now.
    pub fn is_ready(&self) -> bool {
        self.state == ControllerState::Run
    }

    /// The xid that the next request may take.
    pub const fn next_xid(&self) -> u32 {
        self.next_xid
    }

    /// The switch has connected. What is returned is to be sent: a HELLO.
    pub fn connected(&mut self) -> Outgoing {
        self.state = ControllerState::Hello;
        Outgoing::default().push(MessageType::HELLO, 0, &[])
    }

    /// Takes one whole message of the switch. What is returned is to be sent.
    ///
    /// A message that answers nothing, such as an ERROR at any time, or any message once the switch is ready, passes:
    /// what it says is the caller's to act on.
    ///
    /// # Errors
    /// When it is not the message whose turn it is: the connection is to be closed. Also when a FEATURES_REPLY cannot
    /// be read.
    pub fn receive(&mut self, msg: &[u8]) -> Result<Outgoing, HandshakeError> {
        let (ty, _) = header(msg)?;
        if self.is_ready() || ty == MessageType::ERROR {
            return Ok(Outgoing::default());
        }
        match self.state {
            // WIRE.md 3: a switch sends ECHO_REQUESTs in RUN only, so it has told all its ports.
            ControllerState::Ports { .. } if ty == MessageType::ECHO_REQUEST => {
                self.state = ControllerState::Run;
            }
            ControllerState::RequestGetConfig
                if ty == MessageType::FEATURES_REPLY && self.profile.has_slots() =>
            {
                self.features(msg)?;
            }
            state => {
                only(state.expected(), state.name(), ty)?;
                return self.advance(msg);
            }
        }
        Ok(Outgoing::default())
    }

    /// Whether `ty` may be sent now: in the handshake the switch takes nothing but what [`receive`](Self::receive)
    /// returns, and hangs up on anything else.
    ///
    /// # Errors
    /// When it may not.
    pub fn may_send(&self, ty: MessageType) -> Result<(), HandshakeError> {
        if self.is_ready() {
            return Ok(());
        }
        Err(HandshakeError::Order { state: self.state.name(), expected: self.state.expected(), found: ty })
    }

    /// The message whose turn it was has come.
    fn advance(&mut self, msg: &[u8]) -> Result<Outgoing, HandshakeError> {
        let mut out = Outgoing::default();
        self.state = match self.state {
            ControllerState::Hello => {
                let xid = self.take_xid();
                out = out.push(MessageType::FEATURES_REQUEST, xid, &[]);
                ControllerState::RequestFeature
            }
            ControllerState::RequestFeature => {
                let dev_id = self.features(msg)?;
                out = self.configure(dev_id);
                ControllerState::RequestGetConfig
            }
            ControllerState::RequestGetConfig => ControllerState::Resources { left: self.slots },
            ControllerState::Resources { left: left @ 2.. } => ControllerState::Resources { left: left - 1 },
            ControllerState::Resources { .. } if self.ports == 0 => ControllerState::Run,
            ControllerState::Resources { .. } => ControllerState::Ports { left: self.ports },
            ControllerState::Ports { left: left @ 2.. } => ControllerState::Ports { left: left - 1 },
            ControllerState::Ports { .. } => ControllerState::Run,
            state @ (ControllerState::Connecting | ControllerState::Run) => state,
        };
        Ok(out)
    }

    /// Counts a FEATURES_REPLY's slot and ports, and says the device's id.
    fn features(&mut self, msg: &[u8]) -> Result<u32, HandshakeError> {
        match Message::decode(self.profile, msg)?.body {
            Body::FeaturesReply(features) => {
                self.slots = self.slots.saturating_add(1);
                self.ports = self.ports.saturating_add(features.port_num.into());
                Ok(features.dev_id)
            }
            _ => {
                Err(HandshakeError::NotKnown { message: MessageType::FEATURES_REPLY, profile: self.profile })
            }
        }
    }

    /// SET_CONFIG, and nothing but GET_CONFIG_REQUEST after it.
    fn configure(&mut self, dev_id: u32) -> Outgoing {
        let mut body = [0; 8];
        body[..4].copy_from_slice(&dev_id.to_be_bytes());
        body[4..6].copy_from_slice(&self.flags.0.to_be_bytes());
        body[6..].copy_from_slice(&self.miss_send_len.to_be_bytes());
        // WIRE.md 4, switch config: the device id is 1.4.0's.
        let body = if self.profile.has_slots() { &body[..] } else { &body[4..] };
        let (set, get) = (self.take_xid(), self.take_xid());
        Outgoing::default().push(MessageType::SET_CONFIG, set, body).push(
            MessageType::GET_CONFIG_REQUEST,
            get,
            &[],
        )
    }

    fn take_xid(&mut self) -> u32 {
        let xid = self.next_xid;
        self.next_xid = xid.wrapping_add(1);
        xid
    }
}
