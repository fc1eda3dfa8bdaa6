"""The optimizers of a recipe in PyTorch: its fused kernels without `torch.optim`, whose import costs a second."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engines.spec import RunSpec

_BETAS, _EPSILON, _MOMENTUM = (0.9, 0.999), 1e-8, 0.9


@dataclass(frozen=True)
class _Group:
    """Weights that learn alike: how much they decay, at what part of the rate."""

    names: list[str]
    decay: float
    part: float


class Optimizer:
    """Takes steps with the gradients that a backward pass left; weights decay where they are matrices or kernels."""

    def __init__(self, module: nn.Module, spec: RunSpec) -> None:
        self._kind = spec.optimizer
        self._weights: dict[str, Tensor] = dict(module.named_parameters())
        norms = {f"{name}.bias" for name, part in module.named_modules() if isinstance(part, nn.BatchNorm2d)}
        alike: dict[tuple[float, float], list[str]] = {}
        for name, weight in self._weights.items():
            decay = spec.weight_decay if weight.dim() > 1 else 0.0
            alike.setdefault((decay, spec.bias_rate if name in norms else 1.0), []).append(name)
        self._groups = [_Group(names, decay, part) for (decay, part), names in alike.items()]
        kinds = ("momentum",) if spec.optimizer == "sgd" else ("exp_avg", "exp_avg_sq")
        self.moments = {
            f"{kind}/{name}": torch.zeros_like(weight) for kind in kinds for name, weight in self._weights.items()
        }

    @torch.no_grad()
    def step(self, lr: float, steps_done: int) -> None:
        """Take step `steps_done` (from 1) at the rate `lr`, and forget the gradients."""
        for group in self._groups:
            weights = [self._weights[name] for name in group.names]
            gradients = [weight.grad for weight in weights if weight.grad is not None]
            if self._kind == "sgd":
                self._apply_momentum(group, weights, gradients, lr * group.part)
            else:
                self._apply_adam(group, weights, gradients, lr * group.part, steps_done)
            for weight in weights:
                weight.grad = None

    def _apply_momentum(self, group: _Group, weights: list[Tensor], gradients: list[Tensor], lr: float) -> None:
        torch._fused_sgd_(
            weights,
            gradients,
            self._moments("momentum", group),
            weight_decay=group.decay,
            momentum=_MOMENTUM,
            lr=lr,
            dampening=0.0,
            nesterov=True,
            maximize=False,
            is_first_step=False,
        )

    def _apply_adam(
        self, group: _Group, weights: list[Tensor], gradients: list[Tensor], lr: float, steps_done: int
    ) -> None:
        apply = torch._fused_adamw_ if self._kind == "adamw" else torch._fused_adam_
        apply(
            weights,
            gradients,
            self._moments("exp_avg", group),
            self._moments("exp_avg_sq", group),
            [],
            [torch.full((), float(steps_done), device=weights[0].device)] * len(weights),
            lr=lr,
            beta1=_BETAS[0],
            beta2=_BETAS[1],
            eps=_EPSILON,
            weight_decay=group.decay,
            amsgrad=False,
            maximize=False,
        )

    def _moments(self, kind: str, group: _Group) -> list[Tensor]:
        return [self.moments[f"{kind}/{name}"] for name in group.names]
