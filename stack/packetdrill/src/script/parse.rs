//! From words to steps: the part of packetdrill's grammar that our scripts use.

use super::ParseError;
use super::ast::{Action, Call, Event, Expr, Micros, Script, Time};
use super::parse_packet;
use super::token::{Token, tokens};

/// Reads a script.
///
/// # Errors
/// The first line that cannot be read, and why.
pub fn parse(text: &str) -> Result<Script, ParseError> {
    let tokens = tokens(text)?;
    let mut p = Parser { tokens: &tokens, at: 0 };
    let mut script = Script { settings: Vec::new(), events: Vec::new() };
    while let Some(Token::Setting(name, value)) = p.peek() {
        script.settings.push((name.clone(), value.clone()));
        p.at += 1;
    }
    while p.peek().is_some() {
        script.events.push(p.event()?);
    }
    check_order(&script)?;
    Ok(script)
}

/// The first step is at 0, and absolute times do not go back.
fn check_order(script: &Script) -> Result<(), ParseError> {
    let Some(first) = script.events.first() else {
        return Err(ParseError { line: 1, what: "there are no steps".into() });
    };
    if !matches!(first.time, Time::Absolute(0) | Time::Relative(0)) {
        return Err(ParseError { line: first.line, what: "the first step must be at time 0".into() });
    }
    for pair in script.events.windows(2) {
        if let (Time::Absolute(a) | Time::AbsoluteRange(a, _), Time::Absolute(b) | Time::AbsoluteRange(b, _)) =
            (pair[0].time, pair[1].time)
            && b < a
        {
            return Err(ParseError { line: pair[1].line, what: "time goes backward".into() });
        }
    }
    Ok(())
}

pub(super) struct Parser<'a> {
    tokens: &'a [(u32, Token)],
    at: usize,
}

impl Parser<'_> {
    pub(super) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, t)| t)
    }

    fn line(&self) -> u32 {
        let at = self.at.min(self.tokens.len().saturating_sub(1));
        self.tokens.get(at).map_or(1, |(line, _)| *line)
    }

    pub(super) fn error(&self, what: impl Into<String>) -> ParseError {
        ParseError { line: self.line(), what: what.into() }
    }

    /// What was expected, and what is there.
    pub(super) fn unexpected(&self, wanted: &str) -> ParseError {
        match self.peek() {
            Some(token) => self.error(format!("expected {wanted}, found '{token}'")),
            None => self.error(format!("expected {wanted}, found the end")),
        }
    }

    pub(super) fn next(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.at += 1;
        token
    }

    /// Takes the sign if it is next.
    pub(super) fn sign(&mut self, c: char) -> bool {
        let found = self.peek() == Some(&Token::Sign(c));
        self.at += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, c: char) -> Result<(), ParseError> {
        if self.sign(c) { Ok(()) } else { Err(self.unexpected(&format!("'{c}'"))) }
    }

    /// Takes the word if it is next.
    pub(super) fn keyword(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(w)) if w == word);
        self.at += usize::from(found);
        found
    }

    pub(super) fn word(&mut self) -> Result<String, ParseError> {
        match self.peek() {
            Some(Token::Word(w)) => {
                let word = w.clone();
                self.at += 1;
                Ok(word)
            }
            _ => Err(self.unexpected("a word")),
        }
    }

    /// A number that fits `T`.
    pub(super) fn number<T: TryFrom<i64>>(&mut self) -> Result<T, ParseError> {
        let value = match self.peek() {
            Some(Token::Int(n) | Token::Hex(n)) => *n,
            _ => return Err(self.unexpected("a number")),
        };
        let value = T::try_from(value).map_err(|_| self.error(format!("{value} is out of range")))?;
        self.at += 1;
        Ok(value)
    }

    fn event(&mut self) -> Result<Event, ParseError> {
        let line = self.line();
        let time = self.time()?;
        let action = self.action()?;
        let expects = matches!(action, Action::Expect(_));
        if !expects && !matches!(time, Time::Absolute(_) | Time::Relative(_)) {
            return Err(ParseError {
                line,
                what: "only an expected packet may come at any time or in a range".into(),
            });
        }
        Ok(Event { line, time, action })
    }

    fn time(&mut self) -> Result<Time, ParseError> {
        if self.sign('*') {
            return Ok(Time::Any);
        }
        let relative = self.sign('+');
        let from = self.micros()?;
        if !self.sign('~') {
            return Ok(if relative { Time::Relative(from) } else { Time::Absolute(from) });
        }
        if relative {
            self.expect('+')?;
        }
        let to = self.micros()?;
        if to < from {
            return Err(self.error("a time range that is backwards"));
        }
        Ok(if relative { Time::RelativeRange(from, to) } else { Time::AbsoluteRange(from, to) })
    }

    fn micros(&mut self) -> Result<Micros, ParseError> {
        let seconds = match self.peek() {
            Some(Token::Int(n)) => *n as f64,
            Some(Token::Float(n)) => *n,
            _ => return Err(self.unexpected("a time")),
        };
        if !(0.0..=1e9).contains(&seconds) {
            return Err(self.error("a time out of range"));
        }
        self.at += 1;
        Ok((seconds * 1e6).round() as Micros)
    }

    fn action(&mut self) -> Result<Action, ParseError> {
        if self.sign('<') {
            return Ok(Action::Inject(parse_packet::injected(self)?));
        }
        if self.sign('>') {
            return Ok(Action::Expect(parse_packet::expected(self)?));
        }
        match self.peek() {
            Some(Token::Code(code)) => {
                let code = code.clone();
                self.at += 1;
                Ok(Action::Assert(code))
            }
            Some(Token::Shell(_)) => Err(self.error("shell commands are not for this runner")),
            _ => Ok(Action::Call(self.call()?)),
        }
    }

    fn call(&mut self) -> Result<Call, ParseError> {
        let blocks = self.peek() == Some(&Token::Ellipsis);
        let end = if blocks {
            self.at += 1;
            Some(self.micros()?)
        } else {
            None
        };
        let name = self.word()?;
        self.expect('(')?;
        let args = self.list(')')?;
        self.expect('=')?;
        let result = self.expr()?;
        let errno = match self.peek() {
            Some(Token::Word(_)) => {
                let name = self.word()?;
                self.note()?;
                Some(name)
            }
            _ => None,
        };
        if self.peek() == Some(&Token::Sign('(')) {
            self.note()?;
        }
        Ok(Call { end, name, args, result, errno })
    }

    /// `(Connection refused)`
    fn note(&mut self) -> Result<(), ParseError> {
        self.expect('(')?;
        while !self.sign(')') {
            if self.next().is_none() {
                return Err(self.unexpected("')'"));
            }
        }
        Ok(())
    }

    fn list(&mut self, end: char) -> Result<Vec<Expr>, ParseError> {
        let mut all = Vec::new();
        if self.sign(end) {
            return Ok(all);
        }
        loop {
            all.push(self.expr()?);
            if self.sign(end) {
                return Ok(all);
            }
            self.expect(',')?;
        }
    }

    fn expr(&mut self) -> Result<Expr, ParseError> {
        let first = self.term()?;
        if !self.sign('|') {
            return Ok(first);
        }
        Ok(Expr::Or(Box::new(first), Box::new(self.expr()?)))
    }

    fn term(&mut self) -> Result<Expr, ParseError> {
        if self.sign('[') {
            return Ok(Expr::List(self.list(']')?));
        }
        if self.sign('{') {
            return self.braces();
        }
        let expr = match self.peek() {
            Some(Token::Ellipsis) => Expr::Ellipsis,
            Some(Token::Int(n) | Token::Hex(n)) => Expr::Int(*n),
            Some(Token::Word(w)) => Expr::Symbol(w.clone()),
            Some(Token::Text(t)) => Expr::Text(t.clone()),
            _ => return Err(self.unexpected("a value")),
        };
        self.at += 1;
        Ok(expr)
    }

    fn braces(&mut self) -> Result<Expr, ParseError> {
        let named = matches!(self.tokens.get(self.at + 1), Some((_, Token::Sign('='))));
        if !named {
            return Ok(Expr::List(self.list('}')?));
        }
        let mut fields = Vec::new();
        loop {
            let name = self.word()?;
            self.expect('=')?;
            fields.push((name, self.expr()?));
            if self.sign('}') {
                return Ok(Expr::Struct(fields));
            }
            self.expect(',')?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::packet::{Body, Tos};
    use super::*;

    fn one(text: &str) -> Event {
        let mut script =
            parse(&format!("0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n{text}")).expect("a script");
        script.events.remove(1)
    }

    #[test]
    fn a_call_with_its_error_and_note() {
        let Action::Call(call) =
            one("+0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)").action
        else {
            panic!()
        };
        assert_eq!(call.name, "connect");
        assert_eq!(call.args, [Expr::Int(3), Expr::Ellipsis, Expr::Ellipsis]);
        assert_eq!((call.result, call.errno.as_deref()), (Expr::Int(-1), Some("EINPROGRESS")));
    }

    #[test]
    fn a_blocking_call_has_an_end() {
        let event = one("0.1...0.25 poll([{fd=3, events=POLLIN|POLLOUT, revents=POLLIN}], 1, 1000) = 1");
        let Action::Call(call) = event.action else { panic!() };
        assert_eq!((event.time, call.end), (Time::Absolute(100_000), Some(250_000)));
        let Expr::List(list) = &call.args[0] else { panic!() };
        assert!(matches!(&list[0], Expr::Struct(fields) if fields.len() == 3));
    }

    #[test]
    fn packets_print_as_they_were_written() {
        // packetdrill reads the dot last, and prints it before U, E and W.
        for (text, printed) in [
            ("S 0:0(0) win 65535 <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 7>", None),
            ("P. 1:1001(1000) ack 1 win 257 <nop,nop,sack 2:3 5:6>", None),
            ("[ect0] PW. 1:2(1) ack 1 win 0", Some("[ect0] P.W 1:2(1) ack 1 win 0")),
            ("[ce] E. 1:1(0) ack 7 win 3", Some("[ce] .E 1:1(0) ack 7 win 3")),
            ("- 1:1(0) win 0", None),
            ("40000>8080 S 0:0(0) win 1 <mss 536,nop,nop,nop,eol>", None),
            ("U. 1:2(1) ack 1 win 9 urg 1", Some(".U 1:2(1) ack 1 win 9 urg 1")),
        ] {
            let Action::Inject(packet) = one(&format!("+0 < {text}")).action else { panic!() };
            assert_eq!(packet.to_string(), printed.unwrap_or(text));
        }
    }

    #[test]
    fn expected_packets_may_leave_things_open() {
        let Action::Expect(packet) = one("+.1~+.2 > [ect01] P. 1:2(1) ack 1 <...>").action else { panic!() };
        let Body::Tcp(tcp) = &packet.body else { panic!() };
        assert_eq!((tcp.window, &tcp.options, packet.tos), (None, &None, Tos::Ect01));
    }

    #[test]
    fn icmp_errors() {
        let Action::Inject(packet) = one("+0 < icmp unreachable frag_needed mtu 1200 [1:1461(1460)]").action
        else {
            panic!()
        };
        let Body::Icmp(icmp) = packet.body else { panic!() };
        assert_eq!((icmp.kind, icmp.code, icmp.mtu, icmp.seq, icmp.len), (3, 4, Some(1200), 1, 1460));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, line, what) in [
            ("0 socket(..., 1, 2) = 3\n+0 < S 0:0(0)", 2, "window"),
            ("0 socket(..., 1, 2) = 3\n\n+0 > . 1:3(1) ack 1", 3, "length"),
            ("0 socket(..., 1, 2) = 3\n* close(3) = 0", 2, "expected packet"),
            ("0 socket(..., 1, 2) = 3\n0.2 close(3) = 0\n0.1 close(3) = 0", 3, "backward"),
            ("0.5 socket(..., 1, 2) = 3", 1, "time 0"),
            ("0 socket(..., 1, 2 = 3", 1, "','"),
            ("0 socket(..., 1, 2) = 3\n+0 < S 0:0(0) win 70000", 2, "range"),
            ("0 socket(..., 1, 2) = 3\n+0 < . 1:1(0) ack 1 win 5 <wscale 3>", 2, "padded"),
            ("0 socket(..., 1, 2) = 3\n+0 < . 1:1(0) ack 1 win 5 <...>", 2, "<...>"),
            ("0 `true`", 1, "shell"),
            ("// nothing", 1, "no steps"),
        ] {
            let error = parse(text).expect_err(text);
            assert_eq!(error.line, line, "{text}: {error}");
            assert!(error.what.contains(what), "{text}: {error}");
        }
    }
}
