//! Flows and their removal.

use super::{Action, Actions, Match, PortNo};

/// A flow that an app wants in a switch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// Its table; 1.0 has table 0 only.
    pub table: u8,
    /// Its rank within the app's band of priorities, from 1.
    pub priority: u16,
    /// Which packets.
    pub matching: Match,
    /// What is done with them; none = dropped.
    pub actions: Actions,
    /// The table that goes on with the packet afterwards. 1.0 has none.
    pub goto_table: Option<u8>,
    /// Removed after so many seconds without a packet; 0 = never.
    pub idle_timeout_s: u16,
    /// Removed after so many seconds; 0 = never.
    pub hard_timeout_s: u16,
    /// The app's own 47 bits; they come back in [`crate::FlowRemoved`].
    pub cookie: u64,
    /// Tell the app when the flow is removed.
    pub notify: bool,
}

impl Flow {
    /// A flow of table 0 that matches everything and drops it, of this `priority` within the app's band.
    #[inline]
    pub const fn new(priority: u16) -> Flow {
        Flow {
            table: 0,
            priority,
            matching: Match::ALL,
            actions: Actions::drop(),
            goto_table: None,
            idle_timeout_s: 0,
            hard_timeout_s: 0,
            cookie: 0,
            notify: false,
        }
    }

    /// For these packets.
    #[inline]
    pub fn matching(mut self, matching: Match) -> Flow {
        self.matching = matching;
        self
    }

    /// Sends them out of `port`, after what is done already.
    #[inline]
    pub fn output(self, port: PortNo) -> Flow {
        self.action(Action::Output(port))
    }

    /// Does this too.
    #[inline]
    pub fn action(mut self, action: Action) -> Flow {
        self.actions.push(action);
        self
    }

    /// In this table.
    #[inline]
    pub fn table(mut self, table: u8) -> Flow {
        self.table = table;
        self
    }

    /// And on to this table.
    #[inline]
    pub fn goto_table(mut self, table: u8) -> Flow {
        self.goto_table = Some(table);
        self
    }

    /// Removed after `s` seconds without a packet.
    #[inline]
    pub fn idle_timeout_s(mut self, s: u16) -> Flow {
        self.idle_timeout_s = s;
        self
    }

    /// Removed after `s` seconds.
    #[inline]
    pub fn hard_timeout_s(mut self, s: u16) -> Flow {
        self.hard_timeout_s = s;
        self
    }

    /// With this cookie (the low 47 bits are kept).
    #[inline]
    pub fn cookie(mut self, cookie: u64) -> Flow {
        self.cookie = cookie;
        self
    }

    /// The app is told when it is removed.
    #[inline]
    pub fn notify(mut self) -> Flow {
        self.notify = true;
        self
    }
}

/// Which of its own flows an app wants removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delete {
    /// Flows that are covered by this.
    pub matching: Match,
    /// Only of this table; `None` = of all.
    pub table: Option<u8>,
    /// Only those that send out of this port.
    pub out_port: Option<PortNo>,
    /// Only the one flow with exactly this match and this priority within the app's band.
    pub strict: Option<u16>,
}

impl Delete {
    /// All flows that `matching` covers, in every table.
    pub const fn covered_by(matching: Match) -> Delete {
        Delete { matching, table: None, out_port: None, strict: None }
    }

    /// All flows that send out of `port`.
    pub const fn towards(port: PortNo) -> Delete {
        Delete { matching: Match::ALL, table: None, out_port: Some(port), strict: None }
    }

    /// The one flow that [`Flow`] describes, if it is there.
    pub const fn exactly(flow: &Flow) -> Delete {
        Delete {
            matching: flow.matching,
            table: Some(flow.table),
            out_port: None,
            strict: Some(flow.priority),
        }
    }
}

impl From<Match> for Delete {
    fn from(matching: Match) -> Delete {
        Delete::covered_by(matching)
    }
}
