use super::{HandshakeError, Outgoing, header, only};
use crate::MessageType;

/// What a switch waits for, by the names and numbers of POFSwitch (WIRE.md 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SwitchState {
    /// Nothing: there is no connection, or it is broken.
    Invalid = 0,
    /// The connection.
    Connecting = 1,
    /// To send HELLO.
    Connected = 2,
    /// The controller's HELLO.
    Hello = 3,
    /// FEATURES_REQUEST.
    RequestFeature = 4,
    /// SET_CONFIG.
    SetConfig = 5,
    /// GET_CONFIG_REQUEST.
    RequestGetConfig = 6,
    /// Anything.
    Run = 7,
}

impl SwitchState {
    /// Its name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Invalid => "INVALID",
            Self::Connecting => "CONNECTING",
            Self::Connected => "CONNECTED",
            Self::Hello => "HELLO",
            Self::RequestFeature => "REQUEST_FEATURE",
            Self::SetConfig => "SET_CONFIG",
            Self::RequestGetConfig => "REQUEST_GET_CONFIG",
            Self::Run => "RUN",
        }
    }
}

/// What a switch is to do with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SwitchStep {
    /// HELLO: forget all tables, groups, meters and counters, and disable all ports.
    Forget,
    /// FEATURES_REQUEST: send FEATURES_REPLY, in profiles with slots one for each.
    SendFeatures {
        /// The request's xid.
        xid: u32,
    },
    /// SET_CONFIG: take the configuration over.
    Configure,
    /// GET_CONFIG_REQUEST: send GET_CONFIG_REPLY, then RESOURCE_REPORT (one for each slot), then PORT_STATUS with
    /// reason ADD for every port; and read on after [`RUN_DELAY_MS`](crate::RUN_DELAY_MS).
    SendReports {
        /// The request's xid.
        xid: u32,
    },
    /// Any message in RUN: act on it.
    Act,
}

/// The switch's end of the handshake.
#[derive(Debug, Clone)]
pub struct SwitchHandshake {
    state: SwitchState,
}

impl SwitchHandshake {
    /// Of a connection to come. The order is the same in every profile.
    pub const fn new() -> Self {
        Self { state: SwitchState::Connecting }
    }

    /// What is waited for.
    pub const fn state(&self) -> SwitchState {
        self.state
    }

    /// The connection stands. What is returned is to be sent: a HELLO.
    pub fn connected(&mut self) -> Outgoing {
        self.state = SwitchState::Hello;
        Outgoing::default().push(MessageType::HELLO, 0, &[])
    }

    /// Takes one whole message of the controller, and says what to do.
    ///
    /// # Errors
    /// When it is not the message whose turn it is: the connection is to be closed, and made again later.
    pub fn receive(&mut self, msg: &[u8]) -> Result<SwitchStep, HandshakeError> {
        let step = self.next(msg);
        if step.is_err() && self.state != SwitchState::Run {
            self.state = SwitchState::Invalid;
        }
        step
    }

    fn next(&mut self, msg: &[u8]) -> Result<SwitchStep, HandshakeError> {
        let (found, xid) = header(msg)?;
        let (expected, next, step) = match self.state {
            SwitchState::Run => return Ok(SwitchStep::Act),
            SwitchState::RequestFeature => {
                (MessageType::FEATURES_REQUEST, SwitchState::SetConfig, SwitchStep::SendFeatures { xid })
            }
            SwitchState::SetConfig => {
                (MessageType::SET_CONFIG, SwitchState::RequestGetConfig, SwitchStep::Configure)
            }
            SwitchState::RequestGetConfig => {
                (MessageType::GET_CONFIG_REQUEST, SwitchState::Run, SwitchStep::SendReports { xid })
            }
            _ => (MessageType::HELLO, SwitchState::RequestFeature, SwitchStep::Forget),
        };
        only(expected, self.state.name(), found)?;
        self.state = next;
        Ok(step)
    }
}

impl Default for SwitchHandshake {
    fn default() -> Self {
        Self::new()
    }
}
