"""Three more centres' sheets, by which the proposals were measured when their words stood."""

from __future__ import annotations

from centres import centre

INDEX_CARD = centre("CAR T registry 2024.xlsx", Main="""
Pt # > patients.patient_id > 1; 2; 3; 4; 5
Last name > - > A; B; C; D; E
MRN > - > 771; 772; 773; 774; 775
Gender > patients.sex > Male; Female; Female; Male; Male
Age at infusion 1 > patients.age_years > 60; 50; 41; 72; 66
Race > - > W; W; A; B; W
Disease > patients.diagnosis > DLBCL; DLBCL; ALL; CLL; FL
Ann Arbor stage > - > IV; III; ; ; IV
Prior therapies (#) > patients.prior_lines|infusions.prior_lines > 3; 4; 2; 6; 5
Bridging > - > yes; no; no; yes; no
CAR-T infusion #1 | Date of infusion > infusions[1].date > 1/15/2019; 2/20/2019; 3/11/2019; 4/8/2019; 5/30/2019
CAR-T infusion #1 | CAR-T product > infusions[1].product > Yescarta; Kymriah; Kymriah; trial; Yescarta
CAR-T infusion #1 | LD chemo > infusions[1].lymphodepletion > Flu/Cy; Flu/Cy; Cy; Flu/Cy; Bendamustine
CAR-T infusion #1 | Dose (cells/kg) > infusions[1].dose_cells_per_kg > 2x10^6; 1.5x10^6; 1x10^6; 2x10^5; 2x10^6
CAR-T infusion #1 | Max CRS grade > toxicities[1].CRS.grade > 2; 1; 3; 0; 1
CAR-T infusion #1 | Max ICANS grade > toxicities[1].ICANS.grade > 1; 0; 2; 0; 0
CAR-T infusion #1 | Day 30 response > responses[1].response > CR; PR; CR; SD; PR
CAR-T infusion #1 | Best response > responses[1].response > CR; PR; CR; PR; CR
CAR-T infusion #1 | Date of progression > responses[1].date > 8/1/2019; 6/6/2019; 12/12/2019; 10/10/2019; 1/9/2020
CAR-T infusion #2 | Date of infusion > infusions[2].date > 10/15/2019; 9/23/2019; 2/10/2020; 1/20/2020; 4/27/2020
CAR-T infusion #2 | CAR-T product > infusions[2].product > Yescarta; Kymriah; Kymriah; trial; Yescarta
CAR-T infusion #2 | LD chemo > infusions[2].lymphodepletion > Flu/Cy; Flu/Cy; Flu/Cy; Flu/Cy; Flu/Cy
CAR-T infusion #2 | Dose (cells/kg) > infusions[2].dose_cells_per_kg > 2x10^6; 2x10^6; 5x10^6; 2x10^6; 2x10^6
CAR-T infusion #2 | Max CRS grade > toxicities[2].CRS.grade > 0; 1; 1; 0; 0
CAR-T infusion #2 | Max ICANS grade > toxicities[2].ICANS.grade > 0; 0; 0; 0; 0
CAR-T infusion #2 | Day 30 response > responses[2].response > PR; PD; CR; PR; SD
CAR-T infusion #2 | Best response > responses[2].response > CR; PD; CR; PR; SD
CAR-T infusion #2 | Date of progression > responses[2].date > ; 10/23/2019; ; 9/9/2020; 7/7/2020
Status at last follow up > patients.death|ignore > Alive; Deceased; Alive; Alive; Deceased
Date of last follow up > patients.last_contact > 3/1/2024; 2/2/2020; 1/1/2024; 6/6/2023; 12/31/2020
Date of death > patients.death > ; 2/2/2020; ; ; 12/31/2020
Cause of death > patients.death_cause > ; Lymphoma; ; ; CRS
Notes > - > ; ; ; ;
""")  # fmt: skip

SNAKE = centre("cohort.csv", kind="csv", cohort="""
pat_id > patients.patient_id > A1; A2; A3; A4
dob > - > 1960-02-02; 1971-03-03; 1955-05-05; 1980-08-08
sex > patients.sex > f; m; m; f
dx > patients.diagnosis > NHL; CLL; ALL; NHL
dx_subtype > patients.histology > DLBCL; ; ; FL
cart1_date > infusions[1].date > 2018-02-03; 2018-04-05; 2018-06-07; 2018-08-09
cart1_ld > infusions[1].lymphodepletion > cy/flu; cy; cy/flu; flu
cart1_dose > infusions[1].dose_cells_per_kg > 2000000; 2000000; 200000; 1000000
cart1_crs > toxicities[1].CRS.grade > 1; 1; 2; 0
cart1_neurotox > toxicities[1].NT.grade > 0; 0; 3; 0
cart1_bor > responses[1].response > CR; PR; CR; SD
cart2_date > infusions[2].date > 2019-01-03; 2018-11-05; 2019-03-07; 2019-01-09
cart2_ld > infusions[2].lymphodepletion > cy/flu; cy/flu; cy/flu; cy/flu
cart2_dose > infusions[2].dose_cells_per_kg > 6000000; 2000000; 2000000; 1000000
cart2_crs > toxicities[2].CRS.grade > 0; 1; 0; 0
cart2_neurotox > toxicities[2].NT.grade > 0; 0; 0; 0
cart2_bor > responses[2].response > PR; CR; PD; PD
cart2_mrd_d28 > mrd[2].result > ; neg; pos;
cart2_ldh_pre > - > 200; 300; 150; 420
cart2_peak_expansion > - > 1200; 30000; 12; 90
pd_date_after_cart2 > responses[2].date > 2019-07-01; ; 2019-04-04; 2019-02-08
next_treatment > therapies.therapy > ibrutinib; ; inotuzumab; RT
next_treatment_date > therapies.date > 2019-08-01; ; 2019-05-01; 2019-03-03
os_status > patients.death > 1; 0; 1; 0
last_fu_date > patients.last_contact > 2020-01-01; 2023-03-03; 2019-10-10; 2021-06-06
""")  # fmt: skip

LANGES = centre("Follow-up.xlsx", Verlauf="""
ID > responses.patient_id > 1; 1; 1; 2; 2; 3
CAR-T Nr. > - > 1; 1; 2; 1; 2; 1
Datum > responses.date > 03.04.2020; 02.07.2020; 20.01.2021; 14.05.2020; 30.11.2020; 06.06.2020
Staging > responses.response > PR; CR; PD; CR; CR; SD
MRD > mrd.result > pos; neg; ; neg; neg; pos
LDH (U/l) > - > 220; 200; 800; 190; 210; 330
""", Patienten="""
ID > patients.patient_id > 1; 2; 3
Geschlecht > patients.sex > w; m; m
Diagnose > patients.diagnosis > DLBCL; FL; MCL
Alter bei Infusion > patients.age_years > 60; 55; 71
verstorben am > patients.death > 01.03.2021; ;
letzter Kontakt am > patients.last_contact > 01.03.2021; 05.05.2023; 09.09.2022
Todesursache > patients.death_cause > Progress; ;
""", Infusionen="""
ID > infusions.patient_id > 1; 1; 2; 2; 3
CAR-T Nr. > infusions.infusion > 1; 2; 1; 2; 1
Infusionsdatum > infusions.date > 05.03.2020; 22.12.2020; 15.04.2020; 02.11.2020; 08.05.2020
Produkt > infusions.product > axi-cel; axi-cel; tisa-cel; axi-cel; brexu-cel
LD-Therapie > infusions.lymphodepletion > Flu/Cy; Flu/Cy; Flu/Cy; Benda; Flu/Cy
Zelldosis (x10^6/kg) > infusions.dose_cells_per_kg > 2,0; 2,0; 3,1; 2,0; 1,9
CRS > toxicities.CRS.grade > 2; 0; 1; 0; 3
ICANS > toxicities.ICANS.grade > 1; 0; 0; 0; 2
""")  # fmt: skip

CENTRES = (INDEX_CARD, SNAKE, LANGES)
