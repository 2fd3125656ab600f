"""Three REDCap projects of repeat infusions, one for each way in which centres keep them, and their truth by hand.

All three hold the same four patients: an event for each infusion, with responses as a repeating instrument within it;
an instrument repeated once an infusion; and columns with the suffixes cart1 and cart2 in one row of a patient. Exports
stand here raw; `labelled` writes the same data as REDCap's export with labels.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

DOWNLOADED = (
    "Variable / Field Name", "Form Name", "Section Header", "Field Type", "Field Label",
    "Choices, Calculations, OR Slider Labels", "Field Note", "Text Validation Type OR Show Slider Number",
    "Text Validation Min", "Text Validation Max", "Identifier?", "Branching Logic (Show field only if...)",
    "Required Field?", "Custom Alignment", "Question Number (surveys only)", "Matrix Group Name", "Matrix Ranking?",
    "Field Annotation",
)  # fmt: skip
API = (
    "field_name", "form_name", "section_header", "field_type", "field_label", "select_choices_or_calculations",
    "field_note", "text_validation_type_or_show_slider_number", "text_validation_min", "text_validation_max",
    "identifier", "branching_logic", "required_field", "custom_alignment", "question_number", "matrix_group_name",
    "matrix_ranking", "field_annotation",
)  # fmt: skip
_STATUS = {"0": "Incomplete", "1": "Unverified", "2": "Complete"}

TRUTH = {
    "patients": """
        patient_id  diagnosis  sex  age_years  last_contact  death
        101         NHL        F    61         2021-02-01    .
        102         CLL        M    55         2020-03-09    2020-03-09
        103         ALL        F    23         2021-06-30    .
        104         NHL        M    48         2021-03-01    .
        """,
    "infusions": """
        patient_id  infusion  date        dose_cells_per_kg  lymphodepletion
        101         1         2019-03-12  1000000            Cy-Flu
        101         2         2020-04-03  2000000            Cy-Flu
        102         1         2019-06-05  1000000            Cy
        102         2         2019-12-02  3000000            Cy-Flu
        103         1         2020-01-15  1500000            Cy-Flu
        103         2         2020-08-20  1500000            Cy-Flu
        104         1         2020-02-10  2000000            Cy-Flu
        """,
    "responses": """
        patient_id  date        response
        101         2019-04-10  PR
        101         2019-11-20  PD
        101         2020-05-02  CR
        102         2019-07-04  SD
        102         2020-01-03  PD
        103         2020-02-14  CR
        103         2020-07-30  PD
        103         2020-09-18  CR
        103         2021-01-10  PD
        104         2020-03-10  CR
        """,
    "mrd": """
        patient_id  date        result
        101         2020-05-02  undetectable
        103         2020-09-18  detectable
        """,
    "toxicities": """
        patient_id  infusion  kind   grade
        101         1         CRS    2
        101         1         ICANS  0
        101         2         CRS    1
        101         2         ICANS  0
        102         1         CRS    1
        102         1         ICANS  0
        102         2         CRS    3
        102         2         ICANS  2
        103         1         CRS    0
        103         1         ICANS  0
        103         2         CRS    1
        103         2         ICANS  1
        104         1         CRS    2
        104         1         ICANS  0
        """,
}
"""Tables of the cohort; a point is an empty cell."""
ENDPOINTS = """
    patient_id  os_days  os_event  pfs_event
    101         304      no        no
    102         98       yes       yes
    103         314      no        yes
    """
"""After CART2: 2020-04-03 to 2021-02-01; 2019-12-02 to 2020-03-09; 2020-08-20 to 2021-06-30."""
PROGRESSION_DAYS = {"102": 32, "103": 143}
"""After CART2: 2019-12-02 to 2020-01-03; 2020-08-20 to 2021-01-10."""


@dataclass(frozen=True)
class Project:
    """One project.

    Attributes
    ----------
    dictionary
        Field, form, type, label, choices, validation and `y` for an identifier; parted by semicolons.
    export
        The raw export.
    targets
        Form and field -> the target that is right; fields that are not here are to be left out.
    asked
        Fields of which something must be asked.
    events
        Unique name -> label.
    """

    name: str
    headings: tuple[str, ...]
    dictionary: str
    export: str
    targets: dict[tuple[str, str], str]
    events: dict[str, str]
    answers: dict[str, str]

    @property
    def fields(self):
        """Return field -> form, type, label, choices, validation and identifier."""
        lines = [[c.strip() for c in line.split(";")] for line in self.dictionary.strip().splitlines()]
        return {name: rest for name, *rest in lines}

    def dictionary_text(self):
        """Return the data dictionary as CSV."""
        rows = [list(self.headings)]
        for name, (form, kind, label, choices, validation, identifier) in self.fields.items():
            rows.append([name, form, "", kind, label, choices, "", validation, "", "", identifier, *[""] * 7])
        return _csv(rows)

    def raw(self):
        """Return header and rows of the raw export."""
        head, *rows = list(csv.reader(line.strip() for line in self.export.strip().splitlines()))
        return head, rows

    def labelled(self, *, headings=False):
        """Return the export with labels, on request with labels as headings too."""
        head, rows = self.raw()
        body = [[self._label(h, text) for h, text in zip(head, row, strict=True)] for row in rows]
        return _csv([[self._heading(h) for h in head] if headings else head, *body])

    def _choices(self, name):
        text = self.fields[name][3]
        pairs = (part.split(",", 1) for part in text.split("|")) if text else ()
        return {code.strip(): label.strip() for code, label in pairs}

    def _label(self, head, text):
        if head.endswith("_complete"):
            return _STATUS.get(text, text)
        if head == "redcap_event_name":
            return self.events[text]
        if "___" in head:
            return {"1": "Checked", "0": "Unchecked"}.get(text, text)
        if head == "redcap_repeat_instrument":
            return text.replace("_", " ").title()
        if head not in self.fields:
            return text
        return self._choices(head).get(text, text)

    def _heading(self, head):
        given = {"redcap_event_name": "Event Name", "redcap_repeat_instrument": "Repeat Instrument",
                 "redcap_repeat_instance": "Repeat Instance", "redcap_data_access_group": "Data Access Group",
                 "redcap_survey_identifier": "Survey Identifier"}  # fmt: skip
        if head.endswith("_complete"):
            return "Complete?"
        if "___" in head:
            name, code = head.split("___")
            return f"{self.fields[name][2]} (choice={self._choices(name)[code]})"
        return given.get(head) or self.fields[head][2]

    def write(self, folder, *, export=None, dictionary=True):
        """Write the project as a folder; return it."""
        folder.mkdir(parents=True, exist_ok=True)
        head, rows = self.raw()
        (folder / "data.csv").write_text(export or _csv([head, *rows]), encoding="utf-8")
        if dictionary:
            (folder / "dictionary.csv").write_text(self.dictionary_text(), encoding="utf-8")
        return folder


def _csv(rows):
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


BY_EVENT = Project(
    "an event for each infusion",
    DOWNLOADED,
    """
    record_id; demographics; text; Record ID; ; ;
    pat_name; demographics; text; Patient name; ; ; y
    dob; demographics; text; Date of birth; ; date_ymd; y
    dx; demographics; dropdown; Disease; 1, <b>Non-Hodgkin</b> lymphoma | 2, CLL | 3, ALL, B-cell precursor; ;
    sex; demographics; radio; Sex; 0, Female | 1, Male; ;
    age; demographics; text; Age at first infusion (years); ; integer;
    n_lines; demographics; text; Number of prior lines of therapy; ; integer;
    inf_dt; infusion; text; Date of CAR-T infusion; ; date_dmy;
    inf_dose; infusion; text; Dose (x10^6 CAR-T cells/kg); ; number;
    ld; infusion; checkbox; Lymphodepletion; 1, Fludarabine | 2, Cyclophosphamide | 3, Other; ;
    ldh; infusion; text; LDH before lymphodepletion (U/L); ; number;
    crs_max; toxicity; dropdown; CRS, maximum grade (ASTCT); 1, Grade 0 | 2, Grade 1 | 3, Grade 2 | 4, Grade 3; ;
    icans_max; toxicity; dropdown; ICANS, maximum grade (ASTCT); 1, Grade 0 | 2, Grade 1 | 3, Grade 2 | 4, Grade 3; ;
    toci; toxicity; yesno; Tocilizumab given; ; ;
    resp_dt; response; text; Date of response assessment; ; date_dmy;
    resp; response; radio; Response; 1, Complete (CR), PET-negative | 2, Partial | 3, Stable | 4, Progression; ;
    mrd; response; radio; MRD result; 1, negative | 2, positive | 3, not done; ;
    lfu_dt; follow_up; text; Date of last contact; ; date_dmy;
    death_dt; follow_up; text; Date of death; ; date_dmy;
    remarks; follow_up; notes; Comments; ; ;
    """,
    """
    record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,redcap_data_access_group,redcap_survey_identifier,pat_name,dob,dx,sex,age,n_lines,demographics_complete,inf_dt,inf_dose,ld___1,ld___2,ld___3,ldh,infusion_complete,crs_max,icans_max,toci,toxicity_complete,resp_dt,resp,mrd,response_complete,lfu_dt,death_dt,remarks,follow_up_complete
    101,baseline_arm_1,,,north,,Ada Fox,1958-01-02,1,0,61,3,2,,,,,,,,,,,,,,,,,,,
    101,cart1_arm_1,,,north,,,,,,,,,2019-03-12,1,1,1,0,310,2,3,1,1,2,,,,,,,,
    101,cart1_arm_1,response,1,north,,,,,,,,,,,,,,,,,,,,2019-04-10,2,,2,,,,
    101,cart1_arm_1,response,2,north,,,,,,,,,,,,,,,,,,,,2019-11-20,4,,2,,,,
    101,cart2_arm_1,,,north,,,,,,,,,2020-04-03,2,1,1,0,NASK,2,2,1,0,2,,,,,,,,
    101,cart2_arm_1,response,1,north,,,,,,,,,,,,,,,,,,,,2020-05-02,1,1,2,,,,
    101,followup_arm_1,,,north,,,,,,,,,,,,,,,,,,,,,,,,2021-02-01,,well,2
    102,baseline_arm_1,,,south,,Bo Hill,1964-03-04,2,1,55,UNK,2,,,,,,,,,,,,,,,,,,,
    102,cart1_arm_1,,,south,,,,,,,,,2019-06-05,1,0,1,0,200,2,2,1,0,2,,,,,,,,
    102,cart1_arm_1,response,1,south,,,,,,,,,,,,,,,,,,,,2019-07-04,3,,2,,,,
    102,cart2_arm_1,,,south,,,,,,,,,2019-12-02,3,1,1,0,245,2,4,3,1,1,,,,,,,,
    102,cart2_arm_1,response,1,south,,,,,,,,,,,,,,,,,,,,2020-01-03,4,3,2,,,,
    102,followup_arm_1,,,south,,,,,,,,,,,,,,,,,,,,,,,,2020-03-09,2020-03-09,,2
    103,baseline_arm_1,,,north,,Cy Ray,1996-05-06,3,0,23,4,2,,,,,,,,,,,,,,,,,,,
    103,cart1_arm_1,,,north,,,,,,,,,2020-01-15,1.5,1,1,0,180,2,1,1,0,2,,,,,,,,
    103,cart1_arm_1,response,1,north,,,,,,,,,,,,,,,,,,,,2020-02-14,1,,2,,,,
    103,cart1_arm_1,response,2,north,,,,,,,,,,,,,,,,,,,,2020-07-30,4,,2,,,,
    103,cart2_arm_1,,,north,,,,,,,,,2020-08-20,1.5,1,1,0,190,2,2,2,0,2,,,,,,,,
    103,cart2_arm_1,response,1,north,,,,,,,,,,,,,,,,,,,,2020-09-18,1,2,2,,,,
    103,cart2_arm_1,response,2,north,,,,,,,,,,,,,,,,,,,,2021-01-10,4,,2,,,,
    103,followup_arm_1,,,north,,,,,,,,,,,,,,,,,,,,,,,,2021-06-30,,,2
    104,baseline_arm_1,,,north,,Di Lee,1971-07-08,1,1,48,2,2,,,,,,,,,,,,,,,,,,,
    104,cart1_arm_1,,,north,,,,,,,,,2020-02-10,2,1,1,0,210,2,3,1,1,2,,,,,,,,
    104,cart1_arm_1,response,1,north,,,,,,,,,,,,,,,,,,,,2020-03-10,1,,2,,,,
    104,followup_arm_1,,,north,,,,,,,,,,,,,,,,,,,,,,,,2021-03-01,,,2
    """,
    {
        ("demographics", "dx"): "patients.diagnosis", ("demographics", "sex"): "patients.sex",
        ("demographics", "age"): "patients.age_years", ("demographics", "n_lines"): "infusions.prior_lines",
        ("infusion", "redcap_event_name"): "infusions.infusion", ("infusion", "inf_dt"): "infusions.date",
        ("infusion", "inf_dose"): "infusions.dose_cells_per_kg", ("infusion", "ld"): "infusions.lymphodepletion",
        ("toxicity", "redcap_event_name"): "toxicities.infusion", ("toxicity", "crs_max"): "toxicities.CRS.grade",
        ("toxicity", "icans_max"): "toxicities.ICANS.grade", ("response", "resp_dt"): "responses.date",
        ("response", "resp"): "responses.response", ("response", "mrd"): "mrd.result",
        ("follow_up", "lfu_dt"): "patients.last_contact", ("follow_up", "death_dt"): "patients.death",
    },
    {"baseline_arm_1": "Baseline", "cart1_arm_1": "CAR-T 1", "cart2_arm_1": "CAR-T 2", "followup_arm_1": "Follow-up"},
    {"NASK": "", "UNK": ""},
)  # fmt: skip

BY_INSTANCE = Project(
    "an instrument repeated once an infusion",
    API,
    """
    study_id; enrolment; text; Study ID; ; ;
    initials; enrolment; text; Initials; ; ; y
    consent_date; enrolment; text; Date of consent; ; date_ymd;
    disease; enrolment; radio; Diagnosis; a, DLBCL | b, CLL | c, B-ALL; ;
    gender; enrolment; radio; Gender; 1, male | 2, female | 3, other; ;
    age_inf; enrolment; text; Age; ; number;
    cart_date; cart_infusion; text; Infusion date; ; date_mdy;
    dose_e6; cart_infusion; text; CAR-T cell dose (10^6/kg); ; number_2dp_comma_decimal;
    regimen; cart_infusion; dropdown; Conditioning regimen; 10, Fludarabine, Cy | 20, <i>Cyclophosphamide</i> alone; ;
    crs; cart_infusion; radio; CRS grade; 0, 0 | 1, 1 | 2, 2 | 3, 3 | 4, 4; ;
    icans; cart_infusion; radio; ICANS grade; 0, 0 | 1, 1 | 2, 2 | 3, 3 | 4, 4; ;
    ferritin; cart_infusion; text; Peak ferritin; ; number;
    assess_date; response_assessment; text; Assessment date; ; datetime_ymd;
    best_resp; response_assessment; dropdown; Disease response; 1, CR | 2, PR | 3, SD | 4, PD | 9, NE; ;
    mrd_res; response_assessment; dropdown; MRD; 0, undetectable | 1, detectable; ;
    last_visit; survival; text; Date of last follow-up; ; date_mdy;
    vital; survival; radio; Vital status; 1, Alive | 2, Dead; ;
    dod; survival; text; Date of death; ; date_mdy;
    """,
    """
    study_id,redcap_repeat_instrument,redcap_repeat_instance,initials,consent_date,disease,gender,age_inf,enrolment_complete,cart_date,dose_e6,regimen,crs,icans,ferritin,cart_infusion_complete,assess_date,best_resp,mrd_res,response_assessment_complete,last_visit,vital,dod,survival_complete
    101,,,AF,2019-02-01,a,2,61,2,,,,,,,,,,,,2021-02-01,1,,2
    101,cart_infusion,1,,,,,,,2019-03-12,"1,00",10,2,0,1200,2,,,,,,,,
    101,cart_infusion,2,,,,,,,2020-04-03,"2,00",10,1,0,800,2,,,,,,,,
    101,response_assessment,1,,,,,,,,,,,,,,2019-04-10 08:30,2,,2,,,,
    101,response_assessment,2,,,,,,,,,,,,,,2019-11-20 10:00,4,,2,,,,
    101,response_assessment,3,,,,,,,,,,,,,,2020-05-02 09:15,1,0,2,,,,
    102,,,BH,2019-05-01,b,1,55,2,,,,,,,,,,,,2020-03-09,2,2020-03-09,2
    102,cart_infusion,1,,,,,,,2019-06-05,"1,00",20,1,0,640,2,,,,,,,,
    102,cart_infusion,2,,,,,,,2019-12-02,"3,00",10,3,2,5000,2,,,,,,,,
    102,response_assessment,1,,,,,,,,,,,,,,2019-07-04 08:30,3,,2,,,,
    102,response_assessment,2,,,,,,,,,,,,,,2020-01-03 08:30,4,,2,,,,
    103,,,CR,2019-12-01,c,2,23,2,,,,,,,,,,,,2021-06-30,1,,2
    103,cart_infusion,1,,,,,,,2020-01-15,"1,50",10,0,0,300,2,,,,,,,,
    103,cart_infusion,2,,,,,,,2020-08-20,"1,50",10,1,1,900,2,,,,,,,,
    103,response_assessment,1,,,,,,,,,,,,,,2020-02-14 08:30,1,,2,,,,
    103,response_assessment,2,,,,,,,,,,,,,,2020-07-30 08:30,4,,2,,,,
    103,response_assessment,3,,,,,,,,,,,,,,2020-09-18 08:30,1,1,2,,,,
    103,response_assessment,4,,,,,,,,,,,,,,2021-01-10 08:30,4,,2,,,,
    104,,,DL,2020-01-01,a,1,48,2,,,,,,,,,,,,2021-03-01,1,,2
    104,cart_infusion,1,,,,,,,2020-02-10,"2,00",10,2,0,1500,2,,,,,,,,
    104,response_assessment,1,,,,,,,,,,,,,,2020-03-10 08:30,1,,2,,,,
    """,
    {
        ("enrolment", "disease"): "patients.diagnosis", ("enrolment", "gender"): "patients.sex",
        ("enrolment", "age_inf"): "patients.age_years",
        ("cart_infusion", "redcap_repeat_instance"): "infusions.infusion",
        ("cart_infusion", "cart_date"): "infusions.date", ("cart_infusion", "dose_e6"): "infusions.dose_cells_per_kg",
        ("cart_infusion", "regimen"): "infusions.lymphodepletion", ("cart_infusion", "crs"): "toxicities.CRS.grade",
        ("cart_infusion", "icans"): "toxicities.ICANS.grade", ("response_assessment", "assess_date"): "responses.date",
        ("response_assessment", "best_resp"): "responses.response", ("response_assessment", "mrd_res"): "mrd.result",
        ("survival", "last_visit"): "patients.last_contact", ("survival", "dod"): "patients.death",
    },
    {},
    {},
)  # fmt: skip

BY_SUFFIX = Project(
    "columns with suffixes in one row of a patient",
    DOWNLOADED,
    """
    pid; baseline; text; Patient number; ; ;
    surname; baseline; text; Surname; ; ; y
    diagnosis; baseline; dropdown; Diagnosis; 1, NHL | 2, CLL | 3, ALL | -1, other, specify; ;
    sex; baseline; dropdown; Sex; 1, Female | 2, Male; ;
    age; baseline; text; Age (years); ; integer;
    ecog; baseline; dropdown; ECOG; 0, 0 | 1, 1 | 2, 2; ;
    cart1_date; cart1; text; Date of CART1; ; date_ymd;
    cart1_dose; cart1; text; CART1 dose (10^6 cells/kg); ; number;
    cart1_ld; cart1; checkbox; CART1 lymphodepletion; f, Flu | c, Cy | b, Bendamustine; ;
    cart1_response; cart1; dropdown; Best response to CART1; 1, CR | 2, PR | 3, SD | 4, PD; ;
    cart1_response_date; cart1; text; Date of best response to CART1; ; date_ymd;
    cart1_pd_date; cart1; text; Date of progression after CART1; ; date_ymd;
    cart1_crs_grade; cart1; dropdown; CRS grade after CART1; 0, None | 1, Grade 1 | 2, Grade 2 | 3, Grade 3; ;
    cart1_icans_grade; cart1; dropdown; ICANS grade after CART1; 0, None | 1, Grade 1 | 2, Grade 2 | 3, Grade 3; ;
    cart2_date; cart2; text; Date of CART2; ; date_ymd;
    cart2_dose; cart2; text; CART2 dose (10^6 cells/kg); ; number;
    cart2_ld; cart2; checkbox; CART2 lymphodepletion; f, Flu | c, Cy | b, Bendamustine; ;
    cart2_response; cart2; dropdown; Best response to CART2; 1, CR | 2, PR | 3, SD | 4, PD; ;
    cart2_response_date; cart2; text; Date of best response to CART2; ; date_ymd;
    cart2_mrd; cart2; radio; MRD after CART2; 1, negative | 2, positive; ;
    cart2_pd_date; cart2; text; Date of progression after CART2; ; date_ymd;
    cart2_crs_grade; cart2; dropdown; CRS grade after CART2; 0, None | 1, Grade 1 | 2, Grade 2 | 3, Grade 3; ;
    cart2_icans_grade; cart2; dropdown; ICANS grade after CART2; 0, None | 1, Grade 1 | 2, Grade 2 | 3, Grade 3; ;
    last_contact; outcome; text; Last contact; ; date_ymd;
    death_date; outcome; text; Date of death; ; date_ymd;
    """,
    """
    pid,surname,diagnosis,sex,age,ecog,baseline_complete,cart1_date,cart1_dose,cart1_ld___f,cart1_ld___c,cart1_ld___b,cart1_response,cart1_response_date,cart1_pd_date,cart1_crs_grade,cart1_icans_grade,cart1_complete,cart2_date,cart2_dose,cart2_ld___f,cart2_ld___c,cart2_ld___b,cart2_response,cart2_response_date,cart2_mrd,cart2_pd_date,cart2_crs_grade,cart2_icans_grade,cart2_complete,last_contact,death_date,outcome_complete
    101,Fox,1,1,61,1,2,2019-03-12,1,1,1,0,2,2019-04-10,2019-11-20,2,0,2,2020-04-03,2,1,1,0,1,2020-05-02,1,,1,0,2,2021-02-01,,2
    102,Hill,2,2,55,0,2,2019-06-05,1,0,1,0,3,2019-07-04,,1,0,2,2019-12-02,3,1,1,0,4,2020-01-03,,2020-01-03,3,2,2,2020-03-09,2020-03-09,2
    103,Ray,3,1,23,1,2,2020-01-15,1.5,1,1,0,1,2020-02-14,2020-07-30,0,0,2,2020-08-20,1.5,1,1,0,1,2020-09-18,2,2021-01-10,1,1,2,2021-06-30,,2
    104,Lee,1,2,48,0,2,2020-02-10,2,1,1,0,1,2020-03-10,,2,0,2,,,0,0,0,,,,,,,0,2021-03-01,,2
    """,
    {
        ("baseline", "diagnosis"): "patients.diagnosis", ("baseline", "sex"): "patients.sex",
        ("baseline", "age"): "patients.age_years", ("outcome", "last_contact"): "patients.last_contact",
        ("outcome", "death_date"): "patients.death", ("cart2", "cart2_mrd"): "mrd[2].result",
        **{(f"cart{k}", f"cart{k}_{field}"): target.replace("[K]", f"[{k}]") for k in (1, 2) for field, target in {
            "date": "infusions[K].date", "dose": "infusions[K].dose_cells_per_kg",
            "ld": "infusions[K].lymphodepletion", "response": "responses[K].response",
            "response_date": "responses[K].date", "pd_date": "responses[K].date",
            "crs_grade": "toxicities[K].CRS.grade", "icans_grade": "toxicities[K].ICANS.grade",
        }.items()},
    },
    {},
    {},
)  # fmt: skip

PROJECTS = (BY_EVENT, BY_INSTANCE, BY_SUFFIX)


def truth(name):
    """Return the rows of a table of the truth, empty cells as empty texts."""
    head, *rows = [line.split() for line in TRUTH[name].strip().splitlines()]
    return [{c: "" if t == "." else t for c, t in zip(head, row, strict=True)} for row in rows]
