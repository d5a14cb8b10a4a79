"""Shapes: mass and inertia against MuJoCo's own compiler."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest

from sim.families import FAMILIES, sample
from sim.objects import Part, Thing, about, matrix, quaternion
from sim.slots import KINDS


def compiled(thing: Thing) -> mujoco.MjModel:
    spec = mujoco.MjSpec()
    body = spec.worldbody.add_body()
    body.add_freejoint()
    for part in thing.parts:
        body.add_geom(
            type=KINDS[part.kind], size=part.size, pos=part.position, quat=part.quaternion,
            density=thing.density,
        )  # fmt: skip
    return spec.compile()


@pytest.mark.parametrize("family", FAMILIES)
def test_mass_and_inertia_are_mujocos(family: str) -> None:
    thing = sample(np.random.default_rng(1), (0.02, 0.06), (family,))
    model = compiled(thing)
    com, turn, moments = thing.inertial()
    np.testing.assert_allclose(model.body_mass[1], thing.mass, rtol=1e-9)
    np.testing.assert_allclose(model.body_ipos[1], com, atol=1e-9)

    def tensor(q: np.ndarray, diagonal: np.ndarray) -> np.ndarray:
        return matrix(q) @ np.diag(diagonal) @ matrix(q).T

    found = tensor(turn, moments)
    wanted = tensor(model.body_iquat[1], model.body_inertia[1])
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("family", FAMILIES)
def test_radius_and_extent_bound_the_part(family: str) -> None:
    thing = sample(np.random.default_rng(2), (0.02, 0.06), (family,))
    model = compiled(thing)
    for number, part in enumerate(thing.parts):
        assert part.radius == pytest.approx(model.geom_rbound[number])
        np.testing.assert_allclose(part.extent, model.geom_aabb[number, 3:], atol=1e-9)


def test_some_fit_the_gripper_and_some_do_not() -> None:
    random = np.random.default_rng(3)
    blocks = [sample(random, (0.02, 0.10), ("block",)) for _ in range(50)]
    widths = np.array([2 * block.parts[0].size[0] for block in blocks])
    assert (widths < 0.08).any()
    assert (widths > 0.08).any()


def test_surface_points_lie_on_the_parts() -> None:
    ball = Thing("ball", (Part("sphere", (0.03, 0, 0), (0.1, 0, 0)),), 500, 0.8)
    points = ball.surface(np.random.default_rng(0))
    np.testing.assert_allclose(np.linalg.norm(points - [0.1, 0, 0], axis=1), 0.03)


def test_quaternion_inverts_matrix() -> None:
    random = np.random.default_rng(4)
    for q in [*random.normal(size=(50, 4)), about("x", np.pi), about("z", np.pi)]:
        unit = np.array(q) / np.linalg.norm(q)
        found = quaternion(matrix(unit))
        assert abs(found @ unit) == pytest.approx(1.0)
