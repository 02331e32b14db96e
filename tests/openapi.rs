//! The description of the API: the committed copy is the one that the code makes, and it describes every route.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::path::Path;

use errand::api::{Code, openapi, routes};

/// Set by `cargo xtask openapi`: write the copy instead of comparing it.
const WRITE: &str = "ERRAND_WRITE_OPENAPI";

#[test]
fn the_committed_copy_is_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let made = openapi::document().to_pretty_json().unwrap() + "\n";
    if std::env::var_os(WRITE).is_some() {
        return std::fs::write(path, made).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap();
    assert!(committed == made, "openapi.json is not what the code says; `cargo xtask openapi` writes it anew");
}

#[test]
fn every_route_is_described_and_nothing_else_is() {
    let document = serde_json::to_value(openapi::document()).unwrap();
    let described: BTreeSet<_> = operations(&document).map(|(method, path, _)| (method.to_uppercase(), path)).collect();
    let routes = routes().flat_map(|route| route.methods().map(|method| (method.to_string(), route.path)));
    let routes: BTreeSet<_> = routes.map(|(method, path)| (method, path.to_owned())).collect();
    assert_eq!(described, routes);
}

#[test]
fn every_operation_says_who_may_call_it_and_what_it_does() {
    let document = serde_json::to_value(openapi::document()).unwrap();
    for (method, path, operation) in operations(&document) {
        let route = routes().find(|route| route.path == path).unwrap();
        assert_eq!(operation["security"].is_array(), !route.public, "{method} {path}");
        for member in ["operationId", "summary"] {
            assert!(operation[member].as_str().is_some_and(|text| !text.is_empty()), "{method} {path}: {member}");
        }
        for parameter in operation["parameters"].as_array().unwrap() {
            assert!(parameter["description"].is_string(), "{method} {path}: {}", parameter["name"]);
        }
    }
}

#[test]
fn every_problem_is_explained() {
    let page = include_str!("../crates/docs/src/problems.html");
    let explained: BTreeSet<_> = page.split("<section id=\"").skip(1).filter_map(|s| s.split('"').next()).collect();
    assert_eq!(Code::ALL.iter().map(|code| code.word()).collect::<BTreeSet<_>>(), explained);
    for code in Code::ALL {
        let heading =
            format!("<code>{}</code></a> <span>{} {}</span>", code.word(), code.status().as_u16(), code.title());
        assert!(page.contains(&heading), "{heading}");
    }
}

#[test]
fn every_problem_that_is_described_has_its_code() {
    let document = serde_json::to_value(openapi::document()).unwrap();
    let statuses: BTreeSet<_> = Code::ALL.iter().map(|code| code.status().as_u16()).collect();
    let mut described = BTreeSet::new();
    for response in document["components"]["responses"].as_object().unwrap().values() {
        for example in response["content"]["application/problem+json"]["examples"].as_object().unwrap().values() {
            let body = &example["value"];
            let code = Code::ALL.iter().find(|code| body["code"] == code.word()).unwrap();
            assert_eq!((&body["status"], &body["title"]), (&code.status().as_u16().into(), &code.title().into()));
            described.insert(code.status().as_u16());
        }
    }
    // An operation never answers that its path has no such method.
    assert_eq!(statuses.difference(&described).collect::<Vec<_>>(), [&405]);
}

fn operations(document: &serde_json::Value) -> impl Iterator<Item = (String, String, &serde_json::Value)> {
    document["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
        let operations = item.as_object().unwrap().iter();
        operations.map(|(method, operation)| (method.clone(), path.clone(), operation))
    })
}
