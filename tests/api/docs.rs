//! The description of the API, and the pages about it. The pages are a component of their own, which the native target
//! does not have.

use serde_json::Value;

use crate::support::{User, anonymous, target};

#[test]
fn the_description_is_served_and_kept_by_caches() {
    let reply = anonymous("GET", "/openapi.json").expect(200);
    // The committed copy, without the white space that lays it out.
    assert_eq!(reply.json().to_string().len(), reply.body.len());
    assert_eq!(reply.json(), serde_json::from_str::<Value>(include_str!("../../openapi.json")).unwrap());
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(reply.header("cache-control"), "public, max-age=300");
    let nobody = User { id: String::new(), token: String::new() };
    let known = [("if-none-match", reply.header("etag"))];
    let again = nobody.raw("GET", "/openapi.json", &known).expect(304);
    assert_eq!((again.body.as_str(), again.header("etag")), ("", reply.header("etag")));
    assert_eq!(nobody.raw("HEAD", "/openapi.json", &[]).header("content-length"), reply.body.len().to_string());
}

#[test]
fn the_pages_need_nothing_from_elsewhere() {
    if !target().has_pages() {
        return;
    }
    for path in ["/docs", "/docs/", "/docs/problems"] {
        let page = anonymous("GET", path).expect(200);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert!(page.header("content-security-policy").starts_with("default-src 'none';"));
        for attribute in ["src=\"", "rel=\"stylesheet\" href=\"", "rel=\"icon\" href=\""] {
            for asset in page.body.split(attribute).skip(1).map(|rest| rest.split('"').next().unwrap()) {
                assert!(asset.starts_with("/docs/"), "{path} loads {asset}");
                let (get, head) = (anonymous("GET", asset).expect(200), anonymous("HEAD", asset).expect(200));
                assert_eq!(head.header("content-length"), get.body.len().to_string(), "{asset}");
                assert!(head.body.is_empty() && get.headers.contains_key("etag"), "{asset}");
            }
        }
    }
}

#[test]
fn a_problem_leads_to_its_explanation() {
    if !target().has_pages() {
        return;
    }
    let problem = anonymous("GET", "/api/me/tasks").expect(401).problem();
    let (path, code) = problem.r#type.split_once('#').unwrap();
    assert!(anonymous("GET", path).expect(200).body.contains(&format!("<section id=\"{code}\">")));
}

#[test]
fn there_is_nothing_else_under_docs() {
    if !target().has_pages() {
        return;
    }
    for path in ["/docs/nothing", "/docs/problems/forbidden", "/docs/index.html"] {
        assert_eq!(anonymous("GET", path).expect(404).header("content-type"), "text/plain; charset=utf-8");
    }
    assert_eq!(anonymous("POST", "/docs").expect(405).header("allow"), "GET, HEAD");
}
