"""`manage.py serve` with real processes: however it is stopped, nothing is left behind."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings

from arledger.installed import write_installed
from arledger.supervision import die_with

pytestmark = pytest.mark.on_sqlite
PATIENCE = 60


class Served:
    """One running `serve` and every process that belongs to it, found by the data folder in their environment."""

    def __init__(self, data_dir: Path, *arguments: str) -> None:
        self.data_dir = data_dir
        self.log = data_dir / f"serve-{time.monotonic_ns()}.log"
        environment = {"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, "DATA_DIR": str(data_dir)}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve", "--bind", "127.0.0.1:0", *arguments],
                cwd=settings.BASE_DIR,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with(os.getpid()),
            )

    def said(self) -> str:
        return self.log.read_text()

    def url(self) -> str:
        found = re.search(r"AR Ledger is at (http://\S+)", self.said())
        return found.group(1) if found else ""

    def pids(self) -> list[int]:
        """Everything alive that was started with this data folder."""
        marker = f"DATA_DIR={self.data_dir}".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if marker in folder.joinpath("environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
            except OSError:  # it has just ended
                continue
        return sorted(found)

    def child(self, words: str) -> int:
        """The direct child whose command line contains these words."""
        for pid in self.pids():
            status = Path(f"/proc/{pid}/status").read_text()
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            if f"PPid:\t{self.process.pid}\n" in status and words in command:
                return pid
        raise AssertionError(f"no child runs {words}: {self.said()}")

    def wait_until_up(self) -> None:
        until(lambda: bool(self.url()), self.said)
        until(lambda: "ready." in self.said() and answers(self.url() + "/account/login/"), self.said)

    def wait_until_gone(self) -> float:
        began = time.monotonic()
        until(lambda: self.process.poll() is not None and not self.pids(), lambda: f"{self.pids()} {self.said()}")
        return time.monotonic() - began


def until(true: Callable[[], bool], explain: Callable[[], str]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, explain()
        time.sleep(0.1)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as page:
            return page.status == 200
    except (OSError, urllib.error.HTTPError):
        return False


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("served")


@pytest.fixture
def served(data_dir: Path) -> Iterator[Served]:
    serving = Served(data_dir)
    try:
        serving.wait_until_up()
        yield serving
    finally:
        for pid in serving.pids():
            os.kill(pid, signal.SIGKILL)
        serving.process.wait()


def set_up_links(said: str) -> list[str]:
    return re.findall(r"Set this installation up at (http://\S+/setup/\S+)", said)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_it_offers_the_set_up_where_nobody_has_an_account_and_a_signal_ends_it_in_order(served, number):
    (link,) = set_up_links(served.said())
    assert link.startswith(served.url() + "/")
    assert answers(link)
    served.process.send_signal(number)
    served.wait_until_gone()
    assert served.process.returncode == 0
    assert "AR Ledger has stopped." in served.said()


def test_new_settings_of_the_set_up_page_begin_it_anew_and_leave_nothing_of_the_old(served):
    before = served.pids()
    write_installed(served.data_dir / "installed.env", {"LOG_LEVEL": "WARNING"})
    until(lambda: served.said().count("AR Ledger is at") == 2, served.said)
    assert "beginning anew" in served.said()
    assert set(before) & set(served.pids()) == {served.process.pid}
    until(lambda: answers(served.said().rsplit("AR Ledger is at ")[-1].split()[0] + "/account/login/"), served.said)
    (served.data_dir / "installed.env").unlink()


def test_kill_9_of_the_parent_leaves_no_process_behind(served):
    assert len(served.pids()) >= 5  # serve, gunicorn and its workers, celery and its own
    served.process.kill()
    served.wait_until_gone()


@pytest.mark.parametrize("words", ["celery", "gunicorn"])
def test_kill_9_of_a_child_ends_all_and_says_which(served, words):
    os.kill(served.child(words), signal.SIGKILL)
    served.wait_until_gone()
    assert served.process.returncode == 1
    assert {"celery": "The worker", "gunicorn": "The web"}[words] + " ended by itself (signal 9)" in served.said()


def test_a_second_serve_on_the_same_folder_is_refused_and_the_next_port_is_taken_on_another(served, tmp_path):
    second = Served(served.data_dir)
    assert second.process.wait(PATIENCE) == 1
    assert f"already runs on {served.data_dir} (process {served.process.pid}, {served.url()})" in second.said()
    assert answers(served.url() + "/account/login/")

    taken = int(served.url().rpartition(":")[2])
    third = Served(tmp_path, "--bind", f"127.0.0.1:{taken}")
    try:
        third.wait_until_up()
        assert f"Port {taken} is taken; using " in third.said()
        assert third.url() != served.url()
    finally:
        third.process.terminate()
        third.wait_until_gone()


def test_a_broken_address_is_refused_with_an_example(data_dir):
    wrong = Served(data_dir, "--bind", "8000")
    assert wrong.process.wait(PATIENCE) == 2
    assert "«8000» is not an address. Write host:port, for example 127.0.0.1:8000." in wrong.said()
