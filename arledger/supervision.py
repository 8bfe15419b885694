"""Several programs that live and die together.

Each runs in a session of its own and is told by the kernel when its parent dies; when one ends, all end; at the end
whatever is left of a session is killed. So no way of stopping leaves a process behind.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

PR_SET_PDEATHSIG = 1
GRACE = 45.0  # seconds to finish the message in hand
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Program:
    name: str
    arguments: Sequence[str]
    pass_fds: Sequence[int] = ()


class Household:
    """The programs of one `serve`."""

    def __init__(self, folder: Path, environment: Mapping[str, str], say: Callable[[str], None]) -> None:
        self.folder, self.environment, self.say = folder, dict(environment), say
        self.members: dict[str, subprocess.Popen[bytes]] = {}
        self.asked_to_stop = 0

    def start(self, program: Program) -> None:
        self.members[program.name] = subprocess.Popen(  # noqa: S603  our own programs, no shell
            list(program.arguments),
            cwd=self.folder,
            env=self.environment,
            pass_fds=program.pass_fds,
            start_new_session=True,
            preexec_fn=die_with(os.getpid()),
        )

    def live(self, until: Callable[[], bool] = lambda: False) -> int:
        """Watch until a signal asks to stop or ``until`` says so (0), or a member ends by itself (1); then stop all."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._ask_to_stop)
        status = 0
        while not self.asked_to_stop and not status and not until():
            time.sleep(0.2)
            for name, member in self.members.items():
                if member.poll() is not None:
                    self.say(f"{name} ended by itself ({_how(member.returncode)}); stopping the rest.")
                    status = 1
        self.stop()
        return status

    def stop(self) -> None:
        """Ask everybody to finish, wait, and kill what is left; a second signal shortens the wait."""
        asked_before = self.asked_to_stop
        for member in self.members.values():
            if member.poll() is None:
                member.terminate()
        until = time.monotonic() + GRACE
        while any(member.poll() is None for member in self.members.values()):
            if time.monotonic() > until or self.asked_to_stop > max(asked_before, 1):
                break
            time.sleep(0.1)
        for member in self.members.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(member.pid, signal.SIGKILL)
            member.wait()

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        self.asked_to_stop += 1
        self.say("Stopping: the message in hand is finished first." if self.asked_to_stop == 1 else "Stopping at once.")


def die_with(parent: int) -> Callable[[], None]:
    """A preexec_fn: the kernel sends the child SIGTERM as soon as its parent is gone, however it went."""

    def preexec() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died between fork and prctl
            os._exit(1)

    return preexec


def _how(returncode: int) -> str:
    return f"signal {-returncode}" if returncode < 0 else f"exit {returncode}"
