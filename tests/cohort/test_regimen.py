import pytest

from reinfuse.cohort.lymphodepletion import regimen_class

CY_FLU = [
    "Cy/Flu", "Flu/Cy", "CyFlu", "cy-flu", "Cy + Flu", "Flu, Cy", "FC", "F/C", "fludarabine + cyclophosphamide",
    "Cyclophosphamide and Fludarabine", "Fludarabine 30 mg/m2 x3 + cyclophosphamide 300 mg/m2 x3",
    "Cy 60mg/kg; Flu 25 mg/m² x 5", "fludarabine (30 mg/m^2/d) & cyclophosphamide (500 mg/m2/day)",
    "Cytoxan then fludarabine", "FLU–CY", "Flu/Cy 30/500 x3", "LD: Cy/Flu", "Flu-Cy (reduced)", "Flu30/Cy500",
    "FLUDARABINE 25MG/M2|CYCLOPHOSPHAMIDE 250 MG/M2", "CT_CY+CT_FLUD", "Flu 25 mg/m2 d-5 to -3, Cy 250 mg/m2 d-5 to -3",
    "Fludarabin 30 mg/m² Tag -5 bis -3 + Cyclophosphamid 300 mg/m²", "Cy 60 mg/kg x1, Flu 25 mg/m2 x 5 days",
    "Conditioning: Flu/Cy standard dose", "FluCy 30/500", "Flu 30 mg/m2/d x3d + Cy 500 mg/m2/d x3d",
    "Flu 30x3 / Cy 500x3",
]  # fmt: skip
CY = [
    "Cy",
    "cyclophosphamide",
    "Cy/E",
    "Cy + etoposide",
    "Cy/VP-16",
    "bendamustine + Cy",
    "Cytoxan 60 mg/kg",
    "Cy only",
    "Cy mono",
    "low-dose Cy",
]
FLU = ["Flu", "fludarabine 25 mg/m2 x 5", "bendamustine/fludarabine"]
OTHER = [
    "bendamustine", "other", "other: Cy/Flu with something", "Cy/Flu + alemtuzumab", "FCR", "ATG", "etoposide + ara-c",
]  # fmt: skip
NONE = ["none", "None", "no LD", "no lymphodepletion", "no", "keine", "LD: none", "not given"]
UNKNOWN_AGENTS = [
    "Cy/Fluzzz", "Cy without Flu", "no Flu", "Cy or Flu", "Cy/Flu?", "standard", "x", "30", "+", "as CART1", "",
    "Cy/unknownmab", "Cy w/o Flu", "planned Flu/Cy, given Cy", "reduced", "standard dose", "Cy/Flu vs Cy", "x3", "LD:",
    "no Flu, Cy only", "Flu/Cy or Cy", "30/500", "as CART1 (reduced)",
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
