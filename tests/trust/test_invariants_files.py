"""What must hold however a recording is kept and in whatever company it is measured: files, threads, batches, units."""

from __future__ import annotations

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_info, threadpool_limits

import ecgspasm as es
from ecgspasm import leads as lead_names
from ecgspasm.leads import STANDARD
from ecgspasm.processing.blas import one_blas_thread
from ecgspasm.simulate import INDEPENDENT, Simulated
from tests.trust.people import AMPLITUDES, alike, examples, measured, people, table

THREADS, RECORDS = 32, 100
seeds = st.integers(0, 2**30)


def as_recorded(ecg: es.Ecg, step_uv: float = 2.5) -> es.Ecg:
    """Rounded to a recorder's steps, so that every format keeps the samples exactly."""
    return replace(ecg, signal_uv=np.round(ecg.signal_uv / step_uv) * step_uv)


# --- files and units ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".hea", ".parquet", ".csv"])
@examples(5)
@given(person=people(duration_s=4.0))
def test_an_ecg_measures_the_same_after_it_was_written_and_read(suffix: str, person: Simulated) -> None:
    if suffix == ".parquet":
        pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra parquet)")
    ecg = as_recorded(person.ecg)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"record{suffix}"
        es.write(ecg, path)
        back = es.read(path)
    assert np.array_equal(back.signal_uv, ecg.signal_uv)
    alike(measured(back), measured(ecg))


@examples(6)
@given(people(duration_s=4.0), st.integers(0, 1900), st.integers(1, 1000))
def test_a_stretch_of_a_file_is_that_of_the_whole(person: Simulated, start: int, length: int) -> None:
    ecg = as_recorded(person.ecg)
    n = ecg.signal_uv.shape[1]
    first = min(start, n - 1)
    stop = min(first + length, n)
    with tempfile.TemporaryDirectory() as folder:
        es.write(ecg, Path(folder) / "record.hea")
        found = es.open_recording(Path(folder) / "record.hea").samples(first, stop)
    assert np.array_equal(found, ecg.signal_uv[:, first:stop])


@examples(6)
@given(people(duration_s=4.0), st.sampled_from([("uV", 1.0), ("mV", 1e-3), ("V", 1e-6)]))
def test_the_unit_of_an_array_changes_nothing(person: Simulated, unit: tuple[str, float]) -> None:
    name, factor = unit
    told = es.from_array(person.ecg.signal_uv * factor, fs=person.ecg.fs, leads=person.ecg.leads, unit=name)
    assert np.allclose(told.signal_uv, person.ecg.signal_uv, rtol=1e-12)


@examples(4)
@given(people(duration_s=4.0))
def test_an_array_that_lies_the_other_way_is_the_same_ecg(person: Simulated) -> None:
    told = es.from_array(person.ecg.signal_uv.T, fs=person.ecg.fs, leads=person.ecg.leads, unit="uV")
    assert np.array_equal(told.signal_uv, person.ecg.signal_uv)


# --- company ------------------------------------------------------------------------------------------------------------------


def test_threads_find_what_one_finds() -> None:
    """32 threads, 100 records, three times over, against one after the other: equal to the last bit."""
    records = [
        es.simulate.ecg(fs=(250, 500)[seed % 2], seed=seed, duration_s=4.0, rate_bpm=55 + seed % 50, noise_uv=5.0).ecg
        for seed in range(RECORDS)
    ]
    serial = [measured(ecg) for ecg in records]
    order = np.random.default_rng(1).permutation(np.tile(np.arange(RECORDS), 3))
    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(lambda number: measured(records[number]), order))
    for number, values in zip(order, found, strict=True):
        alike(values, serial[number])


def test_matrix_products_stay_on_one_thread_until_the_last_has_left() -> None:
    """BLAS has one number of threads for the whole process, and rounds as it is."""

    def set_now() -> set[int]:
        return {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}

    def stay(seconds: float) -> set[int]:
        with one_blas_thread():
            time.sleep(seconds)
            return set_now()

    with threadpool_limits(2, user_api="blas"):
        before = set_now()
        with ThreadPoolExecutor(THREADS) as pool:
            seen = list(pool.map(stay, np.random.default_rng(1).uniform(0.0, 0.02, 200)))
        assert seen == [{1}] * 200
        assert set_now() == before


def test_threads_compare_as_one_does() -> None:
    pairs = [tuple(es.simulate.ecg(fs=500, seed=2 * seed + each, duration_s=4.0).ecg for each in range(2)) for seed in range(16)]
    serial = [es.compare(*pair).to_dict() for pair in pairs]
    with ThreadPoolExecutor(THREADS) as pool:
        assert list(pool.map(lambda pair: es.compare(*pair).to_dict(), pairs)) == serial


@pytest.mark.parametrize("turned", [False, True])
def test_a_record_alone_measures_as_in_a_batch(tmp_path: Path, turned: bool) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra batch)")
    paths = []
    for seed in range(12):
        path = tmp_path / f"r{seed:02}.hea"
        es.write(as_recorded(es.simulate.ecg(fs=500, seed=seed, duration_s=4.0, noise_uv=5.0).ecg), path)
        paths.append(path)
    frame = es.batch("measure", paths[::-1] if turned else paths, tmp_path / "out", workers=2, records_per_part=5).to_frame()
    for path in paths:
        own = es.analyze(es.read(path)).measurements
        rows = frame[frame["record"].str.contains(path.stem)]
        for measure in AMPLITUDES:
            there = rows[rows["measure"] == measure].set_index("lead")["value"]
            for lead in own.leads:
                np.testing.assert_equal(float(there[lead]), own.get(measure, lead))


# --- simulation and names: what the truths above rest on ----------------------------------------------------------------------


@examples(8)
@given(people())
def test_simulated_limb_leads_obey_einthoven_and_goldberger(person: Simulated) -> None:
    i, ii, iii, avr, avl, avf = (person.ecg[lead] for lead in STANDARD[:6])
    for found, expected in ((iii, ii - i), (avr, -(i + ii) / 2), (avl, i - ii / 2), (avf, ii - i / 2)):
        assert np.allclose(found, expected, atol=1e-6)


@examples(8)
@given(seeds, st.sampled_from(INDEPENDENT), st.floats(-300.0, 300.0), st.floats(-300.0, 300.0))
def test_injected_changes_add_up(seed: int, lead: str, one: float, other: float) -> None:
    made = es.simulate.ecg(fs=500, seed=seed, duration_s=4.0)
    truth = made.truth
    where = {"j_samples": truth.j, "t_peak_samples": truth.t.peak, "t_end_samples": truth.t.offset}

    def with_st(ecg: es.Ecg, size: float) -> es.Ecg:
        return es.simulate.inject(ecg, truth.r_sample, **where, st_uv={lead: size})

    assert np.allclose(with_st(with_st(made.ecg, one), other).signal_uv, with_st(made.ecg, one + other).signal_uv, atol=1e-6)


@examples(8)
@given(seeds)
def test_a_seed_is_all_that_chance_needs(seed: int) -> None:
    first = es.simulate.ecg(fs=250, seed=seed, duration_s=3.0, noise_uv=10.0, wander_uv=30.0, mains_uv=5.0).ecg.signal_uv
    np.random.default_rng().random(3)
    np.random.seed(seed % 1000)  # the old global state must not matter
    again = es.simulate.ecg(fs=250, seed=seed, duration_s=3.0, noise_uv=10.0, wander_uv=30.0, mains_uv=5.0).ecg.signal_uv
    assert np.array_equal(first, again)


@examples(20)
@given(st.sampled_from(STANDARD), st.booleans(), st.sampled_from(["", " ", "lead ", "MLI"]))
def test_a_lead_name_has_one_spelling(lead: str, lower: bool, before: str) -> None:
    spelt = before.strip() + " " + lead if before.strip() == "lead" else lead
    name = lead_names.canonical(spelt.lower() if lower else spelt)
    assert name == lead
    assert lead_names.canonical(name) == name


@examples(20)
@given(st.permutations(STANDARD), st.integers(1, 12))
def test_territories_do_not_depend_on_the_order_of_leads(leads: list[str], count: int) -> None:
    chosen = leads[:count]
    assert lead_names.territory(chosen) == lead_names.territory(chosen[::-1])
    assert sorted(sorted(chosen, key=lead_names.sort_key)) == sorted(chosen)


@examples(6)
@given(people())
def test_a_table_of_the_values_says_what_the_ecg_says(person: Simulated) -> None:
    found = es.analyze(person.ecg).measurements
    copied = es.Measurements.from_table(found.leads, found.values, se=found.se, rate_bpm=found.rate_bpm)
    alike(table(copied), table(found))
    for lead in found.leads:
        assert copied.state_of("st_j_uv", lead) == found.state_of("st_j_uv", lead)
