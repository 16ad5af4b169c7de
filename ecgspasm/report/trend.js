// A trend that can be looked into: a chart a lead, all with one axis of time, zoomed by dragging, by buttons or by keys.
"use strict";
(() => {
  const { data, uv, clock, make } = ecgspasm;
  const home = document.querySelector("[data-trend]");
  if (!home || !data.trend || !data.trend.time_s.length) return;
  const settings = JSON.parse(home.dataset.trend);
  const live = home.querySelector(".live");
  const said = home.querySelector(".said");
  const select = home.querySelector("select");
  const time = data.trend.time_s;
  const whole = settings.span_s;
  const charts = [];
  let measure = settings.chosen;
  let shown = [...whole];
  let quiet = false; // while all charts are set together

  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const kinds = { "ischemic ramp": "--kind-i", "rate-related": "--kind-r", "posture/axis step": "--kind-p", "conduction change": "--kind-c", artefact: "--kind-a" };
  const waves = { ST: "st_uv", T: "t_net_uv", U: "u_uv" };
  const episodes = (data.episodes ?? []).map((each, place) => ({ ...each, place }));
  const marks = (data.events ?? []).map((each, place) => ({ at: each.time_s, sign: settings.signs[place] }));
  const reach = () => settings.reach[measure];

  // What lies behind a curve: episodes of this lead, limits, events.
  function behind(lead) {
    return (chart) => {
      const { ctx, bbox } = chart;
      ctx.save();
      ctx.textAlign = "left";
      ctx.textBaseline = "alphabetic";
      ctx.beginPath();
      ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
      ctx.clip();
      for (const each of episodes) {
        const part = waves[each.measure] === measure && each.by_lead[lead];
        if (!part) continue;
        const left = chart.valToPos(part.onset_s, "x", true);
        const right = chart.valToPos(part.end_s, "x", true);
        ctx.fillStyle = colour(kinds[each.kind] ?? "--kind-a");
        ctx.globalAlpha = 0.28;
        ctx.fillRect(left, bbox.top, Math.max(right - left, 1.5), bbox.height);
        ctx.globalAlpha = 1;
        if (lead === Object.keys(each.by_lead)[0]) {
          ctx.fillStyle = colour("--ink");
          ctx.font = `${11 * devicePixelRatio}px ${colour("--sans") || "sans-serif"}`;
          const wide = right - left > 30 * devicePixelRatio;
          ctx.fillText(settings.labels[each.place], (wide ? left : right) + 3 * devicePixelRatio, bbox.top + 11 * devicePixelRatio);
        }
      }
      if (lead) {
        ctx.strokeStyle = colour("--soft");
        ctx.lineWidth = devicePixelRatio * 0.7;
        for (const level of [0, ...settings.limits[measure]]) {
          const y = chart.valToPos(level, "y", true);
          ctx.setLineDash(level ? [4 * devicePixelRatio, 3 * devicePixelRatio] : []);
          ctx.beginPath();
          ctx.moveTo(bbox.left, y);
          ctx.lineTo(bbox.left + bbox.width, y);
          ctx.stroke();
        }
      }
      ctx.strokeStyle = ctx.fillStyle = colour("--ink");
      ctx.font = `bold ${11 * devicePixelRatio}px ${colour("--sans") || "sans-serif"}`;
      for (const each of marks) {
        const x = chart.valToPos(each.at, "x", true);
        ctx.setLineDash([5 * devicePixelRatio, 3 * devicePixelRatio]);
        ctx.beginPath();
        ctx.moveTo(x, bbox.top);
        ctx.lineTo(x, bbox.top + bbox.height);
        ctx.stroke();
        if (!charts.length || charts[0].chart === chart) ctx.fillText(each.sign, x + 3 * devicePixelRatio, bbox.top + 11 * devicePixelRatio);
      }
      ctx.restore();
    };
  }

  function build() {
    for (const each of charts) each.chart.destroy();
    charts.length = 0;
    live.replaceChildren();
    for (const lead of [...Object.keys(data.trend.measures[measure]), ""]) charts.push(chartOf(lead));
    show(...shown, !said.textContent);
  }

  function chartOf(lead) {
    const value = make("small");
    const place = make("div", { class: "chart" });
    live.append(make("div", { class: "row" }, make("b", {}, lead || "rate", value), place));
    const values = lead ? data.trend.measures[measure][lead] : data.trend.rate_bpm;
    const axis = { stroke: colour("--soft"), grid: { stroke: colour("--rule"), width: 1 }, ticks: { show: false }, font: `11px ${colour("--sans") || "sans-serif"}` };
    const [up, down] = reach();
    const chart = new uPlot({
      width: Math.max(place.clientWidth, 200),
      height: lead ? 62 : 86,
      legend: { show: false },
      padding: [lead ? 3 : 8, 26, lead ? 3 : 0, 0],
      cursor: {
        y: false,
        drag: { x: true, y: false, setScale: false },
        sync: { key: "ecgspasm" },
        points: { size: 5 },
        bind: { dblclick: () => () => { show(...whole); return null; } },
      },
      scales: { x: { time: false }, y: { range: lead ? [-down, up] : (_, low, high) => [Math.floor(low / 10) * 10, Math.max(Math.ceil(high / 10), Math.floor(low / 10) + 1) * 10] } },
      axes: [
        { ...axis, show: !lead, incrs: [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400], values: (_, splits) => splits.map(clock), space: 70 },
        { ...axis, size: 46, grid: { show: false }, splits: lead ? () => ticks(up, down) : null, values: (_, splits) => splits.map((each) => (lead ? uv(each) : String(each))) },
      ],
      series: [{}, { stroke: colour("--ink"), width: 1.2, spanGaps: false, points: { show: time.length <= settings.sparse, size: 5 } }],
      hooks: {
        drawClear: [behind(lead)],
        setSelect: [(self) => {
          if (quiet || self.select.width < 4) return;
          const [from, to] = [self.select.left, self.select.left + self.select.width].map((each) => self.posToVal(each, "x"));
          self.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
          show(from, to);
        }],
        setCursor: [(self) => {
          const at = self.cursor.idx;
          const told = at === null || at === undefined ? null : values[at];
          value.textContent = told === null || told === undefined ? "" : lead ? uv(told) : `${told}/min`;
          if (!lead && at !== null && at !== undefined) home.querySelector(".at").textContent = `at ${clock(time[at])}`;
        }],
      },
    }, [time, values], place);
    return { chart, lead, values, value };
  }

  function ticks(up, down) {
    const step = [50, 100, 200, 250, 500, 1000, 2000].find((each) => (up + down) / each <= 3) ?? 5000;
    const found = [];
    const edge = (up + down) * 0.07; // a number at the very edge would be cut off
    for (let at = Math.ceil((edge - down) / step) * step; at <= up - edge; at += step) found.push(at);
    return found;
  }

  // Show a span of time in all charts, never beyond the whole and never less than a minute of it.
  function show(from, to, tell = true) {
    const least = Math.min(60, whole[1] - whole[0]);
    let span = Math.min(Math.max(to - from, least), whole[1] - whole[0]);
    let start = Math.min(Math.max((from + to) / 2 - span / 2, whole[0]), whole[1] - span);
    shown = [start, start + span];
    quiet = true;
    for (const each of charts) each.chart.setScale("x", { min: shown[0], max: shown[1] });
    quiet = false;
    const all = span >= (whole[1] - whole[0]) * 0.999;
    for (const button of home.querySelectorAll("[data-do]")) {
      const name = button.dataset.do;
      button.disabled = (all && ["farther", "whole", "earlier", "later"].includes(name)) || (name === "closer" && span <= least);
    }
    if (tell) said.textContent = all ? "The whole recording is shown." : `Shown: ${clock(shown[0])} to ${clock(shown[1])}.`;
  }

  function valuesAt(share) {
    for (const each of charts) {
      const x = each.chart.valToPos(shown[0] + (shown[1] - shown[0]) * share, "x");
      each.chart.setCursor({ left: x, top: 10 });
    }
  }

  const does = {
    closer: () => { const [a, b] = shown; show(a + (b - a) / 4, b - (b - a) / 4); },
    farther: () => { const [a, b] = shown; show(a - (b - a) / 2, b + (b - a) / 2); },
    whole: () => show(...whole),
    earlier: () => { const [a, b] = shown; show(a - (b - a) / 3, b - (b - a) / 3); },
    later: () => { const [a, b] = shown; show(a + (b - a) / 3, b + (b - a) / 3); },
    previous: () => step(-1),
    next: () => step(1),
  };
  for (const button of home.querySelectorAll("[data-do]")) button.addEventListener("click", () => does[button.dataset.do]());
  live.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const name = { "+": "closer", "=": "closer", "-": "farther", 0: "whole", Home: "whole", ArrowLeft: "earlier", ArrowRight: "later", "[": "previous", "]": "next" }[event.key];
    if (!name) return;
    event.preventDefault();
    does[name]();
    valuesAt(0.5);
  });
  if (select) {
    select.addEventListener("change", () => {
      measure = select.value;
      build();
    });
  }

  // The table tells of an episode; its button shows it in the charts, and its beats.
  let chosen = null;
  function step(by) {
    const listed = [...document.querySelectorAll("button[data-episode]")].map((each) => Number(each.dataset.episode));
    if (!listed.length) return;
    const at = listed.indexOf(chosen);
    choose(listed[at < 0 ? (by > 0 ? 0 : listed.length - 1) : (at + by + listed.length) % listed.length]);
  }

  function choose(place, zoomed = true) {
    const each = episodes[place];
    chosen = place;
    for (const row of document.querySelectorAll("tr[data-place]")) row.classList.toggle("chosen", Number(row.dataset.place) === place);
    if (zoomed) {
      if (waves[each.measure] !== measure && data.trend.measures[waves[each.measure]]) {
        measure = waves[each.measure];
        select.value = measure;
        build();
      }
      const around = Math.max((each.end_s - each.onset_s) * 0.8, 120);
      shown = [each.onset_s - around, each.end_s + around];
      show(...shown, false);
      said.textContent = `${settings.labels[place]}: ${each.kind}, ${each.measure} ${uv(each.extremum_uv)} µV in ${each.extremum_lead} at ${clock(each.extremum_s)}, ${each.leads.join(" ")}.`;
    }
    if (figure) beatsOf(place);
  }

  const figure = document.querySelector("[data-beats]");
  function beatsOf(place) {
    const each = episodes[place];
    const pair = data.beats.episodes[place];
    const [current, before] = pair ? [pair.current, pair.quiet].map((at) => (at === null ? null : data.beats.beats[at])) : [null, null];
    const words = figure.querySelector(".which");
    words.textContent = current && before
      ? `${settings.labels[place]}: beat of ${clock(current.at_s)} over ${pair.quiet_is_quiet ? "the quiet beat" : "the beat (there is no quiet stretch)"} of ${clock(before.at_s)}`
      : `${settings.labels[place]}: no averaged beat was kept for it`;
    for (const cell of figure.querySelectorAll(".lead")) {
      const lead = cell.dataset.lead;
      const part = each.by_lead[lead];
      cell.querySelector(".small").textContent = !current || !before || !current.uv[lead] || !before.uv[lead] ? "not measured" : part ? `${each.measure} ${uv(part.extremum_uv)} µV` : "";
      cell.classList.toggle("marked", Boolean(part));
      const [x, one, other] = common(before, current, lead);
      cell.querySelector(".curve.baseline").setAttribute("d", path(x, one));
      cell.querySelector(".curve.current").setAttribute("d", path(x, other));
      cell.querySelector(".curve.difference").setAttribute("d", path(x, other.map((value, at) => value - one[at])));
    }
    figure.overlay?.retell();
  }

  // Both beats at the times of the shorter one.
  function common(before, current, lead) {
    if (!before || !current || !before.uv[lead] || !current.uv[lead]) return [[], [], []];
    const times = (beat) => Array.from({ length: beat.time_ms.count }, (_, at) => beat.time_ms.first + at * beat.time_ms.step);
    const x = times(current.time_ms.count <= before.time_ms.count ? current : before);
    const at = (beat) => x.map((ms) => {
      const place = Math.min(Math.max((ms - beat.time_ms.first) / beat.time_ms.step, 0), beat.time_ms.count - 1);
      const low = Math.floor(place);
      const high = Math.min(low + 1, beat.time_ms.count - 1);
      return beat.uv[lead][low] + (beat.uv[lead][high] - beat.uv[lead][low]) * (place - low);
    });
    return [x, at(before), at(current)];
  }

  function path(x, y) {
    return x.map((ms, at) => `${at ? "L" : "M"}${(ms * 2.5).toFixed(0)} ${(-y[at]).toFixed(0)}`).join("");
  }

  for (const button of document.querySelectorAll("button[data-episode]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      choose(Number(button.dataset.episode));
      (figure ?? home).scrollIntoView({ block: "nearest" });
      home.scrollIntoView({ block: "start" });
    });
  }

  home.querySelector(".static").hidden = true;
  for (const element of home.querySelectorAll("[data-live]")) element.hidden = false;
  if (figure) {
    figure.overlay = new ecgspasm.Overlay(figure, {
      numbers: (lead) => {
        const place = chosen ?? settings.first;
        const part = place === null ? null : episodes[place].by_lead[lead];
        const wave = place === null ? "" : episodes[place].measure;
        if (!part) return { said: `${lead}: not part of the episode`, head: ["s, µV"], rows: [] };
        const told = `${lead}: ${wave} ${uv(part.extremum_uv)} µV at ${clock(part.extremum_s)}, from ${clock(part.onset_s)} to ${clock(part.end_s)}`;
        return { said: told, head: [], rows: [] };
      },
    });
  }
  build();
  if (settings.first !== null && settings.first !== undefined) choose(settings.first, false);
  new ResizeObserver(() => {
    for (const each of charts) {
      const wide = each.chart.root.parentElement.clientWidth;
      if (wide && Math.abs(wide - each.chart.width) > 1) each.chart.setSize({ width: wide, height: each.chart.height });
    }
  }).observe(live);
  for (const query of ["(prefers-color-scheme: dark)"]) window.matchMedia(query).addEventListener("change", build);
})();
