//! What is asked of the servers. The requests themselves are made in `bench/load.lua`.

use clap::ValueEnum;
use serde::Serialize;

/// A kind of request, or a mixture of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Scenario {
    /// A task
    Get,
    /// The newest 50 tasks
    List,
    /// 50 open tasks of two priorities, by due date
    Filtered,
    /// 50 tasks with a word
    Search,
    /// A new task
    Create,
    /// A new title and priority
    Patch,
    /// A task completed or reopened
    Complete,
    /// A task that the client has
    Get304,
    /// A list that the client has
    List304,
    /// A mixture: 80 % reads
    Day,
    /// A task with a description of 10,000 characters (with --against only, as the next two)
    GetLong,
    /// A new task with such a description
    CreateLong,
    /// A new priority of a task with such a description
    PatchLong,
    /// Such a description for one task after the other
    #[value(skip)]
    Lengthen,
    /// A list with a query string of one's own
    #[value(skip)]
    Page,
    /// No token, no database
    #[value(skip)]
    Live,
    /// No token, a trivial query
    #[value(skip)]
    Ready,
    /// A token and a refusal, no database
    #[value(skip)]
    Refused,
}

use Scenario::{
    Complete, Create, CreateLong, Day, Filtered, Get, Get304, GetLong, Lengthen, List, List304, Live, Page, Patch,
    PatchLong, Ready, Refused, Search,
};

impl Scenario {
    /// What every peer serves.
    pub(crate) const ALL: [Self; 10] = [Get, List, Filtered, Search, Create, Patch, Complete, Get304, List304, Day];
    /// What two commits are compared by, unless others are asked for.
    pub(crate) const COMPARED: [Self; 7] = [Get, List, Create, Patch, Search, CreateLong, PatchLong];
    /// What shows where errand's own time goes.
    pub(crate) const PARTS: [Self; 7] = [Live, Refused, Ready, Get304, Get, List304, List];

    /// Its name in `bench/load.lua`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Get => "get",
            List => "list",
            Filtered => "filtered",
            Search => "search",
            Create => "create",
            Patch => "patch",
            Complete => "complete",
            Get304 => "get304",
            List304 => "list304",
            Day => "day",
            GetLong => "get-long",
            CreateLong => "create-long",
            PatchLong => "patch-long",
            Lengthen => "lengthen",
            Page => "page",
            Live => "live",
            Ready => "ready",
            Refused => "refused",
        }
    }

    /// Its name for people.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Get => "get",
            List => "list of 50",
            Filtered => "list, filtered and sorted",
            Search => "search",
            Create => "create",
            Patch => "patch",
            Complete => "complete",
            Get304 => "get, 304",
            List304 => "list, 304",
            Day => "mixed day",
            GetLong => "get, 10,000 characters",
            CreateLong => "create, 10,000 characters",
            PatchLong => "patch, 10,000 characters",
            Lengthen => "patch of a long description",
            Page => "page",
            Live => "/health/live",
            Ready => "/health/ready",
            Refused => "token, then 400",
        }
    }

    /// Whether its tasks have long descriptions. Those belong to users of their own: they would make every list long.
    pub(crate) fn is_long(self) -> bool {
        matches!(self, GetLong | CreateLong | PatchLong | Lengthen)
    }

    /// Whether it writes, and so changes entity tags.
    pub(crate) fn is_write(self) -> bool {
        matches!(self, Create | Patch | Complete | CreateLong | PatchLong | Lengthen | Day)
    }

    /// Whether it needs the current entity tags.
    pub(crate) fn is_conditional(self) -> bool {
        matches!(self, Get304 | List304)
    }
}

/// A scenario at a number of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Cell {
    pub(crate) connections: u32,
    pub(crate) scenario: Scenario,
}

/// Everything at these numbers of connections. What is compared across them is measured close together: the machine's speed
/// is another one some minutes later.
pub(crate) fn cells(scenarios: &[Scenario], connections: &[u32]) -> Vec<Cell> {
    let all = scenarios.iter().flat_map(|scenario| {
        connections.iter().map(|connections| Cell { connections: *connections, scenario: *scenario })
    });
    all.collect()
}
