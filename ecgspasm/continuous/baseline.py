"""What an earlier ECG says of each lead, measured by the very steps that measure the recording."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

import numpy as np

from ecgspasm.continuous.builder import TrendBuilder
from ecgspasm.continuous.definitions import definitions
from ecgspasm.continuous.reference import quiet_level
from ecgspasm.continuous.settings import settings
from ecgspasm.continuous.stream import Stream
from ecgspasm.continuous.tile import measure_tile
from ecgspasm.continuous.trend import Trend
from ecgspasm.ecg import Ecg, Floats
from ecgspasm.errors import EcgError
from ecgspasm.recording import Recording

BASELINE, OWN = "baseline", "own quiet stretch"


def baseline_values(
    given: Ecg | Recording | None, leads: tuple[str, ...], average_s: float
) -> tuple[dict[str, Floats], Mapping[str, str], tuple[str, ...]]:
    """Measure a baseline.

    Returns
    -------
    values : dict of str to ndarray, shape (lead,)
        By measure of the trend, ``nan`` where the baseline does not tell; empty without one.
    reference : mapping of str to str
        Per lead, which reference holds.
    notes : tuple of str
        Why the baseline does not hold for a lead.

    Raises
    ------
    EcgError
        If it has no lead in common with `leads`.
    """
    if given is None:
        return {}, dict.fromkeys(leads, OWN), ()
    recording = Recording.of(given) if isinstance(given, Ecg) else given
    if not isinstance(recording, Recording):
        raise EcgError(f"the baseline is a {type(given).__name__}; give an Ecg or a Recording")
    common = [lead for lead in leads if lead in recording.leads]
    if not common:
        raise EcgError(f"the baseline has {', '.join(recording.leads)} and the recording {', '.join(leads)}: no lead in common")
    trend = _trend(recording.select(common), average_s)
    notes = [f"{lead} is not in the baseline; judged against its own quiet stretch" for lead in leads if lead not in common]
    values = {}
    for measure in dict.fromkeys(rule.measure for rule in definitions().values()):
        told = np.asarray(trend.get(measure), dtype=float)
        if measure == "u_uv":
            told = np.where(np.isfinite(trend.get("st_j60_uv")), np.nan_to_num(told), np.nan)
        level = quiet_level(trend.time_s, told, settings("reference")["t_away_uv"])
        full = np.full(len(leads), np.nan)
        for row, lead in enumerate(common):
            known = level[row][np.isfinite(told[row])]
            full[leads.index(lead)] = np.median(known) if len(known) else np.nan
        values[measure] = full
    unknown = [lead for lead in common if np.isnan(values["st_uv"][leads.index(lead)])]
    reasons = {lead: each.reason for each in trend.interruptions for lead in each.leads}
    own = "judged against its own quiet stretch"
    notes += [f"{lead} of the baseline: {reasons.get(lead, 'not measured')}; {own}" for lead in unknown]
    reference = {lead: BASELINE if lead in common and lead not in unknown else OWN for lead in leads}
    return values, reference, tuple(notes)


def _trend(recording: Recording, average_s: float) -> Trend:
    stream = Stream(recording.fs, len(recording.leads))
    builder = TrendBuilder(stream.fs, recording.leads, average_s, settings("stream")["step_s"])
    blocks = (stream.push(block) for block in recording.blocks(settings("stream")["tile_s"]))
    carried = None
    for pieces in chain(blocks, map(Stream.finish, [stream])):
        for piece in pieces:
            tile = measure_tile(piece.signal_uv, stream.fs, recording.leads, piece.core, average_s, carried)
            carried = tile.carried
            builder.add(tile, last=piece.last)
    return builder.finish()
