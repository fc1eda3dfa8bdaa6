"""One measurement in a process of its own, so that none finds what another has left in memory."""

import subprocess
import sys


def measure_apart(script: str, *options: str) -> float:
    """Give the last number that a benchmark's `script` prints, run with `options`; raises CalledProcessError."""
    done = subprocess.run([sys.executable, script, *options], check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1])
