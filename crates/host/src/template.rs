//! Text with `{{ variable }}` in it, as manifests use it.

use crate::variables::Failure;

/// A parsed template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Text that stands for itself.
    Literal(String),
    /// The name of an application variable.
    Variable(String),
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    ///
    /// [`Failure::InvalidTemplate`] where `{{` has no `}}`.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            if !before.is_empty() {
                parts.push(Part::Literal(before.to_owned()));
            }
            let (name, after) = after
                .split_once("}}")
                .ok_or_else(|| Failure::InvalidTemplate(format!("unmatched '{{{{' in {text:?}")))?;
            parts.push(Part::Variable(name.trim().to_owned()));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Self(parts))
    }

    /// The pieces in order.
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// Whether there is no variable in it.
    pub fn is_literal(&self) -> bool {
        !self.0.iter().any(|part| matches!(part, Part::Variable(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_stand_between_double_braces() {
        let template = Template::parse("a-{{ one }}{{two}}-b").unwrap();
        assert_eq!(
            template.parts(),
            [
                Part::Literal("a-".into()),
                Part::Variable("one".into()),
                Part::Variable("two".into()),
                Part::Literal("-b".into()),
            ]
        );
        assert!(Template::parse("plain }} text").unwrap().is_literal());
        assert!(Template::parse("{{ open").is_err());
    }
}
