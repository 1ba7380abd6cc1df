//! The words of a script: packetdrill's lexical rules.

use super::ParseError;

/// A word of the script.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A decimal number.
    Int(i64),
    /// A hexadecimal number.
    Hex(i64),
    /// A number with a point: a time.
    Float(f64),
    /// Letters, digits and `_`.
    Word(String),
    /// Text in double quotes, escapes resolved.
    Text(Vec<u8>),
    /// A shell command in back quotes.
    Shell(String),
    /// Code between `%{` and `}%`.
    Code(String),
    /// `--name` or `--name=value`.
    Setting(String, String),
    /// `...`
    Ellipsis,
    /// Any other character.
    Sign(char),
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Token::Int(n) => write!(f, "{n}"),
            Token::Hex(n) => write!(f, "{n:#x}"),
            Token::Float(n) => write!(f, "{n}"),
            Token::Word(w) => write!(f, "{w}"),
            Token::Text(t) => write!(f, "{:?}", String::from_utf8_lossy(t)),
            Token::Shell(s) => write!(f, "`{s}`"),
            Token::Code(_) => write!(f, "%{{"),
            Token::Setting(name, _) => write!(f, "--{name}"),
            Token::Ellipsis => write!(f, "..."),
            Token::Sign(c) => write!(f, "{c}"),
        }
    }
}

/// Splits `text` into tokens, each with its line.
pub(super) fn tokens(text: &str) -> Result<Vec<(u32, Token)>, ParseError> {
    let mut lexer = Lexer { rest: text, line: 1 };
    let mut all = Vec::new();
    while let Some(found) = lexer.next()? {
        all.push(found);
    }
    Ok(all)
}

struct Lexer<'a> {
    rest: &'a str,
    line: u32,
}

impl Lexer<'_> {
    fn next(&mut self) -> Result<Option<(u32, Token)>, ParseError> {
        self.skip()?;
        let line = self.line;
        let Some(first) = self.rest.chars().next() else { return Ok(None) };
        let token = match first {
            '"' => Token::Text(unescape(&self.quoted('"')?)),
            '`' => Token::Shell(self.quoted('`')?),
            '%' if self.rest.starts_with("%{") => Token::Code(self.code()?),
            '-' if self.rest.starts_with("--") => self.setting()?,
            '.' if self.rest.starts_with("...") => {
                self.take(3);
                Token::Ellipsis
            }
            _ => match self.number() {
                Some(number) => number,
                None if is_word(first) => Token::Word(self.word()),
                None => {
                    self.take(first.len_utf8());
                    Token::Sign(first)
                }
            },
        };
        Ok(Some((line, token)))
    }

    fn take(&mut self, n: usize) -> String {
        let (taken, rest) = self.rest.split_at(n);
        self.rest = rest;
        self.line += taken.matches('\n').count() as u32;
        taken.to_string()
    }

    /// White space and comments; `#` starts one too, when a line begins with it.
    fn skip(&mut self) -> Result<(), ParseError> {
        loop {
            let blank = self.rest.len() - self.rest.trim_start().len();
            self.take(blank);
            if self.rest.starts_with("//") || self.rest.starts_with('#') {
                let end = self.rest.find('\n').unwrap_or(self.rest.len());
                self.take(end);
            } else if self.rest.starts_with("/*") {
                let end = self.rest.find("*/").ok_or_else(|| self.error("a comment without an end"))?;
                self.take(end + 2);
            } else {
                return Ok(());
            }
        }
    }

    fn quoted(&mut self, quote: char) -> Result<String, ParseError> {
        let mut escaped = false;
        for (at, c) in self.rest.char_indices().skip(1) {
            if c == quote && !escaped {
                let whole = self.take(at + 1);
                return Ok(whole[1..at].to_string());
            }
            escaped = c == '\\' && !escaped;
        }
        Err(self.error("text without an end"))
    }

    fn code(&mut self) -> Result<String, ParseError> {
        let end = self.rest.find("}%").ok_or_else(|| self.error("code without an end"))?;
        let whole = self.take(end + 2);
        Ok(whole[2..end].trim().to_string())
    }

    fn setting(&mut self) -> Result<Token, ParseError> {
        self.take(2);
        let name = self.word();
        if !self.rest.starts_with('=') {
            return Ok(Token::Setting(name, String::new()));
        }
        self.take(1);
        if self.rest.starts_with('"') {
            return Ok(Token::Setting(name, self.quoted('"')?));
        }
        let end = self.rest.find(char::is_whitespace).unwrap_or(self.rest.len());
        Ok(Token::Setting(name, self.take(end)))
    }

    fn word(&mut self) -> String {
        let end = self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len());
        self.take(end)
    }

    /// A number, unless it is the beginning of a longer word.
    fn number(&mut self) -> Option<Token> {
        let word = self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len());
        if let Some(digits) = self.rest[..word].strip_prefix("0x") {
            let value = i64::from_str_radix(digits, 16).ok()?;
            self.take(word);
            return Some(Token::Hex(value));
        }
        let sign = usize::from(self.rest.starts_with('-'));
        let whole = sign + digits(&self.rest[sign..]);
        let point = self.rest[whole..].strip_prefix('.').map_or(0, digits);
        if point > 0 {
            let value = self.rest[..whole + 1 + point].parse().ok()?;
            self.take(whole + 1 + point);
            return Some(Token::Float(value));
        }
        if whole == sign || whole < word {
            return None;
        }
        let value = self.rest[..whole].parse().ok()?;
        self.take(whole);
        Some(Token::Int(value))
    }

    fn error(&self, what: &str) -> ParseError {
        ParseError { line: self.line, what: what.to_string() }
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn digits(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len())
}

fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(b) = bytes.next() {
        out.push(match b {
            b'\\' => match bytes.next() {
                Some(b'n') => b'\n',
                Some(b't') => b'\t',
                Some(b'0') | None => 0,
                Some(other) => other,
            },
            plain => plain,
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Vec<Token> {
        tokens(text).expect("tokens").into_iter().map(|(_, t)| t).collect()
    }

    #[test]
    fn times_ranges_and_blocking_calls() {
        let t = list("0...0.2 +.1 0.1~0.2 *");
        use Token::*;
        let want = [
            Int(0),
            Ellipsis,
            Float(0.2),
            Sign('+'),
            Float(0.1),
            Float(0.1),
            Sign('~'),
            Float(0.2),
            Sign('*'),
        ];
        assert_eq!(t, want);
    }

    #[test]
    fn flags_and_sequence_numbers() {
        use Token::*;
        assert_eq!(list("S. 0:0(0)")[..2], [Word("S".into()), Sign('.')]);
        assert_eq!(list("1:1001(1000)")[..3], [Int(1), Sign(':'), Int(1001)]);
        assert_eq!(list(". 1:1(0)")[..2], [Sign('.'), Int(1)]);
    }

    #[test]
    fn comments_lines_and_settings() {
        let text =
            "--so_flags=\"a=1,b\"\n--mss=1000 // x\n/* y\n */ # z\n word \"t\\\"\" %{ assert 1 == 1 }%";
        let all = tokens(text).expect("tokens");
        use Token::*;
        assert_eq!(all[0], (1, Setting("so_flags".into(), "a=1,b".into())));
        assert_eq!(all[1], (2, Setting("mss".into(), "1000".into())));
        assert_eq!(all[2], (5, Word("word".into())));
        assert_eq!(all[3], (5, Text(b"t\"".to_vec())));
        assert_eq!(all[4], (5, Code("assert 1 == 1".into())));
        assert!(tokens("/* no end").is_err());
        assert!(tokens("\"no end").is_err());
    }

    #[test]
    fn a_word_may_begin_with_a_digit() {
        assert_eq!(list("4f 12"), [Token::Word("4f".into()), Token::Int(12)]);
        assert_eq!(list("0x1F -1"), [Token::Hex(31), Token::Int(-1)]);
    }
}
