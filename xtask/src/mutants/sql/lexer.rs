//! SQL as tokens with their places. The text between dollar quotes is code and is read as such, and so is a string that
//! holds SQL (`select ...` for `execute`); comments are left out.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A keyword or a name.
    Word,
    /// An unsigned number.
    Number,
    /// An operator or a punctuation mark.
    Symbol,
    /// A string that is a value, with its quotes; also a quoted name.
    Text,
    /// `$$` or `$tag$`.
    Tag,
    /// The beginning or the end of a string that holds SQL.
    Quote,
    /// `$1`, or a place that `format` fills: `%s`, `%1$s`.
    Parameter,
}

/// A token, and where it is in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    pub(crate) text: &'a str,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// Longest first, so that `->>` is not `->` and `>`.
const SYMBOLS: [&str; 17] =
    ["#>>", "->>", "::", ":=", "<=", ">=", "<>", "!=", "->", "#>", "@>", "<@", "@@", "?|", "?&", "||", ".."];
/// A string that begins with one of these holds SQL.
const BEGINNINGS: [&str; 13] = [
    "select", "and", "or", "where", "create", "alter", "revoke", "grant", "language", "declare", "begin", "delete",
    "update",
];
/// Declarations in a string that makes a function of several strings.
const DECLARATION: &str = " constant ";

/// Reads a whole file.
pub(crate) fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut lexer = Lexer { source, at: 0, end: source.len(), quote: "'", tokens: Vec::new() };
    lexer.run();
    lexer.tokens
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
    end: usize,
    /// How a string begins and ends here: inside of another string, quotes are doubled.
    quote: &'static str,
    tokens: Vec<Token<'a>>,
}

impl<'a> Lexer<'a> {
    fn run(&mut self) {
        while let Some(first) = self.rest().chars().next() {
            if first.is_whitespace() {
                self.at += first.len_utf8();
            } else if let Some(length) = comment(self.rest()) {
                self.at += length;
            } else if self.rest().starts_with(self.quote) {
                self.string();
            } else {
                let (kind, length) = plain(self.rest(), first);
                self.push(kind, length);
            }
        }
    }

    fn rest(&self) -> &'a str {
        self.source.get(self.at..self.end).unwrap_or_default()
    }

    fn push(&mut self, kind: Kind, length: usize) {
        let end = (self.at + length).min(self.end);
        let text = self.source.get(self.at..end).unwrap_or_default();
        self.tokens.push(Token { kind, text, start: self.at, end });
        self.at = end;
    }

    fn string(&mut self) {
        let (quote, rest) = (self.quote, self.rest());
        let inner = rest.get(quote.len()..).unwrap_or_default();
        let length = string_length(inner, quote);
        let content = inner.get(..length).unwrap_or_default();
        let whole = (quote.len() * 2 + length).min(rest.len());
        // Strings inside of strings inside of strings do not occur; a string in a string is a value.
        if quote.len() > 1 || !holds_sql(content) {
            return self.push(Kind::Text, whole);
        }
        self.push(Kind::Quote, quote.len());
        let mut within = Lexer {
            source: self.source,
            at: self.at,
            end: self.at + length,
            quote: "''",
            tokens: std::mem::take(&mut self.tokens),
        };
        within.run();
        self.tokens = within.tokens;
        self.at += length;
        self.push(Kind::Quote, quote.len());
    }
}

/// The bytes before the quote that ends the string: a doubled one belongs to it.
fn string_length(inner: &str, quote: &str) -> usize {
    let doubled = quote.repeat(2);
    let mut at = 0;
    loop {
        let rest = inner.get(at..).unwrap_or_default();
        match rest.find(quote) {
            None => return inner.len(),
            Some(found) if rest.get(found..).is_some_and(|rest| rest.starts_with(&doubled)) => {
                at += found + doubled.len();
            }
            Some(found) => return at + found,
        }
    }
}

/// Whether a string's content is SQL, rather than a value or a text for people.
fn holds_sql(content: &str) -> bool {
    let trimmed = content.trim_start().trim_start_matches('(');
    let word = trimmed.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    let continues = trimmed.get(word.len()..).is_some_and(|rest| rest.starts_with(char::is_whitespace));
    (BEGINNINGS.contains(&word) && continues) || content.contains(DECLARATION)
}

fn comment(rest: &str) -> Option<usize> {
    if rest.starts_with("--") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    rest.starts_with("/*").then(|| rest.find("*/").map_or(rest.len(), |at| at + 2))
}

/// A token that is no string.
fn plain(rest: &str, first: char) -> (Kind, usize) {
    let while_is = |test: fn(char) -> bool| rest.find(|c| !test(c)).unwrap_or(rest.len());
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    if first.is_alphabetic() || first == '_' {
        return (Kind::Word, while_is(is_word));
    }
    if first.is_ascii_digit() {
        return (Kind::Number, while_is(|c| c.is_ascii_digit()));
    }
    if first == '"' {
        return (Kind::Text, rest.get(1..).and_then(|rest| rest.find('"')).map_or(rest.len(), |at| at + 2));
    }
    let after = rest.get(1..).unwrap_or_default();
    let word = after.find(|c| !is_word(c)).unwrap_or(after.len());
    if first == '$' {
        if after.starts_with(|c: char| c.is_ascii_digit()) {
            return (Kind::Parameter, 1 + word);
        }
        if after.get(word..).is_some_and(|rest| rest.starts_with('$')) {
            return (Kind::Tag, word + 2);
        }
    }
    if first == '%' && after.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        let numbered = after.get(word..).is_some_and(|rest| rest.starts_with('$'));
        return (Kind::Parameter, if numbered { word + 3 } else { 2 });
    }
    let long = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)).map(|symbol| symbol.len());
    (Kind::Symbol, long.unwrap_or(first.len_utf8()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<&str> {
        tokens(source).into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn comments_are_left_out_and_values_stay_whole() {
        let source = "select 'it''s -- no comment', 10 -- a = b\n/* a < b */ from \"T a\"";
        assert_eq!(texts(source), ["select", "'it''s -- no comment'", ",", "10", "from", "\"T a\""]);
    }

    #[test]
    fn the_body_of_a_function_is_code() {
        assert_eq!(
            texts("as $$ a->>'b' := $1::int $$"),
            ["as", "$$", "a", "->>", "'b'", ":=", "$1", "::", "int", "$$"]
        );
        assert_eq!(texts("do $x$ a $x$"), ["do", "$x$", "a", "$x$"]);
    }

    #[test]
    fn a_string_that_holds_sql_is_code() {
        let found = tokens("execute ' and t.k < ''infinity''' || 'x'");
        let kinds: Vec<_> = found.iter().map(|token| (token.kind, token.text)).collect();
        let (word, symbol) = (Kind::Word, Kind::Symbol);
        let inner =
            [(word, "and"), (word, "t"), (symbol, "."), (word, "k"), (symbol, "<"), (Kind::Text, "''infinity''")];
        let mut expected = vec![(word, "execute"), (Kind::Quote, "'")];
        expected.extend(inner);
        expected.extend([(Kind::Quote, "'"), (symbol, "||"), (Kind::Text, "'x'")]);
        assert_eq!(kinds, expected);
    }

    #[test]
    fn a_text_for_people_is_no_code() {
        for text in ["'row-level security does not hold this role'", "'ok'", "'select'", "'and'", "'android and x'"] {
            assert_eq!(tokens(text).first().map(|token| token.kind), Some(Kind::Text), "{text}");
        }
        assert_eq!(tokens("'(select 1)'").len(), 6);
        assert_eq!(tokens("'by_tags constant text[] := x; '").first().map(|token| token.kind), Some(Kind::Quote));
    }

    #[test]
    fn places_that_format_fills_are_no_operators() {
        assert_eq!(texts("' and %1$s %s < %7$L'"), ["'", "and", "%1$s", "%s", "<", "%7$L", "'"]);
    }

    #[test]
    fn each_token_is_where_it_says() {
        for source in [
            include_str!("../../../../migrations/functions/task_list.sql"),
            include_str!("../../../../migrations/functions/errand/task_list.sql"),
            include_str!("../../sql/task_orders.sql"),
        ] {
            for token in tokens(source) {
                assert_eq!(source.get(token.start..token.end), Some(token.text));
                assert!(!token.text.is_empty());
            }
        }
    }
}
