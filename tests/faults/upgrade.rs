//! The component and the schema of two versions, one beside the other's. `cargo xtask test --upgrade` builds the older one.

use std::path::PathBuf;

use errand::data::INTERFACE;
use errand_postgres::address::Address;
use errand_postgres::connect::{connect, create_database};
use errand_postgres::{migrate, role};
use serde_json::{Value, json};
use tokio::time::sleep;
use uuid::Uuid;

use crate::support::client::Client;
use crate::support::host::Host;
use crate::support::lasting;
use crate::support::load::Load;
use crate::support::trial::shown;
use crate::support::world::{PASSWORD, RUNTIME, World, world};
use errand_testing::left_out;

/// The checkout of the older version, built.
fn older() -> Option<PathBuf> {
    let folder = std::env::var_os("ERRAND_UPGRADE_FROM").map(PathBuf::from);
    if folder.is_none() {
        left_out("it needs a build of an older version: `cargo xtask test --upgrade`");
    }
    folder
}

/// A database with the schema of a checkout, and the environment of a host for it.
async fn database(world: &World, name: &str, migrations: PathBuf) -> (Address, [(&'static str, String); 2]) {
    let server = world.cluster.address("postgres").unwrap();
    let admin = create_database(&server, name).await.unwrap();
    migrate::migrate(&admin, &migrations).await.unwrap();
    let environment = [
        ("SPIN_VARIABLE_DATABASE_URL", admin.app_url(role::APP_ROLE, PASSWORD)),
        ("SPIN_VARIABLE_DATABASE_HOST", admin.endpoint()),
    ];
    (admin, environment)
}

fn of_now() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("migrations")
}

/// Clients at work on a host until they are called away; it has failed none of them.
async fn at_work(admin: &Address, host: &Host, meanwhile: impl Future<Output = ()>) {
    let load = Load::start(host.address, &Uuid::now_v7().simple().to_string(), 16, Some(150.0), 1);
    sleep(lasting(1_000)).await;
    meanwhile.await;
    sleep(lasting(2_000)).await;
    let seen = load.seen.clone();
    let workers = load.finish().await;
    let mut wrong = seen.wrong();
    wrong.extend(seen.failures().into_iter().map(|failed| failed.told));
    let client = connect(admin).await.unwrap();
    for worker in &workers {
        wrong.extend(worker.ledger.compare(World::rows(&client, &worker.client.user).await));
    }
    assert!(wrong.is_empty(), "{}", shown(&wrong));
}

#[test]
fn an_older_component_serves_while_the_schema_becomes_that_of_now() {
    let Some(older) = older() else { return };
    let world = world();
    RUNTIME.block_on(async {
        let (admin, environment) = database(&world, "errand_upgrade", older.join("migrations")).await;
        let manifest = older.join("spin.toml").display().to_string();
        let host = world.another_host("older component.log", &["--from", &manifest], &environment);
        at_work(&admin, &host, async {
            let report = migrate::migrate(&admin, &of_now()).await.unwrap();
            assert!(report.functions_replaced, "the schema was that of now already");
            // Its tasks of before are folded while it writes others.
            migrate::fold(&admin, |_| true).await.unwrap();
        })
        .await;
        // And the one of now takes over. What the older one has written since is folded meanwhile.
        let host = world.another_host("newer component.log", &[], &environment);
        at_work(&admin, &host, async {
            migrate::fold(&admin, |_| true).await.unwrap();
        })
        .await;
        let unfolded = "select (select count(*) from errand.task where title_text is null)
            + (select count(*) from errand.account where not folded)";
        let unfolded: i64 = connect(&admin).await.unwrap().query_one(unfolded, &[]).await.unwrap().get(0);
        assert_eq!(unfolded, 0);
    });
}

#[test]
fn a_component_of_now_tells_an_older_schema_by_a_mismatch_and_nothing_else() {
    let Some(older) = older() else { return };
    let world = world();
    RUNTIME.block_on(async {
        let (admin, environment) = database(&world, "errand_outdated", older.join("migrations")).await;
        let client = connect(&admin).await.unwrap();
        let serves = format!("select to_regtype('api.interface_{INTERFACE}') is not null");
        if client.query_one(&serves, &[]).await.unwrap().get(0) {
            left_out("the older schema serves this component");
            return;
        }
        let host = world.another_host("outdated schema.log", &[], &environment);
        let mut early = Client::new(host.address, "early");
        let body = json!({"title": "t"});
        for (method, path, body) in [
            ("GET", "", None),
            ("POST", "", Some(&body)),
            ("GET", "/019a0000-0000-7000-8000-000000000000", None),
            ("PATCH", "/019a0000-0000-7000-8000-000000000000", Some(&body)),
            ("DELETE", "/019a0000-0000-7000-8000-000000000000", None),
        ] {
            let reply = early.send(method, path, None, body).await.unwrap();
            let told: Value = serde_json::from_str(&reply.body).unwrap();
            assert_eq!((reply.status, told["code"].as_str()), (503, Some("schema_mismatch")), "{method} {path}");
        }
        let ready = early.send_to("GET", "/health/ready", None, None).await.unwrap();
        assert!(ready.status == 503 && ready.body.contains("schema_mismatch"), "{}", ready.body);
        let count: i64 = client.query_one("select count(*) from errand.task", &[]).await.unwrap().get(0);
        assert_eq!(count, 0);
    });
}
