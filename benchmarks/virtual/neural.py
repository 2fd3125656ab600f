"""Neural posterior estimation of the unknowns, by BayesFlow on JAX; compared in `inferences.py`.

A normalizing flow learns the posterior of the unknowns and the discrepancy's size from pairs of them and results as
they would be published (Radev et al., IEEE Trans Neural Netw Learn Syst 2022;33:1452-1466): each population of the
prior is published many times, with the discrepancy and the sampling errors drawn anew. A result that is not defined is
0 and marked. Training ends when pairs of other populations are predicted no better.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
from scipy.special import expit, logit

from reinfuse.simulation.calibration.posterior import discrepancy
from reinfuse.simulation.calibration.targets import Target

os.environ.setdefault("KERAS_BACKEND", "jax")
PATIENCE, EPOCHS, BATCH = 8, 100, 256
LAYERS, WIDTHS, DROPOUT = 4, (128, 128), 0.1
VALIDATED = 0.1
"""Share of the populations whose pairs decide when training ends."""


def published(targets: Sequence[Target], scaled: np.ndarray, spread: np.ndarray,
              random: np.random.Generator) -> np.ndarray:  # fmt: skip
    """Return simulated results (pairs, targets) as studies of their size would publish them, on the targets' scales."""
    values = scaled + spread[:, None] * random.standard_normal(scaled.shape)
    for j, t in enumerate(targets):
        if t.kind == "proportion":
            share = expit(np.where(np.isfinite(values[:, j]), values[:, j], 0.0))
            events = random.binomial(t.n, share) / t.n
            values[:, j] = np.where(np.isfinite(values[:, j]), logit(t.inner(events)), np.nan)
        else:
            values[:, j] += t.error * random.standard_normal(len(values))
    return values


class Flow:
    """A trained flow.

    Parameters
    ----------
    z, values
        Populations and their results on the targets' scales; each is published `times`.
    targets
        All whose results are given; those that calibrate are looked at.
    """

    def __init__(self, z: np.ndarray, values: np.ndarray, targets: Sequence[Target], *, times: int, seed: int) -> None:
        import bayesflow
        import keras

        keras.utils.set_random_seed(seed)
        random = np.random.default_rng(seed)
        self.fitted = [j for j, t in enumerate(targets) if t.role == "calibrated"]
        looked = [targets[j] for j in self.fitted]
        order = random.permutation(len(z))
        parts, pairs = np.split(order, [int(VALIDATED * len(z))]), []
        for part in parts:
            which = np.repeat(part, times)
            last = random.standard_normal(len(which))
            unknowns = np.column_stack([z[which], last])
            scaled = values[np.ix_(which, self.fitted)]
            pairs.append((unknowns, published(looked, scaled, discrepancy(unknowns), random)))
        self.centre, self.scale = np.nanmean(pairs[1][1], axis=0), np.nanstd(pairs[1][1], axis=0)
        others, learnt = ({"unknowns": u.astype("float32"), "results": self._seen(r)} for u, r in pairs)
        adapter = bayesflow.Adapter()
        adapter = adapter.rename("unknowns", "inference_variables").rename("results", "inference_conditions")
        self.flow = bayesflow.BasicWorkflow(
            adapter=adapter, standardize=None,
            inference_network=bayesflow.networks.CouplingFlow(
                depth=LAYERS, subnet_kwargs={"widths": WIDTHS, "dropout": DROPOUT}))  # fmt: skip
        ends = keras.callbacks.EarlyStopping(patience=PATIENCE, restore_best_weights=True)
        self.history = self.flow.fit_offline(learnt, epochs=EPOCHS, batch_size=BATCH, validation_data=others,
                                             callbacks=[ends], verbose=0)  # fmt: skip

    def _seen(self, results: np.ndarray) -> np.ndarray:
        there = np.isfinite(results)
        return np.hstack([np.where(there, (results - self.centre) / self.scale, 0.0), ~there]).astype("float32")

    def draws(self, results: Sequence[Target], count: int) -> np.ndarray:
        """Return draws of the unknowns, the discrepancy's last, given published results of the same targets."""
        row = [results[j].scaled if results[j].role == "calibrated" else np.nan for j in self.fitted]
        drawn = self.flow.sample(num_samples=count, conditions={"results": self._seen(np.array([row]))})
        return np.asarray(drawn["unknowns"][0], dtype=np.float64)
