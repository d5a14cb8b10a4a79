"""bf16 where the processor has it, and nowhere else unless somebody asks for it."""

from __future__ import annotations

import pytest
import torch

from policy.learners.precision import autocast, dtype

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("has", "wanted"),
    [
        ({"amx_bf16": True, "avx512_bf16": True}, torch.bfloat16),
        ({"amx_bf16": False, "avx512_bf16": True}, torch.bfloat16),
        ({"amx_bf16": False, "avx512_bf16": False, "avx512_f": True}, torch.float32),
    ],
)
def test_auto_is_what_the_processor_is_fast_in(
    has: dict[str, bool], wanted: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: has)
    dtype.cache_clear()
    try:
        assert dtype(CPU, "auto") == wanted
        assert (dtype(CPU, "fp32"), dtype(CPU, "bf16")) == (torch.float32, torch.bfloat16)
        x = torch.ones(2, 2)
        with autocast(CPU, "auto"):
            assert (x @ x).dtype == wanted
    finally:
        dtype.cache_clear()
