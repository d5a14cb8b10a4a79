"""The ChArUco board on paper, to scale."""

from __future__ import annotations

from pathlib import Path

from policy.contract import Invalid

from .board import Board

PAPER = (0.297, 0.210)  # m: A4, lying
INCH = 0.0254


def write_print(path: Path, board: Board, paper: tuple[float, float] = PAPER) -> None:
    """A page to print at 100 %, that says how large it must come out: .pdf, .png or .svg."""
    from matplotlib.figure import Figure  # slow to import, and no other command needs it

    (across, down), (width, height) = board.size, paper
    if across > width or down > height:
        wanted = f"at most {width:g} x {height:g} m, the paper"
        remedy = "use smaller squares, or give --paper"
        raise Invalid("board", f"{across:g} x {down:g} m", wanted, remedy)
    page = Figure(figsize=(width / INCH, height / INCH), dpi=300)
    place = ((1 - across / width) / 2, (1 - down / height) / 2, across / width, down / height)
    axes = page.add_axes(place)
    axes.imshow(board.draw(40), cmap="gray", vmin=0, vmax=255, interpolation="none")
    axes.set_axis_off()
    told = (
        f"{board.columns} x {board.rows} squares of {1000 * board.square:g} mm, markers "
        f"{1000 * board.marker:g} mm, {board.dictionary}. Print at 100 %, glue it on something "
        f"flat; the board must measure {1000 * across:g} mm across."
    )
    page.text(0.5, place[1] / 2, told, ha="center", va="center", fontsize=7, color="0.4")
    path.parent.mkdir(parents=True, exist_ok=True)
    page.savefig(path)
