//! What one client knows of its tasks: what was acknowledged, and what may be either way.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

/// A user's tasks as their client knows them.
#[derive(Default)]
pub struct Ledger {
    /// As they were last acknowledged: the JSON, byte for byte.
    pub known: BTreeMap<String, String>,
    /// With a change on them that may have happened or not. They are not written to any more.
    uncertain: HashMap<String, (String, Change)>,
    /// Titles of tasks that may have been made.
    perhaps: Vec<String>,
}

/// A change to a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Title(String),
    Completed(bool),
    Gone,
}

/// A row of the database.
pub struct Row {
    pub id: String,
    pub title: String,
    pub version: i64,
    pub json: String,
}

impl Change {
    /// Whether a task looks as if this had been done to the other one.
    pub fn made(&self, before: &Value, after: &Value) -> bool {
        let mut expected = before.clone();
        // What changes nothing leaves the task as it was.
        if *self == Self::Completed(before["completed"] == true) {
            return expected == *after;
        }
        match self {
            Self::Title(title) => expected["title"] = title.as_str().into(),
            Self::Completed(completed) => {
                expected["completed"] = (*completed).into();
                expected["completed_at"] = after["completed_at"].clone();
            }
            Self::Gone => return false,
        }
        expected["version"] = (before["version"].as_i64().unwrap_or_default() + 1).into();
        expected["updated_at"] = after["updated_at"].clone();
        expected["etag"] = after["etag"].clone();
        before["etag"] != after["etag"] && expected == *after
    }
}

impl Ledger {
    /// A task was made or changed, and this is it now.
    pub fn acknowledge(&mut self, json: &str) {
        let task: Value = serde_json::from_str(json).unwrap();
        self.known.insert(task["id"].as_str().unwrap().to_owned(), json.to_owned());
    }

    /// A task is gone.
    pub fn acknowledge_gone(&mut self, id: &str) {
        self.known.remove(id);
    }

    /// A task may have been made.
    pub fn doubt_new(&mut self, title: &str) {
        self.perhaps.push(title.to_owned());
    }

    /// A change may have been done.
    pub fn doubt(&mut self, id: &str, change: Change) {
        if let Some(json) = self.known.remove(id) {
            self.uncertain.insert(id.to_owned(), (json, change));
        }
    }

    /// What a list has to say of a task that is certain.
    pub fn contradicts(&self, task: &Value) -> bool {
        let known = task["id"].as_str().and_then(|id| self.known.get(id));
        known.is_some_and(|json| serde_json::from_str::<Value>(json).unwrap() != *task)
    }

    /// How many of its tasks may be either way.
    pub fn doubts(&self) -> usize {
        self.uncertain.len() + self.perhaps.len()
    }

    /// Compares with what the database has of this user. Each disagreement is a sentence.
    pub fn compare(&self, rows: Vec<Row>) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut perhaps = self.perhaps.clone();
        let mut missing = self.known.clone();
        let mut gone: HashMap<_, _> =
            self.uncertain.iter().filter(|(_, (_, change))| *change != Change::Gone).collect();
        for Row { id, title, version, json } in rows {
            let task: Value = serde_json::from_str(&json).unwrap_or_default();
            if task["version"] != version || task["title"] != title.as_str() {
                wrong.push(format!("{id}: its JSON and its columns disagree: {json}"));
            }
            if let Some(known) = missing.remove(&id) {
                if known != json {
                    wrong.push(format!("{id}: acknowledged {known}, found {json}"));
                }
            } else if let Some((before, change)) = self.uncertain.get(&id) {
                gone.remove(&id);
                let old: Value = serde_json::from_str(before).unwrap();
                if *before != json && !change.made(&old, &task) {
                    wrong.push(format!("{id}: neither {before} nor that after {change:?}: {json}"));
                }
            } else if let Some(at) = perhaps.iter().position(|other| *other == title) {
                perhaps.swap_remove(at);
            } else {
                wrong.push(format!("{id}: nobody was told of {json}, or it is there twice"));
            }
        }
        wrong.extend(missing.values().map(|json| format!("lost: {json}")));
        wrong.extend(gone.keys().map(|id| format!("{id}: gone, and nobody asked for that")));
        wrong
    }
}

#[test]
fn the_ledger_sees_what_is_lost_doubled_and_changed() {
    let json = |id: &str, title: &str, version: i64| {
        format!(r#"{{"id":"{id}","title":"{title}","version":{version},"updated_at":"{version}","etag":"{version}"}}"#)
    };
    let row = |id: &str, title: &str, version: i64| Row {
        id: id.to_owned(),
        title: title.to_owned(),
        version,
        json: json(id, title, version),
    };
    let mut ledger = Ledger::default();
    ledger.acknowledge(&json("a", "A", 1));
    ledger.acknowledge(&json("b", "B", 1));
    ledger.doubt("b", Change::Title("B2".to_owned()));
    ledger.doubt_new("C");
    let wrong = |rows: Vec<Row>| ledger.compare(rows).len();
    assert_eq!(wrong(vec![row("a", "A", 1), row("b", "B", 1)]), 0);
    assert_eq!(wrong(vec![row("a", "A", 1), row("b", "B2", 2), row("c", "C", 1)]), 0);
    assert_eq!(wrong(vec![row("b", "B", 1)]), 1, "lost");
    assert_eq!(wrong(vec![row("a", "A", 1)]), 1, "gone");
    assert_eq!(wrong(vec![row("a", "A", 2), row("b", "B", 1)]), 1, "changed");
    assert_eq!(wrong(vec![row("a", "A", 1), row("b", "B2", 3)]), 1, "changed twice");
    assert_eq!(wrong(vec![row("a", "A", 1), row("b", "B", 1), row("c", "C", 1), row("d", "C", 1)]), 1, "doubled");
    assert_eq!(wrong(vec![row("a", "A", 1), row("b", "B", 1), row("d", "D", 1)]), 1, "unasked for");
}
