"""Makes .venv/ from requirements.lock with a Python that a TFX line runs on; idle when up to date.

    python3 tools/make_venv.py [PYTHON]    `make setup`; takes PYTHON instead of choosing one
    python3 tools/make_venv.py lock        `make lock`

Standard library and the syntax of Python 3.8 only: it has to start before anything is installed
and to say what is missing where nothing fits. uv does the work, from its own place in .venv/.uv.
"""

from __future__ import annotations

import configparser
import contextlib
import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Environment = Mapping[str, str]
    Version = tuple[int, ...]

UV_AT_LEAST = (0, 7)  # older ones do not know all of pyproject.toml's [tool.uv]
STAMP = "stamp.json"


@dataclass(frozen=True)
class Line:
    """One TFX line: the glibc that its wheels need and the Pythons it runs on, the best first."""

    tfx: str
    glibc: Version
    pythons: tuple[str, ...]


# The best first: the second is for machines that cannot run the first.
LINES = (
    Line("1.21", glibc=(2, 39), pythons=("3.13", "3.12", "3.11")),
    Line("1.16", glibc=(2, 28), pythons=("3.10",)),
)


@dataclass(frozen=True)
class Python:
    """An interpreter that ran and answered; never a virtual environment's."""

    path: str
    version: str

    @property
    def minor(self) -> str:
        return self.version.rpartition(".")[0]

    def __str__(self) -> str:
        return f"Python {self.version} at {self.path}"


@dataclass(frozen=True)
class Stamp:
    """What .venv/ was made from. Written last: an environment without a stamp is half made."""

    root: str  # console scripts and the editable install hold this path
    glibc: str
    python: str
    version: str
    tfx: str
    lock: str
    project: str

    def same_base(self, other: Stamp) -> bool:
        """Whether the one can be brought to the other in place."""
        return asdict(self) == {**asdict(other), "lock": self.lock, "project": self.project}


@dataclass
class SetupError(Exception):
    """A sentence or two for the person at the terminal."""

    expected: str
    received: str
    next_step: str
    touched_nothing: bool = False  # uv fetches and builds all before it installs anything

    def __str__(self) -> str:
        received = self.received.rstrip(".")
        return f"expected {self.expected}, received {received}. {self.next_step}, then make again."


def main(arguments: list[str], root: Path) -> int:
    try:
        with one_at_a_time(root):
            if arguments == ["lock"]:
                make_lock(root)
            else:
                make_venv(root, asked="".join(arguments[:1]))
    except (SetupError, OSError) as error:
        print(f"make_venv: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


@contextlib.contextmanager
def one_at_a_time(root: Path) -> Iterator[None]:
    """Two makes at once would write into one .venv/: the second waits for the first."""
    folder = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def make_venv(root: Path, asked: str = "") -> None:
    """Makes or mends .venv/; starts no process and touches nothing when it is up to date."""
    venv, glibc = root / ".venv", this_machines_glibc()
    old = read_stamp(venv)
    if old and not asked and old == stamp(root, glibc, old.tfx, Python(old.python, old.version)):
        say(f".venv is up to date: Python {old.version}, TFX {old.tfx}")
        return
    env = child_environment(os.environ)
    line, python = choose_python(venv, glibc, asked, old, env)
    say(f"{python}: TFX {line.tfx} (glibc {dotted(glibc)})")
    new = stamp(root, glibc, line.tfx, python)
    in_place = old is not None and old.same_base(new)
    if in_place:
        (venv / STAMP).unlink()
    else:
        empty(venv)
    try:
        install(root, python, env)
    except SetupError as error:
        if old and in_place and error.touched_nothing:
            write_stamp(venv, old)
        raise
    write_stamp(venv, new)


def install(root: Path, python: Python, env: Environment) -> None:
    """Brings .venv/ to what requirements.lock says, with the project in it, editable."""
    began, venv = time.monotonic(), root / ".venv"
    uv = find_or_install_uv(venv, python, env)
    if not starts(venv):
        options = ["--allow-existing", "--prompt=imgpipe", "--python", python.path]
        run([uv, "venv", *options, ".venv"], root, env)
    say("installing requirements.lock: seconds from uv's cache, minutes the first time ...")
    target = ["--python", ".venv/bin/python"]
    synced = run([uv, "pip", "sync", "--require-hashes", *target, "requirements.lock"], root, env)
    # setuptools is in the lock: without build isolation nothing else is fetched.
    editable = ["--no-deps", "--no-build-isolation", "--editable", "."]
    run([uv, "pip", "install", *target, *editable], root, env)
    check = start([uv, "pip", "check", *target], root, env).stderr
    missing = re.search(r"The package `imgpipe` requires .*", check)
    if missing:
        expected = "all that pyproject.toml asks for in requirements.lock"
        raise SetupError(expected, missing[0], "Run make lock", touched_nothing=True)
    count = re.search(r"Installed (\d+) package", synced)
    say(f"{count[1] if count else 0} packages installed in {time.monotonic() - began:.0f} s")
    say("compiling what a run imports ...")
    run([".venv/bin/python", "-c", FIRST_IMPORT], root, env)


# Python keeps the bytecode of what it imports; `env` has nothing in it that keeps Python from that.
FIRST_IMPORT = """
from pipeline.local.quick_imports import quick_imports
with quick_imports():
    import pipeline.local.execution
"""


def make_lock(root: Path) -> None:
    """Resolves pyproject.toml, for every supported Python, into requirements.lock."""
    env, venv = child_environment(os.environ), root / ".venv"
    _, python = choose_python(venv, this_machines_glibc(), "", read_stamp(venv), env)
    uv = find_or_install_uv(venv, python, env)
    say("resolving pyproject.toml: a minute or two the first time ...")
    run([uv, "lock", "--python", python.path], root, env)
    content = ["--no-header", "--no-emit-project", "--all-groups", "--format=requirements-txt"]
    export = ["--frozen", "--python", python.path, "--output-file=requirements.lock"]
    run([uv, "export", *content, *export], root, env)


# --- which Python -------------------------------------------------------------------------------

# What a Python answers about itself; a virtual environment answers with the Python behind it.
PROBE = """
import os, platform, sys, sysconfig
path = sys.executable
if sys.prefix != sys.base_prefix:
    path = os.path.join(sys.base_prefix, "bin", "python%d.%d" % sys.version_info[:2])
if platform.python_implementation() != "CPython" or sysconfig.get_config_var("Py_GIL_DISABLED"):
    sys.exit("not an ordinary CPython")
print("%d.%d.%d " % sys.version_info[:3] + os.path.realpath(path))
"""


def this_machines_glibc() -> Version:
    """The version of glibc: it decides which wheels run here."""
    machine = f"{platform.system()} {platform.machine()}"
    if machine != "Linux x86_64":
        raise SetupError("Linux x86_64, all that TFX has wheels for", machine, "Use a container")
    with contextlib.suppress(OSError, ValueError):
        name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
        if name == "glibc":
            return tuple(int(part) for part in version.split(".")[:2])
    raise SetupError("glibc", "another C library", "Use a Linux with glibc (Debian, Ubuntu)")


def choose_python(
    venv: Path, glibc: Version, asked: str, old: Stamp | None, env: Environment
) -> tuple[Line, Python]:
    """The Python asked for, else .venv/'s own, else the best found, else one that uv fetches."""
    lines = [line for line in LINES if glibc >= line.glibc]
    if not lines:
        least = f"glibc {dotted(LINES[-1].glibc)} or newer"
        raise SetupError(least, f"glibc {dotted(glibc)}", "Use a newer Linux or a container")
    if asked:
        found = find_pythons([shutil.which(asked) or asked], env)
    else:
        kept = [old.python] if old and old.glibc == dotted(glibc) else []
        found = find_pythons(kept, env)
        found = found if best(found, glibc) else find_pythons(candidates(env), env)
    choice = best(found, glibc)
    if choice:
        return choice
    wanted = " or ".join(minor for line in lines for minor in line.pythons)
    expected = f"Python {wanted} (for TFX on glibc {dotted(glibc)})"
    received = ", ".join(map(str, found)) or asked or "none that runs"
    if asked:
        raise SetupError(expected, received, "Name one of those, or leave PYTHON away")
    minor = lines[0].pythons[0]
    say(f"no Python {wanted} found: asking uv for {minor} ...")
    try:
        return lines[0], fetch_python(venv, minor, env)
    except SetupError as error:
        received += f", and from uv: {error.received}"
        raise SetupError(expected, received, f"Install Python {minor}") from None


def best(pythons: list[Python], glibc: Version) -> tuple[Line, Python] | None:
    """The newest TFX line that runs with this glibc and one of these Pythons, and that Python."""
    for line in LINES:
        for minor in line.pythons:
            for python in pythons:
                if python.minor == minor and glibc >= line.glibc:
                    return line, python
    return None


def find_pythons(paths: list[str], env: Environment) -> list[Python]:
    """The real interpreters behind those of the paths that run, each once."""
    probed = [probe(path, env) for path in paths]
    return list(dict.fromkeys(python for python in probed if python))


def probe(path: str, env: Environment) -> Python | None:
    """Runs it, since being there proves nothing, and returns the real interpreter behind it."""
    answered = answer([path, "-I", "-c", PROBE], env).rpartition("\n")[2]
    version, _, real = answered.partition(" ")
    usable = re.fullmatch(r"3\.\d+\.\d+", version) and os.access(real, os.X_OK)
    return Python(real, version) if usable else None


def candidates(env: Environment) -> list[str]:
    """What may be a Python: the one running this, what is on PATH and what pyenv keeps."""
    minors = [minor for line in LINES for minor in line.pythons]
    names = [*(f"python{minor}" for minor in minors), "python3", "python"]
    on_path = [folder / name for folder in path_folders(env) for name in names]
    # pyenv's versions are not on PATH, and its shims run only the version that is switched on.
    roots = [env.get("PYENV_ROOT"), env.get("HOME", "") + "/.pyenv", answer(["pyenv", "root"], env)]
    of_pyenv = [
        path
        for root in dict.fromkeys(root for root in roots if root)
        for minor in minors
        for path in sorted(Path(root, "versions").glob(f"{minor}.*/bin/python"), reverse=True)
    ]
    existing = [str(path) for path in on_path + of_pyenv if os.access(path, os.X_OK)]
    return [sys.executable, *existing]


def fetch_python(venv: Path, minor: str, env: Environment) -> Python:
    """A Python that uv downloads, or did before; it lies in uv's own folder."""
    uv = find_or_install_uv(venv, Python(sys.executable, platform.python_version()), env)
    run([uv, "python", "install", minor], venv, env)
    find = ["python", "find", "--no-project", "--managed-python", minor]
    path = answer([uv, *find], env)
    python = probe(path, env)
    if not python:
        raise SetupError(f"Python {minor} from uv", f"{path!r}, which does not run", "Install it")
    return python


# --- uv and the registry ------------------------------------------------------------------------

# pip's names and uv's: the first of uv's is set, unless one of them is.
SETTINGS = {
    "index-url": ("UV_DEFAULT_INDEX", "UV_INDEX_URL"),
    "extra-index-url": ("UV_INDEX", "UV_EXTRA_INDEX_URL"),
    "find-links": ("UV_FIND_LINKS",),
    "no-index": ("UV_NO_INDEX",),
    "cert": ("SSL_CERT_FILE",),
    "client-cert": ("SSL_CLIENT_CERT",),
    "trusted-host": ("UV_INSECURE_HOST",),
    "proxy": ("ALL_PROXY", "HTTPS_PROXY", "https_proxy", "all_proxy"),
    "timeout": ("UV_HTTP_TIMEOUT",),
}
# Whatever begins like this could send the installation elsewhere or change it ...
REDIRECTING = re.compile(r"UV_|PIP_|PYTHON|CONDA|VIRTUAL_ENV|__PYVENV")
# ... apart from what says where packages come from and how they are fetched.
REGISTRY = re.compile(
    r"(UV|PIP)_(.*INDEX.*|FIND_LINKS|.*CERT.*|.*TLS|.*HOST|PROXY|.*TIMEOUT|HTTP_.*|.*RETRIES|OFFLINE"
    r"|KEYRING_PROVIDER|CREDENTIALS_DIR|CONFIG_FILE|CACHE_DIR|LINK_MODE|CONCURRENT_.*"
    r"|PYTHON_INSTALL_.*|PYTHON_DOWNLOADS.*)"
)


def find_or_install_uv(venv: Path, python: Python, env: Environment) -> str:
    """A uv that runs, under .venv/.uv: the one on PATH if new enough, else from the registry."""
    own = venv / ".uv" / "bin" / "uv"
    if is_good_uv(own, env):
        return str(own)
    shutil.rmtree(venv / ".uv", ignore_errors=True)
    good = next((path / "uv" for path in path_folders(env) if is_good_uv(path / "uv", env)), None)
    if good:
        own.parent.mkdir(parents=True)
        own.symlink_to(good)
        return str(own)
    say("installing uv ...")
    venv.mkdir(exist_ok=True)
    run([python.path, "-I", "-m", "venv", ".uv"], venv, env)
    options = ["--quiet", "--no-user", "--disable-pip-version-check"]
    pip = [str(own.parent / "python"), "-I", "-m", "pip", "install", *options]
    run([*pip, f"uv>={dotted(UV_AT_LEAST)}"], venv, env)
    return str(own)


def is_good_uv(path: Path, env: Environment) -> bool:
    version = re.match(r"uv (\d+)\.(\d+)", answer([str(path), "--version"], env))
    return version is not None and tuple(map(int, version.groups())) >= UV_AT_LEAST


def child_environment(environ: Environment) -> dict[str, str]:
    """What uv and pip start with: nothing of other environments, one registry for both."""
    env = {
        name: value
        for name, value in environ.items()
        if not REDIRECTING.match(name) or REGISTRY.fullmatch(name)
    }
    for name, value in pip_settings(environ).items():
        uv_names = SETTINGS.get(name, ())
        if uv_names and not any(uv_name in env for uv_name in uv_names):
            env[uv_names[0]] = for_uv(name, value)
            if name == "extra-index-url":  # as pip does it; the lock's hashes decide what is taken
                env.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    if "UV_DEFAULT_INDEX" in env:  # uv itself comes through pip
        env.setdefault("PIP_INDEX_URL", env["UV_DEFAULT_INDEX"])
    return {name: value for name, value in env.items() if value}


def for_uv(name: str, value: str) -> str:
    values = value.split()
    if name == "find-links":  # a folder that is not there is an error to uv and nothing to pip
        return ",".join(link for link in values if "://" in link or Path(link).is_dir())
    return " ".join(values)


def pip_settings(environ: Environment) -> dict[str, str]:
    """pip's effective settings: its files in its order, then its variables."""
    parser = configparser.RawConfigParser(strict=False)
    with contextlib.suppress(configparser.Error):
        parser.read(pip_files(environ), encoding="utf-8")
    settings: dict[str, str] = {}
    for section in ("global", "install"):
        if parser.has_section(section):
            settings.update(parser.items(section))
    variables = {name[4:].lower(): environ[name] for name in environ if name.startswith("PIP_")}
    settings.update(variables)
    return {name.replace("_", "-"): value for name, value in settings.items()}


def pip_files(environ: Environment) -> list[Path]:
    last = environ.get("PIP_CONFIG_FILE", "")
    if last == os.devnull:  # pip's way of saying: no file at all
        return []
    home = Path(environ.get("HOME", "/"))
    shared = environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(os.pathsep)
    files = [*(Path(folder, "pip", "pip.conf") for folder in shared), Path("/etc/pip.conf")]
    own = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    files += [home / ".pip" / "pip.conf", own / "pip" / "pip.conf"]
    return [*files, Path(sys.base_prefix, "pip.conf"), *([Path(last)] if last else [])]


# --- other programs -----------------------------------------------------------------------------

NO_COMPILER = re.compile(r"(cc|\+\+)'( failed: No such file.*)?$|Python\.h: No such file")
NO_REGISTRY = re.compile(r"error sending request|dns error|timed out|No matching distribution")


def start(command: list[str], folder: Path, env: Environment) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, errors="replace", check=False
    )


def run(command: list[str], folder: Path, env: Environment) -> str:
    """Runs uv or pip and returns what it told; raises a SetupError with its reason if it failed."""
    done = start(command, folder, env)
    if done.returncode:
        raise explain(Path(command[0]).name, done.stdout + done.stderr)
    return done.stderr


def explain(tool: str, output: str) -> SetupError:
    """What matters to a person in all that a failed uv or pip wrote."""
    lines = [re.sub(r"^\s*(cause|Caused by): ", "", line).strip() for line in output.splitlines()]
    lines = [line for line in lines if line and not line.startswith("hint:")] or ["not a word"]
    compiler = next((line for line in lines if NO_COMPILER.search(line)), "")
    if "ensurepip" in output or "No module named venv" in output:
        return SetupError("a Python with ensurepip", "one without", "Install python3-venv")
    if compiler:
        package = re.search(r"Failed to build `([^`]+)`", output)
        expected = f"a C++ compiler and Python's headers to build {package[1] if package else 'it'}"
        return SetupError(expected, compiler, "Install g++ and python3-dev", touched_nothing=True)
    if NO_REGISTRY.search(output):
        step = "Check the network, or set index-url in pip.conf or UV_DEFAULT_INDEX"
        return SetupError("a package registry to answer", lines[-1], step, touched_nothing=True)
    return SetupError(f"{tool} to succeed", lines[-1], "Mend that")


def answer(command: list[str], env: Environment) -> str:
    """What a program prints; nothing where it does not start, hangs or fails."""
    try:
        done = subprocess.run(
            command, env=env, check=True, capture_output=True, text=True, timeout=20
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def path_folders(env: Environment) -> list[Path]:
    return [Path(folder) for folder in env.get("PATH", "").split(os.pathsep) if folder]


def say(text: str) -> None:
    print(text, flush=True)


# --- what .venv/ is -----------------------------------------------------------------------------


def stamp(root: Path, glibc: Version, tfx: str, python: Python) -> Stamp:
    """What .venv/ would be made from now."""
    lock = (root / "requirements.lock").read_bytes()
    project = packaging_part((root / "pyproject.toml").read_text("utf-8")).encode()
    digests = [hashlib.sha256(content).hexdigest() for content in (lock, project)]
    return Stamp(str(root), dotted(glibc), python.path, python.version, tfx, *digests)


def packaging_part(pyproject: str) -> str:
    """The sections that decide what is installed; a changed linter rule installs nothing anew."""
    sections = re.split(r"(?m)^(?=\[)", pyproject)
    installed = re.compile(r"\[+(build-system|project|tool\.setuptools)\b")
    return "".join(section for section in sections if installed.match(section))


def read_stamp(venv: Path) -> Stamp | None:
    """The stamp of an environment that starts; none where it is half made or lost its Python."""
    try:
        found = Stamp(**json.loads((venv / STAMP).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return found if starts(venv) else None


def write_stamp(venv: Path, new: Stamp) -> None:
    unfinished = venv / f"{STAMP}.new"
    unfinished.write_text(json.dumps(asdict(new), indent=2), "utf-8")
    unfinished.replace(venv / STAMP)


def starts(venv: Path) -> bool:
    """Whether its Python is there: the link dangles once the Python it was made from is gone."""
    return os.access(venv / "bin" / "python", os.X_OK)


def empty(venv: Path) -> None:
    """Takes a half-made or foreign environment away, all but uv, which runs anywhere."""
    for entry in list(venv.iterdir()) if venv.is_dir() else []:
        if entry.name == ".uv":
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def dotted(version: Version) -> str:
    return ".".join(map(str, version))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], Path(__file__).resolve().parent.parent))
