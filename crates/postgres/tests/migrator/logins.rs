//! The component's two logins: what they bring along, and how one takes the other's place.

use anyhow::Result;
use errand_postgres::{
    address::Address,
    connect,
    migrate::{self as migrator, Difference},
    role,
};
use tokio_postgres::error::SqlState;

use crate::support::{Migrations, ROLE, ask, database, migrate};

#[tokio::test]
async fn status_names_each_setting_that_differs_and_what_mends_it() -> Result<()> {
    let (address, files) = (database().await?, Migrations::of_checkout()?);
    migrate(&address, &files).await?;
    let differences = async || anyhow::Ok(migrator::status(&address, files.path()).await?.settings);
    assert_eq!(differences().await?, []);

    let admin = connect::connect(&address).await?;
    let alter = async |what: &str| {
        let _role = ROLE.lock().await;
        admin.batch_execute(&format!("alter role errand_app_2 in database \"{}\" {what}", address.database())).await
    };
    alter("set statement_timeout = '10min'").await?;
    alter("reset jit").await?;
    let found = differences().await?;
    let remedies: Vec<_> = found.iter().map(|difference| difference.remedy.clone()).collect();
    let expected = [("jit", "off", None), ("statement_timeout", "4s", Some("10min"))];
    let expected = expected.into_iter().zip(remedies.clone()).map(|((name, wanted, found), remedy)| Difference {
        login: "errand_app_2".to_owned(),
        name: name.to_owned(),
        wanted: wanted.to_owned(),
        found: found.map(ToOwned::to_owned),
        remedy,
    });
    assert_eq!(found, expected.collect::<Vec<_>>());

    let _role = ROLE.lock().await;
    for remedy in remedies {
        admin.batch_execute(&remedy).await?;
    }
    assert_eq!(differences().await?, []);
    Ok(())
}

/// Logs in, and reads as the component does.
async fn serves(url: &str) -> Result<bool> {
    let client = match connect::connect(&Address::parse(url)?).await {
        Ok(client) => client,
        Err(error) => {
            let code = error.chain().find_map(|cause| cause.downcast_ref::<tokio_postgres::Error>()?.code());
            let refused = [SqlState::INVALID_PASSWORD, SqlState::INVALID_AUTHORIZATION_SPECIFICATION];
            assert!(refused.iter().any(|state| code == Some(state)), "{error:#}");
            return Ok(false);
        }
    };
    Ok(client.query_one("select api.ready()", &[]).await?.try_get(0)?)
}

#[tokio::test]
async fn a_password_changes_while_the_other_login_serves() -> Result<()> {
    let address = database().await?;
    migrate(&address, &Migrations::of_checkout()?).await?;
    let _role = ROLE.lock().await;
    let first = role::ensure_login(&address, role::LOGINS[0], "first").await?;
    let second = role::ensure_login(&address, role::LOGINS[1], "second").await?;
    assert_ne!(first, second);
    assert!(serves(&first).await? && serves(&second).await?);
    role::lock_out(&address, role::other_login(role::LOGINS[1])).await?;
    assert!(!serves(&first).await? && serves(&second).await?);
    // And back.
    let third = role::ensure_login(&address, role::other_login(role::LOGINS[1]), "third").await?;
    assert!(!serves(&first).await? && serves(&third).await? && serves(&second).await?);
    role::lock_out(&address, role::LOGINS[1]).await?;
    assert!(serves(&third).await? && !serves(&second).await?);
    // No password is in clear where the server keeps it.
    let kept = ask(&address, "select rolpassword from pg_authid where rolname = 'errand_app'").await?;
    assert!(kept.starts_with("SCRAM-SHA-256$"), "{kept}");
    Ok(())
}
