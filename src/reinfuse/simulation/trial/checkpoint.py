"""Checkpoints of a trial: the sums of each finished block are saved, so that an interrupted trial can be resumed."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from reinfuse.simulation.trial.accumulators import Tally
from reinfuse.simulation.trial.dask_runner import software_fingerprint
from reinfuse.simulation.trial.trial import Runner, Trial

Block = tuple[int, int]


def key(trial: Trial) -> str:
    """Return what distinguishes a trial's checkpoints from those of another trial, ensemble, seed, version or
    sources."""
    identity = (trial.protocols.model_dump_json(), trial.ensemble.frame().write_csv(), trial.seed, dict(trial.changed))
    return hashlib.sha256(repr((software_fingerprint(), identity)).encode()).hexdigest()[:20]


def resumable(runner: Runner, trial: Trial, folder: Path, *, say: Callable[[str], None] | None = None) -> Runner:
    """Return a runner that saves the sums of finished blocks in a folder, and reads those that are saved already.

    A checkpoint is used only if its checksum is that of these patients in this trial: one that is cut short, altered,
    or of another trial is simulated anew.

    Parameters
    ----------
    say
        Called with how many checkpoints were simulated anew.
    """
    trial_folder = folder / key(trial)
    trial_folder.mkdir(parents=True, exist_ok=True)

    def resumed(work: Callable[[Block], Tally], blocks: Iterable[Block]) -> Iterator[Tally]:
        requested = list(blocks)
        present = [b for b in requested if _path(trial_folder, b).exists()]
        sound = {b for b in present if _read(trial_folder, b) is not None}
        if say and len(sound) < len(present):
            say(f"{len(present) - len(sound)} checkpoints were damaged or of another trial: simulated anew.")
        fresh = iter(runner(work, [b for b in requested if b not in sound]))
        for block in requested:
            if block not in sound:
                tally = next(fresh)
                _write(trial_folder, block, tally=tally)
                yield tally
            else:
                yield _read(trial_folder, block) or work(block)

    return resumed


def _path(folder: Path, block: Block) -> Path:
    return folder / f"{block[0]}-{block[1]}.npz"


def checksum(name: str, block: Block, *, tally: Tally) -> str:
    """Return the checksum of a block's sums, together with the trial (its `key`) and the patients."""
    digest = hashlib.sha256(repr((name, block)).encode())
    for f in fields(Tally):
        array = np.ascontiguousarray(getattr(tally, f.name))
        digest.update(repr((f.name, array.dtype.str, array.shape)).encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _write(folder: Path, block: Block, *, tally: Tally) -> None:
    path = _path(folder, block)
    draft = path.with_suffix(f".{os.getpid()}.part.npz")
    arrays = {f.name: getattr(tally, f.name) for f in fields(Tally)}
    np.savez_compressed(draft, checksum=np.array(checksum(folder.name, block, tally=tally)), **arrays)
    draft.rename(path)


def _read(folder: Path, block: Block) -> Tally | None:
    """Return a checkpoint; None if its file cannot be read or its checksum is another."""
    try:
        with np.load(_path(folder, block), allow_pickle=False) as file:
            tally, written = Tally(**{f.name: file[f.name] for f in fields(Tally)}), str(file["checksum"])
    except (OSError, ValueError, KeyError, EOFError, TypeError, BadZipFile, zlib.error):
        return None
    return tally if written == checksum(folder.name, block, tally=tally) else None
