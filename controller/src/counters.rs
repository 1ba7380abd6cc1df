//! What a core counts.

use std::collections::BTreeMap;

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// One core's counters; each only grows.
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct Counters {
            $($(#[$doc])* pub $name: u64,)*
            errors: BTreeMap<(&'static str, &'static str), u64>,
        }

        impl Counters {
            /// Every counter by name.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
                [$((stringify!($name), self.$name)),*].into_iter()
            }
        }
    };
}

counters! {
    /// Connections accepted.
    accepted,
    /// Connections refused because too many were unready, in all.
    refused_unready,
    /// Connections refused because too many from their address were unready.
    refused_unready_address,
    /// Connections refused because the table of sessions was full.
    refused_sessions,
    /// Connections refused because too many letters waited for another core.
    refused_backlog,
    /// Connections closed because they were not ready in time.
    closed_unready,
    /// Connections closed because nothing was heard in time.
    closed_silent,
    /// Connections closed because no version is spoken by both.
    closed_incompatible,
    /// Connections closed because the stream could not be followed (an impossible length).
    closed_unsplittable,
    /// Connections closed because a message had another version than was agreed.
    closed_bad_version,
    /// Connections closed because too many of their messages could not be read, or came out of order.
    closed_malformed,
    /// Connections closed because their datapath is connected already, and alive.
    closed_duplicate,
    /// Connections closed because they were auxiliary ones, which are not served.
    closed_auxiliary,
    /// Old connections closed because they did not answer when their datapath connected again.
    closed_superseded,
    /// Datapaths that became ready.
    datapaths_up,
    /// Datapaths that went.
    datapaths_down,
    /// Messages received.
    messages,
    /// packet_ins received.
    packet_ins,
    /// flow_mods sent.
    flow_mods,
    /// packet_outs sent.
    packet_outs,
    /// Messages that could not be read, answered with an error.
    malformed,
    /// Messages of a type that is not known or not expected here.
    unexpected,
    /// Error messages received.
    errors_received,
    /// Errors received that say a buffer is not known: the packet is lost.
    buffer_unknown,
    /// Flows installed again without the buffer that was not known.
    reinstalled,
    /// Flows refused for an unknown buffer that were no longer remembered; the next packet asks again.
    reinstall_forgotten,
    /// packet_outs dropped because the send ring was full.
    packet_outs_dropped,
    /// flow_mods refused because the send ring was full.
    flow_mods_refused,
    /// Other messages not sent because the send ring was full.
    sends_refused,
    /// Times that reading paused because the send ring was full.
    pauses,
    /// Times that reading went on although it was still full.
    pauses_over,
    /// Truncated frames that were not sent on.
    truncated_dropped,
    /// Flows refused because another app has the same one.
    flow_conflicts,
    /// Flows refused because the memory of who owns what was full.
    flow_memory_full,
    /// Flows and requests refused because the version has no word for them.
    unsupported,
    /// Table-miss flows installed again after they were removed.
    table_miss_restored,
    /// Requests that timed out.
    request_timeouts,
    /// Requests refused because too many were open.
    requests_refused,
    /// Replies that nobody asked for, or too late.
    stray_replies,
    /// Commands for other datapaths that found no room.
    commands_refused,
    /// Events dropped because too many came of one message.
    events_dropped,
    /// Ports not remembered because their switch has too many.
    ports_ignored,
    /// Replies that failed because they were longer than is kept.
    replies_too_long,
    /// Things that an app did not take note of because its table was full (see [`crate::Dp::count_table_full`]).
    app_table_full,
    /// Panics in an app's callbacks.
    app_panics,
}

/// The most names of errors that are told apart.
const MAX_ERROR_NAMES: usize = 256;

impl Counters {
    /// Errors received, by type and code: `("OFPET_BAD_REQUEST", "OFPBRC_BUFFER_UNKNOWN")`.
    pub fn errors(&self) -> impl Iterator<Item = ((&'static str, &'static str), u64)> + '_ {
        self.errors.iter().map(|(name, n)| (*name, *n))
    }

    /// Counts a received error by its names; numbers without a name are `unknown`.
    pub(crate) fn error(&mut self, ty: Option<&'static str>, code: Option<&'static str>) {
        self.errors_received += 1;
        let name = (ty.unwrap_or("unknown"), code.unwrap_or("unknown"));
        if self.errors.len() < MAX_ERROR_NAMES || self.errors.contains_key(&name) {
            *self.errors.entry(name).or_default() += 1;
        }
    }
}
