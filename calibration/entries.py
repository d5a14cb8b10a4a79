"""What was identified, as entries of the cell file: key -> value with unit, method and residual,
ready for `write`."""

from __future__ import annotations

from .dynamics import Joints
from .following import Following
from .image_motion import Age
from .image_statistics import Found
from .latency import Dead
from .slip import Friction
from .write import Value, measured

Range = tuple[tuple[float, float], float]  # and how well its ends are known


def latency(link: str, found: Dead | Age | Following) -> dict[str, Value]:
    """`link`: camera, command or gripper. A stream of commands tells nothing of their jitter."""
    if isinstance(found, Following):
        mean = measured(found.dead, "s", "stream of velocities", found.error)
        return {f"latency.{link}.mean": mean}
    method = "image motion" if isinstance(found, Age) else "step responses"
    return {
        f"latency.{link}.mean": measured(found.mean, "s", method, found.mean_error),
        f"latency.{link}.jitter": measured(found.jitter, "s", method, found.jitter_error),
    }


def dynamics(found: Joints) -> dict[str, Value]:
    """Of each list the residual is that of the joint that is known worst."""
    damping, friction, armature, payload = found.errors
    method = "sway"
    return {
        "dynamics.damping": measured(found.damping, "N*m*s/rad", method, float(damping.max())),
        "dynamics.friction": measured(found.friction, "N*m", method, float(friction.max())),
        "dynamics.armature": measured(found.armature, "kg*m^2", method, float(armature.max())),
        "dynamics.payload": measured(found.payload, "kg", method, payload),
    }


def grip(found: Friction) -> dict[str, Value]:
    return {"gripper.friction": measured(found.coefficient, "1", "slip tests", found.error)}


def images(
    camera: str, noise: Found | None = None, vignetting: Found | None = None,
    white_balance: Range | None = None, exposure: Range | None = None,
) -> dict[str, Value]:  # fmt: skip
    """Of what was measured."""
    day, entries = "19 of 20 pictures", dict[str, Value]()
    if noise is not None:
        entries["noise"] = measured(noise.value, "1/255", "photon transfer", noise.residual)
    if vignetting is not None:
        shade = measured(vignetting.value, "1", "even surface", vignetting.residual)
        entries["vignetting"] = shade
    if white_balance is not None:
        entries["white_balance"] = measured(white_balance[0], "1", day, white_balance[1])
    if exposure is not None:
        entries["exposure"] = measured(exposure[0], "s", day, exposure[1])
    return {f"cameras.{camera}.{name}": value for name, value in entries.items()}
