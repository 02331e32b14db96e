//! Variables: who gives them, who sees them.

use serde_json::json;

use crate::support::App;

fn app() -> App {
    App::new()
        .top("[variables]\nname = { required = true }\nmark = { default = \"!\" }")
        .component("variables = { greeting = \"hello {{ name }}{{mark}}\", plain = \"text\" }")
}

#[test]
fn a_missing_required_variable_stops_the_start_and_is_named() {
    let said = app().refusal();
    assert!(said.contains("name"), "{said}");
    assert!(said.contains("SPIN_VARIABLE_NAME="), "{said}");
}

#[tokio::test]
async fn the_environment_fills_templates() {
    let host = app().environment("SPIN_VARIABLE_NAME", "environment").start();
    assert_eq!(host.json("/variable?greeting").await, json!({ "value": "hello environment!" }));
    assert_eq!(host.json("/variable?plain").await, json!({ "value": "text" }));
}

#[tokio::test]
async fn the_working_directorys_env_file_stands_behind_the_environment() {
    let file = "SPIN_VARIABLE_NAME=file\nSPIN_VARIABLE_MARK=\"?\"\n";
    let host = app().file(".env", file).start();
    assert_eq!(host.json("/variable?greeting").await, json!({ "value": "hello file?" }));
    let host = app().file(".env", file).environment("SPIN_VARIABLE_NAME", "environment").start();
    assert_eq!(host.json("/variable?greeting").await, json!({ "value": "hello environment?" }));
}

#[tokio::test]
async fn the_command_line_beats_all() {
    let host = app()
        .environment("SPIN_VARIABLE_NAME", "environment")
        .file("mark.txt", "#")
        .arguments(&["--variable", "name=line", "--variable", "mark=@mark.txt"])
        .start();
    assert_eq!(host.json("/variable?greeting").await, json!({ "value": "hello line#" }));
}

#[tokio::test]
async fn a_provider_of_the_runtime_configuration_comes_before_the_environment() {
    let host = app()
        .environment("SPIN_VARIABLE_NAME", "environment")
        .file("runtime-config.toml", "[[config_provider]]\ntype = \"static\"\nvalues = { name = \"static\" }")
        .arguments(&["--runtime-config-file", "runtime-config.toml"])
        .start();
    assert_eq!(host.json("/variable?greeting").await, json!({ "value": "hello static!" }));
}

/// Who gives a value, the first one first.
const GIVERS: [&str; 6] = ["line", "first", "second", "environment", "file", "default"];

/// An application to whose one variable these give their own names.
fn given_by(givers: &[&str]) -> App {
    let default = if givers.contains(&"default") { "default = \"default\"" } else { "required = true" };
    let mut app = App::new()
        .top(&format!("[variables]\nname = {{ {default} }}"))
        .component("variables = { name = \"{{name}}\" }");
    if givers.contains(&"line") {
        app = app.arguments(&["--variable", "name=line"]);
    }
    let providers: String = ["first", "second"]
        .iter()
        .filter(|name| givers.contains(name))
        .map(|name| format!("[[config_provider]]\ntype = \"static\"\nvalues = {{ name = \"{name}\" }}\n"))
        .collect();
    if !providers.is_empty() {
        app = app.file("runtime-config.toml", &providers).arguments(&["--runtime-config-file", "runtime-config.toml"]);
    }
    if givers.contains(&"environment") {
        app = app.environment("SPIN_VARIABLE_NAME", "environment");
    }
    if givers.contains(&"file") {
        app = app.file(".env", "SPIN_VARIABLE_NAME=file\n");
    }
    app
}

#[tokio::test]
async fn of_any_two_who_give_a_value_the_first_one_counts() {
    for (place, first) in GIVERS.iter().enumerate() {
        for second in &GIVERS[place + 1..] {
            let host = given_by(&[first, second]).start();
            assert_eq!(host.json("/variable?name").await, json!({ "value": first }), "{first} and {second}");
        }
    }
}

#[tokio::test]
async fn an_empty_value_is_a_value() {
    let empty = json!({ "value": "" });
    let host = given_by(&["environment", "file", "default"]).arguments(&["--variable", "name="]).start();
    assert_eq!(host.json("/variable?name").await, empty);
    let host = given_by(&["file", "default"]).environment("SPIN_VARIABLE_NAME", "").start();
    assert_eq!(host.json("/variable?name").await, empty);
    let host = given_by(&["default"]).file(".env", "SPIN_VARIABLE_NAME=\n").start();
    assert_eq!(host.json("/variable?name").await, empty);
    // It is enough for a variable that must have one.
    let host = given_by(&[]).environment("SPIN_VARIABLE_NAME", "").start();
    assert_eq!(host.json("/variable?name").await, empty);
}

#[tokio::test]
async fn the_last_of_two_on_the_command_line_counts() {
    let app = || given_by(&[]).file("a.txt", "content").file("a.json", "{\"name\": \"table\"}");
    for (arguments, value) in [
        (["name=one", "name=two"], "two"),
        (["name=one", "name="], ""),
        (["name=one", "name=@a.txt"], "content"),
        (["name=@a.txt", "name=one"], "one"),
        (["name=one", "@a.json"], "table"),
        (["@a.json", "name=one"], "one"),
    ] {
        let [first, second] = arguments;
        let host = app().arguments(&["--variable", first, "--variable", second]).start();
        assert_eq!(host.json("/variable?name").await, json!({ "value": value }), "{arguments:?}");
    }
}

#[tokio::test]
async fn what_the_component_does_not_declare_is_undefined() {
    let host = app().environment("SPIN_VARIABLE_NAME", "x").start();
    let answer = host.json("/variable?name").await;
    assert!(answer["error"].as_str().unwrap().contains("Undefined"), "{answer}");
    let answer = host.json("/variable?Not-A-Name").await;
    assert!(answer["error"].as_str().unwrap().contains("InvalidName"), "{answer}");
}

#[test]
fn a_template_with_an_unknown_variable_stops_the_start() {
    let said = App::new().component("variables = { a = \"{{ nobody }}\" }").refusal();
    assert!(said.contains("nobody"), "{said}");
}

#[tokio::test]
async fn the_environment_of_a_component_is_the_manifests_and_nothing_else() {
    let host = App::new()
        .component("environment = { GIVEN = \"manifest\", OTHER = \"manifest\" }")
        .environment("SECRET", "of the host")
        .arguments(&["--env", "OTHER=line"])
        .start();
    assert_eq!(host.json("/environment").await, json!({ "GIVEN": "manifest", "OTHER": "line" }));
    assert_eq!(host.json("/arguments").await, json!([]));
}
