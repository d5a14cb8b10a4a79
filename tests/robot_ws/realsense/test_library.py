"""The library is an extra: what is told where it is missing, or does not load."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from regrasp_nodes.realsense.library import library

from policy.contract import Invalid


def test_it_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyrealsense2", None)
    with pytest.raises(Invalid, match=r"pyrealsense2: found .* pip install 'regrasp\[real\]'"):
        library()


def test_it_does_not_load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = "libusb-1.0.so.0: cannot open shared object file"
    (tmp_path / "pyrealsense2.py").write_text(f"raise ImportError({text!r})\n")
    monkeypatch.delitem(sys.modules, "pyrealsense2", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(Invalid, match=r"libusb-1.0.so.0.* apt install libusb-1.0-0"):
        library()
