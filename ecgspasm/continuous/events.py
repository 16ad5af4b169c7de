"""What a feed tells on the way: each onset and each end once, and what was told in error is taken back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ecgspasm.continuous.episode import Episode
from ecgspasm.continuous.monitoring import line
from ecgspasm.continuous.settings import settings
from ecgspasm.continuous.stream import GAP, Note


@dataclass(frozen=True)
class Event:
    """What a feed tells as soon as it can be told.

    Attributes
    ----------
    kind : str
        ``onset``, ``end``, ``withdrawn``, ``lead off``, ``lead on``, ``gap``, ``late``.
    time_s : float
        When it was, from the beginning of the feed.
    text : str
        One line.
    leads : tuple of str
    episode : Episode or None
        As it is known now; its kind may still change.
    """

    kind: str
    time_s: float
    text: str
    leads: tuple[str, ...] = ()
    episode: Episode | None = None


class Teller:
    """Remembers what has been told."""

    def __init__(self, input_fs: float) -> None:
        self._fs = input_fs
        self._told: list[tuple[Episode, bool]] = []  # and whether its end was told
        self._notes = 0
        self._off: dict[str, str] = {}

    def of_stream(self, notes: Sequence[Note]) -> list[Event]:
        """Gaps and late samples that are new."""
        new, self._notes = notes[self._notes :], len(notes)
        return [
            Event(
                "gap" if note.what == GAP else "late",
                note.start / self._fs,
                f"{note.what}: {note.start / self._fs:.1f} to {note.end / self._fs:.1f} s",
            )
            for note in new
        ]

    def forget_notes(self, count: int) -> None:
        """So many of the first notes were let go."""
        self._notes = max(self._notes - count, 0)

    def of_leads(self, interrupted: Mapping[str, tuple[str, float]], known_s: float) -> list[Event]:
        """Leads that went off, or are measured again."""
        now = {lead: reason for lead, (reason, _) in interrupted.items()}
        events = [
            Event("lead off", interrupted[lead][1], f"{lead}: {reason}", (lead,))
            for lead, reason in now.items()
            if self._off.get(lead) != reason
        ]
        events += [Event("lead on", known_s, f"{lead} is measured again", (lead,)) for lead in self._off if lead not in now]
        self._off = now
        return events

    def of_episodes(self, found: Iterable[Episode], since_s: float, known_s: float) -> list[Event]:
        """Onsets, ends and withdrawals, from what is found now in the trend from `since_s` to `known_s`."""
        events: list[Event] = []
        before, self._told = self._told, []
        for each in found:
            mine = [pair for pair in before if _same(pair[0], each)]
            before = [pair for pair in before if pair not in mine]
            if not mine:
                events.append(Event("onset", each.onset_s, f"onset: {line(each)}", each.leads, each))
            ended = any(pair[1] for pair in mine)
            broken = known_s - each.end_s > settings("detect")["gap_s"]
            if not ended and (broken or not each.open_end):
                end = "end" if not each.open_end else "end not seen, the measurement broke off"
                events.append(Event("end", each.end_s, f"{end}: {line(each)}", each.leads, each))
                ended = True
            self._told.append((each, ended))
        for each, ended in before:
            if each.onset_s <= since_s:  # it has only moved out of what is looked at
                if each.end_s > since_s:
                    self._told.append((each, ended))
            else:
                words = f"withdrawn, the usual level is another one by now: {line(each)}"
                events.append(Event("withdrawn", each.onset_s, words, each.leads, each))
        return events


def _same(one: Episode, other: Episode) -> bool:
    """Whether two are the same episode, known at different times."""
    overlap = min(one.end_s, other.end_s) - max(one.onset_s, other.onset_s)
    alike = (one.definition, one.measure, one.extremum_uv > 0) == (other.definition, other.measure, other.extremum_uv > 0)
    return alike and overlap > 0 and bool(set(one.leads) & set(other.leads))
