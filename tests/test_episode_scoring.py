"""Scoring of episodes: layouts drawn and counted by hand, and relations that hold for all of them."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ecgspasm as es
from ecgspasm.benchmarks.episode_scoring import FIGURES, Interval, RecordScore, combined, score
from ecgspasm.benchmarks.episode_spans import common, length_s, merged, without
from ecgspasm.benchmarks.episode_total import TotalScore, deviation_error, total

NAN = float("nan")
ALL = 100.0

# One character is one second: '=' an episode, '^' the second in whose middle its extremum lies; a lane a string.
# Then: true and found of them, found and true of them, seconds true, found, both;
# then by hand in %: episode Se, episode +P, duration Se, duration +P.
LAYOUTS = {
    "nothing on either side": ([], [], (0, 0, 0, 0, 0, 0, 0), (NAN, NAN, NAN, NAN)),
    "only true": (["..===^==.."], [], (1, 0, 0, 0, 6, 0, 0), (0, NAN, 0, NAN)),
    "only found": ([], ["..===^==.."], (0, 0, 1, 0, 0, 6, 0), (NAN, 0, NAN, 0)),
    "identical": (["..===^==.."], ["..===^==.."], (1, 1, 1, 1, 6, 6, 6), (ALL, ALL, ALL, ALL)),
    "apart": (["==^==......."], [".......==^=="], (1, 0, 1, 0, 5, 5, 0), (0, 0, 0, 0)),
    "touching is no overlap": (["==^==....."], [".....==^=="], (1, 0, 1, 0, 5, 5, 0), (0, 0, 0, 0)),
    "exactly half, extremum missed": (["^======="], ["....===^"], (1, 1, 1, 1, 8, 4, 4), (ALL, ALL, 50, ALL)),
    "less than half, extremum missed": (["^======="], [".....==^"], (1, 0, 1, 1, 8, 3, 3), (0, ALL, 37.5, ALL)),
    "an eighth, with the extremum": (["=====^=========="], ["....=^.........."], (1, 1, 1, 1, 16, 2, 2), (ALL, ALL, 12.5, ALL)),
    "found far too long": ([".....=^=........"], ["^==============="], (1, 1, 1, 0, 3, 16, 3), (ALL, 0, ALL, 18.75)),
    "far too long, its extremum true": (
        [".....=^=........"],
        ["=====^=========="],
        (1, 1, 1, 1, 3, 16, 3),
        (ALL, ALL, ALL, 18.75),
    ),
    "one found over two true, half of it": (
        ["..=^=....=^=.."],
        [".======^=====."],
        (2, 2, 1, 1, 6, 12, 6),
        (ALL, ALL, ALL, 50),
    ),
    "one found over two true, less than half": (
        [".=^.......=^."],
        ["=====^======="],
        (2, 2, 1, 0, 4, 13, 4),
        (ALL, 0, ALL, 4 / 0.13),
    ),
    "one true split in two": (["=====^======"], ["=^==....==^="], (1, 1, 2, 2, 12, 8, 8), (ALL, ALL, 8 / 0.12, ALL)),
    "two parts are half together": (["^==========="], [".==^....=^=."], (1, 1, 2, 2, 12, 6, 6), (ALL, ALL, 50, ALL)),
    "two parts are less than half": (["^==========="], [".=^.....=^=."], (1, 0, 2, 2, 12, 5, 5), (0, ALL, 5 / 0.12, ALL)),
    "one found and one invented": (["..=^=......"], ["..=^=...=^="], (1, 1, 2, 1, 3, 6, 3), (ALL, 50, ALL, 50)),
    "one found and one missed": (["..=^=...=^="], ["..=^=......"], (2, 1, 1, 1, 6, 3, 3), (50, ALL, 50, ALL)),
    "nested: no second counts twice": (
        ["..====^===.."],
        ["..====^===..", "....==^=...."],
        (1, 1, 2, 2, 8, 8, 8),
        (ALL, ALL, ALL, ALL),
    ),
    "true of both signs overlap": (
        ["===^====....", "....==^====="],
        ["======^====="],
        (2, 2, 1, 1, 12, 12, 12),
        (ALL, ALL, ALL, ALL),
    ),
    "late by a quarter": (["===^====...."], ["..===^====.."], (1, 1, 1, 1, 8, 8, 6), (ALL, ALL, 75, 75)),
    "edges only": (["^=======...."], ["......=====^"], (1, 0, 1, 0, 8, 6, 2), (0, 0, 25, 2 / 0.06)),
    "extrema unknown": (["========"], [".....==="], (1, 0, 1, 1, 8, 3, 3), (0, ALL, 37.5, ALL)),
    "found bridges two, hits the second's extremum": (
        ["^======..==^===.."],
        ["....======^=....."],
        (2, 1, 1, 1, 13, 8, 6),
        (50, ALL, 6 / 0.13, 75),
    ),
}


def drawn(lanes: list[str], uv: float = NAN) -> list[Interval]:
    """Episodes of a drawing."""
    out = []
    for lane in lanes:
        for run in re.finditer(r"[=^]+", lane):
            peak = lane.find("^", *run.span())
            out.append(Interval(run.start(), run.end(), peak + 0.5 if peak >= 0 else NAN, uv))
    return out


def numbers(result: RecordScore) -> tuple[float, ...]:
    counts = (result.n_true, result.n_matched, result.n_found, result.n_confirmed)
    return (*counts, result.true_s, result.found_s, result.both_s)


def figures(result: RecordScore) -> list[float]:
    return [getattr(result, name) for name in FIGURES]


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts_by_hand(name: str) -> None:
    true, found, counts, percent = LAYOUTS[name]
    result = score(name, drawn(true), drawn(found))
    assert numbers(result) == counts
    assert figures(result) == pytest.approx(percent, nan_ok=True)


@pytest.mark.parametrize("name", LAYOUTS)
def test_swapping_the_sides_swaps_sensitivity_and_predictivity(name: str) -> None:
    true, found, _, (se, ppv, duration_se, duration_ppv) = LAYOUTS[name]
    swapped = score(name, drawn(found), drawn(true))
    assert figures(swapped) == pytest.approx((ppv, se, duration_ppv, duration_se), nan_ok=True)


@pytest.mark.parametrize(
    ("told", "true", "found", "options", "counts"),
    [
        # only 5..10 of the true one is left, nothing of the found one
        ("period cuts", "=====^====", "==^==.....", {"begin_s": 5.0}, (1, 0, 0, 0, 5, 0, 0)),
        # the extremum lies before the period and matches nothing; 1 s of 6
        ("extremum before the period", "..^=======", "..^==.....", {"begin_s": 4.0}, (1, 0, 1, 1, 6, 1, 1)),
        ("extremum at the very begin", "=====^....", "....=^....", {"begin_s": 5.5}, (1, 1, 1, 1, 0.5, 0.5, 0.5)),
        ("period ends", "..======^=", "======^===", {"end_s": 6.0}, (1, 1, 1, 1, 4, 6, 4)),
        # 4..8 is not known: the found one is all in it, of the true one 8 s are left and its extremum is gone
        ("hole with all found in it", "=====^======", "....==^=....", {"excluded": [(4, 8)]}, (1, 0, 0, 0, 8, 0, 0)),
        ("hole at the begin, half of the rest", "=^==========", ".........=^=", {"excluded": [(0, 6)]}, (1, 1, 1, 1, 6, 3, 3)),
        ("hole takes the extremum", "=^==========", "===.......=^", {"excluded": [(0, 4)]}, (1, 0, 1, 1, 8, 2, 2)),
        ("hole over all", "=====^======", "....==^=....", {"excluded": [(0, 6), (5, 12)]}, (0, 0, 0, 0, 0, 0, 0)),
        ("hole in both", "=====^======", "=====^======", {"excluded": [(2, 4), (7, 9)]}, (1, 1, 1, 1, 8, 8, 8)),
    ],
)
def test_period_and_holes_by_hand(told: str, true: str, found: str, options: dict[str, float], counts: tuple[float, ...]) -> None:
    assert numbers(score(told, drawn([true]), drawn([found]), **options)) == counts  # type: ignore[arg-type]


def test_what_is_not_judged_says_so() -> None:
    result = score("r", drawn(["==..^=..==..=^"]), drawn(["....^=......=^"]), excluded=[(0, 3)])
    assert result.matched == (None, True, False, True)
    assert result.confirmed == (True, True)


def test_an_extremum_on_the_edge_of_an_overlap_counts() -> None:
    true = [Interval(0.0, 100.0, 10.0)]
    assert score("r", true, [Interval(10.0, 12.0)]).n_matched == 1
    assert score("r", true, [Interval(8.0, 10.0)]).n_matched == 1
    assert score("r", true, [Interval(10.004, 12.0)]).n_matched == 0
    # touching the extremum at the edge of the episode is no overlap
    assert score("r", [Interval(0.0, 10.0, 10.0)], [Interval(10.0, 12.0, 10.0)]).n_matched == 0


def test_half_is_half_in_fractions_of_a_second() -> None:
    # 0.1 + 0.2 is not 0.3 in floats
    true = [Interval(0.0, 0.6)]
    assert score("r", true, [Interval(0.0, 0.1), Interval(0.3, 0.5)]).n_matched == 1


def test_open_ends_are_scored_as_what_is_known() -> None:
    closed, found = drawn(["..===^=="]), drawn(["....=^=="])
    opened = [replace(each, open_start=True, open_end=True) for each in closed]
    assert numbers(score("r", opened, found)) == numbers(score("r", closed, found)) == (1, 1, 1, 1, 6, 4, 4)


def test_leads_are_combined_to_the_persons_episodes() -> None:
    leads = [Interval(0, 10, 2, -100.0), Interval(8, 20, 15, 300.0, open_end=True), Interval(20, 30, 25, 50.0)]
    both, last = combined(leads)
    assert (both.onset_s, both.end_s, both.extremum_s, both.extremum_uv, both.open_end) == (0, 20, 15, 300.0, True)
    assert both.extrema_s == (15, 2)
    assert last == leads[2]
    # either lead's extremum will do, as in epicmp's comparison of both signals
    assert score("r", [both], [Interval(1, 3)]).n_matched == 1
    assert score("r", [both], [Interval(3, 5)]).n_matched == 0
    assert combined(reversed(leads)) == (both, last)


# ---- relations


def intervals() -> st.SearchStrategy[list[Interval]]:
    one = st.tuples(st.integers(0, 200), st.integers(1, 60), st.floats(0, 1), st.integers(-400, 400))
    return st.lists(one.map(lambda t: Interval(t[0], t[0] + t[1], t[0] + round(t[1] * t[2]), t[3])), max_size=6)


@given(intervals())
def test_a_record_compared_with_itself_is_perfect(own: list[Interval]) -> None:
    result = score("r", own, own)
    assert figures(result) == ([ALL] * 4 if own else pytest.approx([NAN] * 4, nan_ok=True))


@given(intervals(), intervals(), st.integers(-500, 500))
def test_shifting_all_times_changes_nothing(true: list[Interval], found: list[Interval], by: int) -> None:
    def moved(side: list[Interval]) -> list[Interval]:
        return [replace(i, onset_s=i.onset_s + by, end_s=i.end_s + by, extremum_s=i.extremum_s + by) for i in side]

    before = score("r", true, found, begin_s=20, end_s=150, excluded=[(50, 60)])
    after = score("r", moved(true), moved(found), begin_s=20 + by, end_s=150 + by, excluded=[(50 + by, 60 + by)])
    assert numbers(before) == numbers(after)
    assert (before.matched, before.confirmed) == (after.matched, after.confirmed)


@given(intervals(), intervals())
def test_sides_swap_and_bounds_hold(true: list[Interval], found: list[Interval]) -> None:
    one, other = score("r", true, found), score("r", found, true)
    assert figures(one) == pytest.approx([figures(other)[at] for at in (1, 0, 3, 2)], nan_ok=True)
    assert one.matched == other.confirmed
    assert one.both_s <= min(one.true_s, one.found_s)
    more = score("r", true, [*found, Interval(0, 30, 10)])
    assert more.n_matched >= one.n_matched
    assert more.both_s >= one.both_s


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)).map(lambda t: (min(t), max(t)))), st.integers(0, 99))
def test_spans_behave_as_sets_of_seconds(rows: list[tuple[int, int]], at: int) -> None:
    def seconds(spans: list[tuple[int, int]]) -> set[int]:
        return {second for begin, end in spans for second in range(begin, end)}

    one, other = merged(rows), merged([(at, 99)])
    assert length_s(one) == len(seconds(rows))
    assert length_s(common(one, other)) == len(seconds(rows) & seconds([(at, 99)]))
    assert length_s(without(one, other)) == len(seconds(rows) - seconds([(at, 99)]))
    assert merged(one).tolist() == one.tolist()


# ---- many records


def records() -> list[RecordScore]:
    """Four true, one of them found; one found of two is true; seconds: 16 true, 8 found, 6 both."""
    one = score("a", drawn(["====^==="], 200.0), drawn(["..==^===", "........"], 150.0))
    two = score("b", drawn(["=^...^=...^===......"], -100.0), drawn(["................=^"], -90.0))
    return [one, two]


def test_gross_and_average_by_hand() -> None:
    result = total(records())
    assert result.sums == {"n_true": 4, "n_matched": 1, "n_found": 2, "n_confirmed": 1, "true_s": 16, "found_s": 8, "both_s": 6}
    assert result.gross == pytest.approx({"episode_se": 25, "episode_ppv": 50, "duration_se": 37.5, "duration_ppv": 75})
    # a: 100, 100, 75, 100; b: 0, 0, 0, 0
    assert result.average == pytest.approx({"episode_se": 50, "episode_ppv": 50, "duration_se": 37.5, "duration_ppv": 50})
    assert result.n_average == dict.fromkeys(FIGURES, 2)
    # nothing of b was found, so the only pair is that of a
    assert (result.deviation["n"], result.deviation["mean_uv"]) == (1, -50)


def test_a_record_without_found_episodes_leaves_the_average_predictivity_alone() -> None:
    result = total([*records(), score("c", drawn(["==^="]), [])])
    assert result.average["episode_se"] == pytest.approx(100 / 3)
    assert result.average["episode_ppv"] == 50
    assert (result.n_average["episode_se"], result.n_average["episode_ppv"]) == (3, 2)


def test_an_empty_record_leaves_gross_and_average_alone() -> None:
    without_it, with_it = total(records()), total([*records(), score("empty", [], [])])
    assert with_it.gross == without_it.gross
    assert with_it.average == without_it.average
    assert with_it.deviation == pytest.approx(without_it.deviation, nan_ok=True)


def comparable(result: TotalScore) -> dict[str, object]:
    return {key: value for key, value in result.to_dict().items() if key != "records"}


def test_the_order_of_records_changes_nothing() -> None:
    scores = [*records(), score("c", drawn(["==^="], 99.0), drawn(["=^.."], 140.0)), score("d", [], drawn(["=^"]))]
    assert comparable(total(scores)) == comparable(total(scores[::-1]))


def test_the_bootstrap_is_seeded_and_surrounds_the_gross_figure() -> None:
    rng = np.random.default_rng(1)
    scores = [
        score(f"r{at}", drawn(["=^===....===^=="]), drawn(["=^==.....=====."]) if rng.random() < 0.7 else []) for at in range(30)
    ]
    result = total(scores, seed=4)
    assert result.interval == total(scores, seed=4).interval
    assert result.interval != total(scores, seed=5).interval
    low, high = result.interval["episode_se"]
    assert low < result.gross["episode_se"] < high
    assert 15 < high - low < 45  # 30 records of 0 or 100 %: SD of the mean about 8


def test_what_is_not_defined_is_none_and_never_a_number() -> None:
    result = total([score("only", [], [])])
    for figure in FIGURES:
        assert np.isnan(result.gross[figure])
        assert np.isnan(result.average[figure])
    row, gross, average = result.rows()
    assert (row["record"], gross["record"], average["record"]) == ("only", "gross", "average")
    assert row["episode_se"] is gross["duration_ppv"] is average["episode_ppv"] is None
    assert result.to_dict()["interval"]["episode_se"] == [None, None]
    assert result.to_dict()["deviation"]["mean_uv"] is None
    assert total([]).to_dict()["gross"] == dict.fromkeys(FIGURES)
    # one record says nothing of others
    assert np.isnan(total(records()[:1]).interval["episode_se"]).all()


def test_the_table_has_the_same_columns_in_all_rows() -> None:
    rows = total(records()).rows()
    assert [row["record"] for row in rows] == ["a", "b", "gross", "average"]
    assert len({tuple(row) for row in rows}) == 1
    assert rows[2]["n_true"] == 4
    assert rows[3]["n_true"] is None


# ---- ST deviation


def test_deviation_error_by_hand() -> None:
    # errors +10, -20, +100 (within, by the rule "further apart than 100"), +101
    result = deviation_error(np.array([[100, 110], [-100, -120], [0, 100], [200, 301]]))
    assert result["n"] == 4
    assert result["mean_uv"] == pytest.approx(47.75)
    assert result["sd_uv"] == pytest.approx(np.std([10, -20, 100, 101], ddof=1))
    assert result["within_100_uv"] == 75
    # sums about the means 50 and 97.75: xx 50000, xy 63650, yy 88880.75
    assert result["slope"] == pytest.approx(63650 / 50000)
    assert result["intercept_uv"] == pytest.approx(97.75 - 63650 / 50000 * 50)
    assert result["r"] == pytest.approx(63650 / np.sqrt(50000 * 88880.75))


def test_a_line_needs_two_values_and_an_sd_two_pairs() -> None:
    assert deviation_error(np.empty((0, 2)))["n"] == 0
    assert np.isnan(deviation_error(np.empty((0, 2)))["within_100_uv"])
    one = deviation_error(np.array([[100.0, 90.0]]))
    assert one["mean_uv"] == -10
    assert np.isnan([one["sd_uv"], one["slope"], one["r"]]).all()
    level = deviation_error(np.array([[100.0, 90.0], [100.0, 110.0]]))
    assert np.isnan([level["slope"], level["r"]]).all()


def test_a_trend_is_read_at_the_true_extremum() -> None:
    true = [Interval(0, 20, 10, 150.0), Interval(30, 40, 35, -200.0), Interval(50, 60, NAN, NAN)]
    time_s = np.array([9.0, 11.0, 34.0, 35.0, 99.0])
    uv = np.array([100.0, 120.0, -170.0, NAN, 0.0])
    # of two as near the later; nan are passed over; an episode without a known extremum is not compared
    assert score("r", true, [], trend=(time_s, uv)).deviation_uv.tolist() == [[150, 120], [-200, -170]]
    order = np.array([4, 2, 0, 3, 1])
    assert score("r", true, [], trend=(time_s[order], uv[order])).deviation_uv.tolist() == [[150, 120], [-200, -170]]
    assert score("r", true, [], trend=(time_s, uv), excluded=[(8, 12)]).deviation_uv.tolist() == [[-200, -170]]
    assert score("r", true, [], trend=(np.empty(0), np.empty(0))).deviation_uv.shape == (0, 2)
    with pytest.raises(es.EcgError, match="5 times"):
        score("r", true, [], trend=(time_s, uv[:3]))


def test_without_a_trend_the_partner_tells_the_deviation() -> None:
    true = [Interval(0, 20, 10, 150.0), Interval(30, 40, 35, -200.0)]
    found = [Interval(0, 3, 1, 60.0), Interval(5, 20, 6, 140.0), Interval(4, 19, 11, 130.0)]
    # 15 s each overlap most; the extremum of the third is nearer. Nobody saw the second episode.
    assert score("r", true, found).deviation_uv.tolist() == [[150, 130]]


# ---- refusals


@pytest.mark.parametrize(
    ("wrong", "told"),
    [((5.0, 5.0), "no length"), ((5.0, 4.0), "no length"), ((NAN, 4.0), "no length"), ((0.0, 4.0, 5.0), "outside its episode")],
)
def test_an_interval_that_is_none_is_refused(wrong: tuple[float, ...], told: str) -> None:
    with pytest.raises(es.EcgError, match=told):
        Interval(*wrong)


def test_stretches_that_run_backwards_are_refused() -> None:
    with pytest.raises(es.EcgError, match="runs backwards"):
        score("r", [], [], excluded=[(5, 4)])
    with pytest.raises(es.EcgError, match="test period"):
        score("r", [], [], begin_s=5, end_s=5)
