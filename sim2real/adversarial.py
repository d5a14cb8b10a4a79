"""What all adversarial translators share: the game's losses, its memory, one side's players, and
how both parties learn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from policy.contract import Strict
from policy.learners.precision import Precision
from policy.learners.state import Parts, flatten, restore, set_rate
from policy.learners.targets import frozen_copy, polyak

from .adam import FusedAdam
from .networks import NetworkConfig, make_discriminator, make_generator


@dataclass(frozen=True)
class GameConfig(Strict):
    """Published values, `average` and `precision` aside."""

    learning_rate: float = 2e-4
    beta1: float = 0.5
    pool: int = 50  # pictures
    average: float = 0.995  # of the generator that translates in the end, each update
    precision: Precision = "auto"


def judged(verdict: Tensor, real: bool) -> Tensor:
    """LSGAN: verdicts on patches are to be 1 where they are real, 0 where not."""
    return (verdict.float() - float(real)).square().mean()


class ImagePool(nn.Module):
    """What the discriminator was shown before, so that it does not forget: half of what it sees of
    the generator is from here."""

    pictures: Tensor
    filled: Tensor

    def __init__(self, capacity: int, size: int) -> None:
        super().__init__()
        self.register_buffer("pictures", torch.zeros(capacity, 3, size, size))
        self.register_buffer("filled", torch.zeros((), dtype=torch.long))

    @torch.no_grad()
    def exchange(self, fresh: Tensor) -> Tensor:
        """As many pictures, some of them older; the fresh ones take their places."""
        shown = fresh.detach().float().clone()
        capacity = len(self.pictures)
        for k in range(len(shown)):
            filled = int(self.filled)
            if filled < capacity:
                self.pictures[filled] = shown[k]
                self.filled += 1
            elif torch.rand(()) < 0.5:
                old = int(torch.randint(capacity, ()))
                kept = self.pictures[old].clone()
                self.pictures[old] = shown[k]
                shown[k] = kept
        return shown


class Side(nn.Module):
    """One direction: who paints pictures of a domain, who tells them from real ones, and what the
    latter remembers."""

    def __init__(
        self, networks: NetworkConfig, game: GameConfig, size: int, outputs: int = 3
    ) -> None:
        super().__init__()
        self.generator = make_generator(networks, size, outputs)
        self.averaged = frozen_copy(self.generator)
        self.discriminator = make_discriminator(networks, size)
        self.pool = ImagePool(game.pool, size)

    def paint(self, pictures: Tensor) -> Tensor:
        found: Tensor = self.generator(pictures.contiguous(memory_format=torch.channels_last))
        return found.float()

    def fooled(self, painted: Tensor) -> Tensor:
        """The generator's loss. The discriminator is not to learn from it."""
        self.discriminator.requires_grad_(False)
        verdict = self.discriminator(painted)
        self.discriminator.requires_grad_(True)
        return judged(verdict, real=True)

    def told_apart(self, real: Tensor, painted: Tensor) -> Tensor:
        """The discriminator's loss."""
        shown = self.pool.exchange(painted)
        verdicts = self.discriminator(
            torch.cat([real, shown]).contiguous(memory_format=torch.channels_last)
        )
        on_real, on_painted = verdicts.tensor_split([len(real)])
        return 0.5 * (judged(on_real, real=True) + judged(on_painted, real=False))

    def average(self, decay: float) -> None:
        polyak(self.averaged, self.generator, decay)

    @torch.no_grad()
    def translate(self, pictures: Tensor) -> Tensor:
        found: Tensor = self.averaged(pictures.contiguous(memory_format=torch.channels_last))
        return found.float()


class Game:
    """Sides by their names. All who paint learn as one, and all who tell apart."""

    def __init__(self, config: GameConfig, device: torch.device, **sides: Side) -> None:
        self.game, self.device = config, device
        self._sides = sides
        self._painters, self._critics = (
            FusedAdam(
                [w for side in sides.values() for w in getattr(side, part).parameters()],
                config.learning_rate,
                (config.beta1, 0.999),
            )
            for part in ("generator", "discriminator")
        )

    def _paint_better(self, losses: Iterable[Tensor]) -> None:
        self._painters.zero_grad()
        torch.autograd.backward(list(losses))
        self._painters.step()

    def _tell_better(self, losses: Iterable[Tensor]) -> None:
        """The end of an update: who translates follows."""
        self._critics.zero_grad()
        torch.autograd.backward(list(losses))
        self._critics.step()
        for side in self._sides.values():
            side.average(self.game.average)

    def slow_down(self, share: float) -> None:
        set_rate(share * self.game.learning_rate, self._painters, self._critics)

    def state_dict(self) -> dict[str, Tensor]:
        return flatten(self._parts)

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        restore(self._parts, state)

    @property
    def _parts(self) -> Parts:
        return {**self._sides, "painters": self._painters, "critics": self._critics}
