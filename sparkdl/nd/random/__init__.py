"""sparkdl.nd.random: random numbers that depend on a key and a place, never on when or where they are drawn.

A key is uint32[2] (or a `sparkdl.base.rng.Key`). The same key gives the same numbers: take another for each draw, by
`split` or `fold_in`. Element i, flat in C order, is a function of (key, start + i) and its distribution alone: a draw
may be made in parts, by `start`, in any process and on any number of threads.

    words         uint32 word k is word k % 4 of Philox4x32-10 (Salmon et al. 2011) at counter (k // 4, 0, 1)
    floats        uniform: a word's 24 digits in float32, two words' 53 in float64, 11 in float16, 8 in bfloat16
                  normal, truncated_normal: by the inverse of the distribution function; exponential: by the logarithm
    with trials   gamma, poisson, binomial: each element has four words of its own for each trial (element, trial, 4)

uniform, normal, truncated_normal and exponential have the same bits from every kernel. What goes through log or exp
(lognormal, gumbel, categorical, gamma, beta, poisson, binomial) may differ in the last bits between machines.

Of symbols (in functions that are compiled) come bits, uniform, normal, truncated_normal, lognormal, exponential,
gumbel, bernoulli, dropout_mask, categorical, randint, split and fold_in, differentiable in their parameters where
these shift and scale. gamma, beta, poisson, binomial, choice and permutation need a key and parameters that are known.

>>> from sparkdl.nd import random
>>> first, second = random.split(random.key(7), 2)
>>> random.uniform(first, (2,))
NDArray([0.812694  , 0.66398805], dtype=float32, device=cpu)
"""

from sparkdl.nd.random.counts import binomial, poisson
from sparkdl.nd.random.discrete import bernoulli, categorical, dropout_mask, randint
from sparkdl.nd.random.draws import bits, exponential, gumbel, lognormal, normal, truncated_normal, uniform
from sparkdl.nd.random.gammas import beta, gamma
from sparkdl.nd.random.generator import Generator, default_rng
from sparkdl.nd.random.keys import fold_in, key, split
from sparkdl.nd.random.orders import choice, permutation

__all__ = [
    "Generator",
    "bernoulli",
    "beta",
    "binomial",
    "bits",
    "categorical",
    "choice",
    "default_rng",
    "dropout_mask",
    "exponential",
    "fold_in",
    "gamma",
    "gumbel",
    "key",
    "lognormal",
    "normal",
    "permutation",
    "poisson",
    "randint",
    "split",
    "truncated_normal",
    "uniform",
]
