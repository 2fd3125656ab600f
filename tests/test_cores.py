"""The same bytes however many cores there are."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from reinfuse import Plan, Study, read_cohort
from reinfuse.data import DEMO, datasets
from reinfuse.runtime import parallel


@pytest.fixture
def results(monkeypatch):
    cohort = read_cohort(datasets()[DEMO].path)
    plan = Plan.built_in()
    few = {"power": 200, "draws": 999}
    study = Study(cohort, plan.model_copy(update={"analyses": plan.analyses.model_copy(update=few)}))
    batches = ("flow", "associations", "simulated intervals", "power", "exposure", "persistence")

    def run(cores: int) -> str:
        monkeypatch.setattr(parallel, "CORES", cores)
        monkeypatch.setattr(
            "reinfuse.statistics.firth_batch.CORES", cores, raising=False
        )  # by which batches once were cut
        with ThreadPoolExecutor(cores) as pool:
            monkeypatch.setattr(parallel, "_pool", lambda: pool)
            return json.dumps(study.run(only=batches).as_dict(), sort_keys=True)

    return run


def test_one_two_and_four_cores_give_the_same_bytes(results):
    one = results(1)
    assert results(2) == one
    assert results(4) == one
