"""The optimisers: which parameter gets which, and what an orthogonal update is."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import nn

from oea_cli.training.loop.optimizer import Muon, Rule, new_optimizer, orthogonal

CPU = torch.device("cpu")


class Net(nn.Module):
    """An embedding, two hidden layers with biases, a head."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embed = nn.Embedding(10, 8)
        self.layers = nn.ModuleList([nn.Linear(8, 16), nn.Linear(16, 8)])
        self.head = nn.Linear(8, 3, bias=False)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        hidden = self.embed(ids)
        for layer in self.layers:
            hidden = torch.tanh(layer(hidden))
        scores: torch.Tensor = self.head(hidden)
        return scores


class Wrapped(nn.Module):
    """Net one level down, as a backbone lies in a model."""

    def __init__(self) -> None:
        super().__init__()
        self.net = Net()


@pytest.mark.parametrize("shape", [(1, 6, 6), (2, 4, 9), (3, 9, 4)])
def test_orthogonal_brings_singular_values_near_one(shape: tuple[int, int, int]) -> None:
    torch.manual_seed(1)
    made = orthogonal(torch.randn(shape) * 100)
    assert made.shape == shape
    values = torch.linalg.svdvals(made)
    assert values.min() > 0.3 and values.max() < 1.5


def test_orthogonal_keeps_the_directions() -> None:
    torch.manual_seed(2)
    matrix = torch.randn(1, 5, 7)
    left, _, right = torch.linalg.svd(matrix[0], full_matrices=False)
    made = orthogonal(matrix)[0]
    along = torch.diagonal(left.T @ made @ right.T)
    assert bool((along > 0.3).all())
    assert torch.linalg.norm(left.T @ made @ right.T - torch.diag(along)) < 1e-3


def test_muon_moves_hidden_matrices_by_a_known_length_and_the_rest_as_adamw() -> None:
    plain, other = Wrapped(), Wrapped()
    ids = torch.arange(10)
    optimizers = [
        new_optimizer(m, Rule(kind), CPU) for m, kind in ((plain, "adamw"), (other, "muon"))
    ]
    assert isinstance(optimizers[1], Muon)
    before = other.net.layers[0].weight.detach().clone()
    for module, optimizer in zip((plain, other), optimizers, strict=True):
        for group in optimizer.param_groups:
            group["lr"] = 0.01
        module.net(ids).square().sum().backward()
        optimizer.step()
    assert torch.equal(plain.net.embed.weight, other.net.embed.weight)
    assert torch.equal(plain.net.head.weight, other.net.head.weight)
    assert torch.equal(plain.net.layers[0].bias, other.net.layers[0].bias)
    moved = torch.linalg.svdvals(other.net.layers[0].weight - before) / (0.01 * 0.5 * 4)
    assert moved.min() > 0.3 and moved.max() < 1.5


def test_muon_steps_ahead_of_its_momentum_as_nesterov_does() -> None:
    """Two steps with two gradients, written out; the first alone would not tell."""
    module = Wrapped()
    optimizer = new_optimizer(module, Rule("muon"), CPU)
    for group in optimizer.param_groups:
        group["lr"] = 0.01
    weight = module.net.layers[0].weight  # (16, 8)
    gradients = [torch.randn(16, 8, generator=torch.Generator().manual_seed(n)) for n in (1, 2)]
    momentum, expected = torch.zeros(16, 8), weight.detach().clone()
    for gradient in gradients:
        for parameter in module.parameters():
            parameter.grad = torch.zeros_like(parameter)
        weight.grad = gradient.clone()
        optimizer.step()
        momentum = 0.95 * momentum + 0.05 * gradient
        ahead = 0.05 * gradient + 0.95 * momentum
        expected -= 0.01 * 0.5 * 4 * orthogonal(ahead[None])[0]  # 4: the root of the longer side
    torch.testing.assert_close(weight.detach(), expected)


def test_muon_decays_hidden_matrices() -> None:
    kept, decayed = Wrapped(), Wrapped()
    for module, weight_decay in ((kept, 0.0), (decayed, 0.1)):
        optimizer = new_optimizer(module, Rule("muon", weight_decay=weight_decay), CPU)
        for group in optimizer.param_groups:
            group["lr"] = 0.01
        module.net(torch.arange(10)).square().sum().backward()
        optimizer.step()
    shrunk = kept.net.layers[0].weight * (1 - 0.01 * 0.1)
    assert torch.allclose(decayed.net.layers[0].weight, shrunk)
    assert torch.equal(decayed.net.layers[0].bias, kept.net.layers[0].bias)


def test_muon_goes_on_from_its_state() -> None:
    ids = torch.arange(10)

    def step(module: Wrapped, optimizer: torch.optim.Optimizer) -> None:
        optimizer.zero_grad()
        module.net(ids).square().sum().backward()
        optimizer.step()

    once = Wrapped()
    optimizer = new_optimizer(once, Rule("muon", weight_decay=0.01), CPU)
    step(once, optimizer)
    weights = {name: tensor.clone() for name, tensor in once.state_dict().items()}
    state = copy.deepcopy(optimizer.state_dict())
    step(once, optimizer)
    again = Wrapped()
    again.load_state_dict(weights)
    second = new_optimizer(again, Rule("muon", weight_decay=0.01), CPU)
    second.load_state_dict(state)
    step(again, second)
    for name, tensor in once.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name]), name


def test_muon_learns() -> None:
    module = Wrapped()
    optimizer = new_optimizer(module, Rule("muon"), CPU)
    ids, targets = torch.arange(10), torch.arange(10) % 3
    losses = []
    for _ in range(60):
        for group in optimizer.param_groups:
            group["lr"] = 0.02
        loss = nn.functional.cross_entropy(module.net(ids), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.1 * losses[0]


def test_adamw_is_torchs_with_the_rules_betas() -> None:
    """OEA's release has torch's defaults over all parameters; ours spares biases and norms."""
    release = Rule(betas=(0.9, 0.999), weight_decay=0.01, decay_norms=True)
    assert_same_steps(
        release, lambda net: torch.optim.AdamW(net.parameters(), lr=0.05, weight_decay=0.01)
    )
    ours = Rule(weight_decay=0.1)

    def spared(net: nn.Module) -> torch.optim.Optimizer:
        vectors = [p for p in net.parameters() if p.ndim == 1]
        matrices = [p for p in net.parameters() if p.ndim > 1]
        groups = [
            {"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0},
        ]  # fmt: skip
        return torch.optim.AdamW(groups, lr=0.05, betas=(0.9, 0.98))

    assert_same_steps(ours, spared)


def assert_same_steps(
    rule: Rule, expected: Callable[[nn.Module], torch.optim.Optimizer], steps: int = 4
) -> None:
    own, other = Wrapped(), Wrapped()
    optimizers = [new_optimizer(own, rule, CPU), expected(other)]
    for number in range(steps):
        for module, optimizer in zip((own, other), optimizers, strict=True):
            for group in optimizer.param_groups:
                group["lr"] = 0.05
            optimizer.zero_grad()
            (module.net(torch.arange(10)).square().sum() * (number + 1)).backward()
            optimizer.step()
    for name, tensor in own.state_dict().items():
        assert torch.allclose(tensor, other.state_dict()[name], rtol=1e-5, atol=1e-6), name
