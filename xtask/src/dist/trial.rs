//! `cargo xtask test --dist`: the bundle serves from an empty folder, by the commands of its README, and the components have the same bytes
//! when they are built elsewhere.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use errand_postgres::{address::Address, connect::create_database};
use tokio::process::Command;

use super::{Archives, VERSION, make, sha256, tracked};
use crate::{
    build, http, live,
    process::{self, BRIEF, LONG},
    runtime::{self, Runtime, Serving},
    settings::JWT_SECRET,
    test::NotRun,
    toolchain::{self, TARGET},
    workspace,
};

/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(30);

/// Makes the archives and tries them, on a PostgreSQL with this administrator's address.
pub(crate) async fn run(server: &str) -> Result<()> {
    if !workspace::root()?.join(".git").exists() {
        return Err(NotRun("this is no checkout of git, which names the files of the archives".to_owned()).into());
    }
    let folder = workspace::root()?.join("target/dist/trial");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    // Beside each other: cargo uses one core for some of either. Each is waited for, because the other build would go on without us.
    let (archives, components) = tokio::join!(make(), built_elsewhere(&folder));
    let (archives, components) = (archives?, components?);
    let bundle = unpacked(&archives, &folder).await?;
    serves(&bundle, server).await?;
    same_bytes(&components, &bundle)?;
    fs::remove_dir_all(&folder)?;
    Ok(())
}

async fn unpacked(archives: &Archives, folder: &Path) -> Result<PathBuf> {
    eprintln!("\n== the bundle is complete");
    let sums = ["--check", "--quiet", "SHA256SUMS"];
    run_in(&archives.folder, "sha256sum", &sums).await?;
    let archive = archives.folder.join(&archives.bundle);
    run_in(folder, "tar", &["--extract", "--gzip", "--file", &archive.to_string_lossy()]).await?;
    let bundle = folder.join(format!("errand-{VERSION}"));
    run_in(&bundle, "sha256sum", &sums).await?;
    Ok(bundle)
}

/// Runs the commands of the README, to the letter but for the port.
async fn serves(bundle: &Path, server: &str) -> Result<()> {
    let readme = fs::read_to_string(bundle.join("README.md"))?;
    let (serve, prepare): (Vec<&str>, Vec<&str>) = commands(&readme).partition(|block| block.contains("spin up"));
    ensure!(serve.len() == 2 && !prepare.is_empty(), "the README of the bundle has other commands");
    let spin = Spin::on_path(bundle).await?;
    for up in serve {
        if !spin.runs(up) {
            eprintln!("\nerrand: left out, because this Spin cannot run it: {}", up.trim());
            continue;
        }
        eprintln!("\n== {} ({})", up.trim(), spin.title);
        let name = format!("errand_dist_{}", if up.contains("p2") { "p2" } else { "p3" });
        let admin = create_database(&Address::parse(server)?, &name).await?;
        let password = String::from_utf8_lossy(admin.config().get_password().unwrap_or_default()).into_owned();
        let script = format!("set -euo pipefail\n{}\nexec {}", prepare.join("\n"), listening(up)?);
        let mut command = Command::new("bash");
        command
            .args(["-c", &script])
            .current_dir(bundle)
            .env("DATABASE_URL", admin.app_url(admin.user(), &password))
            .env(JWT_SECRET, live::SECRET);
        if let Some(path) = &spin.path {
            command.env("PATH", path);
        }
        let mut serving = Serving::start(command, Runtime::Spin)?;
        let outcome = asked(&mut serving).await;
        serving.stop().await;
        outcome?;
    }
    Ok(())
}

/// Creates a task, finds it in the list, and opens the documentation.
async fn asked(serving: &mut Serving) -> Result<()> {
    let address = serving.ready().await?;
    let authorization = format!("authorization: Bearer {}\r\ncontent-type: application/json\r\n", live::token("dist")?);
    let body = r#"{"title": "Served by the bundle"}"#;
    let (status, text) = http::send(address, ("POST", "/api/me/tasks"), &authorization, body, ANSWER).await?;
    ensure!(status == 201, "a task was not created: {status} {text}");
    let (status, text) = http::send(address, ("GET", "/api/me/tasks"), &authorization, "", ANSWER).await?;
    ensure!(status == 200 && text.contains("Served by the bundle"), "the list lacks the task: {status} {text}");
    for path in ["/docs", "/openapi.json"] {
        let (status, _) = http::get(address, path, ANSWER).await?;
        ensure!(status == 200, "{path} is {status}");
    }
    Ok(())
}

/// The Spin on PATH, or the local host under its name where there is none.
struct Spin {
    title: String,
    runtime: Runtime,
    /// The PATH on which the local host is `spin`.
    path: Option<String>,
}

impl Spin {
    async fn on_path(bundle: &Path) -> Result<Self> {
        let runtime = Runtime::of_this_machine().await;
        if runtime != Runtime::Host {
            return Ok(Self { title: "Spin".to_owned(), runtime, path: None });
        }
        let host = runtime::host_binary().await?;
        let folder = bundle.with_file_name("bin");
        fs::create_dir_all(&folder)?;
        let script = folder.join("spin");
        fs::write(&script, format!("#!/bin/sh\nshift\nexec '{}' \"$@\"\n", host.display()))?;
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
        let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
        Ok(Self { title: "the local host".to_owned(), runtime, path: Some(path) })
    }

    fn runs(&self, up: &str) -> bool {
        self.runtime != Runtime::SpinP2 || up.contains("p2")
    }
}

/// Builds the components in another folder, with other homes. Returns the folder that they are in.
async fn built_elsewhere(folder: &Path) -> Result<PathBuf> {
    eprintln!(
        "errand: beside the archives, the components in another folder with another HOME and CARGO_HOME; minutes"
    );
    let root = workspace::root()?;
    let other = folder.join("another folder");
    for path in tracked(&root).await? {
        let to = other.join(&path);
        fs::create_dir_all(to.parent().context("a file without a folder")?)?;
        fs::copy(root.join(&path), to)?;
    }
    // This program, which takes the folder that it runs in for its checkout.
    let mut command = workspace::program_in(&other, &std::env::current_exe()?.to_string_lossy());
    command.arg("build");
    // rustup's own home stays, because it has the compiler.
    if let (None, Some(home)) = (std::env::var_os("RUSTUP_HOME"), std::env::home_dir()) {
        command.env("RUSTUP_HOME", home.join(".rustup"));
    }
    let cargo_home = folder.join("another cargo home");
    fs::create_dir_all(&cargo_home)?;
    // It may say where crates come from.
    if let Some(config) = toolchain::cargo_home().map(|home| home.join("config.toml")).filter(|path| path.is_file()) {
        fs::copy(config, cargo_home.join("config.toml"))?;
    }
    command.env("HOME", folder.join("another home")).env("CARGO_HOME", cargo_home);
    process::run(command, LONG).await?;
    Ok(other.join("target").join(TARGET).join("release"))
}

fn same_bytes(components: &Path, bundle: &Path) -> Result<()> {
    eprintln!("\n== the components are the same as those that were built in another folder");
    let mut different = Vec::new();
    for package in build::PACKAGES {
        let file = format!("{}.wasm", package.replace('-', "_"));
        let built = fs::read(components.join(&file))?;
        let bundled = fs::read(bundle.join("components").join(&file))?;
        let (built, bundled) = (sha256(&built), sha256(&bundled));
        eprintln!("{file}: {built}");
        if built != bundled {
            different.push(format!("{file} is {bundled} in the bundle"));
        }
    }
    ensure!(different.is_empty(), "other bytes in another folder: {}", different.join(", "));
    Ok(())
}

/// The blocks of shell commands.
fn commands(readme: &str) -> impl Iterator<Item = &str> {
    readme.split("```sh\n").skip(1).filter_map(|rest| rest.split_once("```")).map(|(block, _)| block)
}

/// The command with a free port.
fn listening(up: &str) -> Result<String> {
    let (command, _) = up.split_once('#').unwrap_or((up, ""));
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    Ok(format!("{} --listen {}", command.trim(), SocketAddr::from((Ipv4Addr::LOCALHOST, free.port()))))
}

async fn run_in(folder: &Path, program: &str, arguments: &[&str]) -> Result<()> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder);
    process::run(command, BRIEF).await
}
