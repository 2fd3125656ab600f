"""Sheets as ten centres keep them, none like the next, each with the truth about its columns beside it.

Patients are invented. A header is followed by its true target; None: nothing of the contract. A target of the two that
one column may rightly be is enough (`|`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from reinfuse.sources.source_table import Source, SourceColumn, SourceKind, SourceRow, SourceTable


@dataclass(frozen=True)
class Centre:
    """One centre's file: sheets of rows (header first), and by sheet the target of each header."""

    name: str
    sheets: dict[str, list[list[str]]]
    truth: dict[str, dict[str, str | None]] = field(repr=False)
    kind: SourceKind = "excel"

    @property
    def source(self) -> Source:
        """The file as it would be read."""
        return Source(self.kind, self.name, tuple(table(n, rows, self.name) for n, rows in self.sheets.items()))


def table(name, rows, file="centre.xlsx"):
    """Return a table of texts; letters over its columns, rows as a spreadsheet program counts them."""
    header, *body = rows
    columns = tuple(SourceColumn(header=h, place=_letters(i)) for i, h in enumerate(header))
    assert all(len(row) == len(header) for row in body), (name, [len(r) for r in body], len(header))
    return SourceTable(name, file, columns, tuple(SourceRow(f"row {i}", tuple(r)) for i, r in enumerate(body, 2)))


def _letters(i):
    return chr(65 + i) if i < 26 else chr(64 + i // 26) + chr(65 + i % 26)


def columns(text):
    """Return rows and truth of a sheet written by columns: ``header > target > cell; cell; ...``, a line a column."""
    parsed = [[part.strip() for part in line.split(" > ")] for line in text.strip().splitlines()]
    cells = [[cell.strip() for cell in column[2].split(";")] for column in parsed]
    rows = [[column[0] for column in parsed], *(list(row) for row in zip(*cells, strict=True))]
    return rows, {column[0]: None if column[1] == "-" else column[1] for column in parsed}


def centre(name, *, kind="excel", **sheets):
    """Return a centre from its sheets written by columns."""
    read = {sheet.replace("__", " "): columns(text) for sheet, text in sheets.items()}
    return Centre(name, {s: r for s, (r, _) in read.items()}, {s: t for s, (_, t) in read.items()}, kind)


US_TRACKER = centre("US tracker.xlsx", CART__pts__2019_24="""
Patient | MRN > patients.patient_id > 4471; 4480; 4502; 4533; 4540; 4561
Patient | DOB > - > 1955-03-02; 1961-07-08; 1948-01-30; 1970-12-12; 1966-05-05; 1958-09-19
Patient | Age at CART > patients.age_years > 64; 58; 72; 49; 54; 62
Patient | Sex > patients.sex > M; F; M; M; F; M
Patient | Dx > patients.diagnosis > CLL; DLBCL; FL; B-ALL; CLL; MCL
Patient | ECOG > - > 1; 0; 1; 2; 0; 1
Patient | # prior lines > patients.prior_lines|infusions.prior_lines > 5; 3; 4; 2; 7; 4
CART #1 | Date > infusions[1].date > 2019-02-11; 2019-03-25; 2019-05-06; 2019-06-17; 2019-09-02; 2020-01-13
CART #1 | LD > infusions[1].lymphodepletion > Flu/Cy 30/500 x3; Cy; Flu/Cy 30/500 x3; Cy/Flu; Flu/Cy 30/300 x3; LD: Cy/Flu
CART #1 | Dose (x10^6/kg) > infusions[1].dose_cells_per_kg > 2; 2; 0.2; 1; 2; 2
CART #1 | LDH pre-LD > - > 220; 410; 198; 250; 180; 305
CART #1 | CRS > toxicities[1].CRS.grade > 1; 2; 0; 3; G2; 1
CART #1 | ICANS > toxicities[1].ICANS.grade > 0; 1; 0; 2; 0; 0
CART #1 | Best resp > responses[1].response > PR; CMR; SD; CR MRD-; PR; CMR
CART #2 | Date > infusions[2].date > 2019-12-02; 2020-01-20; 2019-11-11; 2020-02-03; 2020-06-15; 2020-12-07
CART #2 | LD > infusions[2].lymphodepletion > Flu/Cy 30/500 x3; Flu/Cy 30/500 x3; Flu-Cy (reduced); Cy/Flu; Flu/Cy 30/500 x3; Flu/Cy
CART #2 | Dose (x10^6/kg) > infusions[2].dose_cells_per_kg > 2; 6; 2; 1; 4; 2
CART #2 | CRS > toxicities[2].CRS.grade > 0; 1; 0; 2; 1; 0
CART #2 | ICANS > toxicities[2].ICANS.grade > 0; 0; 0; 1; 0; 0
Outcome | Best resp > responses[2].response > CRi/MRD-; PD (D28); SD; CR MRD-; NR; CMR
Outcome | PD date > responses[2].date > 2020-09-14; 2020-02-17; 2020-01-15; ; 2020-07-20;
Outcome | Last f/u > patients.last_contact > alive 2024-03-01; died 12 May 2021; died 2020-03-30; alive 2024-02-15; died 2021-01-04; alive 2023-11-20
Comments > - > ; bulky mass L neck; ; allo later; lost to local oncologist; ok
""")  # fmt: skip

GERMAN_WIDE = centre("CAR-T Zweitinfusion.xlsx", Tabelle1="""
Pat.-Nr. > patients.patient_id > 1; 2; 3; 4; 5; 6
Geb.-Datum > - > 02.03.1955; 08.07.1961; 30.01.1948; 12.12.1970; 05.05.1966; 19.09.1958
Geschlecht > patients.sex > m; w; m; m; w; m
Alter > patients.age_years > 64; 58; 71; 48; 53; 61
Diagnose > patients.diagnosis > DLBCL; DLBCL; FL; CLL; MCL; DLBCL
Zentrum > - > B; B; HH; B; HH; M
Anzahl Vortherapien > patients.prior_lines|infusions.prior_lines > 3; 2; 4; 6; 3; 2
1. CAR-T Infusion | Datum > infusions[1].date > 11.02.2019; 25.03.2019; 06.05.2019; 17.06.2019; 02.09.2019; 13.01.2020
1. CAR-T Infusion | Konditionierung > infusions[1].lymphodepletion > Flu/Cy; Flu/Cy; Bendamustin; Flu/Cy; Flu/Cy; Flu/Cy
1. CAR-T Infusion | Produkt > infusions[1].product > Kymriah; Yescarta; Yescarta; lokal; Tecartus; Kymriah
1. CAR-T Infusion | Zelldosis (Mio) > infusions[1].dose_cells_per_kg > 250; 180,5; 150; 120; 140; 300
1. CAR-T Infusion | CRS Grad > toxicities[1].CRS.grade > 2; 1; keine; 3; 1; 2
1. CAR-T Infusion | Ansprechen > responses[1].response > PR; CR; SD; PR; CR; PD
2. CAR-T Infusion | Datum > infusions[2].date > 02.12.2019; 20.01.2020; 11.11.2019; 03.02.2020; 15.06.2020; 07.12.2020
2. CAR-T Infusion | Konditionierung > infusions[2].lymphodepletion > Flu/Cy; Flu/Cy; Flu/Cy; Cy; Flu/Cy; keine
2. CAR-T Infusion | Produkt > infusions[2].product > Kymriah; Yescarta; Yescarta; lokal; Tecartus; Yescarta
2. CAR-T Infusion | Zelldosis (Mio) > infusions[2].dose_cells_per_kg > 120 Mio; 160; 150; 240; 140; 200
2. CAR-T Infusion | CRS Grad > toxicities[2].CRS.grade > 0; 1; 0; 2; keine; 0
2. CAR-T Infusion | ICANS Grad > toxicities[2].ICANS.grade > 0; 0; 0; 1; 0; 0
2. CAR-T Infusion | Ansprechen > responses[2].response > CR; Progress; SD; PR; Komplette Remission; n.b.
Gewicht (kg) > - > 80; 62; 95; 71; 66; 88
LDH > - > 220; 410; 198; 250; 180; 305
Ferritin > - > 400; 1200; 300; 800; 250; 600
Datum Rezidiv/Progress > responses[2].date > 14.09.2020; 17.02.2020; 15.01.2020; ; ; 20.01.2021
Todesdatum > patients.death > ; 12.05.2021; 30.03.2020; ; 04.01.2021;
Letzter Kontakt > patients.last_contact > 01.03.2024; 12.05.2021; 30.03.2020; 15.02.2024; 04.01.2021; 20.11.2023
Bemerkungen > - > ; ; Infekt; ; ; Studie
""")  # fmt: skip

FIRST_SECOND = centre("reinfusion_db.csv", kind="csv", reinfusion_db="""
study_id > patients.patient_id > CT-001; CT-002; CT-003; CT-004; CT-005
gender > patients.sex > Male; Female; Male; Male; Female
age > patients.age_years > 61; 55; 70; 44; 67
disease > patients.diagnosis > NHL; NHL; ALL; ALL; CLL
subtype > patients.histology > DLBCL; tFL; ; ;
tp53_mutation > - > 1; 0; 0; 1; 1
bulky > patients.bulky|infusions.bulky > yes; no; no; no; yes
first_infusion_date > infusions[1].date > 03/14/2018; 11/02/2018; 01/15/2019; 07/09/2019; 10/21/2019
first_ld_regimen > infusions[1].lymphodepletion > Cy; Cy/Flu; Cy/Flu; Flu/Cy; Cy/Etoposide
first_dose_cells_per_kg > infusions[1].dose_cells_per_kg > 2000000; 2e6; 500000; 1e6; 2e6
first_crs_grade > toxicities[1].CRS.grade > 2; 1; 0; 3; 2
first_best_response > responses[1].response > PR; CR; CR; CR; PR
second_infusion_date > infusions[2].date > 09/20/2018; 05/28/2019; 06/18/2019; 02/11/2020; 03/09/2020
second_ld_regimen > infusions[2].lymphodepletion > Cy/Flu; Cy/Flu; Flu/Cy; Flu/Cy; Cy/Flu
second_dose_cells_per_kg > infusions[2].dose_cells_per_kg > 2e6; 6e6; 1e6; 5e6; 2e7
second_crs_grade > toxicities[2].CRS.grade > 0; 0; 1; 2; 0
second_best_response > responses[2].response > CR; PD; CR; SD; PD
second_best_response_date > responses[2].date > 10/19/2018; 06/25/2019; 07/16/2019; 03/10/2020; 04/06/2020
reason_second_infusion > infusions[2].reason > relapse; progression; relapse; relapse; persistent disease
relapse_date > responses[2].date > ; 06/25/2019; 02/02/2021; ; 04/06/2020
death_date > patients.death > ; 01/13/2020; ; 12/24/2020; 07/30/2020
last_followup_date > patients.last_contact > 05/30/2023; 01/13/2020; 04/18/2023; 12/24/2020; 07/30/2020
notes > - > ; in hospice; ; ;
""")  # fmt: skip

ABBREVIATED = centre("cart2.xlsx", Sheet1="""
UPN > patients.patient_id > 101; 102; 103; 104; 105
Dx > patients.diagnosis > 1; 1; 2; 3; 2
Sex > patients.sex > 1; 2; 1; 1; 2
Age > patients.age_years > 61; 55; 70; 44; 67
CT1 dt > infusions[1].date > 2018-03-14; 2018-11-02; 2019-01-15; 2019-07-09; 2019-10-21
CT1 LD > infusions[1].lymphodepletion > FC; FC; Cy; FC; C
CT1 dose > infusions[1].dose_cells_per_kg > 2.0; 1.5; 2.0; 0.5; 1.0
CT1 CRS > toxicities[1].CRS.grade > 1; 0; 2; 3; 1
CT1 NT > toxicities[1].NT.grade > 0; 0; 1; 2; 0
CT1 resp > responses[1].response > 1; 2; 3; 1; 4
CT2 dt > infusions[2].date > 2018-09-20; 2019-05-28; 2019-06-18; 2020-02-11; 2020-03-09
CT2 LD > infusions[2].lymphodepletion > FC; FC; FC; FC; C
CT2 dose > infusions[2].dose_cells_per_kg > 2.0; 6.0; 2.0; 5.0; 20
CT2 CRS > toxicities[2].CRS.grade > 0; 0; 1; 2; 0
CT2 NT > toxicities[2].NT.grade > 0; 0; 0; 1; 0
CT2 resp > responses[2].response > 1; 4; 1; 3; 4
CT2 MRD > mrd[2].result > 0; 1; 0; 1; 1
Rel dt > responses[2].date > ; 2019-06-25; 2021-02-02; ; 2020-04-06
Dead > patients.death > 0; 1; 0; 1; 1
LFU > patients.last_contact > 2023-05-30; 2020-01-13; 2023-04-18; 2020-12-24; 2020-07-30
KPS > - > 90; 80; 90; 70; 80
CRP pk > - > 12; 45; 80; 150; 20
""")  # fmt: skip

CART_1_2 = centre("Second CAR-T infusions (final).xlsx", Data="""
Patient > patients.patient_id > A; B; C; D; E; F
Sex (M/F) > patients.sex > M; M; F; F; M; F
Age at first infusion (years) > patients.age_years > 64; 58; 72; 49; 54; 62
Diagnosis > patients.diagnosis > LBCL; FL; MCL; LBCL; LBCL; MZL
Stage > - > IV; III; IV; II; IV; III
CAR-T 1 - date of infusion > infusions[1].date > 11 Feb 2019; 25 Mar 2019; 6 May 2019; 17 Jun 2019; 2 Sep 2019; 13 Jan 2020
CAR-T 1 - product > infusions[1].product > axi-cel; axi-cel; brexu-cel; tisa-cel; liso-cel; axi-cel
CAR-T 1 - conditioning regimen > infusions[1].lymphodepletion > Flu/Cy; Flu/Cy; Flu/Cy; Benda; Flu/Cy; Flu/Cy
CAR-T 1 - response at D30 > responses[1].response > PMR; CMR; CMR; NMR; PMR; CMR
CAR-T 1 - max CRS > toxicities[1].CRS.grade > G1; G2; G3; G0; G1; G2
CAR-T 1 - max ICANS > toxicities[1].ICANS.grade > G0; G2; G1; G0; G0; G3
CAR-T 2 - date of infusion > infusions[2].date > 2 Dec 2019; 20 Jan 2020; 11 Nov 2019; 3 Feb 2020; 15 Jun 2020; 7 Dec 2020
CAR-T 2 - product > infusions[2].product > axi-cel; axi-cel; brexu-cel; axi-cel; axi-cel; axi-cel
CAR-T 2 - conditioning regimen > infusions[2].lymphodepletion > Flu/Cy; Flu/Cy; Flu/Cy; Flu/Cy; Benda; Flu/Cy
CAR-T 2 - response at D30 > responses[2].response > CMR; PMD; CMR; PMR; PMD; CMR
CAR-T 2 - response at M3 > responses[2].response > CMR; ; PMD; CMR; ; CMR
CAR-T 2 - max CRS > toxicities[2].CRS.grade > G0; G1; G0; G2; G0; G1
CAR-T 2 - max ICANS > toxicities[2].ICANS.grade > G0; G0; G0; G1; G0; G0
CAR-T 2 - tocilizumab (y/n) > - > n; y; n; y; n; n
Date of progression after CAR-T 2 > responses[2].date > ; 19 Feb 2020; 10 Feb 2020; ; 13 Jul 2020;
Status at last follow-up > patients.death > alive; dead; dead; alive; dead; alive
Date of death or last follow-up > patients.last_contact > 1 Mar 2024; 12 May 2021; 30 Mar 2020; 15 Feb 2024; 4 Jan 2021; 20 Nov 2023
Cause of death > patients.death_cause > ; PD; infection; ; PD;
Remarks > - > ; ; ; MDT 3/20; ;
""")  # fmt: skip

LONG_INFUSIONS = centre("infusions_long.csv", kind="csv", infusions_long="""
patient_no > patients.patient_id > 1; 1; 2; 2; 3; 3; 4; 4
inf_no > infusions.infusion > 1; 2; 1; 2; 1; 2; 1; 2
inf_date > infusions.date > 2019-02-11; 2019-12-02; 2019-03-25; 2020-01-20; 2019-05-06; 2019-11-11; 2019-06-17; 2020-02-03
dx > patients.diagnosis > CLL; CLL; NHL; NHL; ALL; ALL; CLL; CLL
sex > patients.sex > M; M; F; F; M; M; F; F
age_at_inf > patients.age_years > 61; 61; 55; 56; 33; 33; 68; 69
ld > infusions.lymphodepletion > Cy; Flu/Cy; Flu/Cy; Flu/Cy; Cy; Flu/Cy; Flu/Cy; Flu/Cy
cells_per_kg > infusions.dose_cells_per_kg > 2e6; 2e6; 2e6; 6e6; 5e5; 1e6; 2e6; 2e7
vein_to_vein > - > 28; 31; 25; 26; 30; 29; 22; 24
best_response > responses.response > PR; CR; CR; PD; CR; CR; PR; SD
date_best_response > responses.date > 2019-03-11; 2019-12-30; 2019-04-22; 2020-02-17; 2019-06-03; 2019-12-09; 2019-07-15; 2020-03-02
crs_max > toxicities.CRS.grade > 1; 0; 2; 1; 3; 1; 2; 0
icans_max > toxicities.ICANS.grade > 0; 0; 1; 0; 2; 0; 0; 0
prog_date > responses.date > 2019-10-14; ; 2019-11-25; 2020-02-17; 2019-09-30; ; 2019-12-16; 2020-06-01
dod > patients.death > ; ; 2021-05-12; 2021-05-12; ; ; 2020-08-30; 2020-08-30
last_fu > patients.last_contact > 2024-03-01; 2024-03-01; 2021-05-12; 2021-05-12; 2023-10-10; 2023-10-10; 2020-08-30; 2020-08-30
ferritin_peak > - > 400; 300; 1200; 900; 5000; 700; 800; 350
""")  # fmt: skip

SEVERAL_SHEETS = centre("CART registry export.xlsx", Patients="""
Subject ID > patients.patient_id > S01; S02; S03; S04
Initials > - > AB; CD; EF; GH
Gender > patients.sex > F; M; M; F
Age (y) > patients.age_years > 34; 61; 57; 70
Primary diagnosis > patients.diagnosis > ALL; NHL; CLL; NHL
Histology > patients.histology > ; DLBCL; ; FL
Date last seen > patients.last_contact > 2023-01-05; 2022-06-07; 2023-04-04; 2021-09-09
Date of death > patients.death > ; 2022-06-07; ; 2021-09-09
""", Infusions="""
Subject ID > infusions.patient_id > S01; S01; S02; S02; S03; S03; S04; S04
Infusion # > infusions.infusion > 1; 2; 1; 2; 1; 2; 1; 2
Date > infusions.date > 2020-01-07; 2020-09-15; 2020-02-11; 2021-03-02; 2020-05-05; 2021-01-19; 2020-06-16; 2021-02-23
Lymphodepletion > infusions.lymphodepletion > Flu/Cy; Flu/Cy; Cy; Flu/Cy; Flu/Cy; Flu/Cy; Flu/Cy; Flu/Cy
Cell dose (cells/kg) > infusions.dose_cells_per_kg > 1e6; 2e6; 2e6; 2e6; 2e6; 6e6; 2e6; 2e6
Reason > infusions.reason > ; relapse; ; progression; ; persistent; ; relapse
Bag no. > - > B1; B2; B3; B4; B5; B6; B7; B8
""", Response="""
Subject ID > responses.patient_id > S01; S01; S02; S02; S03; S03; S04
Assessment date > responses.date > 2020-02-04; 2020-10-13; 2020-03-10; 2021-03-30; 2020-06-02; 2021-02-16; 2021-03-23
Response > responses.response > CR; CR; PR; PD; SD; PR; CR
Criteria > responses.criteria > NCCN; NCCN; Lugano; Lugano; iwCLL; iwCLL; Lugano
SUVmax > - > ; ; 8.1; 22; ; ; 2.1
""", MRD="""
Subject ID > mrd.patient_id > S01; S01; S03; S03
Date > mrd.date > 2020-02-04; 2020-10-13; 2020-06-02; 2021-02-16
Result > mrd.result > neg; neg; pos; <10^-4
Method > mrd.method > flow; NGS; flow; NGS
Material > mrd.compartment > BM; BM; PB; PB
""", Toxicity="""
Subject ID > toxicities.patient_id > S01; S01; S02; S03; S04
Infusion # > toxicities.infusion|infusions.infusion > 1; 2; 1; 1; 2
Event > toxicities.kind > CRS; CRS; ICANS; CRS; CRS
Grade > toxicities.grade > 2; 1; 3; 1; 2
Onset date > toxicities.date > 2020-01-09; 2020-09-18; 2020-02-15; 2020-05-07; 2021-02-25
""")  # fmt: skip

ASSESSMENTS = centre("staging.csv", kind="csv", staging="""
Pt > patients.patient_id > 7; 7; 7; 9; 9; 11; 11; 11
Visit > - > D28; M3; M6; D28; M3; D28; M3; M6
Date of restaging > responses.date > 15/04/2021; 20/07/2021; 12/10/2021; 03/05/2021; 09/08/2021; 01/06/2021; 07/09/2021; 30/11/2021
Response (Lugano) > responses.response > PMR; CMR; CMR; PMD; ; CMR; CMR; PMD
Deauville > - > 4; 2; 2; 5; ; 1; 2; 5
MRD (flow) > mrd.result > pos; neg; neg; pos; pos; neg; neg; pos
Hb > - > 9.1; 10.2; 11.4; 8.8; 8.4; 10.1; 11; 12.2
Comment > - > ; ; ; new node; ; ; ;
""")  # fmt: skip

SPANISH = centre("segundas infusiones.xlsx", Hoja1="""
Paciente > patients.patient_id > H-1; H-2; H-3; H-4; H-5
Sexo > patients.sex > H; M; H; M; H
Edad > patients.age_years > 61; 34; 55; 70; 48
Diagnóstico > patients.diagnosis > LNH; LLA-B; LNH; LLC; LNH
Primera infusión | Fecha > infusions[1].date > 14/03/2018; 02/11/2018; 15/01/2019; 09/07/2019; 21/10/2019
Primera infusión | Acondicionamiento > infusions[1].lymphodepletion > Flu/Cy; Flu/Cy; Cy; Flu/Cy; Flu/Cy
Primera infusión | Dosis (x10^6/kg) > infusions[1].dose_cells_per_kg > 2; 1; 2; 0,5; 1,5
Primera infusión | Respuesta > responses[1].response > RC; RC; RP; RP; EP
Segunda infusión | Fecha > infusions[2].date > 20/09/2018; 28/05/2019; 18/06/2019; 11/02/2020; 09/03/2020
Segunda infusión | Acondicionamiento > infusions[2].lymphodepletion > Flu/Cy; Flu/Cy; Flu/Cy; Flu/Cy; Flu/Cy
Segunda infusión | Dosis (x10^6/kg) > infusions[2].dose_cells_per_kg > 2; 5; 2; 5; 2
Segunda infusión | Respuesta > responses[2].response > RC; EP; RC; RP; EP
SLC grado > toxicities[2].CRS.grade > 0; 2; 1; 0; 1
Fecha recaída > responses[2].date > ; 25/06/2019; 02/02/2021; ; 06/04/2020
Fecha éxitus > patients.death > ; 13/01/2020; ; 24/12/2020; 30/07/2020
Último seguimiento > patients.last_contact > 30/05/2023; 13/01/2020; 18/04/2023; 24/12/2020; 30/07/2020
Observaciones > - > ; ; UCI; ;
""")  # fmt: skip

DERIVED = centre("table_s2.csv", kind="csv", table_s2="""
Pt no. > patients.patient_id|sheet.patient_id > 1; 2; 3; 4; 5; 6
Diagnosis > patients.diagnosis|sheet.diagnosis > CLL; NHL; NHL; ALL; ALL; NHL
Age > patients.age_years|sheet.age_years > 61; 55; 70; 44; 67; 50
CART1 LD > sheet.cart1_lymphodepletion > Cy; Cy/Flu; Cy/Flu; Cy; Cy/Flu; Cy/Flu
CART2 LD > sheet.cart2_lymphodepletion > Cy/Flu; Cy/Flu; Cy/Flu; Cy/Flu; Cy; Cy/Flu
CART1 dose, cells/kg > sheet.cart1_dose_cells_per_kg > 2e6; 2e6; 2e5; 2e6; 2e6; 2e6
CART2 dose, cells/kg > sheet.cart2_dose_cells_per_kg > 2e6; 6e6; 2e6; 2e7; 2e6; 2e6
Best response to CART2 > sheet.response > PR; PD; CR; CR; SD; PD
CRS (CART2) > sheet.crs_grade > 1; 0; 2; 0; 0; 1
PFS, mo > sheet.pfs_days > 12.4; 1; 20.1; 6.2; 3.3; 0.9
PFS event > sheet.pfs_event > 1; 1; 0; 1; 1; 1
OS, mo > sheet.os_days > 30.1; 4.4; 20.1; 16; 9.7; 2.2
OS event > sheet.os_event > 0; 1; 0; 1; 1; 1
Peak CAR-T, copies/ug > - > 12000; 300; 45000; 1000; 220; 15
""")  # fmt: skip

SUFFIXES = centre("Reinfusions 2nd look.xlsx", list="""
ID > patients.patient_id > r1; r2; r3; r4; r5
m/f > patients.sex > m; f; f; m; m
Disease > patients.diagnosis > DLBCL; DLBCL; PMBCL; FL; DLBCL
Infusion date > infusions[1].date > 05/06/2020; 07/08/2020; 09/10/2020; 11/12/2020; 01/02/2021
LD chemo > infusions[1].lymphodepletion > Flu/Cy; Flu/Cy; Flu/Cy; Flu/Cy; Flu/Cy
CAR+ cells infused > infusions[1].dose_cells_per_kg > 150 million; 180 million; 200 million; 160 million; 175 million
Response > responses[1].response > CR; PR; CR; CR; NR
Infusion date 2 > infusions[2].date > 03/04/2021; 02/03/2021; 08/09/2021; 12/11/2021; 10/10/2021
LD chemo 2 > infusions[2].lymphodepletion > Flu/Cy; Cy; Flu/Cy; same as 1st; Flu/Cy
CAR+ cells infused 2 > infusions[2].dose_cells_per_kg > 110 million; 90 million; 200 million; 80 million; 100 million
Response 2 > responses[2].response > PD; PR; CR; PD; PD
Weight at LD 2 > - > 70; 82; 64; 90; 77
Subsequent therapy > therapies.therapy > Pola-BR; ; ; glofitamab; RT
Date subsequent therapy > therapies.date > 06/07/2021; ; ; 02/02/2022; 12/12/2021
Expired > patients.death > 08/09/2021; ; ; 04/05/2022;
Last seen > patients.last_contact > 08/09/2021; 01/03/2023; 07/07/2023; 04/05/2022; 03/03/2023
Enrolled by > - > JK; JK; MM; MM; JK
""")  # fmt: skip

FRENCH = centre("CAR-T 2e injection.xlsx", Feuil1="""
Code patient > patients.patient_id > F01; F02; F03; F04; F05
Sexe > patients.sex > homme; femme; homme; homme; femme
Age (ans) > patients.age_years > 61; 55; 70; 44; 67
Diagnostic > patients.diagnosis > DLBCL; DLBCL; MCL; FL; DLBCL
Nb lignes antérieures > patients.prior_lines|infusions.prior_lines > 3; 2; 4; 3; 2
1ère perfusion | date > infusions[1].date > 14/03/2019; 02/11/2019; 15/01/2020; 09/07/2020; 21/10/2020
1ère perfusion | conditionnement > infusions[1].lymphodepletion > Flu/Cy; Flu/Cy; Flu/Cy; Flu/Cy; Flu/Cy
1ère perfusion | réponse M1 > responses[1].response > RC; RP; RC; RP; RC
2ème perfusion | date > infusions[2].date > 20/09/2020; 28/05/2020; 18/06/2021; 11/02/2021; 09/03/2021
2ème perfusion | conditionnement > infusions[2].lymphodepletion > Flu/Cy; Flu/Cy; Flu/Cy; Cy; Flu/Cy
2ème perfusion | réponse M1 > responses[2].response > RC; PD; RP; RC; PD
2ème perfusion | CRS > toxicities[2].CRS.grade > 1; 0; 0; 2; aucun
2ème perfusion | ICANS > toxicities[2].ICANS.grade > 0; 0; 0; 1; 0
2ème perfusion | taux de LDH > - > 220; 400; 190; 260; 510
Date rechute > responses[2].date > ; 25/06/2020; 02/02/2022; ; 06/04/2021
Statut > patients.death > vivant; décédé; vivant; vivant; décédé
Date des dernières nouvelles > patients.last_contact > 30/05/2023; 13/01/2021; 18/04/2023; 24/12/2022; 30/07/2021
Commentaires > - > ; ; ; ; RCP
""")  # fmt: skip

CENTRES = (US_TRACKER, GERMAN_WIDE, FIRST_SECOND, ABBREVIATED, CART_1_2, LONG_INFUSIONS, SEVERAL_SHEETS, ASSESSMENTS,
           SPANISH, DERIVED, SUFFIXES, FRENCH)  # fmt: skip
