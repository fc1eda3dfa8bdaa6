"""Whether this machine ends a user's processes when they log out, which would end runs that should go on."""

import getpass
import re
from pathlib import Path

WARNING = "logging out ends what you started (logind's KillUserProcesses); prevent it with: loginctl enable-linger"

_LINGERING = Path("/var/lib/systemd/linger")
_SETTING = re.compile(r"^\s*KillUserProcesses\s*=\s*(\S+)", re.MULTILINE)
_YES = frozenset({"1", "yes", "true", "on"})


def ends_at_logout(root: Path = Path("/")) -> bool:
    """Tell whether logind is set to end this user's processes at logout and they do not linger."""
    is_set = False
    for file in _settings_files(root):
        try:
            found = _SETTING.findall(file.read_text(encoding="utf-8", errors="replace"))
        except OSError:
            continue  # A file that is not there, or not ours to read, sets nothing that we could know of.
        is_set = found[-1].lower() in _YES if found else is_set
    return is_set and not _lingers(root)


def _settings_files(root: Path) -> list[Path]:
    """Give logind's files in the order in which they are read, the last to set something being right."""
    folders = [root / folder / "systemd" for folder in ("usr/lib", "run", "etc")]
    drop_ins = [file for folder in folders for file in (folder / "logind.conf.d").glob("*.conf")]
    return [*(folder / "logind.conf" for folder in folders), *sorted(drop_ins, key=lambda file: file.name)]


def _lingers(root: Path) -> bool:
    try:
        return (root / _LINGERING.relative_to("/") / getpass.getuser()).exists()
    except (KeyError, OSError):
        return False
