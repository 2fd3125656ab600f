"""The tables of predicted and observed responses of a cohort's twins."""

import numpy as np

from reinfuse.report.tables.twin_predictions import prediction_tables
from reinfuse.simulation.twins.prediction_scores import BASE_RATE, score_records


def test_scores_and_groups_are_shown_and_no_patient():
    expected = np.array([0.2, 0.3, 0.4, 0.6, 0.7] * 4)
    responded = np.array([False, False, True, True, True] * 4)
    scores, groups = prediction_tables(list(score_records(expected, responded, population="p", group="predicted")))
    cells = {row.head: row.cells for row in scores.rows}
    assert cells["Predicted"][0] == "0.148"  # (0.04 + 0.09 + 0.36 + 0.16 + 0.09) / 5
    assert cells[BASE_RATE.capitalize()][1] == "reference"
    assert " to " in cells["Calibration slope of the prediction"][0]
    assert [row.cells[:2] for row in groups.rows] == [("10", "28%"), ("10", "60%")]


def test_without_predictions_there_is_no_table():
    assert list(prediction_tables([])) == []
