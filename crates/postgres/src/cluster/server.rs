//! Creating, starting and stopping a private server.

use std::{
    fs::{self, File},
    hash::{DefaultHasher, Hash, Hasher},
    net::TcpListener,
    path::Path,
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::{Purpose, binaries::Binaries, home::Home, log_tail, read};

/// Private servers take ports from here on: below the range from which outgoing connections take theirs.
const FIRST_PORT: u16 = 15_400;
const PORTS: u16 = 1_000;
/// A log beyond this many bytes is begun anew at the next start.
const LOG_LIMIT: u64 = 20_000_000;
const START_SECONDS: &str = "60";
/// How long a server may take to start or stop.
const CHANGE_TIMEOUT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(50);
const SETTINGS_FILE: &str = "errand.conf";

/// The port of the server that runs on this folder, if one does. One that is just starting or stopping is waited for.
pub(super) fn running(home: &Home) -> Result<Option<u16>> {
    let begun = Instant::now();
    loop {
        let Ok(text) = fs::read_to_string(home.data().join("postmaster.pid")) else {
            return Ok(None);
        };
        // Line 1 is the pid, line 4 the port, line 8 the state (PostgreSQL's miscadmin.h).
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let (Some(pid), Some(Ok(port))) = (lines.first(), lines.get(3).map(|port| port.parse())) else {
            return Ok(None);
        };
        // The file survives a power cut: a server that runs answers to a signal that does nothing, and listens.
        let alive =
            home.command(Path::new("/bin/sh")).args(["-c", "kill -0 \"$1\" 2>/dev/null", "sh", pid]).status()?;
        if !alive.success() {
            return Ok(None);
        }
        if lines.get(7).is_some_and(|state| *state == "ready") {
            return Ok(TcpListener::bind(("127.0.0.1", port)).is_err().then_some(port));
        }
        if begun.elapsed() > CHANGE_TIMEOUT {
            bail!(
                "PostgreSQL (process {pid}) in {} has been starting or stopping for {} s; see server.log there",
                home.folder().display(),
                CHANGE_TIMEOUT.as_secs()
            );
        }
        if begun.elapsed() < POLL {
            eprintln!("errand: the private PostgreSQL is just starting or stopping; waiting for it");
        }
        sleep(POLL);
    }
}

/// Creates the cluster: UTF-8, passwords everywhere, sorting that does not depend on the machine.
pub(super) fn create(home: &Home, binaries: &Binaries, password: &str, superuser: &str) -> Result<()> {
    if !home.is_temporary() {
        eprintln!("errand: creating a private PostgreSQL {} in {}", binaries.major, home.folder().display());
    }
    home.write(&home.password_file(), &format!("{password}\n"))?;
    // Renamed when complete: a half-made one, left by an interruption, is never mistaken for a cluster.
    let unfinished = home.folder().join("data.new");
    let locales: &[&[&str]] = if binaries.major >= 17 {
        &[&["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]]
    } else {
        &[&["--locale=C.UTF-8"], &["--locale=C"]]
    };
    let mut last_error = String::new();
    for locale in locales {
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).with_context(|| format!("cannot remove {}", unfinished.display()))?;
        }
        let mut initdb = home.command(&binaries.program("initdb"));
        initdb
            .arg("--pgdata")
            .arg(&unfinished)
            .arg("--pwfile")
            .arg(home.password_file())
            .args(["--username", superuser, "--auth=scram-sha-256", "--encoding=UTF8"])
            .args(*locale);
        if home.is_temporary() {
            initdb.arg("--no-sync");
        }
        match output(&mut initdb)? {
            Ok(_) => {
                let conf = unfinished.join("postgresql.conf");
                let text = read(&conf)?;
                home.write(&conf, &format!("{text}\ninclude_if_exists = '{SETTINGS_FILE}'\n"))?;
                return fs::rename(&unfinished, home.data()).context("cannot move the new cluster into place");
            }
            Err(text) => last_error = text,
        }
    }
    bail!("PostgreSQL could not create its data folder (initdb):\n{last_error}")
}

/// Starts the server and waits until it takes connections. Returns its port.
pub(super) fn start(home: &Home, binaries: &Binaries, purpose: Purpose) -> Result<u16> {
    let version = read(&home.data().join("PG_VERSION"))?;
    if version.trim() != binaries.major.to_string() {
        bail!(
            "the data in {} was made by PostgreSQL {}, but only {} was found here; install that version, or remove the folder to start afresh (its tasks are lost)",
            home.folder().display(),
            version.trim(),
            binaries.major
        );
    }
    if fs::metadata(home.log()).is_ok_and(|log| log.len() > LOG_LIMIT) {
        home.write(&home.log(), "")?;
    }
    let mut last_error = None;
    // A port that is free now may be taken a moment later; then the next one does.
    for _ in 0..3 {
        let port = choose_port(home)?;
        home.write(&home.data().join(SETTINGS_FILE), &settings(port, purpose))?;
        let Err(tail) = start_once(home, binaries)? else {
            home.write(&home.port_file(), &format!("{port}\n"))?;
            return Ok(port);
        };
        let taken = tail.contains("could not bind") || tail.contains("Address already in use");
        last_error = Some(tail);
        if !taken {
            break;
        }
        let _ = fs::remove_file(home.port_file());
    }
    bail!(
        "PostgreSQL did not start within {START_SECONDS} s. The end of {}:\n{}\nWhen the data is broken and may be lost, remove {} and try again.",
        home.log().display(),
        last_error.unwrap_or_default(),
        home.folder().display()
    )
}

/// Starts the server with the settings that are there. The inner error is the end of its log.
pub(super) fn start_once(home: &Home, binaries: &Binaries) -> Result<Result<(), String>> {
    let mut pg_ctl = home.command(&binaries.program("pg_ctl"));
    pg_ctl.arg("start").arg("-D").arg(home.data()).arg("-l").arg(home.log()).args(["-w", "-t", START_SECONDS]);
    // Answered into a file: a pipe would stay open as long as the server runs.
    let told = home.folder().join("pg_ctl.out");
    home.write(&told, "")?;
    let file = File::options().append(true).open(&told)?;
    let status = pg_ctl.stdout(file.try_clone()?).stderr(file).status().context("cannot run pg_ctl")?;
    if status.success() {
        return Ok(Ok(()));
    }
    Ok(Err(format!("{}\npg_ctl: {}", log_tail(home, 15), read(&told)?.trim())))
}

/// Stops the server, even if another process started it; `mode` is pg_ctl's.
pub(super) fn stop(home: &Home, binaries: &Binaries, mode: &str) -> Result<()> {
    let mut pg_ctl = home.command(&binaries.program("pg_ctl"));
    pg_ctl.arg("stop").arg("-D").arg(home.data()).args(["-m", mode, "-w", "-t", "60"]);
    match output(&mut pg_ctl)? {
        Ok(_) => Ok(()),
        Err(text) => bail!("PostgreSQL in {} could not be stopped: {text}", home.folder().display()),
    }
}

fn settings(port: u16, purpose: Purpose) -> String {
    let mut text = format!(
        "# Written at each start by errand; changes here are lost.\n\
         listen_addresses = '127.0.0.1'\n\
         port = {port}\n\
         unix_socket_directories = ''\n\
         max_connections = 500\n\
         shared_buffers = 256MB\n\
         password_encryption = 'scram-sha-256'\n\
         timezone = 'UTC'\n\
         log_timezone = 'UTC'\n\
         log_line_prefix = '%m [%p] %u@%d '\n"
    );
    match purpose {
        Purpose::Checkout => {}
        Purpose::Tests => {
            text.push_str("fsync = off\nsynchronous_commit = off\nfull_page_writes = off\nmax_wal_size = 4GB\n");
        }
        // No checkpoint is due within a run, because it would slow one peer and not another. All peers keep their connections at the same
        // time, and one opens another for each request.
        Purpose::Bench => text
            .push_str("max_connections = 2000\nshared_buffers = 512MB\nmax_wal_size = 8GB\ncheckpoint_timeout = 1h\n"),
    }
    text
}

/// The remembered port if it is free; otherwise a free one, from a start that is derived from the folder's name, so that
/// several checkouts rarely collide.
fn choose_port(home: &Home) -> Result<u16> {
    let remembered = fs::read_to_string(home.port_file()).ok().and_then(|text| text.trim().parse::<u16>().ok());
    let mut hasher = DefaultHasher::new();
    home.folder().hash(&mut hasher);
    let offset = u16::try_from(hasher.finish() % u64::from(PORTS)).unwrap_or_default();
    let candidates = (0..PORTS).map(|step| FIRST_PORT + (offset + step) % PORTS);
    remembered
        .into_iter()
        .chain(candidates)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .with_context(|| format!("no port between {FIRST_PORT} and {} is free for PostgreSQL", FIRST_PORT + PORTS))
}

/// Runs to the end; the inner error is what a failing program said.
fn output(command: &mut Command) -> Result<Result<String, String>> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("cannot run {program}"))?;
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Ok(if output.status.success() { Ok(text) } else { Err(text.trim().to_owned()) })
}
