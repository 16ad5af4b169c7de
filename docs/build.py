"""Write what the README and the pages show from the code and its recorded figures: outputs, pictures, tables, criteria.

``./run python docs/build.py`` writes; ``./run python docs/build.py --check`` exits with 1 if anything is out of date.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "docs"))
README = ROOT / "README.md"
VALIDATION = ROOT / "docs" / "validation.md"
COMPARE = ROOT / "docs" / "howto" / "compare.md"
WEIGHTS = ROOT / "ecgspasm" / "processing" / "net.toml"
PICTURE = ROOT / "docs" / "presentation-against-baseline.png"
_EXAMPLE = re.compile(r"```python\n(?P<code>.*?)```\n\n```text\n(?P<output>.*?)```", re.DOTALL)


def example_output(code: str) -> str:
    """What the README's example prints, run from the project's root as the README says."""
    before = Path.cwd()
    told = io.StringIO()
    try:
        os.chdir(ROOT)
        with contextlib.redirect_stdout(told):
            exec(compile(code, "README.md", "exec"), {"__name__": "readme"})
    finally:
        os.chdir(before)
    return "\n".join(line.rstrip() for line in told.getvalue().splitlines()) + "\n"


_TABLES = re.compile(r"(?P<begin><!-- benchmark: .*? -->\n).*?(?P<end><!-- benchmark ends -->)", re.DOTALL)
_EDGES = ("P onset", "P offset", "QRS onset", "QRS offset", "T peak", "T offset")


def recorded(name: str) -> dict[str, Any]:
    """Recorded results by method."""
    results: dict[str, Any] = json.loads((ROOT / "data" / "benchmarks" / f"{name}.json").read_text(encoding="utf-8"))["results"]
    return results


def benchmark_tables() -> str:
    """What `ecgspasm benchmark` found, as Markdown."""
    ludb, qtdb = recorded("ludb"), recorded("qtdb")
    plain = {name: row for name, row in ludb.items() if " at " not in name}
    noisy = {name: row for name, row in ludb.items() if " at " in name}
    lines = [f"**LUDB**, {ludb['ecgspasm']['share_of_set']}, all 12 leads, each against its own annotations:", ""]
    lines += _table(plain, "sd_central95", "central-95 SD, ms")
    lines += ["", "The same, all errors:", "", *_table(plain, "sd", "SD, ms")]
    lines += ["", f"**QTDB**, {qtdb['ecgspasm']['share_of_set']}, the better of two leads, mean of the records' own SDs:", ""]
    lines += _table(qtdb, "mean_of_record_sds", "SD, ms", "ms a record of 15 min")
    lines += ["", "LUDB with recorded muscle, electrode and wander noise (NSTDB, equal parts) in every lead:", ""]
    lines += _table({"no noise": ludb["ecgspasm"]} | noisy, "sd_central95", "central-95 SD, ms")
    inverted = {name: row["inverted_t"] for name, row in plain.items()}
    shares = [f"{name} {100 * row['right_sign'] / row['n']:.1f} %" for name, row in inverted.items()]
    lines += ["", f"Inverted T waves found with the right sign ({inverted['ecgspasm']['n']} of LUDB): {', '.join(shares)}."]
    return "\n".join(lines) + "\n"


def _table(results: dict[str, Any], figure: str, unit: str, time: str = "ms an ECG") -> list[str]:
    head = f"| | F1 P / QRS / T, % | {unit}: " + " | ".join(_EDGES) + f" | {time} |"
    lines = [head, "|---" * (3 + len(_EDGES)) + "|"]
    for name, result in results.items():
        f1 = " / ".join(_shown(result["waves"][wave]["f1"], 2) for wave in ("P", "QRS", "T"))
        edges = " | ".join(_shown(result["boundaries"][edge].get(figure), 1) for edge in _EDGES)
        lines.append(f"| {name} | {f1} | {edges} | {1000 * result['seconds_per_ecg']:.0f} |")
    return lines


def _shown(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


_SERIAL = re.compile(r"(?P<begin><!-- serial: .*? -->\n).*?(?P<end><!-- serial ends -->)", re.DOTALL)
_NUMBERS = ("score, person left out", "score", "change of the ST vector", "second largest change of ST", "largest change of ST")
_NUMBERS += ("root mean square of ST and T/3", "largest change in a vessel-specific lead")
_PAIRS = ("unchanged", "occlusion of LAD", "occlusion of RCA", "occlusion of LCx", "T waves turned over", "noise at 12 dB")
_PAIRS += ("turned by 10 degrees", "turned by 30 degrees", "LA/RA swapped")


def serial_tables() -> str:
    """What the benchmarks of the serial comparison found, as Markdown."""
    return "\n".join([*_staffiii(), "", *_pairs(), "", *_confounders(), "", *_calibration()]) + "\n"


def _staffiii() -> list[str]:
    found = recorded("staffiii")
    groups = list(found["by_artery"])
    persons = ", ".join(f"{name} {n}" for name, n in found["by_artery"].items() if name != "all")
    lines = [f"**STAFF III**, occlusion against the same person's baseline, {found['persons']} persons ({persons}):", ""]
    lines += ["| rule | " + " | ".join(f"Se {group}, %" for group in groups) + " | Sp, % |", "|---" * (2 + len(groups)) + "|"]
    for name, row in found["rules"].items():
        cells = [*(row["sensitivity"][group] for group in groups), row["specificity"]]
        lines.append(f"| {name} | " + " | ".join(f"{cell:.0f}" for cell in cells) + " |")
    head = "| number | AUC (95 % interval) | " + " | ".join(f"Se {group} at Sp 96, %" for group in groups) + " |"
    lines += ["", head, "|---" * (2 + len(groups)) + "|"]
    for name in _NUMBERS:
        row = found["numbers"][name]
        interval = f"{row['auc']:.3f} ({row['auc_low']:.3f}-{row['auc_high']:.3f})"
        lines.append(f"| {name} | {interval} | " + " | ".join(f"{row['se_at_sp96'][group]:.0f}" for group in groups) + " |")
    rows = [f"{row['said']:.2f} said, {row['seen']:.2f} seen ({row['pairs']} pairs)" for row in found["reliability"]]
    return [*lines, "", f"Reliability of the score (person left out, fifths of the probability): {'; '.join(rows)}."]


def _pairs() -> list[str]:
    lines = [
        "**Pairs with known truth**, fresh electrodes (real pairs of PTB, halves of LUDB records with moved chest electrodes):",
        "",
    ]
    lines += [
        "| | pairs | new, % | undecided, % | lead and sign of the largest change right, % | intervals that cover, % |",
        "|---" * 6 + "|",
    ]
    for kind, rows in recorded("pairs").items():
        for name in _PAIRS:
            row = rows[name]
            right = row["largest_right"] if name.startswith("occlusion") else None
            cells = [_shown(row["new"], 1), _shown(row["undecided"], 1), _shown(right, 1), _shown(row["covered"], 1)]
            lines.append(f"| {kind.upper()}, {name} | {row['pairs']} | " + " | ".join(cells) + " |")
    return lines


def _confounders() -> list[str]:
    found = recorded("confounders")
    lines = ["**Confounders** made in the second half of LUDB records, which is compared with the first:", ""]
    lines += ["| | pairs | named, % | noticed, % | new ischemia, % |", "|---" * 5 + "|"]
    for name, row in found["sets"]["ludb"].items():
        if name != "unchanged" and not name.startswith("occlusion"):
            lines.append(f"| {name} | {row['pairs']} | {row['named']:.1f} | {row['detected']:.1f} | {row['new']:.1f} |")
    claimed = f"{found['false_alarms']} % of the pairs without any, among them PTB pairs and pairs with occlusions put in"
    return [*lines, "", f"A swap, gain or sampling rate was claimed in {claimed}."]


def _calibration() -> list[str]:
    lines = ["**Calibration** on analytic ECGs in the manner of IEC 60601-2-25 (largest and rms error, uV):"]
    lines += ["", "| | limit, uV | ST at J+60 | within, % | T | within, % |", "|---" * 6 + "|"]
    for name, row in recorded("calibration")["calibration"].items():
        st, t = row["st_j60_uv"], row["t_uv"]
        cells = [f"{each['largest_uv']:.1f}, {each['rms_uv']:.1f} | {each['within']:.1f}" for each in (st, t)]
        lines.append(f"| {name} | {row['limit_uv']:.0f} | " + " | ".join(cells) + " |")
    lines += ["", "![Error and abstention against the signal-to-noise ratio](noise-curve.png)"]
    return lines


_CONTINUOUS = re.compile(r"(?P<begin><!-- continuous: .*? -->\n).*?(?P<end><!-- continuous ends -->)", re.DOTALL)


def continuous_tables() -> str:
    """What the benchmarks of continuous recordings found, as Markdown."""
    lines = ["| episodes | true | Se, % (95 % interval) | +P, % | duration Se, % | duration +P, % |", "|---" * 6 + "|"]
    sets = {"edb": "European ST-T, 22 excerpts of 15 min", "ltstdb": "Long-Term ST, 18 records, one lead at 50 Hz"}
    for name, words in sets.items():
        for group, rows in recorded(name)["scores"].items():
            if name == "ltstdb" or group.endswith("person"):
                for which, row in rows.items():
                    lines.append(_episode_row(f"{words}: {group}, {which}", row))
    balloon, cost = recorded("balloon"), recorded("monitor")
    told = f"**Balloon inflations** of STAFF III, {balloon['above_100_uv']} persons whose ST changed by more than 100 uV: "
    told += f"onset within 30 s in {balloon['onset_within_30_s']} %, recovery seen in {balloon['recovery_seen']} % of "
    told += f"{balloon['recovery_asked']} that were recorded for a minute after it; "
    told += f"a response to no inflation in {balloon['sham_response']} % of the baselines."
    day, two = cost["24 h"], cost["48 h"]
    paid = f"**Cost**: 24 h of 12 leads at 500 Hz in {day['seconds']:.0f} s on one core, "
    paid += f"{day['peak_mb'] - day['idle_mb']} MB over idle; "
    paid += f"48 h in {two['seconds']:.0f} s, {two['peak_mb'] - two['idle_mb']} MB."
    return "\n".join([*lines, "", told, "", paid]) + "\n"


def _episode_row(name: str, row: dict[str, Any]) -> str:
    figures = [_shown(row["gross"][key], 0) for key in ("episode_se", "episode_ppv", "duration_se", "duration_ppv")]
    for place, key in enumerate(("episode_se", "episode_ppv")):
        figures[place] += " (" + "-".join(_shown(edge, 0) for edge in row["interval"][key]) + ")"
    return f"| {name} | {row['sums']['n_true']:.0f} | " + " | ".join(figures) + " |"


def draw_noise_curve() -> None:
    """Error of ST and share of leads refused against the signal-to-noise ratio, for each kind of recorded noise."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 3.2), layout="constrained")
    error, refused = figure.subplots(1, 2)
    names = {"bw": "baseline wander", "em": "electrode motion", "ma": "muscle"}
    for (kind, rows), style in zip(recorded("calibration")["noise"].items(), ("o-", "s--", "^:"), strict=True):
        levels = [int(level) for level in rows]
        error.plot(levels, [row["st_j60_uv"]["p95_uv"] for row in rows.values()], style, label=names[kind])
        refused.plot(levels, [row["not_measured"] for row in rows.values()], style, label=names[kind])
    error.set(title="ST at J+60, 95th percentile of the error", ylabel="uV", yscale="log")
    refused.set(title="leads not measured", ylabel="%")
    for axes in (error, refused):
        axes.set_xlabel("signal-to-noise ratio, dB")
        axes.invert_xaxis()
        axes.grid(alpha=0.3)
    error.legend(frameon=False)
    figure.savefig(ROOT / "docs" / "noise-curve.png", dpi=110)


def readme() -> str:
    """The README with fresh output and figures."""
    text = README.read_text(encoding="utf-8")
    return with_output(_PEERS.sub(lambda match: match["begin"] + peers_table() + match["end"], text))


def with_output(text: str) -> str:
    """A page with what its examples print."""
    return _EXAMPLE.sub(lambda match: f"```python\n{match['code']}```\n\n```text\n{example_output(match['code'])}```", text)


def validation_page() -> str:
    """The page with all figures."""
    text = VALIDATION.read_text(encoding="utf-8")
    text = _SERIAL.sub(lambda match: match["begin"] + serial_tables() + match["end"], text)
    text = _CONTINUOUS.sub(lambda match: match["begin"] + continuous_tables() + match["end"], text)
    return _TABLES.sub(lambda match: match["begin"] + benchmark_tables() + match["end"], text)


_PEERS = re.compile(r"(?P<begin><!-- peers: .*? -->\n).*?(?P<end><!-- peers end -->)", re.DOTALL)
_NAMES = ("ecgspasm", "neurokit2", "neurokit2-prominence")


def peers_table() -> str:
    """What it does and how well, beside the peers, as Markdown."""
    ludb, qtdb = recorded("ludb"), recorded("qtdb")
    lines = ["| | " + " | ".join(_NAMES) + " |", "|---" * (1 + len(_NAMES)) + "|"]

    def row(name: str, cells: list[str]) -> None:
        lines.append(f"| {name} | " + " | ".join([*cells, *["-"] * (len(_NAMES) - len(cells))]) + " |")

    for title, found, key in (("LUDB", ludb, "sd_central95"), ("QTDB", qtdb, "mean_of_record_sds")):
        f1 = [" / ".join(_shown(found[name]["waves"][wave]["f1"], 1) for wave in ("P", "QRS", "T")) for name in _NAMES]
        row(f"{title}: F1 of P / QRS / T, %", f1)
        for edge in ("QRS offset", "T offset"):
            cells = [_shown(found[name]["boundaries"][edge].get(key), 1) for name in _NAMES]
            row(f"{title}: SD of the {edge.replace('offset', 'end')}, ms", cells)
    inverted = [ludb[name]["inverted_t"] for name in _NAMES]
    row("inverted T waves found with the right sign, %", [f"{100 * each['right_sign'] / each['n']:.1f}" for each in inverted])
    taken = [f"{1000 * ludb[name]['seconds_per_ecg']:.0f}" for name in _NAMES]
    row("delineation of 12 leads and 10 s, ms", taken)
    staff, pairs = recorded("staffiii"), recorded("pairs")
    score = staff["numbers"]["score, person left out"]
    area = f"{score['auc']:.3f} ({score['auc_low']:.3f}-{score['auc_high']:.3f})"
    row(f"occlusion against the own baseline, {staff['persons']} persons of STAFF III: AUC (95 % interval)", [area])
    row("new ischemia claimed in unchanged pairs of PTB and LUDB, %", [_false_claims(pairs)])
    calibration = recorded("calibration")["calibration"]["no noise"]["st_j60_uv"]
    row("largest error of ST at J+60 on analytic ECGs, uV", [f"{calibration['largest_uv']:.1f}"])
    visible = recorded("edb")["scores"]["ST, person"]["visible"]["gross"]
    told = f"{visible['episode_se']:.0f} / {visible['episode_ppv']:.0f}"
    row("ST episodes, European ST-T excerpts: sensitivity / +P, %", [told])
    day = recorded("monitor")["24 h"]
    row("24 h of 12 leads at 500 Hz on one core", [f"{day['seconds']:.0f} s, {day['peak_mb'] - day['idle_mb']} MB"])
    return "\n".join(lines) + "\n"


def _false_claims(pairs: dict[str, Any]) -> str:
    rows = [rows["unchanged"] for rows in pairs.values()]
    claimed = sum(row["new"] * row["pairs"] / 100 for row in rows)
    return f"{100 * claimed / sum(row['pairs'] for row in rows):.1f} of {sum(row['pairs'] for row in rows)}"


def beside_the_weights() -> str:
    """The cross-validation's figures as they stand beside the weights of the net."""
    lines = [
        "# Cross-validation figures of the net in net.npz (five folds by record); written by docs/build.py from data/benchmarks."
    ]
    for name in ("ludb", "qtdb"):
        result = recorded(name)["ecgspasm"]
        lines += ["", f"[{name}]", f'records = "{result["share_of_set"]}"']
        lines += [f"f1_{wave.lower()} = {row['f1']}" for wave, row in result["waves"].items()]
        for edge in _EDGES:
            row, key = result["boundaries"][edge], edge.lower().replace(" ", "_")
            lines.append(
                f"{key}_ms = {{ mean = {row['mean']}, sd = {row['sd']}, central95_sd = {row['sd_central95']}, "
                f"mean_of_record_sds = {row['mean_of_record_sds']} }}"
            )
    return "\n".join(lines) + "\n"


BATCH = ROOT / "docs" / "batch.md"
_COST = re.compile(r"(?P<begin><!-- cost: .*? -->\n).*?(?P<end><!-- cost ends -->)", re.DOTALL)
_MIMIC_ECGS = 800_000


_FAULTS = re.compile(r"(?P<begin><!-- faults: .*? -->\n).*?(?P<end><!-- faults end -->)", re.DOTALL)


def batch_page() -> str:
    """The page about batches with the tables of what they cost and what they survive."""
    from generated import faults_table

    page = BATCH.read_text(encoding="utf-8")
    for place, content in ((_COST, batch_cost()), (_FAULTS, faults_table())):
        found = place.search(page)
        assert found is not None
        page = page[: found.end("begin")] + content + page[found.start("end") :]
    return page


def batch_cost() -> str:
    """What `docs/batch_cost.py` measured, as Markdown."""
    cost = json.loads((ROOT / "data" / "benchmarks" / "batch.json").read_text(encoding="utf-8"))
    lines = ["| run | records | seconds | records/s | ECGs/s | ms a record, early and late | memory, MB, early and late |"]
    lines += ["|---" * 7 + "|"]
    for row in cost["runs"]:
        pace = f"{row['early_ms']:.2f}, {row['late_ms']:.2f}" if row["early_ms"] is not None else "-"
        held = f"{row['early_mb']}, {row['late_mb']}" if row["early_mb"] is not None else "-"
        cells = [row["name"], row["records"], row["seconds"], row["records_per_s"], row["ecgs_per_s"], pace]
        lines.append("| " + " | ".join(str(cell) for cell in cells) + f" | {held} |")
    runs = {row["name"]: row for row in cost["runs"]}
    rate = max(row["records_per_s"] for name, row in runs.items() if name.startswith("measure, 10 s"))
    told = [f"{_duration(_MIMIC_ECGS / (rate / cost['cores'] * cores))} on {cores}" for cores in (2, 32, 256)]
    said = f"At {rate / cost['cores']:.0f} ECGs a second and core, measuring {_MIMIC_ECGS:,} ECGs (MIMIC-IV-ECG) takes "
    said += f"{', '.join(told[:2])} and {told[2]} cores, if the disk keeps up"
    return "\n".join([*lines, "", f"{said}; measured on {cost['cores']}, the rest is division."]) + "\n"


def _duration(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds / 60:.0f} min"


def draw() -> None:
    """Draw the README's picture."""
    import ecgspasm as es

    case = ROOT / "data" / "index-case"
    figure, _ = es.plot.comparison(es.compare(es.read(case / "baseline.hea"), es.read(case / "presentation.hea")))
    es.plot.save(figure, PICTURE)


def draw_trend() -> None:
    """Draw the README's picture of a trend: two attacks put into a quarter of an hour, in the leads of the index case."""
    import ecgspasm as es

    elevation, inversion = {"V1": 180.0, "V2": 300.0, "V3": 300.0, "V4": 220.0}, {"V2": -280.0, "V3": -220.0}
    made = [
        es.simulate.ecg(fs=250, seed=5, duration_s=900, leads=["V1", "V2", "V3", "V4"], noise_uv=8.0, **change).ecg
        for change in ({}, {"st_uv": elevation}, {"t_uv": inversion})
    ]
    attack = es.simulate.transient(made[0], made[1], [(200, 0), (260, 1), (330, 1), (390, 0)])
    figure, _ = es.plot.trend(es.monitor(es.simulate.transient(attack, made[2], [(560, 0), (620, 1), (720, 1), (780, 0)])))
    es.plot.save(figure, ROOT / "docs" / "trend.png")


def generated() -> dict[Path, str]:
    """Every file that is made from data, and what should stand in it."""
    from generated import CRITERIA, ROOMS, criteria_page, rooms_figure
    from promised import PROMISES, promises_page

    return {
        README: readme(),
        BATCH: batch_page(),
        VALIDATION: validation_page(),
        COMPARE: with_output(COMPARE.read_text(encoding="utf-8")),
        WEIGHTS: beside_the_weights(),
        CRITERIA: criteria_page(),
        PROMISES: promises_page(),
        ROOMS: rooms_figure(),
        **completions(),
    }


def completions() -> dict[Path, str]:
    """The completion files of the shells, from the commands themselves."""
    import shtab

    from ecgspasm.cli import parser
    from ecgspasm.cli.completion import SHELLS

    folder = ROOT / "ecgspasm" / "cli"
    return {folder / f"completion.{shell}": _with_files(shtab.complete(parser(), shell)) + "\n" for shell in SHELLS}


def _with_files(completion: str) -> str:
    """Names of files are completed where no option or command is: most arguments are files."""
    return completion.replace("complete -o bashdefault -F", "complete -o bashdefault -o default -F")


def main() -> int:
    if "--check" in sys.argv[1:]:
        stale = [path for path, text in generated().items() if not path.exists() or path.read_text(encoding="utf-8") != text]
        for path in stale:
            print(f"{path.relative_to(ROOT)} is out of date; run: ./run python docs/build.py", file=sys.stderr)
        return 1 if stale else 0
    for path, text in generated().items():
        path.write_text(text, encoding="utf-8")
    draw()
    draw_noise_curve()
    draw_trend()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
