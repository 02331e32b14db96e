//! Who gets in, and what nobody else sees.

use errand::api::routes;
use serde_json::json;
use uuid::Uuid;

use crate::support::{Operation, Reply, SECRET, User, anonymous, operations, target, tell, token_with};

fn private() -> impl Iterator<Item = Operation> {
    operations().filter(|operation| !operation.public)
}

#[test]
fn the_public_routes_are_a_short_list() {
    let public: Vec<_> = routes().filter(|route| route.public).map(|route| route.path).collect();
    let expected = ["/health/live", "/health/ready", "/openapi.json", "/.well-known/oauth-protected-resource"];
    assert_eq!(public, expected);
    for route in public {
        anonymous("GET", route).expect(200);
    }
}

#[test]
fn no_route_opens_without_a_good_token() {
    let user = User::new("closed");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let expired = User { token: token_with(&json!({"sub": user.id, "exp": now - 3600})), ..user.clone() };
    let without_exp = User { token: token_with(&json!({"sub": user.id})), ..user.clone() };
    let forged = User { token: format!("{}x", user.token), ..user.clone() };
    let mut cases = 0;
    for operation in private() {
        let path = operation.path_of(&user.id, &Uuid::now_v7().to_string());
        let reply = anonymous(operation.method, &path).expect(401);
        assert_eq!((reply.header("www-authenticate"), reply.problem().code.as_str()), ("Bearer", "unauthorized"));
        for bad in [&expired, &without_exp, &forged] {
            let reply = bad.send_to(operation.method, &path, &[], None).expect(401);
            assert!(reply.header("www-authenticate").starts_with(r#"Bearer error="invalid_token""#));
            assert_eq!(reply.problem().code, "invalid_token");
        }
        cases += 4;
    }
    tell(cases, "requests without a good token");
}

#[test]
fn no_route_opens_without_its_scope() {
    let user = User::new("scoped");
    let errand = target().start_with(&[("jwt_secret", SECRET), ("jwt_scopes", "required")]);
    let token = |scopes: serde_json::Value| {
        let mut claims = json!({"sub": user.id, "exp": 4_102_444_800_u64});
        if !scopes.is_null() {
            claims["scope"] = scopes;
        }
        token_with(&claims)
    };
    let mut cases = 0;
    for operation in private() {
        let (id, method) = (operation.id(), operation.method);
        let path = operation.path_of(&user.id, &Uuid::now_v7().to_string());
        let body = operation.body().map(|body| body.to_string());
        let send = |scopes| errand.send(method, &path, &token(scopes), body.as_deref().map(str::as_bytes));
        let needs = if method == "GET" { "tasks:read" } else { "tasks:write" };
        let has_others = if method == "GET" { "openid tasks:write" } else { "openid tasks:read" };
        for scopes in [json!(null), json!(""), json!("openid"), json!(has_others)] {
            let reply = send(scopes).expect(403);
            let challenge = format!(r#"Bearer error="insufficient_scope", scope="{needs}""#);
            assert_eq!(
                (reply.header("www-authenticate"), reply.problem().code.as_str()),
                (challenge.as_str(), "insufficient_scope"),
                "{id}"
            );
            cases += 1;
        }
        assert_ne!(send(json!(needs)).status, 403, "{id}");
        cases += 1;
    }
    tell(cases, "requests with and without a scope");
}

#[test]
fn another_users_task_is_like_one_that_never_was() {
    let (alice, mallory) = (User::new("alice"), User::new("mallory"));
    let mut cases = 0;
    for operation in private() {
        let object = operation.object(&alice).id;
        let stored = everything_of(&alice);
        assert!(stored.len() >= 2, "{stored:?}");
        let send = |user: &str, id: &str| operation.send(&mallory, user, id, &[]);
        assert_eq!(send(&alice.id, &object).expect(403).problem().code, "forbidden");
        cases += 1;
        if operation.has_id() {
            let seen = send(&mallory.id, &object).expect(404);
            let unseen = send(&mallory.id, &Uuid::now_v7().to_string()).expect(404);
            let told = |reply: &Reply| {
                let mut headers = reply.headers.clone();
                headers.remove("x-request-id");
                headers.remove("date");
                (headers, reply.body.replace(reply.header("x-request-id"), ""))
            };
            assert_eq!(told(&seen), told(&unseen), "{}", operation.id());
            cases += 2;
        }
        assert_eq!(everything_of(&alice), stored, "{}", operation.id());
    }
    tell(cases, "requests for what is another user's");
}

/// Every row of a user's, in every table that there is.
fn everything_of(user: &User) -> Vec<String> {
    let tables = target().admin_query(
        "select format('%I.%I', table_schema, table_name) from information_schema.columns
         where table_schema = 'errand' and column_name = 'user_id' order by 1",
    );
    let rows = tables.iter().flat_map(|table| {
        target().admin_query(&format!("select t::text from {table} t where user_id = '{}' order by 1", user.id))
    });
    rows.collect()
}

#[test]
fn me_is_the_caller() {
    let user = User::new("me");
    let reply =
        user.send_to("POST", "/api/me/tasks", &[("content-type", "application/json")], Some(br#"{"title":"Mine"}"#));
    assert_eq!(reply.expect(201).header("location").split('/').nth(2), Some("me"));
    assert_eq!(user.titles(""), ["Mine"]);
}

#[test]
fn user_ids_of_any_characters_have_a_path() {
    for (id, encoded) in [
        ("auth0|5f7c8ec7", "auth0%7C5f7c8ec7"),
        ("a/b", "a%2Fb"),
        ("ž €", "%C5%BE%20%E2%82%AC"),
        ("100%", "100%25"),
        ("me", "me"),
        (".", "%2E"),
        ("a?b#c", "a%3Fb%23c"),
    ] {
        let user = User::with_id(id);
        let reply = user.send_to("GET", &format!("/api/{encoded}/tasks"), &[], None);
        assert_eq!(reply.status, 200, "{id}: {}", reply.body);
    }
    let long = "ž".repeat(255);
    User::with_id(&long).send_to("GET", "/api/me/tasks", &[], None).expect(200);
    User::with_id(&format!("{long}ž")).send_to("GET", "/api/me/tasks", &[], None).expect(401);
}

#[test]
fn the_authorization_header_is_read_strictly() {
    let user = User::new("header");
    let path = user.path("/tasks");
    let send = |values: &[&str]| {
        let headers: Vec<_> = values.iter().map(|value| ("authorization", *value)).collect();
        let nobody = User { token: String::new(), ..user.clone() };
        // The helper adds a header of its own; this request has only these.
        nobody.raw("GET", &path, &headers)
    };
    let good = format!("Bearer {}", user.token);
    send(&[&good]).expect(200);
    send(&[&good.replace("Bearer", "bEARER")]).expect(200);
    send(&[&good, &good]).expect(401);
    for value in ["", "Bearer", "Basic YTpi", &user.token, &good.replace(' ', "\t")] {
        assert_eq!(send(&[value]).expect(401).header("www-authenticate"), "Bearer", "{value}");
    }
    send(&[&format!("{good} {}", user.token)]).expect(401);
    send(&[&format!("Bearer {}", "a".repeat(9 * 1024))]).expect(401);
    user.send_to("GET", &format!("{path}?access_token={}", user.token), &[], None).expect(400);
}
