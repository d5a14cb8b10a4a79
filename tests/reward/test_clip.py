"""VLM-RM, with a small CLIP and a small SigLIP that are made on the spot."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from judged import judged_log, mask, pair

from policy.contract import Invalid
from reward.clip import Model, Rewarding, export, main, reward_of, square_of
from reward.detector import Setup, detector
from reward.graph import Graph
from reward.models import model_file
from reward.vlm_rm import NAME, Record, VlmRm

transformers = pytest.importorskip("transformers")
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def made(directory: Path, kind: str) -> Path:
    """A model that has learnt nothing, in the form in which Hugging Face keeps one."""
    directory.mkdir()
    words = [*LETTERS, *(f"{c}</w>" for c in LETTERS), "<|startoftext|>", "<|endoftext|>"]
    (directory / "vocab.json").write_text(json.dumps({w: k for k, w in enumerate(words)}))
    (directory / "merges.txt").write_text("#version: 0.2\n")
    told = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 32}
    (directory / "tokenizer_config.json").write_text(json.dumps(told))
    looks = {"image_mean": [0.5, 0.4, 0.3], "image_std": [0.2, 0.3, 0.25]}
    (directory / "preprocessor_config.json").write_text(json.dumps(looks))
    sizes = {
        "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2,
        "num_attention_heads": 2,
    }  # fmt: skip
    text = {
        "vocab_size": len(words), "max_position_embeddings": 32, "bos_token_id": 52,
        "eos_token_id": 53, "pad_token_id": 53, **sizes,
    }  # fmt: skip
    vision = {"image_size": 32, "patch_size": 8, **sizes}
    torch.manual_seed(0)
    if kind == "clip":
        config = transformers.CLIPConfig(text_config=text, vision_config=vision, projection_dim=12)
        transformers.CLIPModel(config).save_pretrained(directory)
    else:
        config = transformers.SiglipConfig(text_config=text, vision_config=vision)
        transformers.SiglipModel(config).save_pretrained(directory)
    return directory


@pytest.fixture(scope="module", params=["clip", "siglip"])
def directory(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("model") / request.param, request.param)


def unit(seed: int, size: int = 12) -> torch.Tensor:
    found = torch.randn(size, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(found, dim=0)


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_the_reward_is_1_at_the_goal(alpha: float) -> None:
    goal, baseline = unit(0), unit(1)
    assert reward_of(goal[None], goal, baseline, alpha).item() == pytest.approx(1.0)
    assert reward_of(unit(2)[None], goal, baseline, alpha).item() < 1


def test_without_regularisation_it_is_the_cosine() -> None:
    goal, states = unit(0), torch.stack([unit(k) for k in range(2, 8)])
    found = reward_of(states, goal, unit(1), 0.0)
    torch.testing.assert_close(found, states @ goal)


def test_all_regularised_only_the_way_from_the_baseline_counts() -> None:
    goal, baseline, state = unit(0), unit(1), unit(2)
    direction = (goal - baseline) / (goal - baseline).norm()
    aside = unit(3) - (unit(3) @ direction) * direction
    found = reward_of(torch.stack([state, state + aside]), goal, baseline, 1.0)
    assert found[0].item() == pytest.approx(found[1].item(), abs=1e-5)


def test_a_directory_becomes_a_graph_that_says_what_torch_says(
    directory: Path, tmp_path: Path
) -> None:
    setup = Setup({"front": mask()}, tmp_path)
    setup.save()
    export(setup, directory, [], "a thing more", "a bin", 0.4)
    graph = Graph(model_file(tmp_path, NAME, "front"), Record, "export it")
    assert (graph.record.goal, graph.record.alpha) == ("a thing more", 0.4)
    model = Model.load(directory)
    goal, baseline = model.words(["a thing more", "a bin"])
    assert goal.norm().item() == pytest.approx(1.0, abs=1e-5)
    module = Rewarding(model, square_of(mask(), 32), goal, baseline, 0.4).eval()
    frames = np.stack([pair(k, True).after["front"] for k in range(3)])
    with torch.no_grad():
        ours = module(torch.from_numpy(frames)).numpy()
    [theirs] = graph(frames=frames)
    np.testing.assert_allclose(theirs, ours, atol=1e-4)
    judge = detector("vlm_rm", setup)
    assert isinstance(judge, VlmRm)
    np.testing.assert_allclose(judge.rewards("front", frames), ours, atol=1e-4)
    found = judge.judge({"front": frames[0]}, {"front": frames[1]})
    assert found.success == (ours[1] >= ours[0])
    assert found.evidence is not None


def test_labels_tell_what_a_difference_is_worth(tmp_path: Path) -> None:
    directory = made(tmp_path / "clip", "clip")
    Setup({"front": mask()}, tmp_path / "cell").save()
    judged_log(tmp_path / "log", 24)
    assert main([str(tmp_path / "cell"), str(directory), str(tmp_path / "log")]) == 0
    record = Graph(model_file(tmp_path / "cell", NAME, "front"), Record, "export it").record
    assert len(record.episodes) == 24
    assert record.scale != 100
    judge = detector("vlm_rm", Setup.load(tmp_path / "cell"))
    found = [judge.judge(shown.before, shown.after) for shown in (pair(1, True), pair(2, False))]
    assert all(0.5 <= one.confidence < 1 for one in found)


def test_what_is_no_such_model_is_refused(
    directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    setup = Setup({"front": mask()}, tmp_path)
    setup.save()
    assert main([str(tmp_path), str(tmp_path / "nothing")]) == 1
    assert "no config.json" in capsys.readouterr().err
    with pytest.raises(Invalid, match="alpha"):
        export(setup, directory, [], alpha=1.5)
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(Invalid, match="model_type: found 'bert'"):
        export(setup, tmp_path, [])
