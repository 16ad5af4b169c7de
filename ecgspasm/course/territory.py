"""Whether the attacks of one patient stayed in one territory of leads or migrated."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ecgspasm.course.attacks import Attack, attacks
from ecgspasm.leads import contiguous_pairs
from ecgspasm.serial.words import lead_span

if TYPE_CHECKING:
    from ecgspasm.course.course import Course

SAME, OVERLAPPING, MIGRATING, UNDECIDED = "same", "overlapping", "migrating", "undecided"
NOT_ARTERIES = "territories of leads, not arteries: ST depression and T waves localise none"


@dataclass(frozen=True)
class Concordance:
    """How the territories of the attacks agree."""

    verdict: str
    """``same``, ``overlapping``, ``migrating`` or ``undecided``."""
    reason: str
    attacks: tuple[Attack, ...]
    """Those whose leads are known."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"verdict": self.verdict, "reason": self.reason, "attacks": [each.to_dict() for each in self.attacks]}

    def __str__(self) -> str:
        return f"{self.verdict}: {self.reason}"


def concordance(course: Course) -> Concordance:
    """Compare the leads of all attacks, provoked ones too.

    Returns
    -------
    Concordance
        ``same``: one named territory, and every two attacks share leads. ``overlapping``: every two share leads or neighbours.
        ``migrating``: two attacks with ST elevation have neither. Two attacks apart of which one shows only ST depression or T
        waves leave it ``undecided``, since these do not tell the place.
    """
    found = tuple(each for each in attacks(course) if each.leads)
    if len(found) < 2:
        return Concordance(UNDECIDED, f"the leads of {'only one attack' if found else 'no attack'} are known", found)
    pairs = list(itertools.combinations(found, 2))
    apart = [(one, other) for one, other in pairs if not _touching(one, other)]
    sure = [pair for pair in apart if all(each.shows == "ST elevation" for each in pair)]
    if sure:
        return Concordance(MIGRATING, f"ST elevation in {_both(*sure[0])}", found)
    if apart:
        return Concordance(UNDECIDED, f"{_both(*apart[0])}, but not both are ST elevation; {NOT_ARTERIES}", found)
    names = {each.territory for each in found}
    only_st = all(each.shows == "ST elevation" for each in found)
    note = "" if only_st else f"; {NOT_ARTERIES}"
    if len(names) == 1 and names != {"unnamed"} and all(set(one.leads) & set(other.leads) for one, other in pairs):
        return Concordance(SAME, f"{names.pop()} in all {len(found)}{note}", found)
    spans = ", ".join(dict.fromkeys(f"{lead_span(each.leads)} ({each.territory})" for each in found))
    return Concordance(OVERLAPPING, f"{spans}{note}", found)


def _touching(one: Attack, other: Attack) -> bool:
    """Whether two attacks share a lead or have leads that are neighbours."""
    both = set(one.leads), set(other.leads)
    return bool(both[0] & both[1]) or any(frozenset(pair) in contiguous_pairs() for pair in itertools.product(*both))


def _both(one: Attack, other: Attack) -> str:
    return f"{lead_span(one.leads)} ({one.territory}, {one.when}) and {lead_span(other.leads)} ({other.territory}, {other.when})"
