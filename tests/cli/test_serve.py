"""``vitrina serve`` as a program: it answers, says where, and ends when told; what it cannot do it says."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

SERVE = [sys.executable, "-m", "vitrina", "serve", "--no-worker", "--port"]


def test_it_serves_and_ends(tmp_path: Path) -> None:
    process = subprocess.Popen([*SERVE, "0", "--home", str(tmp_path)], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        where = re.search(r"http://127\.0\.0\.1:\d+/", process.stderr.readline())
        assert where
        assert "admin" in process.stderr.readline()
        with urllib.request.urlopen(where[0], timeout=60) as answer:
            assert answer.status == 200 and answer.url.endswith("/set-up")
    finally:
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=60)[1]
    assert process.returncode in (0, 130) and "Traceback" not in said


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        answer = subprocess.run([*SERVE, port, "--home", str(tmp_path)], capture_output=True, text=True, check=False)
    assert answer.returncode == 4
    assert "another --port" in answer.stderr and "Traceback" not in answer.stderr
