//! Another commit of errand: laid out in a folder of its own, built there by its own commands, and kept.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::{
    bench::peer::{MEASURED, Peer, Recipe},
    process::{self, BRIEF, LONG},
    workspace,
};

/// A commit and its folder.
#[derive(Debug)]
pub(crate) struct Revision {
    /// All of its name.
    pub(crate) commit: String,
    pub(crate) root: PathBuf,
}

/// What is done once for a commit. A file with the step's name in `target/against` of its folder says that it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    LayOut,
    Component,
    Host,
    Native,
}

impl Step {
    fn name(self) -> &'static str {
        match self {
            Self::LayOut => "laid-out",
            Self::Component => "component",
            Self::Host => "host",
            Self::Native => "native",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::LayOut => "laying it out",
            Self::Component => "its commands and its component",
            Self::Host => "its local host; from nothing this takes ten minutes on two cores",
            Self::Native => "its native server",
        }
    }
}

impl Revision {
    /// What git calls `name`.
    pub(crate) async fn find(name: &str) -> Result<Self> {
        let mut git = workspace::program("git")?;
        git.args(["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{name}^{{commit}}")]);
        let commit = process::capture(git, BRIEF).await.with_context(|| {
            format!("git knows no commit `{name}` here; `git log --oneline` shows some, `git fetch` gets those of the others")
        })?;
        let root = workspace::root()?.join("target/against").join(&commit);
        Ok(Self { commit, root })
    }

    /// The last commit that has other files below `folder` than the newest one.
    pub(crate) async fn before(folder: &str) -> Result<Self> {
        let mut git = workspace::program("git")?;
        git.args(["log", "--max-count=1", "--format=%H", "--", folder]);
        let last = process::capture(git, BRIEF).await.filter(|commit| !commit.is_empty());
        let last =
            last.with_context(|| format!("git knows no commit that changes {folder}; is this a whole clone?"))?;
        Self::find(&format!("{last}~1")).await
    }

    pub(crate) fn short(&self) -> &str {
        self.commit.get(..12).unwrap_or(&self.commit)
    }

    /// Lays it out and builds what is needed to measure these peers, unless that was done before. With a host, that one
    /// serves its component.
    pub(crate) async fn prepare(&self, peers: &[Peer], host: Option<&Path>) -> Result<Vec<Recipe>> {
        let mut steps = vec![Step::LayOut, Step::Component];
        if peers.contains(&Peer::Host) && host.is_none() {
            steps.push(Step::Host);
        }
        if peers.contains(&Peer::Native) {
            steps.push(Step::Native);
        }
        for (number, step) in (1..).zip(&steps) {
            if self.marker(*step).is_file() {
                continue;
            }
            eprintln!("errand: {} ({number} of {}): {}", self.short(), steps.len(), step.title());
            self.take(*step).await.with_context(|| self.advice())?;
            fs::create_dir_all(self.root.join("target/against"))?;
            fs::write(self.marker(*step), "")?;
        }
        peers.iter().map(|peer| self.recipe(*peer, host)).collect()
    }

    fn marker(&self, step: Step) -> PathBuf {
        self.root.join("target/against").join(step.name())
    }

    async fn take(&self, step: Step) -> Result<()> {
        match step {
            Step::LayOut => self.lay_out().await,
            // That commit's command builds its own xtask first, which also migrates its databases.
            Step::Component => self.cargo(&["xtask", "build"]).await,
            Step::Host => self.cargo(&["build", "--profile", self.profile(), "--package", "errand-host"]).await,
            Step::Native => {
                let words = ["build", "--profile", self.profile(), "--package", "errand-native"];
                let feature: &[&str] = if self.is_older() { &["--features", "server"] } else { &[] };
                self.cargo(&[&words, feature].concat()).await
            }
        }
    }

    /// Whether it is from before what is measured got a profile of its own, and the server a package.
    fn is_older(&self) -> bool {
        fs::read_to_string(self.root.join("Cargo.toml"))
            .is_ok_and(|manifest| !manifest.contains(&format!("[profile.{MEASURED}]")))
    }

    fn profile(&self) -> &'static str {
        if self.is_older() { "host" } else { MEASURED }
    }

    async fn cargo(&self, words: &[&str]) -> Result<()> {
        let mut cargo = workspace::cargo_in(&self.root)?;
        cargo.args(words);
        process::run(cargo, LONG).await
    }

    /// The files of the commit, without git's own. What this checkout has compiled for other people's packages is copied
    /// before: cargo takes it where it fits. The files are newer than that, so errand's own packages are built anew.
    async fn lay_out(&self) -> Result<()> {
        fs::create_dir_all(&self.root)?;
        let (own, other) = (workspace::root()?.join("target"), self.root.join("target"));
        for profile in [MEASURED, "release", "wasm32-wasip1"] {
            if own.join(profile).is_dir() && !other.join(profile).exists() {
                fs::create_dir_all(&other)?;
                let mut copy = Command::new("cp");
                copy.args(["-a"]).arg(own.join(profile)).arg(&other);
                process::run(copy, LONG).await?;
            }
        }
        let archive = self.root.with_extension("tar");
        let mut git = workspace::program("git")?;
        git.args(["archive", "--format=tar", "--output"]).arg(&archive).arg(&self.commit);
        process::run(git, BRIEF).await?;
        let mut tar = Command::new("tar");
        tar.args(["-xmf"]).arg(&archive).arg("-C").arg(&self.root);
        process::run(tar, BRIEF).await?;
        fs::remove_file(&archive).with_context(|| format!("cannot remove {}", archive.display()))
    }

    fn recipe(&self, peer: Peer, host: Option<&Path>) -> Result<Recipe> {
        let program = match (peer, host) {
            (Peer::Host, Some(host)) => host.to_owned(),
            (Peer::Host, None) => self.root.join("target").join(self.profile()).join("errand-host"),
            (Peer::Native, _) => self.root.join("target").join(self.profile()).join("errand-native"),
            _ => bail!("{} cannot be compared with another commit", peer.title()),
        };
        if !program.is_file() {
            bail!("{} is gone; {}", program.display(), self.advice());
        }
        Ok(Recipe::of_other(peer, program, self.root.clone()))
    }

    fn advice(&self) -> String {
        format!("{} was not built; to begin afresh, remove {}", self.short(), self.root.display())
    }
}
