//! SQL taken apart: into its words, and a file into its statements.
//!
//! Not a parser: it knows where a string, a quoted name, a comment and a body of PostgreSQL's (`$$`) end, and that the
//! semicolons within `CREATE TRIGGER … BEGIN … END` end no statement.

use crate::sql::Driver;

/// A word of SQL and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    /// As it is written, quotes and all.
    pub(super) text: &'a str,
    pub(super) start: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or a keyword without quotes, or a number.
    Word,
    /// A name in quotes.
    Name,
    /// A string, or a body in dollar quotes.
    Text,
    /// A sign: `(`, `;`, `,`.
    Sign,
}

/// One statement of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    /// Without its semicolon.
    pub(super) sql: String,
    /// The line on which it begins, from 1.
    pub(super) line: usize,
}

impl Token<'_> {
    pub(super) fn end(&self) -> usize {
        self.start + self.text.len()
    }

    pub(super) fn is(&self, word: &str) -> bool {
        matches!(self.kind, Kind::Word | Kind::Sign) && self.text.eq_ignore_ascii_case(word)
    }

    /// The name that it is, without quotes.
    pub(super) fn name(&self) -> Option<String> {
        match self.kind {
            Kind::Word => Some(self.text.to_owned()),
            Kind::Name => {
                let quote = self.text.get(..1)?;
                let within = self.text.get(1..self.text.len() - 1)?;
                // SQLite knows [names] too.
                Some(if quote == "[" { within.to_owned() } else { within.replace(&quote.repeat(2), quote) })
            }
            _ => None,
        }
    }
}

/// The words of an SQL text, without comments.
///
/// # Errors
///
/// What does not end, and the line on which it begins.
pub(super) fn tokens(driver: Driver, sql: &str) -> Result<Vec<Token<'_>>, String> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = sql[at..].chars().next() {
        let rest = &sql[at..];
        let unclosed = |what: &str| {
            let line = 1 + sql[..at].matches('\n').count();
            format!("line {line}: {what} begins here and does not end")
        };
        let (kind, length) = match first {
            _ if first.is_whitespace() => (None, first.len_utf8()),
            '-' if is_line_comment(driver, rest) => (None, line_length(rest)),
            '#' if driver == Driver::MySql => (None, line_length(rest)),
            '/' if rest.starts_with("/*") => {
                // MySQL runs what stands in /*! … */.
                let kind = (driver == Driver::MySql && rest.starts_with("/*!")).then_some(Kind::Sign);
                (kind, comment(driver, rest).ok_or_else(|| unclosed("a comment"))?)
            }
            '\'' => {
                let escapes = driver == Driver::MySql || follows_e(driver, &tokens, at);
                (Some(Kind::Text), quote(rest, '\'', escapes).ok_or_else(|| unclosed("a string"))?)
            }
            '"' if driver == Driver::MySql => {
                (Some(Kind::Text), quote(rest, '"', true).ok_or_else(|| unclosed("a string"))?)
            }
            '"' | '`' => (Some(Kind::Name), quote(rest, first, false).ok_or_else(|| unclosed("a name"))?),
            '[' if driver == Driver::Sqlite => {
                (Some(Kind::Name), rest.find(']').map(|end| end + 1).ok_or_else(|| unclosed("a name"))?)
            }
            '$' if driver == Driver::Postgres && dollar_tag(rest).is_some() => {
                let tag = dollar_tag(rest).unwrap_or_default();
                let body = rest[tag.len()..].find(tag).ok_or_else(|| unclosed(&format!("a {tag} body")))?;
                (Some(Kind::Text), body + 2 * tag.len())
            }
            _ if first.is_ascii_digit() => {
                let end = rest.find(|c: char| !in_word(c) && c != '.').unwrap_or(rest.len());
                (Some(Kind::Word), end)
            }
            _ if in_word(first) => {
                let end = rest.find(|c: char| !in_word(c) && c != '$').unwrap_or(rest.len());
                (Some(Kind::Word), end)
            }
            _ => (Some(Kind::Sign), first.len_utf8()),
        };
        tokens.extend(kind.map(|kind| Token { kind, text: &rest[..length], start: at }));
        at += length;
    }
    Ok(tokens)
}

/// The statements of a file, in order.
///
/// # Errors
///
/// What does not end, and the line on which it begins.
pub(super) fn statements(driver: Driver, sql: &str) -> Result<Vec<Statement>, String> {
    let mut statements = Vec::new();
    let tokens = tokens(driver, sql)?;
    for tokens in split(&tokens) {
        let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else { continue };
        let line = 1 + sql[..first.start].matches('\n').count();
        statements.push(Statement { sql: sql[first.start..last.end()].to_owned(), line });
    }
    Ok(statements)
}

/// The words of each statement.
fn split<'a, 'b>(tokens: &'b [Token<'a>]) -> Vec<&'b [Token<'a>]> {
    let (mut all, mut begin, mut depth) = (Vec::new(), 0, 0_u32);
    for (at, token) in tokens.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| tokens.get(at)).filter(|_| at > begin);
        let after_end = before.is_some_and(|before| before.is("END"));
        if has_body(&tokens[begin..at]) {
            if token.is("BEGIN") || (token.is("CASE") && !after_end) {
                depth += 1;
            // END IF, END LOOP and the like end what is not counted.
            } else if token.is("END")
                && !tokens
                    .get(at + 1)
                    .is_some_and(|next| ["IF", "LOOP", "WHILE", "REPEAT"].iter().any(|word| next.is(word)))
            {
                depth = depth.saturating_sub(1);
            }
        }
        if token.is(";") && depth == 0 {
            all.push(&tokens[begin..at]);
            begin = at + 1;
        }
    }
    all.push(&tokens[begin..]);
    all
}

/// Whether a statement that begins so may have a body of statements: a trigger, a procedure, a function, an event.
fn has_body(tokens: &[Token<'_>]) -> bool {
    let Some(first) = tokens.first() else { return false };
    // CREATE OR REPLACE DEFINER = `root` @ `localhost` TRIGGER
    let within = |word: &str| tokens.iter().take(10).any(|token| token.is(word));
    first.is("CREATE") && ["TRIGGER", "PROCEDURE", "FUNCTION", "EVENT"].into_iter().any(within)
}

/// The ranges of the words between commas in the parentheses that `open` is the first of; and where they end.
pub(super) fn items(tokens: &[Token<'_>], open: usize) -> (Vec<std::ops::Range<usize>>, usize) {
    let (mut items, mut depth, mut begin) = (Vec::new(), 0_u32, open + 1);
    for (at, token) in tokens.iter().enumerate().skip(open) {
        if token.is("(") {
            depth += 1;
        } else if token.is(")") {
            depth -= 1;
            if depth == 0 {
                items.push(begin..at);
                return (items, at);
            }
        } else if token.is(",") && depth == 1 {
            items.push(begin..at);
            begin = at + 1;
        }
    }
    (items, tokens.len())
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Of MySQL `5--3` is 8: a comment has a space behind its signs there.
fn is_line_comment(driver: Driver, rest: &str) -> bool {
    let spaced =
        |text: &str| text.chars().next().is_none_or(|next| next.is_whitespace() || next.is_control());
    rest.strip_prefix("--").is_some_and(|text| driver != Driver::MySql || spaced(text))
}

fn line_length(rest: &str) -> usize {
    rest.find('\n').unwrap_or(rest.len())
}

/// The length of the string or name that begins here; a doubled quote is part of it.
fn quote(rest: &str, mark: char, escapes: bool) -> Option<usize> {
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if escapes && c == '\\' {
            chars.next();
        } else if c == mark {
            if chars.peek().is_some_and(|(_, next)| *next == mark) {
                chars.next();
            } else {
                return Some(at + 1);
            }
        }
    }
    None
}

/// PostgreSQL's E'…' has escapes.
fn follows_e(driver: Driver, tokens: &[Token<'_>], at: usize) -> bool {
    driver == Driver::Postgres && tokens.last().is_some_and(|last| last.end() == at && last.is("E"))
}

/// The length of the comment that begins here; PostgreSQL's nest.
fn comment(driver: Driver, rest: &str) -> Option<usize> {
    let (mut depth, mut at) = (0_u32, 0);
    while at < rest.len() {
        let here = &rest.as_bytes()[at..];
        if here.starts_with(b"/*") && (depth == 0 || driver == Driver::Postgres) {
            depth += 1;
            at += 2;
        } else if here.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += 1;
        }
    }
    None
}

/// `$$` or `$tag$`.
fn dollar_tag(rest: &str) -> Option<&str> {
    let end = rest[1..].find('$')? + 1;
    let tag = &rest[1..end];
    let begins = tag.chars().next().is_none_or(|first| !first.is_ascii_digit());
    (begins && tag.chars().all(in_word)).then(|| &rest[..=end])
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    fn split_of(driver: Driver, sql: &str) -> Vec<String> {
        statements(driver, sql).unwrap().into_iter().map(|statement| statement.sql).collect()
    }

    #[test]
    fn semicolons_in_strings_names_and_comments_end_nothing() {
        let sql = "-- a; b\nINSERT INTO \"a;b\" VALUES ('x;''y;'); /* c; */ DELETE FROM t;\n;";
        for driver in [Driver::Sqlite, Driver::Postgres] {
            let expected = ["INSERT INTO \"a;b\" VALUES ('x;''y;')", "DELETE FROM t"];
            assert_eq!(split_of(driver, sql), expected);
        }
        let sql = "INSERT INTO `a;b` VALUES ('x\\';', \"y;\"); # c; d\nSELECT 1";
        assert_eq!(split_of(Driver::MySql, sql), ["INSERT INTO `a;b` VALUES ('x\\';', \"y;\")", "SELECT 1"]);
        assert_eq!(split_of(Driver::MySql, "SELECT 5--3; SELECT 1 -- a; b\n"), ["SELECT 5--3", "SELECT 1"]);
    }

    #[test]
    fn bodies_are_whole() {
        let function = "CREATE FUNCTION f() RETURNS int AS $x$ BEGIN; $$; END $x$ LANGUAGE plpgsql";
        let nested = "SELECT E'it\\'s;' /* a /* b; */ c; */";
        assert_eq!(
            split_of(Driver::Postgres, &format!("{function};\n{nested}, $1")),
            [function, "SELECT E'it\\'s;' /* a /* b; */ c; */, $1"]
        );
        let trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE b SET n = CASE WHEN 1 THEN 2 END; DELETE FROM c; END";
        assert_eq!(split_of(Driver::Sqlite, &format!("{trigger}; SELECT 1;")), [trigger, "SELECT 1"]);
        let trigger = "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW BEGIN IF NEW.x > 1 THEN SET NEW.x = 1; END IF; \
                       CASE NEW.y WHEN 1 THEN SET NEW.y = 2; END CASE; END";
        assert_eq!(split_of(Driver::MySql, &format!("{trigger}; SELECT 1;")), [trigger, "SELECT 1"]);
        assert_eq!(split_of(Driver::Postgres, "BEGIN; SELECT 1; END"), ["BEGIN", "SELECT 1", "END"]);
    }

    #[test]
    fn what_does_not_end_is_named_with_its_line() {
        for (sql, part) in [
            ("SELECT 1;\nSELECT 'x", "line 2: a string"),
            ("/* x", "line 1: a comment"),
            ("SELECT $a$ x", "line 1: a $a$ body"),
            ("\n\nSELECT \"x", "line 3: a name"),
        ] {
            let error = statements(Driver::Postgres, sql).unwrap_err();
            assert!(error.starts_with(part), "{error}");
        }
        assert_eq!(statements(Driver::Sqlite, "SELECT 1;\n\n-- x\nSELECT 2").unwrap()[1].line, 4);
    }

    proptest::proptest! {
        #[test]
        fn nothing_in_a_file_panics_and_nothing_is_lost(sql in "[a-z'\"`$;(),/*\\\\#\n\\[\\]é-]{0,60}") {
            for driver in [Driver::Sqlite, Driver::MySql, Driver::Postgres] {
                if let Ok(tokens) = tokens(driver, &sql) {
                    for token in tokens {
                        proptest::prop_assert_eq!(&sql[token.start..token.end()], token.text);
                    }
                }
            }
        }
    }
}
