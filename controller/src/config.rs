//! Settings, with the reason for each default.

use std::time::Duration;

use ferroflow_openflow::{Version, VersionBitmap};

/// What can be set on a controller.
#[derive(Debug, Clone)]
pub struct Config {
    /// TCP ports to listen on. 6653 is OpenFlow's own; 6633 is what older switches and cbench use.
    pub listen: Vec<u16>,
    /// Versions to speak: 1.0 and 1.3.
    pub versions: VersionBitmap,
    /// A session from which nothing was heard for so long is closed. 15 s: three times what Open vSwitch waits
    /// before it asks, and longer than any benchmark's loop.
    pub echo_timeout: Duration,
    /// A session that is silent for so long is sent an echo request: a third of the time-out, so that one lost
    /// answer costs nothing.
    pub echo_interval: Duration,
    /// How long a session may take from accept to features_reply: 10 s, far more than a loaded switch needs.
    pub ready_timeout: Duration,
    /// How long an old session has to answer when its datapath connects again: 1 s.
    pub probe_timeout: Duration,
    /// How long reading pauses for a switch that does not read: 1 s, after which packet_outs are dropped.
    pub pause_max: Duration,
    /// How long a request may wait for its reply: 10 s.
    pub request_timeout: Duration,
    /// How often [`crate::App::tick`] is called: once a second.
    pub tick: Duration,
    /// Sessions per core: 16,384, some hundred MiB of buffers when all of them are busy.
    pub max_sessions: usize,
    /// Sessions per core that are not ready yet: 4,096, so that a storm of half-done handshakes is bounded and a
    /// whole network can still come back at once.
    pub max_unready: usize,
    /// Of these, from one address: 2,048, since load generators and labs connect a thousand switches from one.
    pub max_unready_per_address: usize,
    /// Open requests per session: 1,024.
    pub max_requests: usize,
    /// Flows remembered per session where the protocol cannot tell whose they are: 65,536 (4 MiB).
    pub max_remembered_flows: usize,
    /// Commands for other datapaths that may wait, per core: 4,096.
    pub max_commands: usize,
    /// Messages that may be on the way from one core to another: 1,024.
    pub mail_capacity: usize,
    /// Unreadable messages after which a session is closed: 100. One or two are a switch's bug, a hundred are noise. A
    /// minute without one starts the count again; messages of unknown types do not count.
    pub max_malformed: u32,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            listen: vec![6653, 6633],
            versions: VersionBitmap::of(&[Version::V1_0, Version::V1_3]),
            echo_timeout: Duration::from_secs(15),
            echo_interval: Duration::from_secs(5),
            ready_timeout: Duration::from_secs(10),
            probe_timeout: Duration::from_secs(1),
            pause_max: Duration::from_secs(1),
            request_timeout: Duration::from_secs(10),
            tick: Duration::from_secs(1),
            max_sessions: 16_384,
            max_unready: 4_096,
            max_unready_per_address: 2_048,
            max_requests: 1_024,
            max_remembered_flows: 65_536,
            max_commands: 4_096,
            mail_capacity: 1_024,
            max_malformed: 100,
        }
    }
}
