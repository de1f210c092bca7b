"""The optimizers. One record each: fields, slots, rule. p parameters, g gradient, lr learning rate, t = 1, 2, ...

Keras 3's formulas; where torch's differ is said, because a learning rate copied from there may not fit.
"""

from typing import Annotated, Any

from sparkdl.base.checks import BelowOne, Flag, NonNegative, Positive
from sparkdl.base.record import OneOf
from sparkdl.nd.ops.analysis import power
from sparkdl.nd.ops.arithmetic import maximum, sqrt, square
from sparkdl.optim.optimizer import OPTIMIZERS, Optimizer, Slots, Updated, optimizer, scalar
from sparkdl.optim.schedules import LearningRate

OptimizerField = Annotated[Optimizer, OneOf(OPTIMIZERS)]  # here, and not beside the base: who imports it has them all


@optimizer
class SGD(Optimizer):
    """p -= lr g. With momentum: v = momentum v - lr g; p += v, or p += momentum v - lr g when `nesterov`.

    Polyak 1964; Sutskever et al. 2013. The rate stands inside v: when it changes, the velocity gathered so far stays.
    torch keeps it outside (v = momentum v + g; p -= lr v): the same for a constant rate.
    """

    learning_rate: LearningRate = 0.01
    momentum: BelowOne = 0.0
    nesterov: Flag = False

    @property
    def slots(self) -> tuple[str, ...]:
        return ("momentum",) if self.momentum else ()

    def rule(self, p: Any, g: Any, slots: Slots, lr: Any, t: Any) -> Updated:
        step = g * scalar(lr, g)
        if not self.momentum:
            return p - step, {}
        v = self.momentum * slots["momentum"] - step
        return p + (self.momentum * v - step if self.nesterov else v), {"momentum": v}


@optimizer
class RMSprop(Optimizer):
    """s = rho s + (1 - rho) g^2; p -= lr g / sqrt(s + epsilon).

    centered: a = rho a + (1 - rho) g, and s - a^2 stands for s. momentum: the steps gather in
    v = momentum v + lr g / sqrt(...); p -= v. Hinton, Coursera lecture 6e, 2012.
    torch adds epsilon after the root, and its default rho (`alpha`) is 0.99.
    """

    learning_rate: LearningRate = 0.001
    rho: BelowOne = 0.9
    momentum: BelowOne = 0.0
    epsilon: Positive = 1e-7
    centered: Flag = False

    @property
    def slots(self) -> tuple[str, ...]:
        return ("velocity", *(("momentum",) if self.momentum else ()), *(("average",) if self.centered else ()))

    def rule(self, p: Any, g: Any, slots: Slots, lr: Any, t: Any) -> Updated:
        new = {"velocity": self.rho * slots["velocity"] + (1.0 - self.rho) * square(g)}
        spread = new["velocity"]
        if self.centered:
            new["average"] = self.rho * slots["average"] + (1.0 - self.rho) * g
            spread = spread - square(new["average"])
        step = g * scalar(lr, g) / sqrt(spread + self.epsilon)
        if self.momentum:
            step = new["momentum"] = self.momentum * slots["momentum"] + step
        return p - step, new


@optimizer
class Adagrad(Optimizer):
    """s += g^2; p -= lr g / sqrt(s + epsilon), where s starts from `initial_accumulator_value`.

    Duchi, Hazan & Singer, JMLR 12, 2011. The slot holds what was added to the initial value, so that it starts from
    zero like all slots. torch adds epsilon after the root, and starts from 0.
    """

    learning_rate: LearningRate = 0.001
    initial_accumulator_value: NonNegative = 0.1
    epsilon: Positive = 1e-7

    @property
    def slots(self) -> tuple[str, ...]:
        return ("accumulator",)

    def rule(self, p: Any, g: Any, slots: Slots, lr: Any, t: Any) -> Updated:
        s = slots["accumulator"] + square(g)
        return p - g * scalar(lr, g) / sqrt(s + (self.initial_accumulator_value + self.epsilon)), {"accumulator": s}


@optimizer
class Adam(Optimizer):
    """m += (1 - beta_1) (g - m); v += (1 - beta_2) (g^2 - v); p -= a m / (sqrt(v) + epsilon),
    a = lr sqrt(1 - beta_2^t) / (1 - beta_1^t).

    Kingma & Ba, arXiv:1412.6980, in the form before their section 2.1: epsilon is the paper's "epsilon hat". torch
    divides v by its bias correction first, so that the same epsilon weighs less there in the first steps.
    amsgrad: the largest v so far stands for v. Reddi et al., arXiv:1904.09237.
    """

    learning_rate: LearningRate = 0.001
    beta_1: BelowOne = 0.9
    beta_2: BelowOne = 0.999
    epsilon: Positive = 1e-7
    amsgrad: Flag = False

    @property
    def slots(self) -> tuple[str, ...]:
        return ("momentum", "velocity", *(("velocity_hat",) if self.amsgrad else ()))

    def rule(self, p: Any, g: Any, slots: Slots, lr: Any, t: Any) -> Updated:
        m = slots["momentum"] + (1.0 - self.beta_1) * (g - slots["momentum"])
        v = slots["velocity"] + (1.0 - self.beta_2) * (square(g) - slots["velocity"])
        new = {"momentum": m, "velocity": v}
        if self.amsgrad:
            v = new["velocity_hat"] = maximum(slots["velocity_hat"], v)
        rate = lr * sqrt(1.0 - power(self.beta_2, t)) / (1.0 - power(self.beta_1, t))
        return p - m * scalar(rate, p) / (sqrt(v) + self.epsilon), new


@optimizer
class AdamW(Adam):
    """Adam with decoupled weight decay on by default: p -= lr weight_decay p before the step.

    Loshchilov & Hutter, arXiv:1711.05101. As in Keras every parameter decays, biases and scales too.
    """

    weight_decay: NonNegative | None = 0.004  # second by position, as in Keras
