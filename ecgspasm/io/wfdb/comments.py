"""What the comments of a WFDB header tell: age, sex, and which leads `write_wfdb` marked as derived."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ecgspasm import leads as lead_names
from ecgspasm.ecg import Subject

_AGE = re.compile(r"\bage>?\s*[:=]\s*(\d{1,3}(?:\.\d{1,4})?)(?![.\d]|\s*(?:mo|month|week|day)s?\b)", re.IGNORECASE | re.ASCII)
_SEX = re.compile(r"\b(?:sex|gender)>?\s*[:=]\s*(male|female|m|f)\b", re.IGNORECASE | re.ASCII)
# MIT-BIH writes age and sex in front of two tape numbers: "69 M 1085 1629 x1"
_MIT = re.compile(r"(\d{1,3}) ([MF]) \d+ \d+ x\d+", re.ASCII)
_DERIVED = re.compile(r"derived: ([\w, ]+)", re.ASCII)


def subject_of(comments: Sequence[str]) -> Subject:
    """Age and sex from the comments of a header, and nothing else of a person.

    Examples
    --------
    >>> subject_of(["<age>: 51", "<sex>: F"])
    Subject(sex='female', age=51.0, key=None)
    """
    age = sex = None
    for comment in comments:
        mit = _MIT.match(comment)
        found_age, found_sex = _AGE.search(comment), _SEX.search(comment)
        age_text = mit[1] if mit else found_age[1] if found_age else None
        sex_text = mit[2] if mit else found_sex[1] if found_sex else None
        # ages above any human one are codes for "not told" (300 in PTB-XL)
        if age is None and age_text is not None and float(age_text) <= 130:
            age = float(age_text)
        sex = sex or (sex_text and ("male" if sex_text.casefold() in ("m", "male") else "female"))
    return Subject(sex=sex, age=age)  # type: ignore[arg-type]


def derived_leads(comments: Sequence[str], leads: Sequence[str]) -> list[str] | None:
    """Leads that `write_wfdb` marked as derived; None if the header does not tell."""
    found = [match for comment in comments if (match := _DERIVED.fullmatch(comment))]
    if not found:
        return None
    names = [name.strip() for match in found for name in match[1].split(",")]
    return [lead for name in names if lead_names.is_lead(name) and (lead := lead_names.canonical(name)) in leads]
