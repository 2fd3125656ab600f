"""How the bundled synthetic cohort is drawn: 44 made-up patients with two CD19 CAR-T infusions each.

No row describes a person. `python -m reinfuse.data.synthetic_cohort FOLDER` writes the tables of
`synthetic_gauthier_2021`; its `about.toml` and `published.csv` are written by hand.
"""
