"""The replay's index arithmetic, against a slow and obvious model of it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from policy.experience.replay.windows import windows


@given(
    start=st.integers(0, 10**12),
    length=st.integers(1, 50),
    data=st.data(),
    stack=st.integers(1, 6),
    n_step=st.integers(1, 8),
    window=st.integers(0, 5),
)
def test_against_a_list(
    start: int, length: int, data: st.DataObject, stack: int, n_step: int, window: int
) -> None:
    t = data.draw(st.integers(0, length - 1))
    numbers = list(range(start, start + length + 1))  # the episode's own sequence numbers

    def ending_at(k: int, count: int) -> list[int]:
        padded = [numbers[0]] * count + numbers
        return padded[k + 1 : k + 1 + count]

    w = windows(np.array([start]), np.array([length]), np.array([t]), stack, n_step, window)
    steps = len(numbers[t + 1 : t + 1 + n_step])
    assert w.steps[0] == steps
    assert w.observed[0].tolist() == ending_at(t, stack)
    assert w.next_observed[0].tolist() == ending_at(t + steps, stack)
    assert w.past_actions[0].tolist() == ending_at(t, window)
    assert w.next_past_actions[0].tolist() == ending_at(t + steps, window)
    assert w.action[0] == numbers[t + 1]
    assert w.rewards[0][w.counted[0]].tolist() == numbers[t + 1 : t + 1 + n_step]
    assert bool(w.at_end[0]) == (t + steps == length)


@given(st.lists(st.integers(1, 20), min_size=1, max_size=20), st.integers(1, 5), st.integers(1, 5))
def test_never_leaves_its_episode(lengths: list[int], stack: int, n_step: int) -> None:
    """All transitions of several episodes in a row at once, as a batch has them."""
    length = np.repeat(lengths, lengths)
    first = np.concatenate([[0], np.cumsum(np.array(lengths) + 1)[:-1]])
    start = np.repeat(first, lengths)
    t = np.concatenate([np.arange(n) for n in lengths])
    w = windows(start, length, t, stack, n_step, 2)
    for numbers in (w.observed, w.next_observed, w.past_actions, w.next_past_actions, w.rewards):
        assert (numbers >= start[:, None]).all()
        assert (numbers <= (start + length)[:, None]).all()
