"""pyrealsense2: an extra, so it may be missing until a camera is wanted."""

from __future__ import annotations

import importlib
from typing import Any

from policy.contract import Invalid


def library() -> Any:
    try:
        return importlib.import_module("pyrealsense2")
    except ModuleNotFoundError:
        remedy = "pip install 'regrasp[real]'"
        raise Invalid("pyrealsense2", "nothing", "2.55 or newer", remedy) from None
    except ImportError as error:
        remedy = "if libusb is what it misses: apt install libusb-1.0-0"
        raise Invalid("pyrealsense2", str(error), "a library that loads", remedy) from None
