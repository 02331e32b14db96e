//! The folded texts of a task, for search and for sorting. The database stores them beside the fields.

use errand_text::{search_text, sort_key};

use crate::domain::fields::{Document, FieldValue};

/// A document with the folded texts of its fields. A field that is absent stays as it is, and so do its texts.
pub(super) fn folded(document: impl Into<Document>) -> Document {
    let mut document = document.into();
    let mut texts = Vec::new();
    if let Some(FieldValue::Text(title)) = document.get("title") {
        texts.push(("title_key", sort_key(title)));
        texts.push(("title_text", search_text(title)));
    }
    match document.get("description") {
        Some(FieldValue::Text(description)) => texts.push(("description_text", search_text(description))),
        Some(_) => texts.push(("description_text", String::new())),
        None => {}
    }
    if let Some(FieldValue::Texts(tags)) = document.get("tags") {
        texts.push(("tags_text", tags.iter().map(|tag| search_text(tag)).collect()));
    }
    for (column, text) in texts {
        document.add(column, FieldValue::Text(text));
    }
    document
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::{NewTask, TaskPatch};

    fn texts(document: impl Into<Document>) -> Value {
        let mut document = serde_json::to_value(folded(document)).unwrap();
        document.as_object_mut().unwrap().retain(|name, _| name.ends_with("_key") || name.ends_with("_text"));
        document
    }

    #[test]
    fn a_new_task_has_all_texts() {
        let task = NewTask::parse(r#"{"title": "Straße 1", "tags": ["Größe", "C++"]}"#.as_bytes()).unwrap();
        let expected = json!({"title_key": "strasse 1", "title_text": "\u{1}strasse \u{1}1 ", "description_text": "",
            "tags_text": "\u{1}grosse \u{1}c++ \u{1}++ \u{1}+ "});
        assert_eq!(texts(task), expected);
    }

    #[test]
    fn a_patch_has_the_texts_of_its_fields() {
        for (patch, expected) in [
            ("{}", json!({})),
            (r#"{"priority": "high"}"#, json!({})),
            (r#"{"title": "A"}"#, json!({"title_key": "a", "title_text": "\u{1}a "})),
            (r#"{"description": "B c"}"#, json!({"description_text": "\u{1}b \u{1}c "})),
            (r#"{"description": null, "tags": null}"#, json!({"description_text": "", "tags_text": ""})),
        ] {
            assert_eq!(texts(TaskPatch::parse(patch.as_bytes()).unwrap()), expected, "{patch}");
        }
    }
}
