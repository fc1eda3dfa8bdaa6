"""Adam in PyTorch for weights that lie in one vector, by the kernel that torch.optim.Adam(fused=True) calls."""

import torch
from torch import Tensor

_GREATEST = torch.finfo(torch.float32).max


class Adam:
    """Moves `values` against `gradients`, vectors of float32; its figures are those of the paper (Kingma, Ba, 2015)."""

    def __init__(self, values: Tensor, gradients: Tensor, lr: float) -> None:
        self.values, self.gradients = values, gradients
        self.exp_avg, self.exp_avg_sq = torch.zeros_like(values), torch.zeros_like(values)
        self.steps = torch.zeros((), device=values.device)
        self._known_lr = lr
        self._lr = torch.tensor(min(lr, _GREATEST), device=values.device)  # A recorded step reads it anew each time.

    def set_learning_rate(self, lr: float) -> None:
        """Use `lr` from the next step on."""
        if lr != self._known_lr:
            self._known_lr = lr
            self._lr.fill_(min(lr, _GREATEST))

    def step(self) -> None:
        """Do a step, without the bookkeeping of an optimizer."""
        self.steps.add_(1)
        torch._fused_adam_(
            [self.values],
            [self.gradients],
            [self.exp_avg],
            [self.exp_avg_sq],
            [],
            [self.steps],
            lr=self._lr,
            beta1=0.9,
            beta2=0.999,
            eps=1e-8,
            weight_decay=0.0,
            amsgrad=False,
            maximize=False,
        )
