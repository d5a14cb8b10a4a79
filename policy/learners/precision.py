"""How precisely a learner reckons."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Literal

import torch

Precision = Literal["auto", "fp32", "bf16"]


@cache
def dtype(device: torch.device, precision: Precision) -> torch.dtype:
    """`auto` is bf16 where the processor has it. One that has not imitates it, slower than it
    reckons in fp32 (sim2real/README.md, on speed)."""
    if precision == "auto":
        precision = "bf16" if _has_bf16(device) else "fp32"
    return {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]


def _has_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        with torch.cuda.device(device):
            return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # An older torch cannot tell.
    tell: Callable[[], dict[str, Any]] = getattr(torch.cpu, "get_capabilities", dict)
    return any(has for name, has in tell().items() if name.endswith("bf16"))  # AMX, AVX, Arm


def autocast(device: torch.device, precision: Precision) -> torch.autocast:
    enabled = dtype(device, precision) == torch.bfloat16
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled)
