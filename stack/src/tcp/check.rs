//! What always holds of a connection, for tests that do to it what they like.

use super::tcb::{AckDue, State, Tcb};

/// The least that a segment can carry: the smallest MSS less the options that every segment may have.
const LEAST_MSS: u32 = super::tcb::MIN_MSS - super::tcb::TIMESTAMPS_LEN;

impl Tcb {
    /// Looks for what cannot be. `settled`: it has sent all it may, so its timers must be set.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn check(&self, settled: bool) -> Result<(), &'static str> {
        if self.over.is_some() || self.state == State::Drained {
            return Ok(());
        }
        self.check_send()?;
        self.check_receive()?;
        if settled { self.check_timers() } else { Ok(()) }
    }

    fn check_send(&self) -> Result<(), &'static str> {
        let snd = &self.snd;
        holds(snd.una.le(snd.nxt) && snd.nxt.le(snd.max), "SND.UNA, SND.NXT and SND.MAX are out of order")?;
        holds(snd.mss >= LEAST_MSS, "the MSS leaves no room for text")?;
        holds(self.cc.cwnd() > 0, "the congestion window is closed")?;
        if !self.state.is_synchronized() {
            return holds(
                snd.una == snd.iss && (snd.max - snd.iss) <= 1,
                "more than a SYN before the handshake",
            );
        }
        let end = self.tx_end() + u32::from(self.fin_open());
        holds(snd.max.le(end), "more was sent than written")?;
        holds(self.sent.is_empty() == (snd.una == snd.nxt), "the scoreboard knows of nothing in flight")?;
        holds(
            self.sent.is_empty() || self.sent.pipe() <= self.flight(),
            "more in the network than in flight",
        )?;
        holds(self.tx.len() <= self.tx.limit(), "more is written than the limit allows")?;
        #[cfg(debug_assertions)]
        self.sent.check();
        Ok(())
    }

    fn check_receive(&self) -> Result<(), &'static str> {
        if !self.state.is_synchronized() {
            return Ok(());
        }
        let (rcv, rx) = (&self.rcv, &self.rx);
        holds(rcv.nxt.le(rcv.adv), "received beyond the window")?;
        let wnd = self.rcv_wnd() as usize;
        holds(wnd + rx.len() <= rx.limit(), "the window is larger than the buffer")?;
        holds(rx.end().is_none_or(|end| end.le(rcv.adv)), "text is kept from beyond the window")?;
        holds(rx.end().is_none_or(|end| end.gt(rcv.nxt)), "text is kept apart that is in order")?;
        holds(rx.out_of_order() <= wnd, "more is kept apart than the window allows")?;
        let Some(fin) = rcv.fin else { return Ok(()) };
        holds(rcv.nxt.le(fin + 1) && rx.end().is_none_or(|end| end.le(fin)), "text from behind the FIN")
    }

    fn check_timers(&self) -> Result<(), &'static str> {
        let d = &self.deadlines;
        holds(self.scheduled <= self.deadline(), "the timer wheel does not know of a deadline")?;
        let awaits = self.snd.una != self.snd.max || !self.state.is_synchronized();
        holds(!awaits || d.retransmit.is_some(), "unacknowledged, and no retransmission timer")?;
        let unsent = self.tx_end().gt(self.snd.nxt) || (self.fin_open() && self.snd.nxt.le(self.tx_end()));
        let waits = self.state.is_synchronized() && unsent;
        holds(!waits || d.retransmit.is_some() || self.pace_waits, "unsent, and no timer")?;
        holds(!matches!(self.ack, AckDue::Now(_)) || self.next_hop.is_none(), "an ACK is due")?;
        holds(
            self.state.is_synchronized() || d.give_up.is_some() || self.active,
            "a handshake that lasts for ever",
        )?;
        holds(!self.service_done || d.give_up.is_some(), "closed, and no end in sight")
    }
}

fn holds(what: bool, or: &'static str) -> Result<(), &'static str> {
    if what { Ok(()) } else { Err(or) }
}
