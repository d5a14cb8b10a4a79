"""Export the episode log as a LeRobotDataset v3. Needs pyarrow: pip install -e '.[lerobot]'."""

from ..errors import ExperienceError

try:
    from .dataset import export
except ModuleNotFoundError as error:
    if error.name != "pyarrow":
        raise
    raise ExperienceError(
        "LeRobot export: found no pyarrow, wanted 17 or later; pip install -e '.[lerobot]'"
    ) from error

__all__ = ["export"]
