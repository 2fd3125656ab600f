"""Further centres' sheets, written after the words of the proposals stood, to measure them on what they had not seen."""

from __future__ import annotations

from centres import centre

TX_LIST = centre("CART tx list.xlsx", Active="""
Study No. > patients.patient_id > 1001; 1002; 1003; 1004; 1005
Hosp. no. > - > 55-1; 55-2; 55-9; 56-1; 57-3
Birth year > - > 1955; 1961; 1948; 1970; 1966
Age @ CAR-T #1 > patients.age_years > 64; 58; 72; 49; 54
M/F > patients.sex > M; F; F; M; M
Underlying malignancy > patients.diagnosis > NHL; NHL; CLL; ALL; NHL
Lymphoma type > patients.histology > DLBCL; FL; ; ; MCL
Prior tx (n) > patients.prior_lines|infusions.prior_lines > 3; 4; 6; 2; 3
Prior ASCT > - > yes; no; no; no; yes
CAR-T #1 infusion dt > infusions[1].date > 2019-02-11; 2019-03-25; 2019-05-06; 2019-06-17; 2019-09-02
CAR-T #1 LDC > infusions[1].lymphodepletion > Flu/Cy; Flu/Cy; Cy; Flu/Cy; Flu/Cy
CAR-T #1 cell dose/kg x 10^6 > infusions[1].dose_cells_per_kg > 2.0; 2.0; 2.0; 1.0; 2.0
CAR-T #1 CRS gr. > toxicities[1].CRS.grade > 1; 0; 2; 3; 1
CAR-T #1 BOR > responses[1].response > CR; PR; PR; CR; CR
CAR-T #2 infusion dt > infusions[2].date > 2019-12-02; 2020-01-20; 2019-11-11; 2020-02-03; 2020-06-15
CAR-T #2 LDC > infusions[2].lymphodepletion > Flu/Cy; Flu/Cy; Flu/Cy; Flu/Cy; Flu/Cy
CAR-T #2 cell dose/kg x 10^6 > infusions[2].dose_cells_per_kg > 2.0; 5.0; 20; 1.0; 6.0
CAR-T #2 CRS gr. > toxicities[2].CRS.grade > 0; 0; 1; 1; 0
CAR-T #2 neurotox gr. > toxicities[2].NT.grade > 0; 0; 0; 1; 0
CAR-T #2 BOR > responses[2].response > CR; PD; PR; CR; SD
CAR-T #2 BOR date > responses[2].date > 2020-01-06; 2020-02-17; 2019-12-09; 2020-03-02; 2020-07-13
CAR-T #2 MRD d28 > mrd[2].result > neg; ; pos; neg;
CAR-T #2 peak ferritin > - > 400; 600; 1200; 5000; 300
Relapsed post CAR-T #2 (y/n) > - > n; y; y; n; y
Date of relapse/progression post CAR-T #2 > responses[2].date > ; 2020-02-17; 2020-09-01; ; 2020-10-05
Vital status > patients.death > alive; dead; dead; alive; alive
Date of vital status > patients.last_contact > 2023-05-05; 2021-01-20; 2021-06-06; 2023-07-01; 2022-12-24
COD > patients.death_cause > ; progression; sepsis; ;
""")  # fmt: skip

ALLO = centre("ALL second CAR.csv", kind="csv", ALL_second_CAR="""
pt > patients.patient_id > P1; P2; P3; P4; P5
age_at_cart1 > patients.age_years > 8; 14; 21; 5; 17
gender > patients.sex > F; M; M; F; F
dx > patients.diagnosis > B-ALL; B-ALL; B-ALL; B-ALL; B-ALL
cytogenetics > - > KMT2A; normal; Ph+; hypodiploid; normal
cart1_infusion_date > infusions[1].date > 3/14/18; 11/2/18; 1/15/19; 7/9/19; 10/21/19
cart1_product > infusions[1].product > tisa-cel; tisa-cel; tisa-cel; CD19 trial; tisa-cel
cart1_total_cell_dose_x10e6 > infusions[1].dose_cells_per_kg > 40; 90; 150; 22; 120
cart1_wt_kg > - > 25; 55; 71; 18; 62
cart1_ld > infusions[1].lymphodepletion > Flu/Cy; Flu/Cy; Flu/Cy; Cy; Flu/Cy
cart1_d28_mrd > mrd[1].result > neg; neg; pos; neg; neg
cart2_infusion_date > infusions[2].date > 9/20/18; 5/28/19; 6/18/19; 2/11/20; 3/9/20
cart2_product > infusions[2].product > tisa-cel; tisa-cel; CD22 trial; CD19 trial; tisa-cel
cart2_total_cell_dose_x10e6 > infusions[2].dose_cells_per_kg > 40; 60; 100; 20; 110
cart2_wt_kg > - > 26; 57; 70; 19; 63
cart2_ld > infusions[2].lymphodepletion > Flu/Cy; Flu/Cy; Flu/Cy; Flu/Cy; Flu/Cy
cart2_indication > infusions[2].reason > relapse; relapse; no response; relapse; relapse
cart2_d28_response > responses[2].response > CR; CRi; NR; CR; CR
cart2_d28_mrd > mrd[2].result > neg; pos; pos; neg; neg
cart2_max_crs > toxicities[2].CRS.grade > 1; 0; 2; 0; 0
cart2_max_icans > toxicities[2].ICANS.grade > 0; 0; 1; 0; 0
cart2_bca_loss_date > - > 12/1/18; ; ; 5/5/20;
allo_hct_date > therapies.date|therapies[2].date > 11/15/18; ; ; ;
date_relapse > responses[2].date > ; 6/25/19; ; 2/2/21;
date_last_fu > patients.last_contact > 5/30/23; 1/13/20; 9/18/19; 12/24/21; 7/30/22
date_death > patients.death > ; 1/13/20; 9/18/19; ;
""")  # fmt: skip

GERMAN_CSV = centre("zweitinfusionen.csv", kind="csv", zweitinfusionen="""
Pseudonym > patients.patient_id > X01; X02; X03; X04; X05
Geschlecht (m/w) > patients.sex > m; w; w; m; m
Alter bei 1. CAR-T > patients.age_years > 64; 58; 71; 48; 53
Entität > patients.diagnosis > DLBCL; MCL; DLBCL; FL; DLBCL
Datum Erstdiagnose > - > 01.02.2016; 15.07.2017; 03.03.2014; 20.12.2015; 09.09.2017
Therapielinien vor CAR-T > patients.prior_lines|infusions.prior_lines > 3; 2; 4; 6; 3
Bulky Disease > patients.bulky|infusions.bulky > ja; nein; nein; ja; nein
Datum 1. CAR-T > infusions[1].date > 11.02.19; 25.03.19; 06.05.19; 17.06.19; 02.09.19
Lymphodepletion 1. CAR-T > infusions[1].lymphodepletion > Fludarabin/Cyclophosphamid; Flu/Cy; Flu/Cy; Benda; Flu/Cy
Zellzahl 1. CAR-T (x10^6/kg) > infusions[1].dose_cells_per_kg > 2,0; 1,8; 2,2; 3,1; 2,0
Bestes Ansprechen 1. CAR-T > responses[1].response > PR; CR; CR; PR; SD
Höchster CRS-Grad 1. CAR-T > toxicities[1].CRS.grade > 1; 2; 0; 3; 1
Datum 2. CAR-T > infusions[2].date > 02.12.19; 20.01.20; 11.11.19; 03.02.20; 30.06.20
Lymphodepletion 2. CAR-T > infusions[2].lymphodepletion > Flu/Cy; Flu/Cy; Flu/Cy; Flu/Cy; keine
Zellzahl 2. CAR-T (x10^6/kg) > infusions[2].dose_cells_per_kg > 2,0; 2,0; 4,0; 3,0; 2,0
Grund 2. CAR-T > infusions[2].reason > Rezidiv; Progress; Rezidiv; Progress; Progress
Bestes Ansprechen 2. CAR-T > responses[2].response > CR; PD; CR; SD; PD
Höchster CRS-Grad 2. CAR-T > toxicities[2].CRS.grade > 0; 1; 0; 2; keine
Höchster ICANS-Grad 2. CAR-T > toxicities[2].ICANS.grade > 0; 0; 0; 1; 0
LDH vor 2. CAR-T (U/l) > - > 220; 410; 198; 250; 180
Rezidiv/Progress am > responses[2].date > ; 17.02.20; 15.01.21; ; 28.07.20
Folgetherapie > therapies.therapy|therapies[2].therapy > ; Pola-BR; Glofitamab; ; RT
Verstorben (j/n) > patients.death > n; j; n; n; j
Letzter Kontakt/Todesdatum > patients.last_contact > 01.03.24; 12.05.21; 30.03.23; 15.02.24; 04.01.21
Todesursache > patients.death_cause > ; Progress; ; ; Infektion
Anmerkung > - > ; ; ; ; Sepsis
""")  # fmt: skip

MERGED_TOX = centre("Retreatment cohort v7.xlsx", Master="""
Subject > patients.patient_id > 01-001; 01-002; 02-001; 02-002
Demographics | Age, y > patients.age_years > 66; 59; 71; 45
Demographics | Sex > patients.sex > Male; Female; Male; Female
Demographics | Race > - > White; White; Asian; Black
Disease | Diagnosis > patients.diagnosis > LBCL; LBCL; FL; LBCL
Disease | Prior lines, n > patients.prior_lines|infusions.prior_lines > 3; 2; 4; 3
Disease | IPI > - > 3; 2; 1; 4
First treatment | Infusion date > infusions[1].date > 2018-05-14; 2018-07-09; 2018-08-20; 2018-10-01
First treatment | Conditioning chemo > infusions[1].lymphodepletion > Flu/Cy; Flu/Cy; Flu/Cy; Flu/Cy
First treatment | Best response > responses[1].response > CR; PR; CR; CR
First treatment | Relapse date > responses[1].date > 2019-01-07; 2018-12-03; 2019-06-10; 2019-04-01
First treatment | Worst CRS > toxicities[1].CRS.grade > 2; 1; 1; 3
First treatment | Worst NE > toxicities[1].ICANS.grade|toxicities[1].NT.grade|- > 1; 0; 2; 3
Retreatment | Infusion date > infusions[2].date > 2019-02-11; 2019-01-14; 2019-07-15; 2019-05-06
Retreatment | Conditioning chemo > infusions[2].lymphodepletion > Flu/Cy; Flu/Cy; Flu/Cy; Flu/Cy
Retreatment | Best response > responses[2].response > PR; PD; CR; CR
Retreatment | Relapse date > responses[2].date > 2019-06-03; 2019-02-11; ; 2020-01-20
Retreatment | Worst CRS > toxicities[2].CRS.grade > 1; 0; 1; 1
Retreatment | Tocilizumab > - > no; no; no; yes
Survival | Last known alive > patients.last_contact > 2019-09-09; 2019-04-04; 2022-01-10; 2020-11-30
Survival | Death date > patients.death > 2019-09-30; 2019-04-20; ;
""")  # fmt: skip

ONE_LONG_NO_NUMBER = centre("infusion log.xlsx", log="""
Pat ID > infusions.patient_id > a; a; b; b; c; c
Date of infusion > infusions.date > 2019-02-11; 2019-12-02; 2019-03-25; 2020-01-20; 2019-05-06; 2019-11-11
CAR T product > infusions.product > A; A; A; B; A; A
Conditioning > infusions.lymphodepletion > Flu/Cy; Flu/Cy; Cy; Flu/Cy; Flu/Cy; none
Dose (cells/kg) > infusions.dose_cells_per_kg > 2e6; 2e6; 1e6; 1e6; 2e6; 5e6
CRS grade > toxicities.CRS.grade > 1; 0; 2; 1; 0; 0
ICANS grade > toxicities.ICANS.grade > 0; 0; 0; 1; 0; 0
Day 28 response > responses.response > PR; CR; CR; PD; SD; CR
Nurse > - > KL; KL; MN; MN; KL; MN
Room > - > 4; 5; 4; 4; 6; 7
""", outcomes="""
Pat ID > patients.patient_id > a; b; c
Diagnosis > patients.diagnosis > CLL; ALL; NHL
Date progression > responses.date > 2020-08-01; 2020-02-20;
Dead? > patients.death > yes; no; no
Date last info > patients.last_contact > 2021-08-01; 2023-02-20; 2023-01-01
""")  # fmt: skip

CENTRES = (TX_LIST, ALLO, GERMAN_CSV, MERGED_TOX, ONE_LONG_NO_NUMBER)
