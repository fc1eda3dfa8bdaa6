"""Sends exactly the cells that changed; Textual sends a changed line of a widget from its left edge on."""

from rich.console import Console
from textual._compositor import ChopsUpdate, Compositor
from textual.strip import Strip


class CellUpdate(ChopsUpdate):
    """An update of parts of lines, none of them wider than what is dirty."""

    def render_segments(self, console: Console) -> str:
        """Give what is to be written to the terminal."""
        sequences = []
        for y, begin, end in self.spans:
            for chop_end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                if strip is not None and x < end and chop_end > begin:
                    first, last = max(x, begin), min(chop_end, end)
                    sequences += [f"\x1b[{y + 1};{first + 1}H", _crop(strip, first - x, last - x).render(console)]
        return "".join(sequences)


class CellCompositor(Compositor):
    """Composes a screen as Textual does, and updates it by the cell; a screen is given it before it is shown."""

    def render_partial_update(self) -> ChopsUpdate | None:
        """Give what changed since the last update; None where nothing did."""
        update = super().render_partial_update()
        return update and CellUpdate(update.chops, update.spans, update.chop_ends)


def _crop(strip: Strip, begin: int, end: int) -> Strip:
    return strip if begin == 0 and end >= strip.cell_length else strip.crop(begin, end)
