"""Clinical records of many patients (OMOP, FHIR): which are CAR-T infusions, and the cohort that follows from them."""
