"""Every optimizer and schedule, with what Keras 3.15.1 (torch backend) computes from the same numbers.

An optimizer takes STEPS steps from START with GRADIENTS, split into the tensors [0:2] and [2:5]. A schedule is asked at
AT. `oracle` is the rule in plain NumPy, float64.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparkdl.optim.optimizer import Optimizer
from sparkdl.optim.rules import SGD, Adagrad, Adam, AdamW, RMSprop
from sparkdl.optim.schedules import CosineDecay, ExponentialDecay, LinearWarmup, PiecewiseConstantDecay, Schedule

STEPS = 5
START = np.linspace(-1.0, 1.0, 5)
GRADIENTS = np.stack([2.0 * np.sin(1.7 * np.arange(5) + t) for t in range(STEPS)])
TENSORS = (slice(0, 2), slice(2, 5))
AT = (0, 1, 3, 5, 7, 10, 12, 25)


@dataclass(frozen=True)
class Case:
    """oracle(p, g, t, state) is the new p; `state` is a dict of its own, empty at first. keras: the final p."""

    optimizer: Optimizer
    oracle: Callable[[Any, Any, int, dict[str, Any]], Any]
    keras: tuple[float, ...]

    @property
    def label(self) -> str:
        return short(self.optimizer)


def short(optimizer: Optimizer) -> str:
    """Its name and what is not default."""
    plain = type(optimizer)()
    given = {k: getattr(optimizer, k) for k in optimizer.__dataclass_fields__}
    told = [f"{k}={v}" if isinstance(v, float) else k for k, v in given.items() if v != getattr(plain, k)]
    return ",".join([type(plain).__name__, *told])


@dataclass(frozen=True)
class ScheduleCase:
    schedule: Schedule
    oracle: Callable[[float], float]
    keras: tuple[float, ...] | None  # at AT; None where Keras has no such schedule


def sgd(lr, momentum=0.0, nesterov=False):
    def rule(p, g, t, state):
        rate = lr(t - 1) if callable(lr) else lr
        v = state["v"] = momentum * state.get("v", 0.0) - rate * g
        return p + (momentum * v - rate * g if nesterov else v)

    return rule


def rmsprop(lr, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False):
    def rule(p, g, t, state):
        s = state["s"] = rho * state.get("s", 0.0) + (1 - rho) * g * g
        a = state["a"] = rho * state.get("a", 0.0) + (1 - rho) * g
        step = lr * g / np.sqrt(s - centered * a * a + epsilon)
        v = state["v"] = momentum * state.get("v", 0.0) + step
        return p - v

    return rule


def adagrad(lr, initial=0.1, epsilon=1e-7, decay=0.0):
    def rule(p, g, t, state):
        s = state["s"] = state.get("s", initial) + g * g
        return p - lr * decay * p - lr * g / np.sqrt(s + epsilon)

    return rule


def adam(lr, b1=0.9, b2=0.999, epsilon=1e-7, amsgrad=False, decay=0.0):
    def rule(p, g, t, state):
        m = state["m"] = b1 * state.get("m", 0.0) + (1 - b1) * g
        v = state["v"] = b2 * state.get("v", 0.0) + (1 - b2) * g * g
        if amsgrad:
            v = state["top"] = np.maximum(state.get("top", 0.0), v)
        p = p - lr * decay * p
        return p - lr * np.sqrt(1 - b2**t) / (1 - b1**t) * m / (np.sqrt(v) + epsilon)

    return rule


def clipped(rule, how):
    return lambda p, g, t, state: rule(p, how(g), t, state)


def within_norm(g, limit):
    return g * min(1.0, limit / np.linalg.norm(g))


def each_within_norm(g, limit):
    return np.concatenate([within_norm(g[part], limit) for part in TENSORS])


def halved(step):
    return 0.1 * 0.5 ** (step / 2)


CASES = (
    Case(SGD(), sgd(0.01), (-1.0227017, -0.486772, 0.019293005, 0.48180047, 0.9853968)),
    Case(SGD(0.1, momentum=0.9), sgd(0.1, 0.9), (-1.9738679, -0.82886612, 1.0586133, 0.55607313, -0.073062576)),
    Case(
        SGD(0.1, momentum=0.9, nesterov=True),
        sgd(0.1, 0.9, True),
        (-2.1034985, -0.66369945, 1.1456821, 0.36846983, -0.11178794),
    ),
    Case(
        SGD(ExponentialDecay(0.1, 2, 0.5), momentum=0.5),
        sgd(halved, 0.5),
        (-1.3593836, -0.77128285, 0.42929029, 0.66065955, 0.52930957),
    ),
    Case(
        SGD(0.1, weight_decay=0.05),
        lambda p, g, t, s: sgd(0.1)(p - 0.1 * 0.05 * p, g, t, s),
        (-1.1977991, -0.35218853, 0.18764991, 0.30383328, 0.83495992),
    ),
    Case(
        SGD(0.1, clipvalue=0.5),
        clipped(sgd(0.1), lambda g: np.clip(g, -0.5, 0.5)),
        (-1.0782239, -0.44999999, 0.076690167, 0.43643248, 0.94999999),
    ),
    Case(
        SGD(0.1, clipnorm=1.0),
        clipped(sgd(0.1), lambda g: each_within_norm(g, 1.0)),
        (-1.1086769, -0.43708247, 0.078915522, 0.42241603, 0.94107705),
    ),
    Case(
        SGD(0.1, global_clipnorm=1.0),
        clipped(sgd(0.1), lambda g: within_norm(g, 1.0)),
        (-1.0707438, -0.45796856, 0.059912778, 0.44252971, 0.95489669),
    ),
    Case(SGD(0.1, global_clipnorm=1000.0), sgd(0.1), (-1.2270172, -0.36771998, 0.1929301, 0.31800404, 0.85396838)),
    Case(RMSprop(), rmsprop(0.001), (-1.0041291, -0.49962181, 0.0059200032, 0.498896, 0.99547142)),
    Case(
        RMSprop(0.01, rho=0.8, epsilon=0.1),
        rmsprop(0.01, 0.8, epsilon=0.1),
        (-1.0265718, -0.49444199, 0.03044864, 0.48961514, 0.97400522),
    ),
    Case(
        RMSprop(0.01, momentum=0.9),
        rmsprop(0.01, momentum=0.9),
        (-1.1625277, -0.58072507, 0.26346588, 0.54813671, 0.76936674),
    ),
    Case(
        RMSprop(0.01, momentum=0.5, centered=True),
        rmsprop(0.01, momentum=0.5, centered=True),
        (-1.0969533, -0.51993537, 0.14152041, 0.50154066, 0.88160264),
    ),
    Case(Adagrad(), adagrad(0.001), (-1.0013072, -0.49997577, 0.0017458808, 0.49974012, 0.99857306)),
    Case(
        Adagrad(0.1, 0.5, epsilon=0.01),
        adagrad(0.1, 0.5, 0.01),
        (-1.1230625, -0.49464771, 0.14277965, 0.47150335, 0.87440348),
    ),
    Case(
        Adagrad(0.1, 0.0, weight_decay=0.05, clipvalue=0.5),
        clipped(adagrad(0.1, 0.0, decay=0.05), lambda g: np.clip(g, -0.5, 0.5)),
        (-1.1257536, -0.50366408, 0.15027386, 0.48148867, 0.84489083),
    ),
    Case(Adam(), adam(0.001), (-1.0026385, -0.5018059, 0.0037106243, 0.5012337, 0.99641758)),
    Case(
        Adam(0.1, beta_1=0.8, beta_2=0.9, epsilon=0.1),
        adam(0.1, 0.8, 0.9, 0.1),
        (-1.2246345, -0.62439698, 0.28616127, 0.57299674, 0.7157234),
    ),
    Case(
        Adam(0.1, beta_2=0.5, amsgrad=True),
        adam(0.1, b2=0.5, amsgrad=True),
        (-1.2219843, -0.67673582, 0.34047982, 0.62180567, 0.66858733),
    ),
    Case(AdamW(), adam(0.001, decay=0.004), (-1.0026183, -0.50179583, 0.0037105868, 0.50122362, 0.99639761)),
    Case(
        AdamW(0.1, weight_decay=0.3, clipvalue=0.5),
        clipped(adam(0.1, decay=0.3), lambda g: np.clip(g, -0.5, 0.5)),
        (-1.1230501, -0.59127676, 0.35656065, 0.56843185, 0.53705692),
    ),
)


def cosine(step, top=0.2, steps=10, alpha=0.0):
    return top * ((1 - alpha) * 0.5 * (1 + np.cos(np.pi * min(step, steps) / steps)) + alpha)


SCHEDULE_CASES = (
    ScheduleCase(
        ExponentialDecay(0.1, 4, 0.5),
        lambda s: 0.1 * 0.5 ** (s / 4),
        (0.1, 0.084089644, 0.059460353, 0.042044822, 0.029730177, 0.01767767, 0.0125, 0.0013139007),
    ),
    ScheduleCase(
        ExponentialDecay(0.1, 4, 0.5, staircase=True),
        lambda s: 0.1 * 0.5 ** (s // 4),
        (0.1, 0.1, 0.1, 0.050000001, 0.050000001, 0.025, 0.0125, 0.0015625),
    ),
    ScheduleCase(CosineDecay(0.2, 10), cosine, (0.2, 0.19510566, 0.15877853, 0.099999994, 0.041221481, 0.0, 0.0, 0.0)),
    ScheduleCase(
        CosineDecay(0.2, 10, alpha=0.1),
        lambda s: cosine(s, alpha=0.1),
        (0.2, 0.19559509, 0.16290067, 0.10999999, 0.057099331, 0.020000001, 0.020000001, 0.020000001),
    ),
    ScheduleCase(
        CosineDecay(0.05, 10, alpha=0.1, warmup_target=0.2, warmup_steps=5),
        lambda s: 0.05 + 0.15 * s / 5 if s < 5 else cosine(s - 5, alpha=0.1),
        (0.050000001, 0.079999998, 0.14, 0.2, 0.18281153, 0.10999999, 0.057099331, 0.020000001),
    ),
    ScheduleCase(
        PiecewiseConstantDecay((3, 7), (1.0, 0.5, 0.1)),
        lambda s: 1.0 if s <= 3 else 0.5 if s <= 7 else 0.1,
        (1.0, 1.0, 1.0, 0.5, 0.5, 0.1, 0.1, 0.1),
    ),
    ScheduleCase(LinearWarmup(0.2, 5), lambda s: min(s / 5, 1.0) * 0.2, None),
    ScheduleCase(
        LinearWarmup(ExponentialDecay(0.1, 4, 0.5), 5, 0.01),
        lambda s: 0.01 + (0.1 * 0.5 ** (5 / 4) - 0.01) * s / 5 if s < 5 else 0.1 * 0.5 ** (s / 4),
        None,
    ),
)
