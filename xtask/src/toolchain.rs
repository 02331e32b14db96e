//! The compiler for wasm32-wasip1: rustup's, or Debian's where rustup cannot fetch it.

use std::{
    env,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Result, bail};
use clap::ValueEnum;
use tokio::process::Command;

use crate::{
    process::{self, BRIEF},
    workspace,
};

/// What the component is compiled for.
pub(crate) const TARGET: &str = "wasm32-wasip1";
/// A download that takes longer than this will not come.
const DOWNLOAD: Duration = Duration::from_secs(300);
/// Rust for WebAssembly as Debian packages it for Firefox, with sources of the standard library to build for WASI.
const DEBIAN_PACKAGES: [&str; 5] = ["rustc-web", "cargo-web", "rust-web-src", "lld-22", "wasi-libc"];
const DEBIAN_LINKER: &str = "/usr/bin/wasm-ld-22";
const DEBIAN_REACTOR: &str = "/usr/lib/wasm32-wasi/crt1-reactor.o";

/// Which compiler to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Choice {
    /// The current toolchain, after `rustup target add`; Debian's where that fails
    Auto,
    /// The current toolchain only
    Rustup,
    /// Debian's packages only
    Debian,
}

/// A compiler that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Toolchain {
    /// The current toolchain has the target.
    Current,
    /// Debian's packages, building the standard library along.
    Debian,
}

impl Toolchain {
    /// Makes sure that there is a compiler for the component.
    pub(crate) async fn ensure(choice: Choice) -> Result<Self> {
        if choice == Choice::Debian {
            return debian().await;
        }
        if current_has_target().await {
            return Ok(Self::Current);
        }
        // Installed for this purpose earlier: rustup has refused before, and need not be asked at each build.
        if choice == Choice::Auto && debian_is_complete().await {
            return Ok(Self::Debian);
        }
        eprintln!("errand: this Rust cannot compile for {TARGET} yet: rustup target add {TARGET}");
        let mut rustup = workspace::program("rustup")?;
        rustup.args(["target", "add", TARGET]).stdout(Stdio::null());
        let refused = match process::run(rustup, DOWNLOAD).await {
            Ok(()) if current_has_target().await => return Ok(Self::Current),
            Ok(()) => "rustup added it, but not to the Rust that runs here".to_owned(),
            Err(error) => format!("{error:#}"),
        };
        if choice == Choice::Rustup {
            bail!(
                "{refused}; try `cargo xtask build --toolchain debian` on Debian, or install a Rust that has {TARGET}"
            );
        }
        eprintln!("errand: {refused}; using Debian's packages instead");
        debian().await
    }

    /// `cargo build` for one component with this compiler. One at a time: built together, each would get the other's
    /// features of the dependencies, and with them interfaces that it does not use.
    pub(crate) async fn cargo_build(self, package: &str) -> Result<Command> {
        let mut command = match self {
            Self::Current => workspace::cargo()?,
            Self::Debian => workspace::program("/usr/bin/cargo")?,
        };
        command.args(["build", "--release", "--target", TARGET, "--package", package, "--lib"]);
        let mut flags = remapped().await?;
        flags.extend(ARITHMETIC.map(str::to_owned));
        if self == Self::Debian {
            // Debian has no compiled standard library for this target, so it is built from its source; its C library
            // lies elsewhere, and the linker does not know how to start a library (a "reactor") by itself.
            command
                .arg("-Zbuild-std=std,panic_abort")
                .env("RUSTC_BOOTSTRAP", "1")
                .env("RUSTC", "/usr/bin/rustc")
                .env("CARGO_TARGET_WASM32_WASIP1_LINKER", DEBIAN_LINKER);
            flags.extend(["-Clink-self-contained=no", "-Lnative=/usr/lib/wasm32-wasi"].map(str::to_owned));
            flags.push(format!("-Clink-arg={DEBIAN_REACTOR}"));
            // They would lead back to rustup's compiler.
            for variable in ["RUSTUP_TOOLCHAIN", "RUSTC_WRAPPER", "CARGO"] {
                command.env_remove(variable);
            }
        }
        // The build script of spin-sdk asks git for a commit, and would get that of a repository in which Cargo's home lies.
        if let Some(cargo_home) = cargo_home() {
            command.env("GIT_CEILING_DIRECTORIES", cargo_home);
        }
        // Cargo takes these in the place of all others, and splits them at this character, which no path has.
        command.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
        Ok(command)
    }
}

/// Flags that make signatures cheap to verify (docs/performance.md). WebAssembly multiplies 64 by 64 bits to 64: twice that is a call of a
/// function of the compiler's, so numbers in words of 32 bits are faster. Inlined, the arithmetic of a curve keeps its words in locals.
const ARITHMETIC: [&str; 3] = ["--cfg", "cpubits=\"32\"", "-Cllvm-args=-inline-threshold=800"];

/// Flags that keep this machine's folders out of a component, so that its bytes depend on source and compiler alone. Of two prefixes
/// that fit a path, the later one counts.
async fn remapped() -> Result<Vec<String>> {
    let folders = [
        (env::home_dir(), "/home"),
        (cargo_home(), "/cargo"),
        (sysroot("rustc").await, "/rust"),
        (Some(workspace::root()?), "/errand"),
    ];
    let flag =
        |(folder, name): (Option<PathBuf>, &str)| Some(format!("--remap-path-prefix={}={name}", folder?.to_str()?));
    Ok(folders.into_iter().filter_map(flag).collect())
}

/// Where Cargo keeps what it has fetched.
pub(crate) fn cargo_home() -> Option<PathBuf> {
    env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")))
}

async fn sysroot(rustc: &str) -> Option<PathBuf> {
    let mut command = workspace::program(rustc).ok()?;
    command.args(["--print", "sysroot"]);
    process::capture(command, BRIEF).await.map(PathBuf::from)
}

async fn current_has_target() -> bool {
    sysroot("rustc").await.is_some_and(|root| root.join("lib/rustlib").join(TARGET).join("lib").is_dir())
}

async fn debian_is_complete() -> bool {
    if ![DEBIAN_LINKER, DEBIAN_REACTOR, "/usr/bin/cargo"].iter().all(|path| Path::new(path).exists()) {
        return false;
    }
    sysroot("/usr/bin/rustc").await.is_some_and(|root| root.join("lib/rustlib/src/rust/library/std").is_dir())
}

async fn debian() -> Result<Toolchain> {
    if debian_is_complete().await {
        return Ok(Toolchain::Debian);
    }
    let packages = DEBIAN_PACKAGES.join(" ");
    if !Path::new("/usr/bin/apt-get").exists() {
        bail!(
            "nothing here can compile for {TARGET}; install Rust from https://rustup.rs and run `rustup target add {TARGET}`"
        );
    }
    if !rustix::process::geteuid().is_root() {
        bail!(
            "nothing here can compile for {TARGET}; run `rustup target add {TARGET}`, or install Debian's packages and try again:\n  \
             sudo apt-get install {packages}"
        );
    }
    eprintln!("errand: installing Debian's Rust for WebAssembly: apt-get install {packages}");
    apt_get(&["update", "-qq"]).await?;
    apt_get(&[&["install", "-y", "-qq", "--no-install-recommends"], DEBIAN_PACKAGES.as_slice()].concat()).await?;
    if !debian_is_complete().await {
        bail!(
            "Debian's packages are installed but do not make a compiler for {TARGET}; install Rust from https://rustup.rs and run `rustup target add {TARGET}`"
        );
    }
    Ok(Toolchain::Debian)
}

/// Runs Debian's package manager, which asks nothing.
pub(crate) async fn apt_get(arguments: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    command
        .args(["-o", "DPkg::Lock::Timeout=120", "-o", "Acquire::http::Timeout=30"])
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null());
    process::run(command, DOWNLOAD * 3).await
}
