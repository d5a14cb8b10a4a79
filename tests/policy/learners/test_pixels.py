"""Pictures between the replay and a network."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from policy.learners.learner import Observations
from policy.learners.pixels import channels, shift, shifted, stacked


def pictures(batch: int = 8, stack: int = 3, height: int = 20, width: int = 20) -> Tensor:
    return torch.randint(0, 256, (batch, stack, height, width, 3), dtype=torch.uint8)


def as_published(frames: Tensor, pad: int, by: Tensor) -> Tensor:
    """Floats padded by their edges, then sampled bilinearly at a grid that is moved by `by`."""
    batch, stack, height, width, _ = frames.shape
    flat = frames.permute(0, 1, 4, 2, 3).flatten(1, 2).float()
    padded = F.pad(flat, (pad, pad, pad, pad), "replicate")
    rows = torch.arange(height) + pad + by[0]
    columns = torch.arange(width) + pad + by[1]
    y = (2 * rows + 1) / (height + 2 * pad) - 1
    x = (2 * columns + 1) / (width + 2 * pad) - 1
    across, down = x[:, None, :].expand(-1, height, -1), y[:, :, None].expand(-1, -1, width)
    grid = torch.stack([across, down], dim=-1)
    moved = F.grid_sample(padded, grid, align_corners=False)
    return moved.view(batch, stack, 3, height, width).permute(0, 1, 3, 4, 2)


@pytest.mark.parametrize(("height", "width", "pad"), [(20, 20, 4), (84, 84, 4), (9, 14, 2)])
def test_shift_is_the_published_one(height: int, width: int, pad: int) -> None:
    frames = pictures(height=height, width=width)
    torch.manual_seed(3)
    moved = shift(frames, pad)
    torch.manual_seed(3)
    by = torch.randint(-pad, pad + 1, (2, len(frames), 1))
    assert moved.dtype == torch.uint8
    assert moved.shape == frames.shape
    torch.testing.assert_close(
        moved.float(), as_published(frames, pad, by.float()), rtol=0, atol=0.05
    )


def test_shift_moves_rows_and_columns_by_all_amounts_and_repeats_the_edge() -> None:
    place = torch.arange(10, dtype=torch.uint8)
    frames = torch.stack([place[:, None].expand(10, 10), place.expand(10, 10)], dim=-1)
    moved = shift(frames.expand(500, 1, 10, 10, 2), 2)
    seen = set()
    for one in moved[:, 0].long():
        down, right = one[5, 5].tolist()
        seen.add((down - 5, right - 5))
        assert one[:, 0, 0].tolist() == [min(max(k + down - 5, 0), 9) for k in range(10)]
        assert one[0, :, 1].tolist() == [min(max(k + right - 5, 0), 9) for k in range(10)]
    assert seen == {(down, right) for down in range(-2, 3) for right in range(-2, 3)}


def test_a_stack_moves_as_one_and_states_by_themselves() -> None:
    frame = pictures(1, 1)
    moved = shift(frame.expand(64, 3, -1, -1, -1), 4)
    assert torch.equal(moved[:, 0], moved[:, 1])
    assert torch.equal(moved[:, 0], moved[:, 2])
    assert len({bytes(one.numpy()) for one in moved[:, 0]}) > 32


def test_nothing_moves_by_nothing() -> None:
    frames = pictures()
    assert torch.equal(shift(frames, 0), frames)


def test_stacked_has_cameras_then_frames_along_the_channels() -> None:
    images = {"front": pictures(2), "wrist": pictures(2)}
    both, floats = channels(images), stacked(images)
    assert both.shape == (2, 18, 20, 20)
    assert both.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(both[:, 3:6], images["front"][:, 1].permute(0, 3, 1, 2))
    assert torch.equal(both[:, 9:12], images["wrist"][:, 0].permute(0, 3, 1, 2))
    torch.testing.assert_close(floats, both / 255)
    assert floats.is_contiguous(memory_format=torch.channels_last)


def test_shifted_leaves_all_but_the_pictures() -> None:
    seen = Observations({"front": pictures()}, torch.rand(8, 2), torch.rand(8, 2, 3))
    moved = shifted(seen, 4)
    assert moved.proprio is seen.proprio
    assert moved.past_actions is seen.past_actions
    assert not torch.equal(moved.images["front"], seen.images["front"])
