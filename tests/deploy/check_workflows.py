"""The workflows of GitHub Actions: they are valid and safe, and ci.yml runs the commands of .ci/run.

After the files themselves, copies of them are checked that have a fault each, because a check that finds nothing may look at nothing.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(sys.executable).parent
CI_RUN = ".ci/run"
CI = ".github/workflows/ci.yml"
RELEASE = ".github/workflows/release.yml"

# What the fault is, the file, what is replaced there, by what, and a word of the complaint.
FAULTS = [
    ("an unknown key", CI, "timeout-minutes: 90", "timeout-minute: 90", "timeout-minute"),
    ("a wrong expression", CI, "github.event_name ==", "github.event_nam ==", "event_nam"),
    (
        "an output that no step has",
        RELEASE,
        "steps.app.outputs.digest }}\n          DB",
        "steps.apps.outputs.digest }}\n          DB",
        "apps",
    ),
    ("a command that ci.yml lacks", CI, "          - cargo xtask check\n", "", "ci.yml lacks `cargo xtask check`"),
    ("a command that .ci/run lacks", CI_RUN, "step cargo xtask check\n", "", ".ci/run lacks `cargo xtask check`"),
    ("a command that is not run", CI, "run: $COMMAND", "run: echo $COMMAND", "runs no command"),
    ("an action without its commit", CI, re.compile(r"(actions/checkout)@\w+ # v(\d+).*"), r"\1@v\2", "unpinned-uses"),
    (
        "a permission for every job",
        RELEASE,
        "permissions:\n  contents: read",
        "permissions:\n  contents: write",
        "excessive-permissions",
    ),
    (
        "a branch's name in a script",
        CI,
        "run: $COMMAND",
        "run: echo ${{ github.head_ref }}; $COMMAND",
        "template-injection",
    ),
]


def complaints(root: Path) -> list[str]:
    files = sorted(str(path.relative_to(root)) for path in (root / ".github/workflows").glob("*.y*ml"))
    return [
        # Without the programs that it calls where the machine has them: each machine has another version, or none.
        *run(root, "actionlint", "-no-color", "-shellcheck=", "-pyflakes=", *files),
        *run(root, "zizmor", "--offline", "--quiet", "--color=never", ".github"),
        *difference(root),
    ]


def run(root: Path, program: str, *arguments: str) -> list[str]:
    done = subprocess.run([PROGRAMS / program, *arguments], cwd=root, capture_output=True, text=True, timeout=120)
    return [] if done.returncode == 0 else [f"{program}: {done.stdout}{done.stderr}"]


def difference(root: Path) -> list[str]:
    ci_run = re.findall(r"^step (cargo xtask .*?)\s*$", (root / CI_RUN).read_text(), re.MULTILINE)
    commands, found = [], []
    for name, job in yaml.safe_load((root / CI).read_text())["jobs"].items():
        commands += job.get("strategy", {}).get("matrix", {}).get("command", [])
        if not any(runs_command(step) for step in job["steps"]):
            found.append(f"ci.yml: the job {name} runs no command of its matrix")
    for place, has, wanted in (("ci.yml", commands, ci_run), (".ci/run", ci_run, commands)):
        found += [f"{place} lacks `{command}`" for command in wanted if wanted.count(command) > has.count(command)]
    return found if ci_run else [".ci/run: no step was found"]


def runs_command(step: dict) -> bool:
    given = step.get("env", {}).get("COMMAND") == "${{ matrix.command }}"
    return given and "if" not in step and re.search(r"(^|; )\$COMMAND\b", step.get("run", "")) is not None


def check_faults() -> list[str]:
    missed = []
    for fault, file, old, new, word in FAULTS:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            shutil.copytree(ROOT / ".github", root / ".github")
            shutil.copytree(ROOT / ".ci", root / ".ci")
            path = root / file
            text = path.read_text()
            changed = old.sub(new, text, count=1) if isinstance(old, re.Pattern) else text.replace(old, new, 1)
            if changed == text:
                missed.append(f"{fault}: {file} has no place for it; change FAULTS")
                continue
            path.write_text(changed)
            found = "\n".join(complaints(root))
            if word not in found:
                missed.append(f"{fault} is not noticed: {found or 'no complaint'}")
    return missed


def main() -> int:
    found = complaints(ROOT) or check_faults()
    for complaint in found:
        print(complaint, file=sys.stderr)
    if not found:
        print(f"the workflows are valid, and each of {len(FAULTS)} faults was noticed")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
