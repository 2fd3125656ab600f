import pytest

from reinfuse.cohort.lymphodepletion import regimen_class

CY_FLU = [
    "Cy/Flu", "Flu/Cy", "CyFlu", "cy-flu", "Cy + Flu", "Flu, Cy", "FC", "F/C", "fludarabine + cyclophosphamide",
    "Cyclophosphamide and Fludarabine", "Fludarabine 30 mg/m2 x3 + cyclophosphamide 300 mg/m2 x3",
    "Cy 60mg/kg; Flu 25 mg/m² x 5", "fludarabine (30 mg/m^2/d) & cyclophosphamide (500 mg/m2/day)",
    "Cytoxan then fludarabine", "FLU–CY",
]  # fmt: skip
CY = ["Cy", "cyclophosphamide", "Cy/E", "Cy + etoposide", "Cy/VP-16", "bendamustine + Cy", "Cytoxan 60 mg/kg"]
FLU = ["Flu", "fludarabine 25 mg/m2 x 5", "bendamustine/fludarabine"]
OTHER = [
    "bendamustine", "other", "other: Cy/Flu with something", "Cy/Flu + alemtuzumab", "FCR", "ATG", "etoposide + ara-c",
]  # fmt: skip
NONE = ["none", "None", "no LD", "no lymphodepletion", "no"]
UNKNOWN_AGENTS = [
    "Cy/Fluzzz", "Cy without Flu", "no Flu", "Cy or Flu", "Cy/Flu?", "standard", "x", "30", "+", "as CART1", "",
    "Cy/unknownmab",
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *((t, "Cy-Flu") for t in CY_FLU),
        *((t, "Cy") for t in CY),
        *((t, "Flu") for t in FLU),
        *((t, "Other") for t in OTHER),
        *((t, "None") for t in NONE),
        *((t, None) for t in UNKNOWN_AGENTS),
    ],
)
def test_regimen_class(text, expected):
    assert regimen_class(text) == expected
