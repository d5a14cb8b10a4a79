"""The keyboard as a pad: keys are held as long as they repeat."""

from __future__ import annotations

from dataclasses import dataclass, field

HELD_S = 0.6  # until the first repetition, which takes longest
AXES = {"w": (0, 1), "s": (0, -1), "a": (1, 1), "d": (1, -1), "r": (2, 1), "f": (2, -1),
        "q": (3, 1), "e": (3, -1)}  # fmt: skip
BUTTONS = {"c": 0, "o": 1, " ": 2, "t": 3, "y": 4, "n": 5, "x": 6, "g": 7}
HELP = """space  drive: tap it again and again while you do      x  stop     g  arm (with space)
w s a d  forward, back, left, right    r f  up, down    q e  turn
c o  close, open     t  end the episode     y n  it succeeded, it failed"""


@dataclass
class Keys:
    """Its axes and buttons are those of `KEYBOARD`."""

    _until: dict[str, float] = field(default_factory=dict)

    def press(self, key: str, now_s: float) -> None:
        self._until[key.lower()] = now_s + HELD_S

    def state(self, now_s: float) -> tuple[list[float], list[int]]:
        held = {key for key, until in self._until.items() if now_s < until}
        axes, buttons = [0.0] * 4, [0] * len(BUTTONS)
        for key in held & AXES.keys():
            axis, sign = AXES[key]
            axes[axis] += sign
        for key in held & BUTTONS.keys():
            buttons[BUTTONS[key]] = 1
        return axes, buttons
