"""A trial that goes on where it was interrupted: each block's sums are kept in a folder until all are done."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from pathlib import Path

import numpy as np

import reinfuse
from reinfuse.virtual.tally import Tally
from reinfuse.virtual.trial import Runner, Trial

Block = tuple[int, int]


def key(trial: Trial) -> str:
    """Return what tells a trial's kept blocks from those of another trial, ensemble, seed or version."""
    told = (trial.protocols.model_dump_json(), trial.ensemble.frame().write_csv(), trial.seed, dict(trial.changed))
    return hashlib.sha256(repr((reinfuse.__version__, told)).encode()).hexdigest()[:20]


def resumable(runner: Runner, trial: Trial, folder: Path) -> Runner:
    """Return a runner that keeps the sums of finished blocks in a folder, and takes those that are there already."""
    kept = folder / key(trial)
    kept.mkdir(parents=True, exist_ok=True)

    def again(work: Callable[[Block], Tally], blocks: Iterable[Block]) -> Iterator[Tally]:
        asked = list(blocks)
        missing = [b for b in asked if not _path(kept, b).exists()]
        fresh, mine = iter(runner(work, missing)), set(missing)
        for block in asked:
            path = _path(kept, block)
            if block not in mine:  # another run may have made its file since
                yield _read(path)
                continue
            tally = next(fresh)
            _write(path, tally)
            yield tally

    return again


def _path(folder: Path, block: Block) -> Path:
    return folder / f"{block[0]}-{block[1]}.npz"


def _write(path: Path, tally: Tally) -> None:
    draft = path.with_suffix(f".{os.getpid()}.part.npz")
    np.savez_compressed(draft, **{f.name: getattr(tally, f.name) for f in fields(Tally)})
    draft.rename(path)


def _read(path: Path) -> Tally:
    with np.load(path) as told:
        return Tally(**{f.name: told[f.name] for f in fields(Tally)})
