"""Our command line as hints have it: with the folder of runs where that is another than the usual one."""

import os
import shlex
from pathlib import Path

from engines.folders import usual_runs_folder
from engines.problems import StorageProblem
from engines.text import clean_text


def command(runs_directory: Path, *arguments: str) -> str:
    """Give our command line with these arguments, as it has to be typed for runs that lie in `runs_directory`."""
    elsewhere = () if _is_usual(runs_directory) else ("--runs-dir", str(runs_directory))
    return " ".join(map(_quoted, ["mnist-tui", *elsewhere, *arguments]))


def _is_usual(runs_directory: Path) -> bool:
    try:
        return runs_directory == usual_runs_folder()
    except StorageProblem:
        return False


def _quoted(word: str) -> str:
    """Quote a word for a shell so that it can be shown, too; where it cannot, as bytes, which bash and zsh read."""
    if clean_text(word, len(word)) == word:
        return shlex.quote(word)
    plain = set(range(0x20, 0x7F)) - set(b"'\\")
    return "$'" + "".join(chr(byte) if byte in plain else f"\\{byte:03o}" for byte in os.fsencode(word)) + "'"
