"""Bring the programs that a test or a benchmark needs onto this machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/sbin", "/usr/local/sbin", "/usr/libexec", "/opt/*/bin")
_POLICY = Path("/usr/sbin/policy-rc.d")
_NEVER_START = "#!/bin/sh\nexit 101\n"
_MINUTES = 60


class Unavailable(RuntimeError):  # noqa: N818 - a state of the machine, not a mistake
    """This machine lacks a program and cannot get it; the message says which, why and how to get it."""


@dataclass(frozen=True, slots=True)
class Feature:
    """Programs that come together.

    :param programs: the names of the executables, all of them needed.
    :param packages: the Debian packages that bring them.
    """

    programs: tuple[str, ...]
    packages: tuple[str, ...]

    @property
    def missing(self) -> list[str]:
        """The programs that are not on this machine."""
        return [program for program in self.programs if find(program) is None]


FEATURES = {
    "postgres": Feature(("initdb", "postgres"), ("postgresql",)),
    "mysql": Feature(("mariadbd", "mariadb-install-db"), ("mariadb-server",)),
}


def find(program: str) -> Path | None:
    """Return where an executable is: on ``PATH``, or where servers are kept; newest first."""
    if found := shutil.which(program):
        return Path(found)
    paths = (path / program for place in _PLACES for path in Path("/").glob(place.lstrip("/")))
    return max((path for path in paths if os.access(path, os.X_OK)), key=_version, default=None)


def require(feature: str) -> None:
    """Make sure that a feature's programs are on this machine; install them where that is possible.

    Installing needs root on a machine with ``apt-get``; no service is started by it.

    :param feature: a key of :data:`FEATURES`.
    :raises Unavailable: if programs are missing and cannot be installed.
    """
    wanted = FEATURES[feature]
    if not wanted.missing:
        return
    install(wanted.packages)
    if missing := wanted.missing:
        raise Unavailable(f"{feature}: {', '.join(missing)} not found after installing {wanted.packages}")


def install(packages: tuple[str, ...]) -> None:
    """Install Debian packages without starting what they bring.

    :raises Unavailable: if this user or machine cannot, or ``apt-get`` fails.
    """
    command = f"apt-get install {' '.join(packages)}"
    if shutil.which("apt-get") is None:
        raise Unavailable(f"this machine has no apt-get to install {', '.join(packages)} with")
    if os.geteuid() != 0:
        raise Unavailable(f"only root can install {', '.join(packages)}: run 'sudo {command}'")
    _update()
    with _no_services():
        _apt("install", "--yes", "--no-install-recommends", *packages)


def _version(path: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", str(path))]


@cache
def _update() -> None:
    _apt("update")


def _apt(*arguments: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "--quiet", "-o", "DPkg::Lock::Timeout=300", *arguments]
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=15 * _MINUTES, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"'{' '.join(command)}' did not end in time") from error
    if done.returncode:
        raise Unavailable(f"'{' '.join(command)}' failed:\n{(done.stderr or done.stdout)[-2000:]}")


@contextmanager
def _no_services() -> Iterator[None]:
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text(_NEVER_START)
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink(missing_ok=True)
