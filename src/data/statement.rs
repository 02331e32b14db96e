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
    /// Over which connections it goes.
    pub over: Over,
}

/// Connections are of three kinds, so that what is slow holds up only what is slow. A pool bounds each kind, because a budget
/// of an instance bounds nothing where the runtime adds instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// One that other requests may share: what the statement costs is bounded by construction, and it waits
    /// for another write no longer than a millisecond.
    Shared,
    /// One of its own, out of a pool of its own: it may read all that its caller has, or wait for another write.
    Own,
    /// One of its own, out of a third pool: whether a process can serve, neither crowds nor slow statements decide.
    Ready,
}

impl Statement {
    /// A statement for one call, which may share its connection.
    pub const fn alone(alone: &'static str) -> Self {
        Self { alone, together: None, over: Over::Shared }
    }

    /// A statement that can be asked for many calls as well. Only for what changes nothing, is cheap, and is not refused
    /// for its parameters: those who are asked together wait for one another, and one mistake sends all of them back.
    pub const fn or_together(alone: &'static str, together: &'static str) -> Self {
        Self { alone, together: Some(together), over: Over::Shared }
    }

    /// The SQLSTATE with which `undone` fails, where the statement itself does not: `division_by_zero`.
    pub const UNDONE: &str = "22012";

    /// SQL that runs the statement and always fails at its end, so that nothing remains. For runtimes that tell more of a failure where
    /// no rows are asked for.
    pub fn undone(&self) -> String {
        // The count reads the whole row, so nothing of the statement is left out.
        format!("select 1 / (0 * count(answer)) from ({}) answer", self.alone)
    }

    /// The same over other connections, and for one call.
    pub const fn over(self, over: Over) -> Self {
        Self { together: None, over, ..self }
    }
}

impl Over {
    /// The connection string for these connections. A runtime keeps one pool for each string.
    pub fn address(self, address: &str) -> String {
        let name = match self {
            Self::Shared => return address.to_owned(),
            Self::Own => "errand-heavy",
            Self::Ready => "errand-ready",
        };
        // A URL or a list of keywords and values (PostgreSQL manual, section 34.1.1).
        let separator = match (address.contains("://"), address.contains('?')) {
            (true, true) => "&",
            (true, false) => "?",
            (false, _) => " ",
        };
        format!("{address}{separator}application_name={name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_connections_has_a_string_of_its_own() {
        for (address, own) in [
            ("postgres://app:p@db/errand", "postgres://app:p@db/errand?application_name=errand-heavy"),
            (
                "postgres://app@db/errand?sslmode=require",
                "postgres://app@db/errand?sslmode=require&application_name=errand-heavy",
            ),
            ("host=db user=app", "host=db user=app application_name=errand-heavy"),
        ] {
            assert_eq!(Over::Shared.address(address), address);
            assert_eq!(Over::Own.address(address), own);
            assert_eq!(Over::Ready.address(address), own.replace("heavy", "ready"));
        }
    }
}
