"""What a person chose on the screens, remembered from one session to the next."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
import platformdirs

from engines.atomic_file import write_atomically
from engines.catalog import DATASETS, FRAMEWORKS
from engines.models import MODELS
from engines.regular_file import read_regular
from engines.spec import RunSpec
from tui import ui_log

MAX_BYTES = 16 << 10
OF_A_RUN = ("framework", "model", "dataset", "epochs")
"""What is remembered of a run's options; the others are as they are said to be, each time."""

Alert = Literal["bell", "notification", "off"]
ALERTS: tuple[Alert, ...] = ("bell", "notification", "off")


class Choices(msgspec.Struct, kw_only=True, omit_defaults=True):
    """How a person wants the screens to be; None where nothing was chosen. Changed in place."""

    framework: str | None = None
    model: str | None = None
    dataset: str | None = None
    epochs: int | None = None
    # `digits.ImageStyle`, whose module would bring rich to commands that draw nothing.
    image_style: Literal["blocks", "braille", "ascii"] | None = None
    theme: Literal["dark", "light"] = "dark"
    log_scale: bool = False
    smoothing: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.0
    pane: str = ""
    alert: Alert = "bell"

    def remember(self, spec: RunSpec, name: str) -> None:
        """Take the option called `name` from `spec`, where it is one to be remembered."""
        if name in OF_A_RUN and spec.framework in FRAMEWORKS:
            setattr(self, name, getattr(spec, name))

    def style_of_images(self, *, ascii_only: bool) -> Literal["blocks", "braille", "ascii"]:
        """Give the style of images that was chosen, or else the one that a terminal can show."""
        return self.image_style or ("ascii" if ascii_only else "blocks")

    def run_options(self) -> dict[str, str | int]:
        """Give what is remembered of a run's options and still makes sense, by name."""
        allowed = {"framework": FRAMEWORKS, "model": MODELS, "dataset": DATASETS}
        values = {name: getattr(self, name) for name in OF_A_RUN}
        return {
            name: value
            for name, value in values.items()
            if (value in allowed[name] if name in allowed else value is not None and value > 0)
        }


def path() -> Path:
    """Give where they lie: the platform's folder for a program's state."""
    return Path(platformdirs.user_state_dir("mnist-tui", appauthor=False)) / "choices.json"


def load() -> Choices:
    """Read what was chosen before; a file that makes no sense counts as none, and `ui.log` says so."""
    try:
        return msgspec.json.decode(read_regular(path(), MAX_BYTES), type=Choices)
    except FileNotFoundError:
        return Choices()
    except (OSError, ValueError, RecursionError) as error:
        ui_log.note(f"{path()} is passed over: {error}")
        return Choices()


def save(choices: Choices) -> None:
    """Write them whole or not at all; a disk that refuses is no more than a line in `ui.log`."""
    try:
        path().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(path(), msgspec.json.encode(choices) + b"\n")
    except OSError as error:
        ui_log.note(f"{path()} cannot be written: {error}")
