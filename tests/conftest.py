"""ROS's packages, where ROS is not; and a domain of its own, so that runs do not meet."""

from __future__ import annotations

import os
import signal

# A shell ignores Ctrl-C for what it runs in the background, and children would inherit that.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ.setdefault("ROS_DOMAIN_ID", str(os.getpid() % 100 + 1))

import rosless  # noqa: F401 - makes rclpy importable where it is missing
