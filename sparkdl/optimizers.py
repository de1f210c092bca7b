"""All optimizers and learning-rate schedules, under one roof. Names, arguments and defaults are Keras 3's.

>>> from sparkdl import optimizers
>>> optimizers.Adam(optimizers.CosineDecay(0.01, decay_steps=1000)).beta_1
0.9
"""

from sparkdl.optim.optimizer import Optimizer
from sparkdl.optim.rules import SGD, Adagrad, Adam, AdamW, RMSprop
from sparkdl.optim.schedules import CosineDecay, ExponentialDecay, LinearWarmup, PiecewiseConstantDecay

__all__ = [
    "SGD", "Adagrad", "Adam", "AdamW", "CosineDecay", "ExponentialDecay", "LinearWarmup", "Optimizer",
    "PiecewiseConstantDecay", "RMSprop",
]  # fmt: skip
