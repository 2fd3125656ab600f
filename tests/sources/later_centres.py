"""Centres' files written last, of laboratories, registries and small hospitals, in words of their own."""

from __future__ import annotations

from centres import centre

NOTTINGHAM = centre("CAR-T reinfusion audit.xlsx", Audit="""
Trial number > patients.patient_id > 12; 15; 19; 22; 31
Hospital > - > City; City; North; City; North
Date of birth > - > 02/03/1955; 08/07/1961; 30/01/1948; 12/12/1970; 05/05/1966
Age at first CAR-T > patients.age_years > 64; 57; 71; 48; 53
Sex > patients.sex > Male; Female; Male; Male; Female
Underlying diagnosis > patients.diagnosis > DLBCL; DLBCL; tFL; CLL; MCL
No. of previous lines > patients.prior_lines|infusions.prior_lines > 3; 2; 4; 5; 3
1st CAR-T: date infused > infusions[1].date > 11/02/2019; 25/03/2019; 06/05/2019; 17/06/2019; 02/09/2019
1st CAR-T: lymphodepleting chemotherapy > infusions[1].lymphodepletion > Flu/Cy; Flu/Cy; Flu/Cy; Benda; Flu/Cy
1st CAR-T: cells given (x10^6/kg) > infusions[1].dose_cells_per_kg > 2; 1.9; 2; 1.2; 2
1st CAR-T: highest CRS > toxicities[1].CRS.grade > 1; 2; 1; 0; 3
1st CAR-T: highest ICANS > toxicities[1].ICANS.grade > 0; 1; 0; 0; 2
1st CAR-T: best response achieved > responses[1].response > CMR; PMR; CMR; PR; CMR
1st CAR-T: date of relapse > responses[1].date > 11/11/2019; 25/12/2019; ; 01/02/2020; 15/05/2020
2nd CAR-T: date infused > infusions[2].date > 02/12/2019; 20/01/2020; 11/11/2019; 30/03/2020; 15/06/2020
2nd CAR-T: lymphodepleting chemotherapy > infusions[2].lymphodepletion > Flu/Cy; Flu/Cy; Flu/Cy; Flu/Cy; nil
2nd CAR-T: cells given (x10^6/kg) > infusions[2].dose_cells_per_kg > 2; 2; 2; 3; 1.1
2nd CAR-T: highest CRS > toxicities[2].CRS.grade > 0; 1; 0; 1; 0
2nd CAR-T: highest ICANS > toxicities[2].ICANS.grade > 0; 0; 0; 0; 0
2nd CAR-T: best response achieved > responses[2].response > PR; PMD; CMR; SD; PMD
2nd CAR-T: date of relapse > responses[2].date > 20/04/2020; 17/02/2020; ; 20/07/2020; 13/07/2020
Date last reviewed > patients.last_contact > 01/03/2023; 12/05/2021; 30/03/2023; 15/02/2022; 04/01/2021
Dead or alive > patients.death > Alive; Dead; Alive; Dead; Dead
Free text > - > ; ; ; MDT; ;
""".replace("; ;\n", "; \n"))  # fmt: skip

LAB = centre("lab extract.csv", kind="csv", lab_extract="""
Subject_ID > patients.patient_id > 7001; 7002; 7003; 7004
Indication > patients.diagnosis > CLL; CLL; NHL; ALL
CART1_Date > infusions[1].date > 2017-02-11; 2017-03-25; 2017-05-06; 2017-06-17
CART1_Dose > infusions[1].dose_cells_per_kg > 2e6; 2e5; 2e6; 2e7
CART1_Lymphodepletion > infusions[1].lymphodepletion > Cy; Cy/Flu; Cy/E; Cy/Flu
CART1_Cmax > - > 12.1; 30.3; 0.4; 88
CART2_Date > infusions[2].date > 2017-12-02; 2018-02-20; 2017-11-11; 2018-02-03
CART2_Dose > infusions[2].dose_cells_per_kg > 2e6; 2e6; 6e6; 2e6
CART2_Lymphodepletion > infusions[2].lymphodepletion > Cy/Flu; Cy/Flu; Cy/Flu; Cy
CART2_Cmax > - > 0.2; 55; 12; 0.1
CART2_Response > responses[2].response > PD; CR; PR; PD
CART2_Response_Date > responses[2].date > 2017-12-30; 2018-03-20; 2017-12-11; 2018-03-03
CART2_uMRD > mrd[2].result > detectable; undetectable; ; detectable
CART2_CRS_Grade > toxicities[2].CRS.grade > 0; 2; 1; 0
CART2_ICANS_Grade > toxicities[2].ICANS.grade > 0; 1; 0; 0
Anti_CAR_immune_response > - > yes; no; yes; yes
Progression_Date > responses[2].date > 2017-12-30; ; 2018-06-09; 2018-03-03
Death_Date > patients.death > 2018-09-01; ; ; 2018-07-07
Last_FU_Date > patients.last_contact > 2018-09-01; 2022-01-01; 2021-06-06; 2018-07-07
""")  # fmt: skip

COORDINATOR = centre("second infusions - coordinator.xlsx", Tabelle__2="""
Pat.-ID > patients.patient_id > AA; BB; CC; DD
Erkrankung > patients.diagnosis > DLBCL; DLBCL; FL; MCL
m/w/d > patients.sex > m; w; m; w
Alter > patients.age_years > 55; 61; 47; 70
CAR-T I | Infusionsdatum > infusions[1].date > 14.01.2020; 20.02.2020; 05.03.2020; 29.04.2020
CAR-T I | Lymphodepletion > infusions[1].lymphodepletion > FluCy; FluCy; FluCy; FluCy
CAR-T I | Produkt > infusions[1].product > axi-cel; tisa-cel; axi-cel; brexu-cel
CAR-T I | max. CRS > toxicities[1].CRS.grade > 1; 1; 2; 3
CAR-T I | bestes Ansprechen > responses[1].response > CR; PR; CR; CR
CAR-T I | Rezidivdatum > responses[1].date > 01.10.2020; 10.09.2020; 20.01.2021; 15.12.2020
CAR-T II | Infusionsdatum > infusions[2].date > 12.01.2021; 03.11.2020; 16.03.2021; 09.02.2021
CAR-T II | Lymphodepletion > infusions[2].lymphodepletion > FluCy; FluCy; Benda; FluCy
CAR-T II | Produkt > infusions[2].product > axi-cel; axi-cel; axi-cel; brexu-cel
CAR-T II | max. CRS > toxicities[2].CRS.grade > 0; 1; 0; 1
CAR-T II | bestes Ansprechen > responses[2].response > PR; PD; CR; CR
CAR-T II | Rezidivdatum > responses[2].date > 20.07.2021; 01.12.2020; ;
verstorben (ja/nein) > patients.death > ja; ja; nein; nein
Datum letzter Kontakt > patients.last_contact > 02.02.2022; 15.05.2021; 01.01.2023; 02.11.2022
""")  # fmt: skip

REGISTRY = centre("cohort_reinfusion.csv", kind="csv", cohort_reinfusion="""
record_id > infusions.patient_id|patients.patient_id > 1; 1; 2; 2; 3; 3
ct_infusion_number > infusions.infusion > 1; 2; 1; 2; 1; 2
ct_date > infusions.date > 2019-02-11; 2019-12-02; 2019-03-25; 2020-02-20; 2019-05-06; 2019-11-11
primary_dx > patients.diagnosis > NHL; NHL; CLL; CLL; ALL; ALL
birth_sex > patients.sex > 1; 1; 2; 2; 1; 1
cells_infused > infusions.dose_cells_per_kg > 150000000; 110000000; 180000000; 200000000; 90000000; 60000000
recipient_weight > - > 75; 74; 90; 88; 45; 47
ld_regimen > infusions.lymphodepletion > Flu/Cy; Flu/Cy; Flu/Cy; Cy; Flu/Cy; Flu/Cy
best_resp > responses.response > CR; PD; PR; SD; CR; CR
best_resp_dt > responses.date > 2019-03-11; 2019-12-30; 2019-04-25; 2020-03-20; 2019-06-06; 2019-12-11
relapse_prog_dt > responses.date > 2019-10-10; 2019-12-30; 2019-11-25; 2020-06-20; 2019-09-06;
crs_max_grade > toxicities.CRS.grade > 2; 1; 1; 0; 3; 1
icans_max_grade > toxicities.ICANS.grade > 1; 0; 0; 0; 2; 0
vital_status > patients.death > 0; 0; 1; 1; 0; 0
last_contact_dt > patients.last_contact > 2022-02-02; 2022-02-02; 2020-09-20; 2020-09-20; 2023-01-01; 2023-01-01
cmv_reactivation > - > 0; 0; 1; 0; 0; 0
""")  # fmt: skip

CENTRES = (NOTTINGHAM, LAB, COORDINATOR, REGISTRY)
