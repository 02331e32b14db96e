//! A file of SQL as far as mutants need to know it: which brackets belong together, where a clause ends, which statement
//! is around a token.

use super::lexer::{self, Kind, Token};

/// A change of the text between two places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edit {
    /// The kind of mutant.
    pub(crate) operator: &'static str,
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) replacement: String,
}

impl Edit {
    /// The file with the change.
    pub(crate) fn applied(&self, source: &str) -> String {
        let part = |range: std::ops::Range<usize>| source.get(range).unwrap_or_default();
        format!("{}{}{}", part(0..self.start), self.replacement, part(self.end..source.len()))
    }
}

/// A file's tokens.
pub(crate) struct Code<'a> {
    pub(crate) source: &'a str,
    pub(crate) tokens: Vec<Token<'a>>,
    /// The other bracket, or the other end of a string that holds SQL.
    partners: Vec<Option<usize>>,
}

/// A statement of the file, from its first token to its semicolon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) first: usize,
    pub(crate) last: usize,
}

impl<'a> Code<'a> {
    pub(crate) fn new(source: &'a str) -> Self {
        let tokens = lexer::tokens(source);
        let partners = partners(&tokens);
        Self { source, tokens, partners }
    }

    /// The text of a token; empty beyond the end.
    pub(crate) fn text(&self, index: usize) -> &'a str {
        self.tokens.get(index).map_or("", |token| token.text)
    }

    /// The text of the token before; empty at the beginning.
    pub(crate) fn before(&self, index: usize) -> &'a str {
        index.checked_sub(1).map_or("", |before| self.text(before))
    }

    pub(crate) fn kind(&self, index: usize) -> Option<Kind> {
        self.tokens.get(index).map(|token| token.kind)
    }

    /// Whether these words follow one another here.
    pub(crate) fn has(&self, index: usize, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(offset, word)| self.text(index + offset) == *word)
    }

    /// The bracket that belongs to this one, or the other end of a string that holds SQL.
    pub(crate) fn partner(&self, index: usize) -> Option<usize> {
        self.partners.get(index).copied().flatten()
    }

    /// The first token from `index` on, outside of brackets that begin after it, that `ends` or closes the bracket around.
    pub(crate) fn forward(&self, mut index: usize, ends: impl Fn(usize) -> bool) -> usize {
        while index < self.tokens.len() {
            match self.partner(index) {
                Some(partner) if partner > index => index = partner,
                Some(_) => return index,
                None if ends(index) => return index,
                None => {}
            }
            index += 1;
        }
        index
    }

    /// The last token before `index`, outside of brackets that end before it, that `ends` or opens the bracket around.
    pub(crate) fn backward(&self, mut index: usize, ends: impl Fn(usize) -> bool) -> Option<usize> {
        while let Some(before) = index.checked_sub(1) {
            match self.partner(before) {
                Some(partner) if partner < before => index = partner,
                Some(_) => return Some(before),
                None if ends(before) => return Some(before),
                None => index = before,
            }
        }
        None
    }

    /// Another text in the place of the tokens `first..last`.
    pub(crate) fn edit(&self, operator: &'static str, first: usize, last: usize, replacement: &str) -> Edit {
        let start = self.tokens.get(first).map_or(self.source.len(), |token| token.start);
        let end = last.checked_sub(1).and_then(|last| self.tokens.get(last)).map_or(start, |token| token.end);
        Edit { operator, start, end: end.max(start), replacement: replacement.to_owned() }
    }

    /// The statements of the file; those in the bodies of functions are a part of the function's.
    pub(crate) fn statements(&self) -> Vec<Statement> {
        let (mut found, mut first, mut tag) = (Vec::new(), 0, None);
        for (index, token) in self.tokens.iter().enumerate() {
            match tag {
                Some(open) if token.kind == Kind::Tag && token.text == open => tag = None,
                None if token.kind == Kind::Tag => tag = Some(token.text),
                None if token.text == ";" => {
                    found.push(Statement { first, last: index });
                    first = index + 1;
                }
                _ => {}
            }
        }
        found
    }

    /// What a statement is about, in its own words: `create function api.task_patch`.
    pub(crate) fn title(&self, statement: Statement) -> String {
        let words = self.tokens.get(statement.first..statement.last).unwrap_or_default();
        let begins = words.iter().take_while(|token| {
            matches!(token.kind, Kind::Word)
                && !["returns", "using", "as", "enable", "force", "to"].contains(&token.text)
                || token.text == "."
        });
        let title = begins.take(9).map(|token| token.text).collect::<Vec<_>>().join(" ");
        title.replace(" . ", ".")
    }
}

fn partners(tokens: &[Token<'_>]) -> Vec<Option<usize>> {
    let mut partners = vec![None; tokens.len()];
    let mut open: Vec<(usize, &str)> = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let closes = match (token.kind, token.text) {
            (Kind::Symbol, "(" | "[") => {
                open.push((index, token.text));
                continue;
            }
            (Kind::Symbol, ")") => "(",
            (Kind::Symbol, "]") => "[",
            (Kind::Quote, _) if open.iter().any(|(_, opened)| *opened == token.text) => {
                // A bracket that a string leaves open is closed in another string.
                while open.last().is_some_and(|(_, opened)| *opened != token.text) {
                    open.pop();
                }
                token.text
            }
            (Kind::Quote, _) => {
                open.push((index, token.text));
                continue;
            }
            _ => continue,
        };
        if open.last().is_some_and(|(_, opened)| *opened == closes)
            && let Some((partner, _)) = open.pop()
        {
            set(&mut partners, partner, index);
            set(&mut partners, index, partner);
        }
    }
    partners
}

fn set(partners: &mut [Option<usize>], index: usize, partner: usize) {
    if let Some(place) = partners.get_mut(index) {
        *place = Some(partner);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_belong_together_within_their_string_alone() {
        let code = Code::new("a(b[1]) || 'select (' || c) (d)");
        let other = |index: usize| code.partner(index);
        assert_eq!((other(1), other(3)), (Some(6), Some(5)));
        assert_eq!(code.text(10), "(");
        assert_eq!((other(8), other(10)), (Some(11), None));
        assert_eq!(other(14), None);
        assert_eq!((code.text(15), other(15)), ("(", Some(17)));
    }

    #[test]
    fn a_function_is_one_statement_with_a_title() {
        let code =
            Code::new("create function api.f(a int) returns int as $$ begin; end; $$; grant usage on schema x to y;");
        let titles: Vec<_> = code.statements().into_iter().map(|statement| code.title(statement)).collect();
        assert_eq!(titles, ["create function api.f", "grant usage on schema x"]);
    }

    #[test]
    fn a_clause_ends_where_its_bracket_does() {
        let code = Code::new("(a where (b) and c) d");
        assert_eq!(code.text(code.forward(3, |_| false)), ")");
        assert_eq!(code.forward(3, |index| code.text(index) == "and"), 6);
        assert_eq!(code.backward(6, |index| code.text(index) == "where"), Some(2));
        assert_eq!(code.backward(2, |_| false), Some(0));
    }
}
