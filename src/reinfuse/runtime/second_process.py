"""A second process takes every other piece of a study: fitting small models and drawing keep one core busy, no more.

Pieces depend on nothing but their place, so that it does not matter who does which. A second process that dies costs
time alone: what it had is done here. It is asked and answers by pickles on its standard input and output, and ends
where its input ends, whatever ended this process.
"""

from __future__ import annotations

import gc
import os
import pickle
import subprocess
import sys
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any, TypeVar

from reinfuse.runtime import parallel

T = TypeVar("T")
_MOST_ROWS, _MOST_CELLS = 20_000, 2_000_000
_SERVE = "from reinfuse.runtime.second_process import serve; serve()"
_DEBUG = "REINFUSE_DEBUG"
_PATIENCE = 2.0


def worth_a_copy(rows: int, columns: int) -> bool:
    """Tell whether data are so small that a second copy of them costs less memory than it saves time."""
    return rows <= _MOST_ROWS and rows * columns <= _MOST_CELLS


class _Dead(Exception):
    """The second process does not answer."""


class SecondProcess:
    """One more process, started at once so that it is ready when there is work.

    Parameters
    ----------
    modules
        What it imports while it waits for work.
    """

    def __init__(self, modules: Sequence[str] = ()) -> None:
        path = os.pathsep.join(p for p in sys.path if p)
        silent = None if os.environ.get(_DEBUG) else subprocess.DEVNULL
        self._lock = threading.Lock()
        self._loaded: tuple[Any, Any] | None = None
        self._process = subprocess.Popen([sys.executable, "-P", "-c", _SERVE, *modules], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, stderr=silent, env={**os.environ, "PYTHONPATH": path},
                                         start_new_session=True)  # fmt: skip

    def ask(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """Return what a function of a module gives there, or raise what it raised."""
        requests, replies = self._process.stdin, self._process.stdout
        assert requests is not None
        assert replies is not None
        try:
            message = pickle.dumps((work, arguments))
        except (OSError, MemoryError):  # polars raises the first: no memory is left for a second copy of the data
            raise _Dead from None
        with self._lock:
            try:
                requests.write(message)
                requests.flush()
                result, error = pickle.load(replies)
            except (OSError, EOFError, ValueError, pickle.UnpicklingError):
                raise _Dead from None
        if error is not None:
            raise error
        return result

    def prepare(self, *modules: str) -> None:
        """Let it import modules, while this process imports or does something else."""

        def imported() -> None:
            with suppress(_Dead, ImportError):  # who needs the module there says what is wrong
                for name in modules:
                    self.ask(_imported, name)

        threading.Thread(target=imported, daemon=True).start()

    def either(self, work: Callable[..., T], *arguments: Any) -> T:
        """Return what a function of a module gives there; here, if the second process does not answer."""
        try:
            result: T = self.ask(work, *arguments)
        except _Dead:
            return work(*arguments)
        return result

    def results(self, pieces_of: Callable[[Any], Sequence[Callable[[], T]]], argument: Any, places: Sequence[int],
                here: Callable[[int], T]) -> dict[int, T]:  # fmt: skip
        """Return the result of each piece.

        Parameters
        ----------
        pieces_of, argument
            Function of a module, and what it is given there, which return all pieces in the second process.
        places
            Of the pieces that are wanted.
        here
            Does one of them in this process.
        """
        waiting, answers = deque(places), dict[int, T]()

        def in_second_process() -> None:
            place = None
            try:
                self._load_once(pieces_of, argument)
                while waiting:
                    place = waiting.popleft()
                    answers[place] = self.ask(_piece, place)
                    place = None
            except (_Dead, IndexError):  # it died; or the last piece was taken here meanwhile
                if place is not None:
                    waiting.append(place)

        with ThreadPoolExecutor(1) as thread, parallel.one_thread():
            other = thread.submit(in_second_process)
            alone = False
            while waiting or not alone:
                try:
                    place = waiting.popleft()
                except IndexError:
                    other.result()  # and only then look again: what a dead process had is put back at its end
                    alone = True
                    continue
                answers[place] = here(place)
            other.result()
        return {place: answers[place] for place in places}

    def _load_once(self, pieces_of: Callable[[Any], Sequence[Callable[[], T]]], argument: Any) -> None:
        """Send what all pieces are made of, unless it is there already."""
        if self._loaded is not None and self._loaded[0] is pieces_of and self._loaded[1] is argument:
            return
        self._loaded = None
        self.ask(_load, pieces_of, argument)
        self._loaded = (pieces_of, argument)

    def close(self) -> None:
        """Let it end."""
        for stream in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                if stream is not None:
                    stream.close()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextmanager
def second_process(modules: Sequence[str] = ()) -> Iterator[SecondProcess | None]:
    """Give a second process that imports these modules, or None where there is but one core."""
    if parallel.CORES < 2:
        yield None
        return
    before = gc.get_threshold()
    _seldom_collect()
    second = SecondProcess(modules)
    try:
        yield second
    finally:
        second.close()
        gc.set_threshold(*before)


def _seldom_collect() -> None:
    """Look for garbage in circles less often: documents and figures are made of very many objects that stay."""
    gc.set_threshold(100_000, 20, 20)


_pieces: Sequence[Callable[[], Any]] = ()


def serve() -> None:
    """Answer until the input ends: the second process itself."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no answer
    if not os.environ.get(_DEBUG):
        warnings.simplefilter("ignore")
    parallel.CORES = 1
    _seldom_collect()
    _warm_up()
    with suppress(EOFError, OSError):
        while True:
            work, arguments = pickle.load(sys.stdin.buffer)
            answers.write(_answer(work, arguments))
            answers.flush()
    os._exit(0)


def _answer(work: Callable[..., Any], arguments: tuple[Any, ...]) -> bytes:
    try:
        return pickle.dumps((work(*arguments), None))
    except Exception as error:
        try:
            return pickle.dumps((None, error))
        except Exception:
            return pickle.dumps((None, RuntimeError(type(error).__name__)))


def _warm_up() -> None:
    from threadpoolctl import threadpool_limits

    for name in sys.argv[1:]:
        import_module(name)
    threadpool_limits(limits=1)


def _imported(module: str) -> None:
    import_module(module)


def _load(pieces_of: Callable[[Any], Sequence[Callable[[], Any]]], argument: Any) -> None:
    global _pieces
    _pieces = pieces_of(argument)


def _piece(place: int) -> Any:
    return _pieces[place]()
