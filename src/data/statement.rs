//! What the database is asked.

/// A statement, with its parameters as `$1`, `$2` and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement {
    /// SQL for one call; gives one row.
    pub alone: &'static str,
    /// SQL for many calls: each parameter is an array of text with that of each call, and each row begins with the number
    /// of its call, from 1 on, and its caller, which is the first parameter. A runtime may use it for calls that come at the
    /// same time. Each announces its own caller, as it does alone.
    pub together: Option<&'static str>,
}

impl Statement {
    /// A statement for one call.
    pub const fn alone(alone: &'static str) -> Self {
        Self { alone, together: None }
    }

    /// A statement that can be asked for many calls as well. Only for what changes nothing, is cheap, and is not refused
    /// for its parameters: those who are asked together wait for one another, and one mistake sends all of them back.
    pub const fn or_together(alone: &'static str, together: &'static str) -> Self {
        Self { alone, together: Some(together) }
    }
}
