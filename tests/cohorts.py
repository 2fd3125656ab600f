"""A literal cohort of eight patients, as a centre would keep it, for tests that need a whole one."""

PATIENTS = """patient_id,last_contact,death,death_cause,diagnosis,histology,sex,age_years
P1,900,,,CLL,CLL,F,61
P2,420,420,disease,CLL,CLL,M,70.5
P3,700,,,NHL,DLBCL,M,55
P4,260,260,treatment,NHL,FL,F,48
P5,350,350,disease,NHL,DLBCL,F,
P6,800,,,ALL,B-ALL,M,33
P7,190,190,unknown,ALL,B-ALL,F,27
P8,1000,,,CLL,CLL,M,66"""

INFUSIONS = """patient_id,infusion,day,product,dose_cells_per_kg,lymphodepletion,reason,prior_lines,bulky,LDH
P1,1,0,JCAR014,2000000,Cy/Flu,,4,no,210
P1,2,120,JCAR014,20000000,Cy/Flu,relapse,5,no,240.5
P2,1,0,JCAR014,2000000,Cy,,6,yes,480
P2,2,90,JCAR014,2000000,Cy/Flu,persistent disease,7,yes,505
P3,1,0,JCAR014,2000000,Cy/Flu,,3,no,190
P3,2,200,JCAR014,20000000,bendamustine,progression,4,no,
P4,1,0,axi-cel,2000000,Cy/Flu,,5,yes,350
P4,2,150,axi-cel,1000000,Cy/Flu,progression,6,yes,390
P5,1,0,axi-cel,200000,Cy/E,,2,no,220
P5,2,60,axi-cel,2000000,Cy/Flu,no response,3,yes,410
P6,1,0,JCAR014,200000,Cy,,3,,180
P6,2,300,JCAR014,2000000,Cy/Flu,relapse,4,,175
P7,1,0,JCAR014,2000000,,,5,no,260
P7,2,100,JCAR014,,Cy/Flu,relapse,6,no,300
P8,1,0,JCAR014,2000000,none,,4,no,200
P8,2,110,JCAR014,4000000,Cy/Flu,relapse,5,no,201"""

RESPONSES = """patient_id,day,response,criteria
P1,148,PR,iwCLL
P1,210,CR,iwCLL
P1,600,CR,iwCLL
P2,118,SD,iwCLL
P2,200,PD,iwCLL
P3,228,PR,Lugano
P3,400,PD,Lugano
P4,178,CR,Lugano
P5,88,PD,Lugano
P6,328,CRi,NCCN
P6,500,CRi,NCCN
P7,128,NE,NCCN
P8,138,nPR,iwCLL
P8,400,PR,iwCLL
P8,800,PD,iwCLL"""

MRD = """patient_id,day,result,value,method,compartment
P1,148,undetectable,,flow,marrow
P2,118,,0.02,flow,blood
P6,326,,0.00005,NGS,marrow
P6,330,undetectable,,flow,marrow
P8,150,detectable,,flow,marrow"""

COUNTS = """patient_id,day,value,unit,lloq,below_lloq,subset
P1,127,52.5,cells/uL,1,no,total
P1,134,12,cells/uL,1,no,total
P2,97,0,cells/uL,1,yes,total
P3,207,1500,copies/ug,25,no,total"""

TOXICITIES = """patient_id,infusion,kind,grade,day
P1,1,CRS,1,3
P1,2,CRS,2,123
P1,2,ICANS,1,126
P3,2,CRS,1,204
P4,2,CRS,4,152
P4,2,ICANS,3,156
P5,2,Infection,2,80
P6,2,CRS,3,305"""

THERAPIES = """patient_id,day,therapy,kind
P3,420,lenalidomide,anticancer
P5,95,polatuzumab,anticancer
P6,550,transplant,allo-HCT
P8,300,immunoglobulin,supportive"""

EIGHT = {
    "patients": PATIENTS, "infusions": INFUSIONS, "responses": RESPONSES, "mrd": MRD, "counts": COUNTS,
    "toxicities": TOXICITIES, "therapies": THERAPIES,
}  # fmt: skip
