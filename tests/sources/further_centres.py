"""Centres whose files are laid out in yet other ways: a sheet an infusion, days instead of dates, columns named alike."""

from __future__ import annotations

from centres import centre

SHEET_EACH = centre("registry.xlsx", Demographics="""
Patient code > patients.patient_id > K1; K2; K3; K4
Year of birth > - > 1955; 1961; 1948; 1970
Sex at birth > patients.sex > Male; Female; Female; Male
Age at 1st CAR-T > patients.age_years > 64; 58; 72; 49
Primary disease > patients.diagnosis > DLBCL; ALL; CLL; FL
Date of last news > patients.last_contact > 2023-05-05; 2021-01-20; 2021-06-06; 2023-07-01
Death (date) > patients.death > ; 2021-01-20; 2021-06-06;
Cause > - > ; PD; infection;
""", CART1="""
Patient code > infusions.patient_id > K1; K2; K3; K4
Date of infusion > infusions[1].date > 2019-02-11; 2019-03-25; 2019-05-06; 2019-06-17
Product > infusions[1].product > axi-cel; tisa-cel; trial; axi-cel
LD regimen > infusions[1].lymphodepletion > Flu/Cy; Flu/Cy; Cy; Flu/Cy
Cells/kg > infusions[1].dose_cells_per_kg > 2e6; 1e6; 2e6; 2e6
CRS grade (ASTCT) > toxicities[1].CRS.grade > 1; 2; 0; 1
Best response > responses[1].response > PR; CR; PR; CR
Relapse > responses[1].date > 2019-09-02; 2020-01-10; ; 2019-12-12
""", CART2="""
Patient code > infusions.patient_id > K1; K2; K3; K4
Date of infusion > infusions[2].date > 2019-12-02; 2020-02-20; 2019-11-11; 2020-02-03
Product > infusions[2].product > axi-cel; tisa-cel; trial; axi-cel
LD regimen > infusions[2].lymphodepletion > Flu/Cy; Flu/Cy; Flu/Cy; Flu/Cy
Cells/kg > infusions[2].dose_cells_per_kg > 2e6; 5e6; 2e7; 2e6
CRS grade (ASTCT) > toxicities[2].CRS.grade > 0; 0; 1; 0
Best response > responses[2].response > CR; PD; PR; SD
Relapse > responses[2].date > ; 2020-03-20; 2020-09-09; 2020-06-06
""", LDH="""
Patient code > - > K1; K2; K3; K4
LDH d-5 > - > 200; 300; 250; 180
LDH d0 > - > 210; 320; 240; 190
""")  # fmt: skip

LETTERS = centre("zwei.csv", kind="csv", zwei="""
Nr > patients.patient_id > 1; 2; 3; 4
Dx > patients.diagnosis > CLL; NHL; NHL; ALL
D0 #1 > infusions[1].date > 2019-02-11; 2019-03-25; 2019-05-06; 2019-06-17
LD #1 > infusions[1].lymphodepletion > FluCy; FluCy; Cy; FluCy
Dose #1 (10^6/kg) > infusions[1].dose_cells_per_kg > 2; 1; 2; 2
BOR #1 > responses[1].response > PR; CR; PR; CR
PD #1 > responses[1].date > 2019-09-02; 2020-01-10; ; 2019-12-12
D0 #2 > infusions[2].date > 2019-12-02; 2020-02-20; 2019-11-11; 2020-02-03
LD #2 > infusions[2].lymphodepletion > FluCy; FluCy; FluCy; FluCy
Dose #2 (10^6/kg) > infusions[2].dose_cells_per_kg > 2; 5; 20; 2
BOR #2 > responses[2].response > CR; PD; PR; SD
PD #2 > responses[2].date > ; 2020-03-20; 2020-09-09; 2020-06-06
CRS #2 (max) > toxicities[2].CRS.grade > 0; 1; 2; 0
Toci #2 > - > 0; 0; 1; 0
FU date > patients.last_contact > 2023-05-05; 2021-01-20; 2021-06-06; 2023-07-01
alive? > patients.death > yes; no; no; yes
""")  # fmt: skip

EVENTS = centre("trial extract.xlsx", Efficacy="""
SUBJ > responses.patient_id > 1; 1; 1; 2; 2
Visit date > responses.date > 2020-02-04; 2020-05-05; 2020-08-04; 2020-03-10; 2020-06-09
Overall response > responses.response > PR; CR; PD; SD; PD
Reviewer > - > A; A; B; A; B
""", Tox="""
SUBJ > toxicities.patient_id > 1; 1; 2
CART no > toxicities.infusion > 1; 2; 1
AE term > toxicities.kind > CRS; ICANS; CRS
Max grade > toxicities.grade > 2; 1; 3
Start date > toxicities.date > 2020-01-09; 2020-09-18; 2020-02-15
Outcome > - > resolved; resolved; resolved
""", Next__therapy="""
SUBJ > therapies.patient_id > 1; 2
Therapy > therapies.therapy > allo SCT; pola-BR
Type > therapies.kind > allo-HCT; chemo
Start > therapies.date > 2020-10-01; 2020-07-01
""", CAR__counts="""
SUBJ > counts.patient_id > 1; 1; 1; 2; 2
Sample date > counts.date > 2020-01-14; 2020-01-21; 2020-02-04; 2020-02-18; 2020-02-25
Copies > counts.value > 1200; 45000; 900; 300; 12000
Unit > counts.unit > copies/ug; copies/ug; copies/ug; copies/ug; copies/ug
""")  # fmt: skip

PEDIATRIC = centre("reinfusion peds.xlsx", Sheet1="""
Patient ID > patients.patient_id > R-1; R-2; R-3; R-4; R-5
DOB (mm/dd/yyyy) > - > 03/02/2010; 07/08/2005; 01/30/2012; 12/12/2001; 05/05/2008
Gender (F/M) > patients.sex > F; M; M; F; M
Leukemia subtype > patients.histology|patients.diagnosis > B-ALL; B-ALL; B-ALL; B-ALL; B-ALL
Infusion 1 - Date (mm/dd/yyyy) > infusions[1].date > 03/04/2018; 05/06/2018; 07/08/2018; 09/10/2018; 11/12/2018
Infusion 1 - Age (yrs) > patients.age_years > 8; 12.7; 6; 16.7; 10.5
Infusion 1 - Lymphodepletion > infusions[1].lymphodepletion > Flu 30 x4 / Cy 500 x2; Flu/Cy; Flu/Cy; Flu/Cy; Flu/Cy
Infusion 1 - Dose (cells/kg) > infusions[1].dose_cells_per_kg > 3.1e6; 2.0e6; 4.5e6; 1.8e6; 2.2e6
Infusion 1 - D28 response > responses[1].response > MRD neg CR; MRD neg CR; CR; MRD neg CR; MRD pos CR
Infusion 1 - B-cell recovery date > - > 09/01/2018; 11/11/2018; ; 01/15/2019;
Reason for reinfusion > infusions[2].reason > relapse; persistent disease; relapse; relapse; no response
Infusion 2 - Date (mm/dd/yyyy) > infusions[2].date > 01/02/2019; 02/03/2019; 03/04/2019; 04/05/2019; 05/06/2019
Infusion 2 - Lymphodepletion > infusions[2].lymphodepletion > Flu/Cy; Flu/Cy; None; Flu/Cy; Flu/Cy
Infusion 2 - Dose (cells/kg) > infusions[2].dose_cells_per_kg > 3.3e6; 2.5e6; 5e6; 2e6; 2e6
Infusion 2 - D28 response > responses[2].response > MRD neg CR; NR; MRD neg CR; CRi; PD
Infusion 2 - CRS max grade > toxicities[2].CRS.grade > 1; 0; 0; 2; 1
Infusion 2 - Neurotoxicity max grade > toxicities[2].NT.grade > 0; 0; 0; 1; 0
HCT after infusion 2 (date) > therapies[2].date > ; ; 07/07/2019; ;
Relapse after infusion 2 (date) > responses[2].date > 08/08/2019; ; ; 10/10/2019;
Alive at last contact (Y/N) > patients.death > Y; N; Y; N; N
Date of last contact or death > patients.last_contact > 06/06/2022; 05/05/2019; 03/03/2022; 02/02/2020; 09/09/2019
""")  # fmt: skip

ALIKE = centre("liste.xlsx", L="""
Name > patients.patient_id > Ab; Cd; Ef; Gh
Diagnose > patients.diagnosis > DLBCL; FL; MCL; DLBCL
Datum (column C) > infusions[1].date > 2019-02-11; 2019-03-25; 2019-05-06; 2019-06-17
LD (column D) > infusions[1].lymphodepletion > Flu/Cy; Flu/Cy; Flu/Cy; Benda
CRS (column E) > toxicities[1].CRS.grade > 1; 2; 0; 1
Datum (column F) > infusions[2].date > 2019-12-02; 2020-02-20; 2019-11-11; 2020-02-03
LD (column G) > infusions[2].lymphodepletion > Flu/Cy; Flu/Cy; Cy; Flu/Cy
CRS (column H) > toxicities[2].CRS.grade > 0; 0; 1; 0
Remission > responses[2].response > CR; PR; PD; CR
verstorben am > patients.death > ; 2021-01-20; 2020-06-06;
zuletzt gesehen > patients.last_contact > 2023-05-05; 2021-01-20; 2020-06-06; 2023-07-01
""")  # fmt: skip

CENTRES = (SHEET_EACH, LETTERS, EVENTS, PEDIATRIC, ALIKE)
