"""What a board has: asked before anything is sent to it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from .remote import BoardError, Remote

EXAMINE = r"""
say() { printf '%s=%s\n' "$1" "$2"; }
root=${MASKWATCH_ROOT:-}
say machine "$(uname -m)"
say system "$(. /etc/os-release && echo "$PRETTY_NAME")"
say libc "$(getconf GNU_LIBC_VERSION 2>/dev/null)"
say user "$(id -u)"
[ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null && say root yes
[ -d "$root/run/systemd/system" ] && say systemd yes
[ "$(systemctl is-active maskwatch-install.service 2>/dev/null)" = active ] && say busy yes
say newest "$(python3 -c 'import sys; print(*sys.version_info[:2])' 2>/dev/null)"
for python in python3 python3.13 python3.12 python3.11; do
    "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
        2>/dev/null || continue
    say python "$("$python" -c 'import sys; print(*sys.version_info[:2])')"
    say bits "$("$python" -c 'import struct; print(8 * struct.calcsize("P"))')"
    "$python" -c 'import ensurepip, venv' 2>/dev/null && say venv yes
    say numpy "$("$python" -c 'import importlib.util as u, numpy
if u.find_spec("picamera2"): print(numpy.__version__)' 2>/dev/null)"
    break
done
top=$root/opt
[ ! -d "$top/maskwatch" ] || top=$top/maskwatch
[ -e "$root/etc/maskwatch/trusted-keys" ] && say keys yes
say free_mib "$(df -Pk "$top" | awk 'NR == 2 { print int($4 / 1024) }')"
[ -L "$root/opt/maskwatch/current" ] &&
    say release "$(tr -d '\n' <"$root/opt/maskwatch/current/release.json")"
cd "$root/var/cache/maskwatch/wheels" 2>/dev/null && for wheel in *.whl; do
    [ -f "$wheel" ] && say wheel "$(sha256sum "$wheel")"
done
exit 0
"""
"""Asks the board; a `name=value` a line. Must work on any Linux, also one that is refused then."""

READ_RELEASE = r"""
cat "${MASKWATCH_ROOT:-}/opt/maskwatch/current/release.json"
"""


@dataclass(frozen=True)
class Board:
    """What a board has.

    Attributes:
        target: How ssh calls it.
        machine: As `uname -m` says, such as "aarch64".
        python: Version of the Python that will run Maskwatch, such as (3, 11).
        libc: Version of glibc.
        needs_sudo: Whether the user there is not root.
        numpy: Version that apt's picamera2 was built for; None without picamera2.
        free_mib: Free space where Maskwatch is installed, MiB.
        has_keys: Whether it takes only what is signed.
        wheels: SHA-256 of the wheels that it keeps, by file name.
        release: What its `release.json` says; empty without one.
    """

    target: str
    machine: str
    python: tuple[int, int]
    libc: tuple[int, int]
    needs_sudo: bool
    numpy: str | None
    free_mib: int
    has_keys: bool = False
    wheels: dict[str, str] = field(default_factory=dict)
    release: dict[str, str] = field(default_factory=dict)

    @property
    def drop_ins(self) -> set[str]:
        """The drop-ins that its service has now."""
        return set(self.release.get("with", "").split())


def examine(remote: Remote, target: str) -> Board:
    """Ask a board what it has.

    Raises:
        BoardError: If it cannot be reached, or Maskwatch cannot run on it.
    """
    try:
        return _board_of(target, remote.ask(EXAMINE))
    except (LookupError, ValueError) as error:
        raise BoardError(
            f"{target} cannot be examined: its answer makes no sense ({error!r:.200})"
        ) from error


def _board_of(target: str, answer: str) -> Board:
    pairs = [line.partition("=")[::2] for line in answer.splitlines() if "=" in line]
    facts = dict(pairs)
    check_facts(target, facts)
    sums = (value.split(maxsplit=1) for name, value in pairs if name == "wheel")
    return Board(
        target=target,
        machine=facts["machine"],
        python=_two(facts["python"]),
        libc=_two(facts["libc"]),
        needs_sudo=facts["user"] != "0",
        numpy=facts.get("numpy") or None,
        free_mib=int(facts.get("free_mib") or 0),
        has_keys="keys" in facts,
        wheels={name.lstrip("*"): digest for digest, name in sums},
        release=_release(facts.get("release", "")),
    )


def read_release(remote: Remote) -> dict[str, str]:
    """Read what the `release.json` of a board says; empty if that is broken.

    Raises:
        BoardError: If the board cannot be reached, or has none.
    """
    return _release(remote.ask(READ_RELEASE))


def check_facts(target: str, facts: dict[str, str]) -> None:
    """Check that Maskwatch can run on a board.

    Raises:
        BoardError: With the first thing that is amiss, and what to do.
    """
    user = target.partition("@")[0] if "@" in target else "USER"
    system = facts.get("system") or "an unknown system"
    newest = ".".join(facts.get("newest", "").split()) or "none"
    needs = (
        (facts.get("systemd"), f"{target} does not run systemd, which starts the service"),
        (
            facts.get("python"),
            f"{target} has Python {newest} ({system}); 3.11 to 3.13 is needed: use Debian 12 or "
            "13, or the Raspberry Pi OS made of them",
        ),
        (
            facts.get("bits") == "64",
            f"{target} runs a 32-bit system ({facts.get('machine')}, {system}), for which there "
            "is no interpreter; install the 64-bit Raspberry Pi OS",
        ),
        (facts.get("libc", "").startswith("glibc"), f"{target} has no glibc ({system})"),
        (facts.get("venv"), f"Python on {target} lacks venv; there: sudo apt install python3-venv"),
        (
            facts.get("root"),
            f"{user} may not use sudo without a password on {target}; there: echo '{user} "
            f"ALL=(ALL) NOPASSWD: ALL' | sudo tee /etc/sudoers.d/{user}",
        ),
        (not facts.get("busy"), f"an installation is going on on {target}; wait for its end"),
    )
    for is_met, told in needs:
        if not is_met:
            raise BoardError(told)


def _two(text: str) -> tuple[int, int]:
    found = re.search(r"\b(\d{1,3})[ .](\d{1,3})\b", text)
    if found is None:
        raise ValueError(f"no version: {text}")
    return int(found[1]), int(found[2])


def _release(text: str) -> dict[str, str]:
    try:
        described = json.loads(text)
    except (ValueError, RecursionError):  # as after a card went bad; the board will make a new one
        return {}
    pairs = described.items() if isinstance(described, dict) else ()
    return {name: value for name, value in pairs if isinstance(value, str)}
